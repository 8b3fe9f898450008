"""What the numbers of a trace are: attention, or other values for pairs of tokens.

The problem. Attention × gradient, the difference of two layers, a sum over heads, a saliency map:
all have a number for every query and key, and are worth the same pictures. But their rows do not
sum to one, they may be negative, and some may be missing; a picture that called them attention, or
an analysis that took them for probabilities, would be wrong without anybody noticing. So a trace
says what it holds, and what needs attention asks first.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from bertviz.trace.attention_trace import AttentionTrace

#: "attention" is a softmax over keys; "signed" is any finite numbers; "unnormalized" is numbers
#: that are not negative. In the latter two NaN stands for a value that is missing.
TraceKind = Literal["attention", "signed", "unnormalized"]
VALUE_KINDS: tuple[TraceKind, ...] = ("signed", "unnormalized")


def check_attention(call: str, trace: AttentionTrace, alternative: str) -> None:
    """Refuse a trace of other values where only attention makes sense.

    Args:
        call: The public function's name, for the error.
        trace: What it was given.
        alternative: What to do instead; ends the sentence.

    Raises:
        ValueError: The trace does not hold attention.
    """
    if trace.kind != "attention":
        raise ValueError(
            f"{call} was given a trace of {trace.kind} values: expected attention, whose rows sum"
            f" to one; {alternative}."
        )
