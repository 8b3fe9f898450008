"""The state of thread and process that a forward changes, kept as it is around a call.

The problem. A capture turns gradients off and watches torch functions, and the model's own code
enters and leaves contexts such as autocast. An interrupt may come between any two steps: also
before a clean-up is registered, and while cleaning up.

So the state is read before anything changes, and cleaning up means making the state what it was,
from whatever it is now. This may be done any number of times and cut off anywhere; it is done
several times, each time guarding the next, so that only as many interrupts within microseconds
could get through. The context of a call is a copy, which Python drops by itself.
"""

from __future__ import annotations

import contextlib
import contextvars
from collections.abc import Callable
from types import TracebackType
from typing import Any, TypeVar

import torch
from torch.overrides import TorchFunctionMode

from bertviz.extractor import stance
from bertviz.trace.settings import watch_functions, watched_functions

Result = TypeVar("Result")
AGAIN = 4  # as many interrupts of one clean-up are survived


class Surroundings:
    """Thread and process as they are when this is made.

    Args:
        close: What else to do after the call; any number of times.
    """

    def __init__(self, close: Callable[[], None] | None = None) -> None:
        self._close = close
        self._grad = torch.is_grad_enabled()
        self._modes = _modes()
        self._functions = watched_functions()
        self._autocast = _autocast()
        self._cache = torch.is_autocast_cache_enabled()
        self._depth = _autocast_depth()

    def kept(self, call: Callable[[], Result]) -> Result:
        """Call something without gradients and uncompiled; afterwards all is as before."""

        def changed() -> Result:
            torch._C._set_grad_enabled(False)
            stance.hold(self)
            return call()

        context = contextvars.copy_context()
        try:
            return self._guarded(lambda: context.run(changed), AGAIN)
        except BaseException as error:
            _shorten(error.__traceback__)
            raise

    def _guarded(self, call: Callable[[], Result], again: int) -> Result:
        try:
            return self._guarded(call, again - 1) if again else call()
        except BaseException as error:
            _leave_contexts(error)
            raise
        finally:
            self.restore()

    def restore(self) -> None:
        """Make everything what it was; a step that fails does not keep the others from it."""
        failed: list[BaseException] = []
        # Modes come before what they would watch.
        for step in (
            self._close or _nothing,
            lambda: watch_functions(self._functions),
            self._restore_modes,
            self._restore_grad,
            self._restore_stance,
            self._restore_autocast,
        ):
            try:
                step()
            except BaseException as error:
                failed.append(error)
        if failed:
            raise failed[0]

    def _restore_modes(self) -> None:
        now, before = _modes(), self._modes
        if now == before:
            return
        same = 0
        while same < min(len(now), len(before)) and now[same] is before[same]:
            same += 1
        for _ in now[same:]:
            torch._C._pop_torch_function_stack()
        for mode in before[same:]:
            torch._C._push_on_torch_function_stack(mode)

    def _restore_grad(self) -> None:
        torch._C._set_grad_enabled(self._grad)

    def _restore_stance(self) -> None:
        stance.release(self)

    def _restore_autocast(self) -> None:
        for device, (enabled, dtype) in self._autocast.items():
            torch.set_autocast_enabled(device, enabled)
            torch.set_autocast_dtype(device, dtype)
        torch.set_autocast_cache_enabled(self._cache)
        for _ in range(_autocast_depth() - self._depth):
            if torch.autocast_decrement_nesting() == 0:
                torch.clear_autocast_cache()


def enter(*modes: TorchFunctionMode) -> None:
    """Let modes watch the rest of a call that is `kept`: they end with it."""
    for mode in modes:
        mode.__enter__()


def _leave_contexts(error: BaseException) -> None:
    """Run the clean-up of contexts that an interrupt cut off while they were entered.

    The generator of a ``contextlib`` context is then still suspended, and would run its clean-up
    whenever the traceback is dropped: torch's own would put modes back long after they ended.
    """
    seen: set[int] = set()
    errors: list[BaseException | None] = [error]
    while errors:
        current = errors.pop()
        if current is None or id(current) in seen:
            continue
        seen.add(id(current))
        errors += [current.__context__, current.__cause__]
        trace = current.__traceback__
        while trace is not None:
            if trace.tb_frame.f_code.co_filename == contextlib.__file__:
                with contextlib.suppress(RuntimeError):  # it is still running
                    trace.tb_frame.clear()
            trace = trace.tb_next


def _shorten(trace: TracebackType | None) -> None:
    """Leave out the guards' own frames but the first: they bury where in the model it was."""
    ours = _shorten.__code__.co_filename
    while trace is not None:
        following = trace.tb_next
        while following is not None and following.tb_frame.f_code.co_filename == ours:
            following = following.tb_next
        trace.tb_next = following
        trace = following


def _nothing() -> None:
    pass


def _modes() -> list[Any]:
    count = torch._C._len_torch_function_stack()
    return [torch._C._get_function_stack_at(place) for place in range(count)]


def _autocast() -> dict[str, tuple[bool, torch.dtype]]:
    devices = ["cpu", *(["cuda"] if torch.cuda.is_initialized() else [])]
    return {
        device: (torch.is_autocast_enabled(device), torch.get_autocast_dtype(device))
        for device in devices
    }


def _autocast_depth() -> int:
    # Torch tells the depth only when it is changed. Both calls are made from C, where no interrupt
    # can come between them.
    up, down = torch.autocast_increment_nesting, torch.autocast_decrement_nesting
    return int(list(map(next, (iter(up, None), iter(down, None))))[1])
