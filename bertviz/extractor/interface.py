"""Attention whose function comes from transformers' attention interface.

The problem. Most models of transformers look up the function that computes their attention, by the
name of a kernel. Setting a kernel of our own would be easy, but some models compare that name with
the ones they know and change their output.

So ``AttentionInterface.get_interface`` is wrapped once per process, and the configuration stays as
it is. While a capture is on (a context variable, so no other thread is affected), the function that
it returns is wrapped too: queries, keys, scaling, mask and whatever else enters the softmax are
recorded, then the model's own function computes what it always computes.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor, nn
from transformers.modeling_utils import AttentionInterface

from bertviz.extractor.capture import Capture, current
from bertviz.extractor.records import Record
from bertviz.trace.settings import plainly

OURS = "_bertviz_original"  # the attribute by which our wrapper is known


def install() -> None:
    """Wrap the one place where models look up their attention function, once per process.

    Without a lock, so that a thread that is interrupted and a process that is forked in here leave
    none behind: whoever comes second finds the wrapper, or replaces it by an equal one.
    """
    found = AttentionInterface.get_interface
    if not hasattr(found, OURS):
        AttentionInterface.get_interface = _watched(found)  # type: ignore[method-assign]


def _watched(original: Callable[..., Callable[..., Any]]) -> Callable[..., Callable[..., Any]]:
    @functools.wraps(original)
    def get_interface(
        self: AttentionInterface, attn_implementation: str, default: Callable[..., Any]
    ) -> Callable[..., Any]:
        function: Callable[..., Any] = original(self, attn_implementation, default)
        capture = current.get()
        if capture is None or capture.closed:
            return function

        def attention(
            module: nn.Module, query: Tensor, key: Tensor, value: Tensor, *args: Any, **kw: Any
        ) -> Any:
            if capture.closed or capture.quiet:  # inside another wrapper, which has noted it
                return function(module, query, key, value, *args, **kw)
            mask = args[0] if args else kw.get("attention_mask")
            name, record = str(attn_implementation), None
            _refuse(name, mask)
            with capture.noting(capture.path(module)):
                both = (_as_computed(query), _as_computed(key))
                record = _note(capture, name, module, *both, mask, _applied(function, name, kw))
            with capture.noting_nothing():
                result = function(module, query, key, value, *args, **kw)
            if record is not None:
                own = capture.keep.row if value.shape[0] > 1 else 0
                capture.compare(record, lambda rows: _check(record, value, result, own, rows))
            return result

        return attention

    setattr(get_interface, OURS, original)
    return get_interface


def _applied(
    function: Callable[..., Any], implementation: str, kw: Mapping[str, Any]
) -> Mapping[str, Any]:
    """What a kernel is given, less what it only accepts: in older versions, sdpa has no softcap."""
    if implementation != "sdpa":
        return kw
    parameters = inspect.signature(function).parameters
    return {name: x for name, x in kw.items() if name != "softcap" or name in parameters}


def _as_computed(tensor: Tensor) -> Tensor:
    """What a matrix product makes of a tensor first, inside autocast."""
    kind = tensor.device.type
    if not torch.is_autocast_enabled(kind) or tensor.dtype == torch.float64:
        return tensor
    return tensor.to(torch.get_autocast_dtype(kind))


def _refuse(implementation: str, mask: Any) -> None:
    """Refuse kernels whose masks cannot be captured: the one error that a model is stopped with."""
    if (mask is not None and not isinstance(mask, Tensor)) or "flash" in implementation:
        raise ValueError(
            f"This model runs with attn_implementation={implementation!r}, whose masks cannot be"
            " captured. Run it once on another kernel: model.set_attn_implementation('sdpa'),"
            " then extract again."
        )


def _check(record: Record, value: Tensor, result: Any, row: int, rows: list[int] | None) -> None:
    """Compare with what the function returned: (batch, query, heads, d), some with weights."""
    output = result[0] if isinstance(result, tuple) else result
    if isinstance(output, Tensor) and output.ndim >= 3 and output.shape[1] == record.shape[0]:
        own = output[row].reshape(record.shape[0], record.count, -1)
        record.check_output(value[row], own.transpose(0, 1), rows)


def _of_heads(sinks: Tensor, row: int) -> Tensor:
    """Sinks as (heads,), or as (heads, query) where every query has its own."""
    if sinks.ndim < 4:
        return sinks.reshape(-1)
    sinks = sinks[row if sinks.shape[0] > 1 else 0].squeeze(-1)
    return sinks[:, 0] if sinks.shape[1] == 1 else sinks


@plainly()
def _note(
    capture: Capture,
    implementation: str,
    module: nn.Module,
    query: Tensor,
    key: Tensor,
    mask: Any,
    kw: Mapping[str, Any],
) -> Record | None:
    """Record one attention by value; None if it is not understood."""
    capture.count(f"attention functions ({implementation})")
    path, row = capture.path(module), capture.keep.row
    # Images may be cut, so that one text has several rows: tiles, of which the first is kept, or
    # windows, which do not show the whole image.
    parts = query.shape[0] not in capture.sizes
    windows = capture.windowed or capture.batch_size > 1
    row = row if query.shape[0] > 1 else 0  # one image beside several texts
    if query.ndim != 4 or query.shape[0] <= row or (parts and windows):
        capture.skip(path, f"its queries have the shape {tuple(query.shape)}, not one text per row")
        return None
    own = getattr(module, "is_causal", True)
    wanted = kw.get("is_causal")
    causal = (
        mask is None
        and implementation != "eager"
        and query.shape[2] > 1
        and bool(own if wanted is None else wanted)
    )
    # Then sdpa uses only as many keys as there are queries; an empty static cache has more.
    keys = key[row][:, : query.shape[2]] if causal else key[row]
    scaling = kw.get("scaling")
    sinks = next(
        (
            x
            for x in (kw.get("s_aux"), kw.get("sinks"), getattr(module, "sinks", None))
            if x is not None
        ),
        None,
    )
    mask = capture.sharing.copy(mask, keys.shape[1])
    if causal and keys.shape[1] < query.shape[2]:
        # With fewer keys than queries, sdpa aligns their beginnings, not their ends.
        mask = torch.ones(
            1, query.shape[2], keys.shape[1], dtype=torch.bool, device=keys.device
        ).tril()
        causal = False
    return capture.add(
        path,
        query[row],
        keys,
        scaling=query.shape[-1] ** -0.5 if scaling is None else float(scaling),
        cross=capture.is_cross(query, key),
        sinks=None if sinks is None else _of_heads(sinks, row),
        softcap=None if kw.get("softcap") is None else float(kw["softcap"]),
        mask=mask,
        position_bias=capture.sharing.copy(kw.get("position_bias"), keys.shape[1]),
        causal=causal,
        module_is_causal=bool(getattr(module, "is_causal", False)),
    )
