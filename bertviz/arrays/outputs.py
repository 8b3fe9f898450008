"""The attentions that a Hugging Face model or ``generate`` returned; steps as whole rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from bertviz.arguments import axes_of
from bertviz.errors import a_type

if TYPE_CHECKING:
    from torch import Tensor


def parts_of(output: Any) -> dict[str, Any] | None:
    """The attentions of what a Hugging Face model or ``generate`` returned.

    Args:
        output: Anything.

    Returns:
        By the names of the views' arguments: ``attention``, or ``encoder_attention``,
        ``decoder_attention`` and ``cross_attention``, None where it holds none; or None if
        ``output`` is something else.

    Raises:
        ValueError: It comes from beam search.
    """
    if not isinstance(output, Mapping):
        return None
    names = {
        "attentions": "attention",
        "encoder_attentions": "encoder_attention",
        "decoder_attentions": "decoder_attention",
        "cross_attentions": "cross_attention",
    }
    fields = getattr(type(output), "__dataclass_fields__", {})
    if "beam_indices" in fields:
        raise ValueError(
            f"attention is {a_type(output)}: beam search changes the places of its texts from step"
            " to step, so that a row would mix several. Call generate(..., num_beams=1); to see the"
            " text that beam search found, pass it to the model, output_attentions=True."
        )
    known = {**dict.fromkeys(fields), **output}
    found = {short: known[name] for name, short in names.items() if name in known}
    if not found:
        return None
    given = {name: value for name, value in found.items() if _holds(value)}
    return given or {"attention": None}


def _holds(value: Any) -> bool:
    """Whether a field of an output has something in it: under sdpa it is (None, None, …)."""
    return value is not None and not (
        isinstance(value, list | tuple) and all(layer is None for layer in value)
    )


def nothing_in(name: str, call: str = "head_view") -> str:
    """What to say when a model's attention is an empty tuple.

    Since transformers 5 that is ``outputs[-1]`` of BERT and GPT-2, which was BertViz's standard
    line, and every kind of attention that a fast kernel is asked for.

    Args:
        name: What it was passed as.
        call: The function to call instead.
    """
    return (
        f"{name} is empty: outputs[-1] of BERT, RoBERTa and GPT-2 is their cross-attention in"
        " transformers 5, which they do not have: pass outputs.attentions, or outputs itself. If"
        " outputs.attentions is empty too, the model ran on a fast kernel such as sdpa, which"
        f" returns no attention: pass the model itself, {call}(model, tokenizer, text), whose"
        ' attention is captured on any kernel, or load it with attn_implementation="eager".'
    )


def is_generated(value: Any) -> bool:
    """Whether these are the attentions of ``generate``: per step, a tuple with one per layer."""
    return (
        isinstance(value, list | tuple)
        and bool(value)
        and all(
            isinstance(step, list | tuple)
            and bool(step)
            and all(axes_of(layer) == 4 for layer in step)
            for step in value
        )
    )


def whole_rows(steps: Sequence[Sequence[Tensor]], name: str) -> list[Tensor]:
    """The attentions of all steps as one matrix per head: each step's rows below those before.

    With a cache of fixed size the first steps have room for more keys than there are tokens, with
    a sliding one the last steps have fewer.

    Args:
        steps: Per step and layer, (heads, query, key).
        name: What they were passed as; "cross..." has all keys from the first step on.
    """
    for index, step in enumerate(steps):
        if [layer.shape[0] for layer in step] != [layer.shape[0] for layer in steps[0]]:
            raise ValueError(
                f"{name}[{index}] and {name}[0] differ in their layers or heads: expected the same"
                " ones in every step, as generate() returns them."
            )
    layers = []
    for number in range(len(steps[0])):
        parts = [step[number] for step in steps]
        if all(part.shape[1:] == parts[0].shape[1:] for part in parts[1:]) and (
            len(parts) > 1 and parts[0].shape[1] > 1
        ):
            raise ValueError(
                f"{name} holds {len(steps)} steps with as many queries each: expected the prompt"
                " first, then one token a step, as generate() with a cache returns them."
            )
        layers.append(_below_each_other(parts, cross=name.startswith("cross")))
    return layers


def _below_each_other(parts: Sequence[Tensor], cross: bool) -> Tensor:
    rows = sum(part.shape[1] for part in parts)
    width = parts[0].shape[2] if cross else rows
    whole = parts[0].new_zeros(parts[0].shape[0], rows, width)
    at = 0
    for part in parts:
        end = at + part.shape[1]
        offset = 0 if cross or part.shape[2] > end else end - part.shape[2]
        stop = min(width, offset + part.shape[2])
        whole[:, at:end, offset:stop] = part[..., : stop - offset]
        at = end
    return whole
