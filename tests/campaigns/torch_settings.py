"""Torch settings that a notebook may have, and what is done under them: for `test_settings`."""

from __future__ import annotations

import contextlib
import json
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.overrides import TorchFunctionMode

from bertviz import (
    AttentionTrace,
    compare,
    explain_head,
    extract,
    find_patterns,
    head_view,
    model_view,
    neuron_view,
)

Setting = Callable[[], contextlib.AbstractContextManager[Any]]


class Counting(TorchFunctionMode):
    """A user's own function mode, which turns every new float tensor to float64."""

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = dict(kwargs or {})
        if func in (torch.zeros, torch.ones, torch.full, torch.empty) and "dtype" not in kwargs:
            kwargs["dtype"] = torch.float64
        return func(*args, **kwargs)


@contextlib.contextmanager
def default_dtype(dtype: torch.dtype) -> Iterator[None]:
    before = torch.get_default_dtype()
    torch.set_default_dtype(dtype)
    try:
        yield
    finally:
        torch.set_default_dtype(before)


@contextlib.contextmanager
def default_device(device: str) -> Iterator[None]:
    torch.set_default_device(device)
    try:
        yield
    finally:
        torch.set_default_device(None)
        # torch 2.6 asks the device of the context that is no more.
        vars(torch._GLOBAL_DEVICE_CONTEXT).pop("device_context", None)


@contextlib.contextmanager
def restored(change: Callable[[Any], Any], value: Any, before: Any) -> Iterator[None]:
    change(value)
    try:
        yield
    finally:
        change(before)


DTYPES: dict[str, Setting] = {
    "": contextlib.nullcontext,
    **{
        f"default {name}": lambda name=name: default_dtype(getattr(torch, name))
        for name in ("float64", "bfloat16", "float16")
    },
}
DEVICES: dict[str, Setting] = {
    "": contextlib.nullcontext,
    "default device cpu": lambda: default_device("cpu"),
    "default device meta": lambda: default_device("meta"),
    "with device meta": lambda: torch.device("meta"),
    "a function mode": Counting,
}
CASTS: dict[str, Setting] = {
    "": contextlib.nullcontext,
    "autocast bfloat16": lambda: torch.autocast("cpu", dtype=torch.bfloat16),
    "autocast float16": lambda: torch.autocast("cpu", dtype=torch.float16),
}
GRADS: dict[str, Setting] = {
    "": contextlib.nullcontext,
    "no grad": torch.no_grad,
    "inference mode": torch.inference_mode,
}
OTHERS: dict[str, Setting] = {
    "": contextlib.nullcontext,
    "deterministic": lambda: restored(torch.use_deterministic_algorithms, True, False),
    "two threads": lambda: restored(torch.set_num_threads, 2, torch.get_num_threads()),
    "anomaly mode": torch.autograd.detect_anomaly,
    "flush denormal": lambda: restored(torch.set_flush_denormal, True, False),
    "matmul precision": lambda: restored(torch.set_float32_matmul_precision, "medium", "highest"),
}
if hasattr(torch.backends.mkldnn, "matmul"):  # since torch 2.9

    def products_in(precision: str) -> None:
        torch.backends.mkldnn.matmul.fp32_precision = precision

    OTHERS["precision of a backend"] = lambda: restored(products_in, "bf16", "none")
ALL = {**DTYPES, **DEVICES, **CASTS, **GRADS, **OTHERS}
KINDS = (DTYPES, DEVICES, CASTS, GRADS, OTHERS)


@contextlib.contextmanager
def under(names: tuple[str, ...]) -> Iterator[None]:
    """Several settings at once."""
    with contextlib.ExitStack() as stack:
        for name in names:
            stack.enter_context(ALL[name]())
        yield


def drawn(random: np.random.Generator) -> tuple[str, ...]:
    """A random setting of each kind, about half of them the default."""
    names = [
        list(kind)[int(random.integers(len(kind)))] if random.random() < 0.6 else ""
        for kind in KINDS
    ]
    return tuple(name for name in names if name)


# --- what is done ----------------------------------------------------------------------------


def numbers(trace: AttentionTrace) -> dict[str, Any]:
    """What a trace says, as plain NumPy."""
    found = {}
    for name, block in trace.blocks.items():
        found[f"{name} tokens"] = [*block.query_tokens, *block.key_tokens]
        for layer in block.layers:
            place = f"{name} {layer.index}"
            found[f"{place} weights"] = layer.weights().numpy()
            if layer.formula is not None:
                found[f"{place} scores"] = layer.scores().numpy()
            visible = layer.visible()
            found[f"{place} visible"] = None if visible is None else visible.numpy()
            found[f"{place} unseen"] = layer.unseen_keys().numpy()
            assert layer.weights().dtype == torch.float32
            assert not layer.weights().is_inference(), "a trace outlives the mode it was made in"
    return found


def shown(view: Any) -> str:
    """A view's whole payload; its HTML is made too."""
    assert view.data
    return json.dumps(view._payload, sort_keys=True)


def plain(table: Any) -> list[dict[str, Any]]:
    return [dict(row) for row in table.rows()]


def saved(trace: AttentionTrace) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "trace.safetensors"
        trace.save(path)
        return numbers(AttentionTrace.load(path))


def _first(trace: AttentionTrace) -> tuple[str, int, int]:
    block = next(iter(trace.blocks.values()))
    return block.name, block.layers[0].index, block.layers[0].heads[0]


def _arrays(trace: AttentionTrace) -> dict[str, Any]:
    name, number, _ = _first(trace)
    layer = trace.blocks[name].layer(number)
    kind = "cross" if trace.blocks[name].kind == "cross" else None
    made = AttentionTrace.from_arrays(
        queries=[layer.queries.float()], keys=[layer.keys.float().numpy()], kind=kind
    )
    weights = AttentionTrace.from_arrays(weights=[layer.weights().double().tolist()], kind=kind)
    return {**numbers(made), "of weights": numbers(weights), "view": shown(_view("head", weights))}


def _view(kind: str, source: Any, **options: Any) -> Any:
    function = {"head": head_view, "model": model_view, "neuron": neuron_view}[kind]
    return function(source, html_action="return", **options)


def _own(trace: AttentionTrace) -> Any:
    def pairs(*sides: Any) -> list[tuple[int, int]]:
        return [(0, 0), (1, 0)]

    return plain(find_patterns(trace, patterns={"mine": pairs}))


def _compared(trace: AttentionTrace) -> dict[str, Any]:
    name, number, _ = _first(trace)
    comparison = compare(trace, trace)
    return {
        "rows": plain(comparison),
        "weights": comparison.weights(number, block=name).numpy(),
        "view": shown(_view("model", comparison)),
    }


def _measured(trace: AttentionTrace) -> str:
    return shown(_view("model", trace, measures=find_patterns(trace)))


def _explained(trace: AttentionTrace, **options: Any) -> list[dict[str, Any]]:
    name, number, head = _first(trace)
    return plain(explain_head(trace, number, head, block=name, **options))


# What a trace is asked; every answer must be the same, to the bit, whatever is set.
OF_A_TRACE: dict[str, Callable[[AttentionTrace], Any]] = {
    "numbers": numbers,
    "head view": lambda trace: shown(_view("head", trace)),
    "model view": lambda trace: shown(_view("model", trace)),
    "neuron view": lambda trace: shown(_view("neuron", trace)),
    "rows": lambda trace: plain(_view("head", trace)),
    "patterns": lambda trace: plain(find_patterns(trace)),
    "patterns of words": lambda trace: plain(find_patterns(trace, words=True)),
    "own patterns": _own,
    "patterns in a view": _measured,
    "explanation": _explained,
    "explanation of pairs": lambda trace: _explained(trace, cells=[(1, 0)]),
    "comparison": _compared,
    "window": lambda trace: numbers(trace.window(0, 3)),
    "arrays": _arrays,
    "a file": saved,
}
# What a model is asked; the answers may differ by the rounding of what the model computes in.
OF_A_MODEL: dict[str, Callable[[Any, dict[str, Any]], Any]] = {
    "extract": lambda model, batch: numbers(extract(model, inputs=batch, batch_index=1)),
    "verified": lambda model, batch: numbers(
        extract(model, inputs=batch, batch_index=1, verify=True)
    ),
    "verify": lambda model, batch: numbers(
        extract(model, inputs=batch, batch_index=0).verify(model, batch, batch_index=0)
    ),
}


def difference(one: Any, other: Any) -> float:
    """The largest difference of two answers; infinite where they are of another form."""
    if isinstance(one, dict) and isinstance(other, dict) and one.keys() == other.keys():
        return max((difference(one[name], other[name]) for name in one), default=0.0)
    if isinstance(one, np.ndarray) and isinstance(other, np.ndarray) and one.shape == other.shape:
        # Scores of masked pairs are as low as numbers go.
        both = [np.maximum(x.astype(np.float64), -1e4) for x in (one, other)]
        return float(np.abs(both[0] - both[1]).max(initial=0.0))
    if isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        return max((difference(*pair) for pair in zip(one, other, strict=True)), default=0.0)
    same = one == other or (one != one and other != other)
    return 0.0 if same else float("inf")
