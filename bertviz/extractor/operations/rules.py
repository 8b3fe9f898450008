"""What torch operations make of a product: where it begins, what it becomes, where it ends.

The problem. Models write the same few steps in dozens of ways: a mask may be added, filled in,
chosen with ``where`` or multiplied in. Each way has a rule here; `table` says when a rule is asked
and with what. The result of an operation without a rule is not followed.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from bertviz.extractor.operations.after import Fate, Weights
from bertviz.extractor.operations.contraction import spelled_out
from bertviz.extractor.operations.products import Lost, Product
from bertviz.extractor.operations.reading import note
from bertviz.extractor.operations.table import Call, arranges, follows, watches
from bertviz.trace.masks import MASKED

# Parameters are named as in torch, because models may pass arguments by name.

# --- where products begin --------------------------------------------------------------------


@watches("matmul")
def _matmul(call: Call, input: Tensor, other: Tensor) -> Product | None:
    if input.ndim < 2 or other.ndim < 2:
        return None
    return call.begin((input, other), input, other.transpose(-1, -2))


@watches("bmm", "mm")
def _bmm(call: Call, input: Tensor, mat2: Tensor, out_dtype: Any = None) -> Product | None:
    return _matmul(call, input, mat2)


@watches("inner")
def _inner(call: Call, input: Tensor, other: Tensor) -> Product | None:
    return call.begin((input, other), input, other) if input.ndim == other.ndim == 2 else None


@watches("rmatmul")
def _rmatmul(call: Call, input: Tensor, other: Tensor) -> Product | None:
    return _matmul(call, other, input)


def _input_by_value(input: Tensor, *others: Any, beta: float = 1, **kwargs: Any) -> tuple[Any, ...]:
    return (input.clone() if beta else input, *others)


@watches("baddbmm")
@watches("baddbmm_", before=_input_by_value)  # it writes over what it adds to
def _baddbmm(
    call: Call,
    input: Any,
    batch1: Tensor,
    batch2: Tensor,
    out_dtype: Any = None,
    *,
    beta: Any = 1,
    alpha: Any = 1,
) -> Product | None:
    product = call.begin((batch1, batch2), batch1, batch2.transpose(-1, -2))
    if product is None:
        return None
    product = product.scaled(float(alpha))
    return product.plus(input, float(beta)) if beta else product


@watches("einsum")
def _einsum(call: Call, equation: Any, *operands: Any) -> Product | None:
    """Two operands with one summed letter, one letter each of their own, and batches."""
    if len(operands) == 1 and isinstance(operands[0], list | tuple):
        operands = tuple(operands[0])
    spelled = spelled_out(equation, operands) if isinstance(equation, str) else None
    if spelled is None:
        return None
    first, second, out = spelled
    summed = [c for c in first if c in second and c not in out]
    batch = [c for c in out if c in first and c in second]
    rows = [c for c in first if c in out and c not in second]
    columns = [c for c in second if c in out and c not in first]
    plain = len(set(first)) == len(first) and len(set(second)) == len(second)
    known = set(first) | set(second) == {*summed, *batch, *rows, *columns}
    if not plain or not known or (len(summed), len(rows), len(columns)) != (1, 1, 1):
        return None
    a = operands[0].permute(*(first.index(c) for c in [*batch, *rows, *summed]))
    b = operands[1].permute(*(second.index(c) for c in [*batch, *columns, *summed]))
    canonical = [*batch, *rows, *columns]
    return call.begin(operands, a, b, [canonical.index(c) for c in out])


# --- what they become ------------------------------------------------------------------------


@follows("add", "iadd", "radd", among=2)
def _add(input: Any, other: Any, alpha: float = 1) -> Product | None:
    if isinstance(input, Product):
        return input.plus(other, float(alpha))
    product: Product = other.scaled(float(alpha))
    return product.plus(input)


@follows("sub", "isub", "subtract", among=2)
def _subtract(input: Any, other: Any, alpha: float = 1) -> Product | None:
    if isinstance(input, Product):
        return input.plus(other, -float(alpha))
    product: Product = other.scaled(-float(alpha))
    return product.plus(input)


@follows("rsub")
def _subtracted_from(input: Product, other: Any, alpha: float = 1) -> Product | None:
    return input.scaled(-float(alpha)).plus(other)


@follows("mul", "imul", "rmul", "multiply", among=2)
def _multiply(input: Any, other: Any) -> Product | None:
    scores, factor = (input, other) if isinstance(input, Product) else (other, input)
    product: Product | None = scores.times(factor)
    return product


@follows("div", "idiv", "truediv", "itruediv", "divide", "true_divide")
def _divide(input: Product, other: Any, rounding_mode: str | None = None) -> Product | None:
    return input.times(other, inverse=True) if rounding_mode is None else None


@follows("tanh")
def _tanh(input: Product) -> Product | None:
    return input.capped()


@follows("masked_fill")
def _masked_fill(input: Product, mask: Any, value: Any) -> Product | None:
    return input.filled(mask, value)


@follows(torch.where, among=3)
def _where(condition: Any, input: Any, other: Any) -> Product | None:
    if isinstance(input, Product):
        return input.filled(~condition, other)
    return other.filled(condition, input) if isinstance(other, Product) else None


@follows(Tensor.where, among=3)
def _where_of_itself(input: Any, condition: Any, other: Any) -> Product | None:
    return _where(condition, input, other)


@follows("clamp", "clip", "clamp_min", "max", "maximum", "clamp_max", "min", "minimum")
def _bounded(input: Product, *args: Any, **kwargs: Any) -> Product | None:
    """Bounds that no score reaches only guard against infinities."""
    bounds = [x for x in (*args, *kwargs.values()) if x is not None]
    return input if bounds and all(_is_far(input, x) for x in bounds) else None


def _is_far(scores: Product, bound: Any) -> bool:
    if isinstance(bound, Tensor):
        return scores.fits(bound) and float(abs(bound).min()) >= -MASKED
    return isinstance(bound, int | float) and abs(bound) >= -MASKED


SAME = (
    *("contiguous", "to", "float", "half", "bfloat16", "double", "type", "type_as", "clone", "cpu"),
    *("dropout", "detach", "alias", "nan_to_num", "requires_grad", "data", "cuda"),
)


@follows(*SAME)
def _same(input: Product, *_: Any, **__: Any) -> Product:
    return input


arranges(
    *("view", "reshape", "transpose", "permute", "unsqueeze", "squeeze", "flatten", "unflatten"),
    *("swapaxes", "swapdims", "movedim", "moveaxis", "expand", "mT", "T", "view_as"),
    *("getitem", "select", "narrow", "slice"),
)


# --- where they end --------------------------------------------------------------------------


@watches("softmax", "special_softmax")
def _softmax(call: Call, input: Any, dim: int | None = None, *_: Any, **__: Any) -> Any:
    if not isinstance(input, Tensor) or input.ndim < 2:
        return None
    capture, scores = call.capture, call.known(input)
    capture.count("softmax calls")
    axis = _axis(input, dim)
    if isinstance(scores, Product):
        found: list[Weights | None] = []
        with capture.noting(scores.path, cross=scores.cross):
            found.append(note(capture, scores, axis, input, call.result))
        return found[0] if found else None
    if isinstance(scores, Lost):
        capture.skip(scores.path, scores.reason)
        return None
    if isinstance(scores, Weights):
        return None  # they are followed on, changed
    return Weights.begin(Fate(capture.path(), None), call.result, axis)


@watches("log_softmax", "special_log_softmax")
def _log_softmax(call: Call, input: Any, dim: int | None = None, *_: Any, **__: Any) -> Any:
    """Of unknown scores; what it makes of known ones is lost."""
    if not isinstance(input, Tensor) or input.ndim < 2 or call.known(input) is not None:
        return None
    return Weights.begin(Fate(call.capture.path(), None), call.result, _axis(input, dim))


def _axis(scores: Tensor, dim: int | None) -> int:
    return scores.ndim - 1 if dim is None else dim % scores.ndim
