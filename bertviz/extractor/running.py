"""One forward pass of a borrowed model.

The problem. The model belongs to the user. Whatever happens during a capture, an exception or an
interrupt included, the model must be as it was before: its hooks, its training flags and the random
state.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import torch
from torch import Tensor, nn

from bertviz.extractor import interface
from bertviz.extractor.capture import Capture, current
from bertviz.extractor.operations import Operations
from bertviz.trace.settings import plainly


def run(model: nn.Module, batch: Mapping[str, Any], capture: Capture) -> Any:
    """Run the model on a batch with the capture on, and return what the model returns."""
    return run_call(model, lambda: model(**batch), capture)


def run_call(model: nn.Module, call: Callable[[], Any], capture: Capture) -> Any:
    """Run any call of the model with the capture on, and return what it returns."""
    interface.install()
    with contextlib.ExitStack() as undo:
        undo.enter_context(borrowed(model))
        # Compiled code bypasses the functions that are watched.
        undo.enter_context(_uncompiled())
        undo.enter_context(_hooked(model, capture))
        token = current.set(capture)
        undo.callback(current.reset, token)
        undo.enter_context(Operations(capture))
        return call()


@contextlib.contextmanager
def borrowed(model: nn.Module) -> Iterator[None]:
    """Eval mode without gradients; flags and random state are restored afterwards."""
    devices = {p.device.index for p in model.parameters() if p.device.type == "cuda"}
    with _evaluating(model), torch.random.fork_rng(devices=sorted(devices)), torch.no_grad():
        yield


def _uncompiled() -> contextlib.AbstractContextManager[Any]:
    stance = getattr(torch.compiler, "set_stance", None)
    return stance("force_eager") if stance is not None else contextlib.nullcontext()


@contextlib.contextmanager
def _evaluating(model: nn.Module) -> Iterator[None]:
    """Eval mode; every submodule gets its own flag back afterwards."""
    flags = {module: module.training for module in model.modules()}
    try:
        for module in flags:
            module.training = False
        yield
    finally:
        for module, flag in flags.items():
            module.training = flag


@contextlib.contextmanager
def _hooked(model: nn.Module, capture: Capture) -> Iterator[None]:
    """Hooks that keep track of which modules run and what they are given."""

    def before(module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        if current.get() is not capture:
            return
        capture.enter(module, args, kwargs)
        if module is capture.decoder:
            ids = kwargs.get("input_ids", args[0] if args else None)
            if isinstance(ids, Tensor) and not ids.is_floating_point():
                capture.decoder_ids = ids
        if isinstance(module, nn.Embedding) and args and _same(args[0], capture.input_ids):
            capture.readers.append(capture.names[module])

    def after(module: nn.Module, *_: Any) -> None:
        if current.get() is not capture:
            return
        capture.leave(module)

    handles: list[Any] = []
    try:
        for module in capture.names:
            handles.append(module.register_forward_pre_hook(before, with_kwargs=True))
            handles.append(module.register_forward_hook(after))
        yield
    finally:
        for handle in handles:
            handle.remove()


@plainly()
def _same(one: Any, other: Any) -> bool:
    return isinstance(one, Tensor) and isinstance(other, Tensor) and torch.equal(one, other)
