"""Functions that are given everything attention is computed from.

The problem. ``scaled_dot_product_attention`` and ``multi_head_attention_forward`` compute attention
inside, where no operation is seen. But their arguments say it all, so they are noted directly. What
remains are their conventions: how batches and heads are laid out, what True means in a mask, how a
causal mask is aligned, and which keys the function adds.

Of operations that are not torch's own, such as somebody's fused kernel, nothing says what their
arguments mean. What looks like attention there is not shown but told.
"""

from __future__ import annotations

import contextlib
import inspect
from collections.abc import Mapping, Sequence
from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812, its usual name
from torch import Tensor

from bertviz.extractor.capture import Capture
from bertviz.extractor.operations.after import dropped
from bertviz.extractor.operations.table import OPAQUE, Call, watches
from bertviz.extractor.records import Record
from bertviz.extractor.wrapped import memory_of, plain

WHOLE = ("scaled_dot_product_attention", "multi_head_attention_forward")

# --- scaled_dot_product_attention ------------------------------------------------------------


@watches("scaled_dot_product_attention")
def _sdpa(
    call: Call,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attn_mask: Tensor | None = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    scale: float | None = None,
    enable_gqa: bool = False,
) -> None:
    call.capture.count("scaled_dot_product_attention calls")
    with call.capture.noting(call.capture.path()):
        _note_sdpa(call, query, key, value, attn_mask, dropout_p, is_causal, scale)


def _note_sdpa(
    call: Call,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attn_mask: Tensor | None,
    dropout_p: float,
    is_causal: bool,
    scale: float | None,
) -> None:
    capture, row = call.capture, call.capture.keep.row
    queries, keys = (_with_batch(x, capture.batch_size) for x in (query, key))
    if queries is None or keys is None:
        capture.skip(
            capture.path(), f"its queries have the shape {tuple(query.shape)}, not one text per row"
        )
        return
    if dropout_p > 0:
        capture.skip(capture.path(), dropped(dropout_p), shape=(query.shape[-2], key.shape[-2]))
        return
    # Inside autocast, the function computes in a shorter form than it is given.
    q, k = (plain(x[row]).to(call.result.dtype) for x in (queries, keys))
    mask = attn_mask
    if isinstance(mask, Tensor):
        mask = _mask_with_batch(mask, query.ndim, capture.batch_size)
    if is_causal and q.shape[1] != k.shape[1]:  # aligned at their beginnings, not their ends
        mask = torch.ones(q.shape[1], k.shape[1], dtype=torch.bool, device=q.device).tril()
        is_causal = False
    record = capture.add(
        capture.path(),
        q,
        k,
        scaling=q.shape[-1] ** -0.5 if scale is None else float(scale),
        cross=capture.is_cross(query, key),
        mask=capture.sharing.copy(mask, k.shape[1]),
        causal=bool(is_causal),
    )
    values, outputs = (_with_batch(x, capture.batch_size) for x in (value, call.result))
    if record is not None and values is not None and outputs is not None:
        own = plain(values[row]), plain(outputs[row])
        capture.compare(record, lambda rows: record.check_output(*own, rows))


def _with_batch(tensor: Tensor, batch: int) -> Tensor | None:
    """(batch, heads, ·, ·), or None if the shape does not fit."""
    if tensor.ndim == 4 and tensor.shape[0] == batch:
        return tensor
    if tensor.ndim == 3 and tensor.shape[0] % batch == 0:
        return tensor.view(batch, -1, *tensor.shape[1:])
    if tensor.ndim == 2 and batch == 1:
        return tensor[None, None]
    return None


def _mask_with_batch(mask: Tensor, ndim: int, batch: int) -> Tensor:
    """A mask for queries of ``ndim`` axes, with batch and heads on separate axes."""
    while mask.ndim < ndim:
        mask = mask[None]
    if ndim != 3:
        return mask
    return mask.unflatten(0, (batch, -1)) if mask.shape[0] > 1 else mask[None]


# --- multi_head_attention_forward ------------------------------------------------------------


@watches("multi_head_attention_forward")
def _multi_head(call: Call, *args: Any, **kwargs: Any) -> None:
    capture = call.capture
    capture.count("multi_head_attention_forward calls")
    bound = inspect.signature(F.multi_head_attention_forward).bind(*args, **kwargs)
    bound.apply_defaults()
    with capture.noting(capture.path()):
        dtype = call.result[0].dtype  # inside autocast, it computes in a shorter form
        own = _with_its_mask(bound.arguments)
        given = {name: _shortened(value, dtype) for name, value in own.items()}
        cross = capture.is_cross(bound.arguments["query"], bound.arguments["key"])
        record = _note_multi_head(capture, given, cross)
        if record is None:
            return
        if capture.check:
            with contextlib.suppress(Exception):  # then the report says that it was not compared
                _compare_multi_head(record, given, capture.keep.row)
        capture.judge(record)


def _compare_multi_head(record: Record, given: Mapping[str, Any], row: int) -> None:
    """Compare with the weights that the function returns when it is asked for them."""
    asked = {**given, "need_weights": True, "average_attn_weights": False}
    weights = F.multi_head_attention_forward(**asked)[1]
    assert weights is not None, "it was asked for"
    record.check_weights(weights[row] if weights.ndim == 4 else weights)


def _with_its_mask(given: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments without the hint ``is_causal``.

    Believing the hint, the function ignores the mask that it is given, unless it is asked for
    weights or has padding to add.
    """
    hinted = given["is_causal"] and not given["need_weights"] and given["key_padding_mask"] is None
    if not hinted or given["attn_mask"] is None:
        return {**given, "is_causal": False}
    query, key = given["query"], given["key"]
    if given["static_k"] is not None:
        raise ValueError("is_causal=True together with static keys is not understood")
    # Added keys come last, so most queries do not see them.
    keys = key.shape[0] + (given["bias_k"] is not None) + bool(given["add_zero_attn"])
    later = torch.ones(query.shape[0], keys, dtype=torch.bool, device=query.device).triu(1)
    return {**given, "attn_mask": later, "is_causal": False}


def _shortened(value: Any, dtype: torch.dtype) -> Any:
    """A float tensor in another dtype, in which the lowest number stays finite."""
    if not isinstance(value, Tensor) or not value.is_floating_point() or value.dtype == dtype:
        return value
    ends = torch.finfo(dtype)
    return torch.where(value.isinf(), value, value.clamp(ends.min, ends.max)).to(dtype)


def _note_multi_head(capture: Capture, given: Mapping[str, Any], cross: bool) -> Record | None:
    query, key, heads = given["query"], given["key"], int(given["num_heads"])
    if query.ndim == 2:
        query, key = query[:, None], key[:, None]
    batch = query.shape[1]
    if batch != capture.batch_size:
        capture.skip(
            capture.path(), f"it reads a batch of {batch}, the model one of {capture.batch_size}"
        )
        return None
    queries, keys = _projected(query, key, heads, given)
    row = capture.keep.row
    q, k = (x[:, row].unflatten(-1, (heads, -1)).transpose(0, 1) for x in (queries, keys))
    mask = _masked_or_added(given["attn_mask"], keys.shape[0])
    if mask is not None and mask.ndim == 3:
        mask = mask.unflatten(0, (batch, -1))
    padding = _masked_or_added(given["key_padding_mask"], keys.shape[0])
    if padding is not None:
        padding = padding.view(-1, padding.shape[-1])[:, None, None]
    return capture.add(
        capture.path(),
        q,
        k,
        scaling=q.shape[-1] ** -0.5,
        cross=cross,
        mask=capture.sharing.copy(mask, k.shape[1]),
        position_bias=_additive(capture.sharing.copy(padding, k.shape[1])),
    )


def _projected(
    query: Tensor, key: Tensor, heads: int, given: Mapping[str, Any]
) -> tuple[Tensor, Tensor]:
    """Queries and keys, (token, batch, width), with the keys that the function adds."""
    _, batch, width = query.shape
    if given["use_separate_proj_weight"]:
        weights = [given["q_proj_weight"], given["k_proj_weight"]]
    else:
        weights = list(given["in_proj_weight"].split(width)[:2])
    biases: Sequence[Any] = (None, None)
    if given["in_proj_bias"] is not None:
        biases = given["in_proj_bias"].split(width)[:2]
    queries = F.linear(query, weights[0], biases[0])
    keys = F.linear(key, weights[1], biases[1])
    if given["bias_k"] is not None:
        keys = torch.cat([keys, given["bias_k"].expand(1, batch, width)])
    if given["static_k"] is not None:
        static = given["static_k"].unflatten(0, (batch, heads))
        keys = static.permute(2, 0, 1, 3).flatten(2)
    if given["add_zero_attn"]:
        keys = torch.cat([keys, keys.new_zeros(1, batch, width)])
    return queries, keys


def _masked_or_added(mask: Tensor | None, keys: int) -> Tensor | None:
    """A mask that covers the keys that were added, True where a key is unmasked."""
    if mask is None:
        return None
    if mask.shape[-1] < keys:
        mask = F.pad(mask, (0, keys - mask.shape[-1]))
    return ~mask if mask.dtype == torch.bool else mask  # this function's True is a masked key


def _additive(mask: Tensor | None) -> Tensor | None:
    """What is added to scores in place of a mask: a record has room for one mask."""
    if mask is None or mask.dtype != torch.bool:
        return mask
    lowest = torch.finfo(torch.float32).min
    return torch.zeros_like(mask, dtype=torch.float32).masked_fill(~mask, lowest)


# --- operations that are not torch's own -----------------------------------------------------


@watches(OPAQUE)
def _opaque(call: Call, *args: Any, **kwargs: Any) -> None:
    """Suspect attention where shapes fit, if the name says so or there are heads."""
    given = [
        x
        for x in (*args, *kwargs.values())
        if isinstance(x, Tensor) and x.is_floating_point() and x.ndim > 2
    ]
    result = call.result[0] if isinstance(call.result, tuple) else call.result
    if len(given) < 3 or not isinstance(result, Tensor):
        return
    query, key, value = given[:3]
    formed = query.shape[-1] == key.shape[-1] and (
        result.shape == (*query.shape[:-1], value.shape[-1])
    )
    named = "att" in call.name or "dot_product" in call.name
    if not formed or not (named or query.ndim == key.ndim == value.ndim == 4):
        return
    if not any(memory_of(x) & call.parameters for x in (query, key, value)):
        reason = f"it calls {call.name}, a custom operation inside which nothing is seen"
        call.capture.unseen.note(call.capture.path(), reason)
