"""All that a capture could leave behind: in a model, in its thread, in the process."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import _get_current_function_mode_stack

from bertviz.extractor.capture import current
from bertviz.trace.settings import watch_functions, watched_functions

_FUNCTIONS = watched_functions()


def state(model: nn.Module) -> dict[str, Any]:
    """Everything about a model, its thread and its process, as one flat dictionary."""
    found: dict[str, Any] = {}
    for name, module in model.named_modules():
        for key, value in vars(module).items():
            found[f"{name}.{key}"] = _described(value)
        config = getattr(module, "config", None)
        if config is not None:
            found[f"{name}.config.*"] = _described(vars(config))
    return {**found, **surroundings()}


def surroundings() -> dict[str, Any]:
    """What belongs to the thread or to the process."""
    found: dict[str, Any] = {
        "grad mode": torch.is_grad_enabled(),
        "inference mode": torch.is_inference_mode_enabled(),
        "function modes": [id(mode) for mode in _get_current_function_mode_stack()],
        "functions": watched_functions(),
        "capture": current.get(),
        "random numbers": torch.random.get_rng_state().numpy().tobytes(),
        "autocast": (torch.is_autocast_enabled("cpu"), torch.get_autocast_dtype("cpu")),
        "autocast cache": torch.is_autocast_cache_enabled(),
        "autocast depth": torch.autocast_increment_nesting(),
        "warnings": list(warnings.filters),
    }
    torch.autocast_decrement_nesting()
    eval_frame = getattr(getattr(torch, "_dynamo", None), "eval_frame", None)
    if eval_frame is not None:
        found["stance"] = eval_frame._stance.stance
    return found


def differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    """What is not as before."""
    return [key for key in {**before, **after} if before.get(key) != after.get(key)]


def repair(model: nn.Module, sane: Callable[[], Any]) -> None:
    """Bring the thread back to normal, so that one failure is counted once."""
    torch.set_grad_enabled(True)
    while torch._C._len_torch_function_stack():
        torch._C._pop_torch_function_stack()
    watch_functions(_FUNCTIONS)
    current.set(None)
    for _ in range(torch.autocast_increment_nesting()):
        torch.autocast_decrement_nesting()
    if hasattr(torch, "_dynamo"):
        torch.compiler.set_stance("default")
    sane()


def _described(value: Any) -> Any:
    if isinstance(value, nn.Parameter):
        return id(value), value._version, value.requires_grad, value.grad is None
    if isinstance(value, Tensor):
        return id(value), value._version, value.detach().numpy().tobytes()
    if isinstance(value, Mapping):
        return id(value), [(key, _described(item)) for key, item in value.items()]
    if isinstance(value, list | tuple | set):
        return type(value), [_described(item) for item in value]
    if isinstance(value, bool | int | float | str | bytes | None | torch.dtype):
        return value
    return id(value)
