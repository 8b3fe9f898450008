"""Attention that does not ask anybody for its function: seen in the torch operations themselves.

The problem. Every third architecture multiplies queries and keys in a way of its own, and models
that are not from Hugging Face all do. They have one thing in common: a softmax over what comes from
a product of two tensors.

So while a capture is on, torch tells us of every operation (a ``TorchFunctionMode``; it is the
thread's own, so no other thread is concerned). A product of two tensors that are no parameters is
followed through what may happen to scores: factors, masks, biases, a softcap, and operations that
only arrange. When a softmax meets it, its queries, its keys and everything between are known. What
happens otherwise to a product ends the pursuit.

What was followed is checked at once, on a few rows, against the weights that the model's own
softmax gives: attention that was misunderstood is skipped and counted, never shown.

``scaled_dot_product_attention`` and ``multi_head_attention_forward`` say what they are given, so
they are noted directly.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812, its usual name
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode
from torch.utils.weak import WeakTensorKeyDictionary

from bertviz.extractor.capture import Capture, current
from bertviz.extractor.records import Record, narrowed

# A number this low in place of a score, or added to it, is a mask.
MASKED = -1e4
# Of our weights from the model's own, on the rows that are compared.
TOLERANCE = {torch.float16: 5e-3, torch.bfloat16: 5e-2}


@dataclass(frozen=True)
class _Term:
    """Something that was added to scores, when they were laid out in some way."""

    tensor: Tensor  # of the scores' shape then (by its strides)
    layout: Tensor
    masks: bool = False  # bool: True is what may not be seen


@dataclass(frozen=True)
class _Product:
    """Scores on their way from a product to a softmax.

    ``layout`` is a tensor without numbers, viewed as the scores were: its strides say where in the
    product, (batches, rows, columns) and contiguous, an element of the scores comes from.
    """

    path: str
    rows: Tensor  # (batches…, rows, d)
    columns: Tensor  # (batches…, columns, d)
    cross: bool
    layout: Tensor
    factor: float = 1.0
    inner: float | None = None  # the factor before a tanh
    terms: tuple[_Term, ...] = ()


class Operations(TorchFunctionMode):
    """Follows products to their softmax; what it finds goes to a capture."""

    def __init__(self, capture: Capture) -> None:
        super().__init__()
        self.capture = capture
        self.parameters = {
            tensor.untyped_storage().data_ptr()
            for module in capture.names
            for tensor in module._parameters.values()
            if tensor is not None and not isinstance(tensor, nn.UninitializedParameter)
        }
        self.products: Any = WeakTensorKeyDictionary()

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Any,
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        kwargs = kwargs or {}
        # Modes stand on each other: a capture inside this one is not ours.
        if self.capture.quiet or current.get() is not self.capture:
            return func(*args, **kwargs)
        handle = _handler(func)
        result = self._handled(handle, func, args, kwargs) if handle else func(*args, **kwargs)
        self.capture.origins.pass_on(result, args, kwargs)
        return result

    def _handled(
        self, handle: _Handle, func: Callable[..., Any], args: Sequence[Any], kwargs: Any
    ) -> Any:
        """What the operation gives, whatever becomes of following it: the model must run on."""
        results: list[Any] = []

        def once(*given: Any, **options: Any) -> Any:
            results.append(func(*given, **options))
            return results[-1]

        once.__name__ = func.__name__
        try:
            return handle(self, once, args, kwargs)
        except Exception as error:
            if not results:
                raise  # the operation's own error, which is the model's
            self.capture.skipped.append(f"{self.capture.path()}: {func.__name__}, {error}")
            return self.follow(results[0], None)

    def product_of(self, value: Any) -> _Product | None:
        """What is known of a tensor."""
        return self.products.get(value) if isinstance(value, Tensor) else None

    def follow(self, result: Any, product: _Product | None) -> Any:
        """Keep in mind what a result is; None ends the pursuit."""
        if isinstance(result, Tensor):
            if product is None:
                self.products.pop(result, None)
            else:
                self.products[result] = product
        return result

    def begin(
        self,
        made_from: Sequence[Tensor],
        rows: Tensor,
        columns: Tensor,
        order: Sequence[int] | None = None,
    ) -> _Product | None:
        """A product of (batches…, rows, d) and (batches…, columns, d), its axes in some order.

        ``made_from`` are the tensors that the model multiplied: ours are views that it never saw.
        """
        if rows.shape[-1] != columns.shape[-1] or not rows.is_floating_point():
            return None
        if {_memory(rows), _memory(columns)} & self.parameters:
            return None  # a projection, or a router among experts
        batches = torch.broadcast_shapes(rows.shape[:-2], columns.shape[:-2])
        shape = (*batches, rows.shape[-2], columns.shape[-2])
        layout = torch.empty(shape, device="meta")
        return _Product(
            path=self.capture.path(),
            rows=rows,
            columns=columns,
            cross=self.capture.is_cross(made_from[0], made_from[1]),
            layout=layout if order is None else layout.permute(*order),
        )


def _memory(tensor: Tensor) -> int:
    try:
        return tensor.untyped_storage().data_ptr()
    except (NotImplementedError, RuntimeError):
        return 0


# --- operations ------------------------------------------------------------------------------

_Handle = Callable[["Operations", Callable[..., Any], Sequence[Any], Mapping[str, Any]], Any]
_handlers: dict[str, _Handle] = {}
_known: dict[Any, _Handle | None] = {}


def _handler(func: Callable[..., Any]) -> _Handle | None:
    """By the name alone: `torch.add`, `Tensor.add_` and `Tensor.__iadd__` are one operation."""
    try:
        return _known[func]
    except KeyError:
        name = getattr(func, "__name__", "").strip("_")
        if name == "get":  # a property: T, mT
            name = getattr(getattr(func, "__self__", None), "__name__", "")
        found = _known[func] = _handlers.get(name)
        return found


def _operation(*names: str) -> Callable[[_Handle], _Handle]:
    def register(handle: _Handle) -> _Handle:
        _handlers.update(dict.fromkeys(names, handle))
        return handle

    return register


@_operation("matmul", "bmm", "rmatmul")
def _matmul(mode: Operations, func: Any, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
    result = func(*args, **kwargs)
    tensors = [*args, *kwargs.values()][:2]
    if func.__name__ == "__rmatmul__":
        tensors.reverse()
    if len(tensors) == 2 and all(isinstance(t, Tensor) and t.ndim >= 2 for t in tensors):
        mode.follow(result, mode.begin(tensors, tensors[0], tensors[1].transpose(-1, -2)))
    return result


@_operation("baddbmm")
def _baddbmm(mode: Operations, func: Any, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
    # baddbmm_ writes over what it adds to, so that is kept by value if it counts.
    bound = _bind(("input", "batch1", "batch2"), args, kwargs)
    beta, alpha = kwargs.get("beta", 1), kwargs.get("alpha", 1)
    added = bound["input"]
    if func.__name__.endswith("_") and beta:
        added = added.clone()
    result = func(*args, **kwargs)
    pair = bound["batch1"], bound["batch2"]
    product = mode.begin(pair, pair[0], pair[1].transpose(-1, -2))
    if product is not None:
        product = replace(product, factor=float(alpha))
        if beta:
            product = _plus(product, added, float(beta))
    return mode.follow(result, product)


@_operation("einsum")
def _einsum(mode: Operations, func: Any, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
    result = func(*args, **kwargs)
    operands = list(args[1]) if len(args) == 2 and isinstance(args[1], list | tuple) else args[1:]
    if isinstance(args[0], str) and len(operands) == 2 and "." not in args[0]:
        left, _, out = args[0].replace(" ", "").partition("->")
        first, _, second = left.partition(",")
        summed = [c for c in first if c in second and c not in out]
        batch = [c for c in out if c in first and c in second]
        rows = [c for c in first if c in out and c not in second]
        columns = [c for c in second if c in out and c not in first]
        plain = len(set(first)) == len(first) and len(set(second)) == len(second)
        known = set(first) | set(second) == {*summed, *batch, *rows, *columns}
        if plain and known and (len(summed), len(rows), len(columns)) == (1, 1, 1):
            a = operands[0].permute(*(first.index(c) for c in [*batch, *rows, *summed]))
            b = operands[1].permute(*(second.index(c) for c in [*batch, *columns, *summed]))
            canonical = [*batch, *rows, *columns]
            mode.follow(result, mode.begin(operands, a, b, [canonical.index(c) for c in out]))
    return result


@_operation("add", "iadd", "radd", "sub", "isub", "subtract")
def _add(mode: Operations, func: Any, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
    one, other = [*args, *kwargs.values()][:2]
    first, second = mode.product_of(one), mode.product_of(other)
    result = func(*args, **kwargs)
    if first is None and second is None:
        return result
    sign = -1.0 if "sub" in func.__name__ else 1.0
    alpha = float(kwargs.get("alpha", 1)) * sign
    if first is not None and second is not None:
        # Of two products one has the keys, the other knows of positions: it lost its layout.
        if _arranged(first) and not _arranged(second):
            second = None
        elif _arranged(second) and not _arranged(first):
            first = None
        else:
            second = None
    if first is not None:
        if isinstance(other, Tensor) and other is result:
            return mode.follow(result, None)
        return mode.follow(result, _plus(first, other, alpha))
    if second is None or alpha < 0 or one is result:
        return mode.follow(result, None)
    return mode.follow(result, _plus(second, one, 1.0))


@_operation("mul", "imul", "rmul", "multiply", "div", "idiv", "truediv", "itruediv", "divide")
def _scale(mode: Operations, func: Any, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
    one, other = [*args, *kwargs.values()][:2]
    product = mode.product_of(one)
    inverse = "div" in func.__name__
    factor = other
    if product is None and not inverse:
        product, factor = mode.product_of(other), one
    result = func(*args, **kwargs)
    if product is None:
        return result
    if isinstance(factor, Tensor) and factor.numel() > 1:
        return mode.follow(result, _times(product, factor, inverse))
    number = float(factor)
    return mode.follow(result, _scaled(product, 1 / number if inverse else number))


@_operation("tanh")
def _tanh(mode: Operations, func: Any, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
    product = mode.product_of(args[0]) if args else None
    result = func(*args, **kwargs)
    if product is None:
        return result
    if product.inner is not None or product.terms:
        return mode.follow(result, None)
    return mode.follow(result, replace(product, inner=product.factor, factor=1.0))


@_operation("masked_fill")
def _masked_fill(
    mode: Operations, func: Any, args: Sequence[Any], kwargs: Mapping[str, Any]
) -> Any:
    bound = _bind(("input", "mask", "value"), args, kwargs)
    product = mode.product_of(bound["input"])
    result = func(*args, **kwargs)
    if product is None:
        return result
    return mode.follow(result, _filled(product, bound["mask"], bound["value"]))


@_operation("where")
def _where(mode: Operations, func: Any, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
    result = func(*args, **kwargs)
    values = [*args, *kwargs.values()]
    if len(values) != 3:
        return result
    # Tensor.where takes itself first, torch.where the condition.
    if isinstance(values[1], Tensor) and values[1].dtype == torch.bool:
        one, condition, other = values
    else:
        condition, one, other = values
    first, second = mode.product_of(one), mode.product_of(other)
    if first is not None and second is None:
        return mode.follow(result, _filled(first, ~condition, other))
    if second is not None and first is None:
        return mode.follow(result, _filled(second, condition, one))
    return result


@_operation(
    *("view", "reshape", "transpose", "permute", "unsqueeze", "squeeze", "flatten", "unflatten"),
    *("swapaxes", "swapdims", "movedim", "expand", "mT", "T", "view_as"),
)
def _arrange(mode: Operations, func: Any, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
    product = mode.product_of(args[0]) if args else None
    result = func(*args, **kwargs)
    if product is None:
        return result
    if any(isinstance(x, torch.dtype) for x in args[1:]):
        return mode.follow(result, None)  # bits read as other numbers
    try:
        layout = func(product.layout, *args[1:], **kwargs)
    except RuntimeError:  # the product's own memory is not contiguous
        return mode.follow(result, None)
    return mode.follow(result, replace(product, layout=layout))


@_operation("getitem", "select", "narrow", "slice")
def _slice(mode: Operations, func: Any, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
    if isinstance(args[0], Tensor) and mode.product_of(args[0]) is not None:
        return _arrange(mode, func, args, kwargs)
    return func(*args, **kwargs)


@_operation(
    *("contiguous", "to", "float", "half", "bfloat16", "double", "type", "type_as", "clone"),
    *("dropout", "detach", "alias", "nan_to_num", "requires_grad"),
)
def _same(mode: Operations, func: Any, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
    result = func(*args, **kwargs)
    product = mode.product_of(args[0]) if args else None
    return result if product is None else mode.follow(result, product)


@_operation("clamp", "clip", "clamp_min", "max", "maximum", "clamp_max", "min", "minimum")
def _bounded(mode: Operations, func: Any, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
    """Bounds that no score reaches, against infinities."""
    result = func(*args, **kwargs)
    product = mode.product_of(args[0]) if args else None
    if product is None or not isinstance(result, Tensor):
        return result
    bounds = [x for x in (*args[1:], *kwargs.values()) if x is not None]
    far = all(isinstance(x, Tensor | float | int) and _far(x) for x in bounds)
    kept = result.shape == args[0].shape and bounds and far
    return mode.follow(result, product if kept else None)


@_operation("setitem", "fill", "copy", "zero", "index_fill", "masked_scatter", "index_copy")
def _overwrite(mode: Operations, func: Any, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
    result = func(*args, **kwargs)
    if args and mode.product_of(args[0]) is not None:
        mode.follow(args[0], None)
    return result


@_operation("softmax")
def _softmax(mode: Operations, func: Any, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
    result = func(*args, **kwargs)
    bound = _bind(("input", "dim"), args, kwargs)
    scores, axis = bound["input"], bound.get("dim")
    if not isinstance(scores, Tensor) or scores.ndim < 2:
        return result
    mode.capture.count("softmax calls")
    product = mode.product_of(scores)
    if product is not None:
        # In-place softmax leaves the same tensor, which holds no scores any more.
        mode.follow(result, None)
        with mode.capture.noting_nothing():
            _note(mode, product, scores.ndim - 1 if axis is None else axis % scores.ndim, result)
    return result


@_operation("scaled_dot_product_attention")
def _sdpa(mode: Operations, func: Any, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
    capture = mode.capture
    capture.count("scaled_dot_product_attention calls")
    names = ("query", "key", "value", "attn_mask", "dropout_p", "is_causal", "scale", "enable_gqa")
    bound = _bind(names, args, kwargs)
    with capture.noting_nothing():
        result = func(*args, **kwargs)
        record = _note_sdpa(capture, bound)
        if capture.check and record is not None:
            pair = [_with_batch(x, capture.batch_size) for x in (bound["value"], result)]
            if pair[0] is not None and pair[1] is not None:
                record.check_output(pair[0][capture.keep.row], pair[1][capture.keep.row])
        return result


def _note_sdpa(capture: Capture, given: Mapping[str, Any]) -> Record | None:
    query, key, mask = given["query"], given["key"], given.get("attn_mask")
    batched = [_with_batch(x, capture.batch_size) for x in (query, key)]
    if batched[0] is None or batched[1] is None:
        capture.skipped.append(f"{capture.path()}: queries of shape {tuple(query.shape)}")
        return None
    q, k = batched[0][capture.keep.row], batched[1][capture.keep.row]
    rows, columns = q.shape[1], k.shape[1]
    causal = bool(given.get("is_causal"))
    if isinstance(mask, Tensor):
        while mask.ndim < query.ndim:
            mask = mask[None]
        if query.ndim == 3:
            mask = mask.unflatten(0, (capture.batch_size, -1)) if mask.shape[0] > 1 else mask[None]
    if causal and rows != columns:  # lined up at their beginnings, not their ends
        mask = torch.ones(rows, columns, dtype=torch.bool, device=q.device).tril()
        causal = False
    scale = given.get("scale")
    return capture.add(
        capture.path(),
        q,
        k,
        scaling=q.shape[-1] ** -0.5 if scale is None else float(scale),
        cross=capture.is_cross(query, key),
        mask=capture.shared(mask, columns),
        causal=causal,
    )


@_operation("multi_head_attention_forward")
def _multi_head(mode: Operations, func: Any, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
    capture = mode.capture
    capture.count("multi_head_attention_forward calls")
    with capture.noting_nothing():
        bound = inspect.signature(F.multi_head_attention_forward).bind(*args, **kwargs)
        bound.apply_defaults()
        result = func(*args, **kwargs)
        record = _note_multi_head(mode, bound.arguments)
        if capture.check and record is not None:
            asked = {**bound.arguments, "need_weights": True, "average_attn_weights": False}
            weights = func(**asked)[1]
            weights = weights if weights.ndim == 4 else weights[None]
            record.check_weights(weights[capture.keep.row])
        return result


def _note_multi_head(mode: Operations, given: Mapping[str, Any]) -> Record | None:
    """Queries and keys as the function makes them, from its own weights."""
    capture = mode.capture
    query, key = given["query"], given["key"]
    if query.ndim == 2:
        query, key = query[:, None], key[:, None]
    _, batch, width = query.shape
    if batch != capture.batch_size:
        capture.skipped.append(f"{capture.path()}: a batch of {batch}")
        return None
    heads = int(given["num_heads"])
    if given["use_separate_proj_weight"]:
        weights = [given["q_proj_weight"], given["k_proj_weight"]]
    else:
        weights = list(given["in_proj_weight"].split(width)[:2])
    biases: Sequence[Any] = (None, None)
    if given["in_proj_bias"] is not None:
        biases = given["in_proj_bias"].split(width)[:2]
    queries = F.linear(query, weights[0], biases[0])
    keys = F.linear(key, weights[1], biases[1])
    extra = 0
    if given["bias_k"] is not None:
        keys = torch.cat([keys, given["bias_k"].expand(1, batch, width)])
        extra += 1
    if given["static_k"] is not None:
        static = given["static_k"].unflatten(0, (batch, heads))
        keys = static.permute(2, 0, 1, 3).flatten(2)
    if given["add_zero_attn"]:
        keys = torch.cat([keys, keys.new_zeros(1, batch, width)])
        extra += 1
    row = capture.keep.row
    q, k = (x[:, row].unflatten(-1, (heads, -1)).transpose(0, 1) for x in (queries, keys))

    def term(value: Any) -> Tensor | None:
        """(heads or 1, query or 1, key); torch's True is what may not be seen."""
        if value is None:
            return None
        tensor: Tensor = value
        if extra:
            tensor = F.pad(tensor, (0, extra))
        if tensor.dtype == torch.bool:
            tensor = ~tensor
        return tensor

    mask, padding = term(given["attn_mask"]), term(given["key_padding_mask"])
    if mask is not None and mask.ndim == 3:
        mask = mask.unflatten(0, (batch, -1))
    if padding is not None:
        padding = padding.view(-1, padding.shape[-1])[:, None, None]
    return capture.add(
        capture.path(),
        q,
        k,
        scaling=q.shape[-1] ** -0.5,
        cross=capture.is_cross(given["query"], given["key"]),
        mask=capture.shared(mask, k.shape[1]),
        position_bias=_additive(capture.shared(padding, k.shape[1])),
    )


def _additive(mask: Tensor | None) -> Tensor | None:
    if mask is None or mask.dtype != torch.bool:
        return mask
    return (
        torch.zeros(mask.shape)
        .masked_fill(~mask.cpu(), torch.finfo(torch.float32).min)
        .to(mask.device)
    )


def _with_batch(tensor: Tensor, batch: int) -> Tensor | None:
    """(batch, heads, ·, ·), if that is what it is."""
    if tensor.ndim == 4 and tensor.shape[0] == batch:
        return tensor
    if tensor.ndim == 3 and tensor.shape[0] % batch == 0:
        return tensor.view(batch, -1, *tensor.shape[1:])
    if tensor.ndim == 2 and batch == 1:
        return tensor[None, None]
    return None


def _bind(names: Sequence[str], args: Sequence[Any], kwargs: Mapping[str, Any]) -> dict[str, Any]:
    bound = {**kwargs, **dict(zip(names, args, strict=False))}
    if "self" in bound:
        bound.setdefault("input", bound["self"])
    return bound


# --- what a product becomes ------------------------------------------------------------------


def _scaled(product: _Product, number: float) -> _Product:
    terms = tuple(t if t.masks else replace(t, tensor=t.tensor * number) for t in product.terms)
    return replace(product, factor=product.factor * number, terms=terms)


def _times(product: _Product, factor: Tensor, inverse: bool) -> _Product | None:
    """A factor per head (a learned temperature, say) goes to the queries; zeros are a mask."""
    shape = product.layout.shape
    if torch.broadcast_shapes(factor.shape, shape) != shape:
        return None
    if (
        factor.shape[-1] == shape[-1]
        and not inverse
        and bool(((factor == 0) | (factor == 1)).all())
    ):
        # Zeros alone would still be seen; what is added next to them makes them masks.
        term = _Term((factor == 0).expand(shape), product.layout, masks=True)
        return replace(product, terms=(*product.terms, term))
    if product.terms or product.inner is not None or product.layout.ndim != product.rows.ndim:
        return None
    same = product.layout.stride() == torch.empty(shape, device="meta").stride()
    if not same or factor.shape[-2:] != (1, 1):
        return None  # not the product's own layout, or different from token to token
    factor = 1 / factor if inverse else factor
    return replace(product, rows=product.rows * factor.to(product.rows))


def _plus(product: _Product, added: Any, factor: float) -> _Product | None:
    shape = product.layout.shape
    if not isinstance(added, Tensor):
        return product if isinstance(added, int | float) else None  # the same for all keys
    if torch.broadcast_shapes(added.shape, shape) != shape:
        return None
    tensor = added.detach()
    if tensor.dtype == torch.bool:
        return None
    if factor != 1:
        tensor = tensor * factor
    term = _Term(tensor.expand(shape), product.layout)
    return replace(product, terms=(*product.terms, term))


def _filled(product: _Product, mask: Any, value: Any) -> _Product | None:
    low = value.max().item() if isinstance(value, Tensor) else value
    if not isinstance(mask, Tensor) or not isinstance(low, int | float) or low > MASKED:
        return None
    shape = product.layout.shape
    if torch.broadcast_shapes(mask.shape, shape) != shape:
        return None
    mask = mask if mask.dtype == torch.bool else mask != 0
    term = _Term(mask.expand(shape), product.layout, masks=True)
    return replace(product, terms=(*product.terms, term))


def _far(bound: Tensor | float) -> bool:
    size = float(abs(bound).min()) if isinstance(bound, Tensor) else abs(bound)
    return size >= -MASKED


# --- at the softmax --------------------------------------------------------------------------


def _arranged(product: _Product) -> bool:
    """Whether the scores are still the product's elements in rows and columns, all of them."""
    layout = product.layout
    rows, columns = product.rows.shape[-2], product.columns.shape[-2]
    count = math.prod(torch.broadcast_shapes(product.rows.shape[:-2], product.columns.shape[:-2]))
    return layout.numel() == count * rows * columns and layout.storage_offset() == 0


def _note(mode: Operations, product: _Product, axis: int, weights: Tensor) -> None:
    """Record what a softmax was computed from, once it explains the weights."""
    capture = mode.capture
    try:
        found = _understood(capture, product, axis, weights)
    except ValueError as error:
        capture.skipped.append(f"{product.path}: {error}")
        return
    except (RuntimeError, IndexError):  # shapes that are not those of attention
        capture.skipped.append(f"{product.path}: scores of shape {tuple(product.layout.shape)}")
        return
    queries, keys, key_heads, terms, scaling, softcap, actual = found
    record = capture.add(
        product.path,
        queries,
        keys,
        scaling=scaling,
        cross=product.cross,
        key_heads=key_heads,
        softcap=softcap,
        **terms,
    )
    if capture.check:
        record.check_weights(actual)


class _Axes:
    """Which axis of a layout is which, and how to read one text of it.

    Raises:
        ValueError: The axes are not those of texts, heads, queries and keys; the message says why.
    """

    def __init__(
        self, product: _Product, layout: Tensor, capture: Capture, key: int | None = None
    ) -> None:
        rows, self.width = product.rows.shape[-2], product.columns.shape[-2]
        shape, strides = layout.shape, layout.stride()
        along = [i for i in range(layout.ndim) if strides[i] == 1 and shape[i] == self.width > 1]
        if key is None:
            key = along[0] if along else layout.ndim - 1
        elif key not in along and self.width > 1:
            raise ValueError("its softmax is not over keys")
        self.key = key
        others = [i for i in range(layout.ndim) if i != key and shape[i] > 1]
        steps = {i: strides[i] // self.width for i in others}  # in rows of the product
        tokens = [i for i in others if steps[i] % rows]
        if len(tokens) > 1:  # heads that share keys stand among the rows
            tokens = [i for i in tokens if shape[i] == self.width][:1] or tokens[:1]
        if not tokens and rows > 1:
            raise ValueError("it has no axis of queries")
        self.query = tokens[0] if tokens else None
        self.rest = [i for i in others if i != self.query]
        self.length = shape[self.query] if self.query is not None else 1
        self.stride = steps[self.query] if self.query is not None else 1

        # Texts come first, heads after them, or both in one axis.
        self.start = layout.storage_offset() // self.width
        self.row, self.texts = capture.keep.row, capture.batch_size
        sizes = [shape[i] for i in self.rest]
        if self.texts > 1:
            if not sizes or sizes[0] % self.texts:
                raise ValueError(f"scores of shape {tuple(shape)} are not those of the texts")
            sizes[0] //= self.texts
            self.start += self.row * sizes[0] * steps[self.rest[0]]
        self.per_text = sizes[0] if sizes else 1
        several = [i for i, size in zip(self.rest, sizes, strict=True) if size > 1]
        if len(several) > 1:
            raise ValueError(f"scores of shape {tuple(shape)} have more axes than attention has")
        self.heads = math.prod(sizes)
        self.step = steps[several[0]] if several else 0

    def of_text(self, tensor: Tensor) -> Tensor:
        """(heads or 1, query or 1, key) of something in this layout; repeats stay strides."""
        order = [*self.rest, *([] if self.query is None else [self.query]), self.key]
        ones = [i for i in range(tensor.ndim) if i not in order]
        tensor = tensor.permute(*ones, *order)
        for _ in ones:
            tensor = tensor[0]
        if self.texts > 1:
            tensor = tensor[self.row * self.per_text : (self.row + 1) * self.per_text]
        for axis in reversed(range(len(self.rest))):
            if tensor.shape[axis] == 1:
                tensor = tensor.squeeze(axis)
        if self.heads == 1:
            tensor = tensor[None]
        return tensor.unsqueeze(1) if self.query is None else tensor


def _understood(capture: Capture, product: _Product, axis: int, weights: Tensor) -> Any:
    """Queries, keys, key heads, terms, scaling, softcap, and the model's own weights.

    Raises:
        ValueError: This is no attention, or one that is not understood; the message says why.
    """
    rows, columns, layout = product.rows, product.columns, product.layout
    if layout.stride(axis) == columns.shape[-2] > 1 and layout.shape[axis] == rows.shape[-2]:
        product = _exchanged(product)
        rows, columns, layout = product.rows, product.columns, product.layout
    axes = _Axes(product, layout, capture, axis)
    row_count, count, length, stride = rows.shape[-2], axes.heads, axes.length, axes.stride

    # Which matrices of the product belong to which head, and where in them its queries begin.
    places = torch.arange(count) * axes.step + axes.start
    matrices, starts = places // row_count, (places % row_count).tolist()
    batches = torch.broadcast_shapes(rows.shape[:-2], columns.shape[:-2])

    def of_heads(side: Tensor) -> list[int]:
        own = side.shape[:-2]
        numbers = torch.arange(math.prod(own)).reshape(own).expand(batches).reshape(-1)
        return numbers[matrices].tolist()

    flat = rows.reshape(-1, *rows.shape[-2:])
    queries = torch.stack(
        [
            flat[matrix, start : start + (length - 1) * stride + 1 : stride]
            for matrix, start in zip(of_heads(rows), starts, strict=True)
        ]
    )
    own = of_heads(columns)
    used = list(dict.fromkeys(own))
    keys = columns.reshape(-1, *columns.shape[-2:])[used]
    key_heads = tuple(used.index(matrix) for matrix in own)

    scaling, softcap = _scaling(product)
    mask, bias = _collected(capture, product)

    # Is that it? A few rows of every head, against the model's own weights.
    lowest = torch.finfo(torch.float32).min
    asked = sorted({0, length // 2, length - 1})
    scores = queries[:, asked].float() @ keys[list(key_heads)].float().mT * scaling
    if softcap is not None:
        scores = torch.tanh(scores / softcap) * softcap
    for term in (bias, None if mask is None else torch.where(mask, lowest, 0.0)):
        if term is not None:
            scores = scores + (term[:, asked] if term.shape[1] > 1 else term).float()
    expected = torch.softmax(scores.clamp_min(lowest), -1)
    actual = axes.of_text(weights.detach())
    difference = (expected - actual[:, asked].float()).abs().amax(-1)
    seen = (scores > lowest / 4).any(-1) & ~difference.isnan()  # rows of padding see nothing
    tolerance = TOLERANCE.get(rows.dtype, TOLERANCE.get(weights.dtype, 1e-4))
    if bool((difference[seen] > tolerance).any()):
        found = float(difference[seen].max())
        raise ValueError(f"its softmax differs by {found:.1e} from what was followed")
    even = tuple(head * len(used) // count for head in range(count))
    terms = {
        # The same memory in every layer is the same tensor in every record.
        "position_bias": None if bias is None else capture.shared(bias[None], bias.shape[-1]),
        "mask": None if mask is None else capture.seen_of(mask),
    }
    key_rows = None if key_heads == even else key_heads
    return queries, keys, key_rows, terms, scaling, softcap, actual


def _exchanged(product: _Product) -> _Product:
    """The product of keys and queries as that of queries and keys."""
    rows, columns = product.rows.shape[-2], product.columns.shape[-2]

    def turned(layout: Tensor) -> Tensor:
        strides = []
        for step in layout.stride():
            batch, inside = divmod(step, rows * columns)
            row, column = divmod(inside, columns)
            strides.append(batch * rows * columns + column * rows + row)
        return layout.as_strided(layout.shape, strides)

    return replace(
        product,
        rows=product.columns,
        columns=product.rows,
        layout=turned(product.layout),
        terms=tuple(replace(term, layout=turned(term.layout)) for term in product.terms),
    )


def _collected(capture: Capture, product: _Product) -> tuple[Tensor | None, Tensor | None]:
    """What this text's scores hide (bool), and what is added to them."""
    mask: Tensor | None = None
    bias: Tensor | None = None
    for term in product.terms:
        part = narrowed(_Axes(product, term.layout, capture).of_text(term.tensor))
        if term.masks:
            mask = part if mask is None else mask | part
        else:
            bias = part if bias is None else bias + part
    return mask, bias


def _scaling(product: _Product) -> tuple[float, float | None]:
    """The factor on q·k, and the softcap."""
    if product.inner is None:
        return product.factor, None
    softcap = product.factor
    if softcap <= 0:
        raise ValueError("its scores pass through a tanh in a way that is not understood")
    return product.inner * softcap, softcap
