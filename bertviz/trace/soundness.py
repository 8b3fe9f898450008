"""Whether the parts of a trace fit each other, so that everything that is offered for it works.

The problem. A trace may come from a file that was damaged or made by a stranger. Shapes are checked
wherever a part is made (checked.py). A number that overflows, or words without a token, would be
accepted and fail much later, inside an analysis or as a picture that is wrong. So numbers are
checked once, before there is a trace to use.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bertviz.errors import short
from bertviz.trace.attention_trace import AttentionTrace
from bertviz.trace.formula import Formula
from bertviz.trace.kinds import TraceKind
from bertviz.trace.layer import LayerAttention
from bertviz.trace.tokens import Tokens

if TYPE_CHECKING:
    from torch import Tensor

TOLERANCE = 1e-3  # weights in half precision may exceed 1 through rounding
# Softmax is computed in float32, which ends at 3.4e38; the softcap divides and multiplies.
LARGEST = 3e38
# Of values that are not attention, as from_arrays has it: 1e30 in float32, which is a bit more.
LARGEST_VALUE = 1.0000000150474662e30
SOFTCAPS = (1e-30, 1e30)


def check_trace(trace: AttentionTrace) -> None:
    """Refuse a trace of which not everything works.

    Raises:
        ValueError: Something does not fit; the message says what and where.
    """
    for block in trace.blocks.values():
        where = f"block {block.name!r}"
        _check_tokens(f"{where}: query", block.query)
        _check_tokens(f"{where}: key", block.key)
        if not block.layers:
            raise ValueError(f"{where} has no layers")
        numbers = [layer.index for layer in block.layers]
        if len(set(numbers)) < len(numbers):
            raise ValueError(f"{where} has two layers of one number: {short(numbers)}")
        for layer in block.layers:
            _check_layer(f"{where}, layer {layer.index}", layer, trace.kind)


def _check_tokens(where: str, tokens: Tokens) -> None:
    count = len(tokens.strings)
    if not count:
        raise ValueError(f"{where} has no tokens")
    for name in ("text", "sentences", "words", "special"):
        held = getattr(tokens, name)
        if held is not None and len(held) != count:
            raise ValueError(f"{where} has {count} strings, but {len(held)} in {name}")
    if tokens.sentences is not None and len(set(tokens.sentences)) != 2:
        raise ValueError(f"{where} has {len(set(tokens.sentences))} sentences: expected two")
    steps = zip((-1, *tokens.words), tokens.words, strict=False)
    if tokens.words[0] or any(word - before not in (0, 1) for before, word in steps):
        raise ValueError(f"{where} has words that are not numbered from 0 without gaps")


def _check_layer(where: str, layer: LayerAttention, kind: TraceKind) -> None:
    if not layer.heads:
        raise ValueError(f"{where} has no heads")
    if layer.given_weights is not None:
        if kind != "attention":
            _check_values(where, layer.given_weights, kind)
            return
        low, high = _range(where, "given_weights", layer.given_weights)
        if not (low >= -TOLERANCE and high <= 1 + TOLERANCE):
            worst = high if low >= -TOLERANCE else low
            raise ValueError(f"{where}: given_weights holds {worst:.4g}: expected 0..1")
    if layer.formula is not None:
        _check_formula(where, layer.formula)


def _check_values(where: str, values: Tensor, kind: TraceKind) -> None:
    """Refuse values that are not of their kind; NaN is a missing one."""
    low, high = _range(where, "given_weights", values.nan_to_num(0.0))
    lowest = 0.0 if kind == "unnormalized" else -LARGEST_VALUE
    if not (low >= lowest and high <= LARGEST_VALUE):
        worst = high if low >= lowest else low
        raise ValueError(
            f"{where}: given_weights holds {worst:.4g}: expected {lowest:g}..{LARGEST_VALUE:g}"
        )


def _check_formula(where: str, formula: Formula) -> None:
    heads, held = formula.num_heads, formula.keys.shape[0]
    if formula.key_heads is None and heads % held:
        raise ValueError(f"{where}: {heads} heads cannot share {held} heads of keys evenly")
    _check_numbers(where, formula)


def _check_numbers(where: str, formula: Formula) -> None:
    """Refuse what overflows, for then the softmax is NaN."""
    vectors = [_range(where, name, getattr(formula, name)) for name in ("queries", "keys")]
    queries, keys = (max(-low, high) for low, high in vectors)
    largest = queries * keys * formula.queries.shape[-1] * max(1.0, abs(formula.scaling))
    if not max(largest, queries, keys, abs(formula.scaling)) < LARGEST:
        raise ValueError(f"{where}: queries, keys and scaling are so large that q·k overflows")
    if formula.softcap is not None:
        if not SOFTCAPS[0] < formula.softcap < SOFTCAPS[1]:
            raise ValueError(f"{where}: softcap is {formula.softcap}: expected more than 0")
        largest = formula.softcap
    for name in ("mask", "position_bias", "sinks"):
        term = getattr(formula, name)
        if term is None or (name == "mask" and str(term.dtype) == "torch.bool"):
            continue
        low, high = _range(where, name, term)
        largest += max(0.0, high)
        if not largest < LARGEST or (name == "sinks" and not low > -LARGEST * 2):
            raise ValueError(f"{where}: {name} holds numbers that overflow")


def _range(where: str, name: str, tensor: Tensor) -> tuple[float, float]:
    """The smallest and the largest number, both NaN if one is."""
    if not tensor.dtype.is_floating_point:
        raise ValueError(f"{where}: {name} is of type {tensor.dtype}: expected floating-point")
    low, high = tensor.detach().aminmax()
    if bool(low.isnan()):
        raise ValueError(f"{where}: {name} holds NaN")
    return float(low), float(high)
