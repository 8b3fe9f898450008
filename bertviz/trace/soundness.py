"""Whether the parts of a trace fit each other, so that everything that is offered for it works.

The problem. A trace may come from a file that was damaged or made by a stranger. A mask of another
shape, a head too many or a number that overflows would be accepted and fail much later, inside an
analysis or as a picture that is wrong. So shapes and numbers are checked once, before there is a
trace to use.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bertviz.errors import short
from bertviz.trace.attention_trace import AttentionTrace
from bertviz.trace.block import AttentionBlock
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
            _check_layer(f"{where}, layer {layer.index}", block, layer, trace.kind)


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


def _check_layer(where: str, block: AttentionBlock, layer: LayerAttention, kind: TraceKind) -> None:
    count = len(layer.heads)
    if not count or len(set(layer.heads)) < count:
        raise ValueError(f"{where} has no heads, or one twice: {short(list(layer.heads))}")
    expected = (count, len(block.query), len(block.key))
    if layer.given_weights is not None:
        _check_shape(where, "given_weights", layer.given_weights, [expected])
        if kind != "attention":
            _check_values(where, layer.given_weights, kind)
            return
        low, high = _range(where, "given_weights", layer.given_weights)
        if not (low >= -TOLERANCE and high <= 1 + TOLERANCE):
            worst = high if low >= -TOLERANCE else low
            raise ValueError(f"{where}: given_weights holds {worst:.4g}: expected 0..1")
    if layer.formula is not None:
        _check_formula(where, layer.formula, expected)


def _check_values(where: str, values: Tensor, kind: TraceKind) -> None:
    """Refuse values that are not of their kind; NaN is a missing one."""
    low, high = _range(where, "given_weights", values.nan_to_num(0.0))
    lowest = 0.0 if kind == "unnormalized" else -LARGEST_VALUE
    if not (low >= lowest and high <= LARGEST_VALUE):
        worst = high if low >= lowest else low
        raise ValueError(
            f"{where}: given_weights holds {worst:.4g}: expected {lowest:g}..{LARGEST_VALUE:g}"
        )


def _check_formula(where: str, formula: Formula, expected: tuple[int, int, int]) -> None:
    heads, queries, keys = expected
    for name in ("queries", "keys"):
        if getattr(formula, name).ndim != 3:
            shape = tuple(getattr(formula, name).shape)
            raise ValueError(f"{where}: {name} has shape {shape}: expected three axes")
    dim = formula.queries.shape[-1]
    _check_shape(where, "queries", formula.queries, [(heads, queries, dim)])
    _check_shape(where, "keys", formula.keys, [(formula.keys.shape[0], keys, dim)])
    _check_key_heads(where, formula, heads)
    sizes = zip((heads, queries, keys), strict=True)
    each = [{1, size} for (size,) in sizes]
    for name in ("mask", "position_bias"):
        term = getattr(formula, name)
        if term is not None and (
            term.ndim != 3 or any(n not in some for n, some in zip(term.shape, each, strict=True))
        ):
            raise ValueError(
                f"{where}: {name} has shape {tuple(term.shape)}: expected {expected}, or 1 in"
                " place of a number"
            )
    if formula.sinks is not None:
        _check_shape(where, "sinks", formula.sinks, [(heads,), (heads, queries)])
    _check_numbers(where, formula)


def _check_key_heads(where: str, formula: Formula, heads: int) -> None:
    held = formula.keys.shape[0]
    if formula.key_heads is None:
        if heads % held:
            raise ValueError(f"{where}: {heads} heads cannot share {held} heads of keys evenly")
    elif len(formula.key_heads) != heads or max(formula.key_heads) >= held:
        raise ValueError(
            f"{where}: key_heads is {short(list(formula.key_heads))}: expected a number below"
            f" {held} for each of {heads} heads"
        )


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


def _check_shape(where: str, name: str, tensor: Tensor, expected: list[tuple[int, ...]]) -> None:
    if tuple(tensor.shape) not in expected:
        shapes = " or ".join(map(str, expected))
        raise ValueError(f"{where}: {name} has shape {tuple(tensor.shape)}: expected {shapes}")
