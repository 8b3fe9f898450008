"""Thread and process are kept: whatever a call leaves, and whatever cuts the clean-up off."""

from __future__ import annotations

import os
import sys
import threading
import traceback
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any

import pytest
import torch
from torch.overrides import TorchFunctionMode

from bertviz.extractor import extract, stance
from bertviz.extractor import surroundings as guards
from bertviz.extractor.surroundings import Surroundings
from tests.campaigns.left import differences, surroundings
from tests.models import batch_of

own: ContextVar[int] = ContextVar("own", default=0)


class Mode(TorchFunctionMode):
    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        return func(*args, **(kwargs or {}))


def _leave_everything() -> None:
    torch.set_grad_enabled(True)
    Mode().__enter__()
    torch.autocast("cpu", torch.float16).__enter__()
    torch.set_autocast_cache_enabled(False)
    own.set(1)


def test_whatever_a_call_leaves_is_undone() -> None:
    with torch.device("cpu"), Mode(), torch.enable_grad():
        before = surroundings()
        Surroundings().kept(_leave_everything)
        assert differences(before, surroundings()) == []
        assert own.get() == 0


def test_a_mode_of_the_user_that_was_lost_is_there_again() -> None:
    with Mode(), torch.device("cpu"):
        before = surroundings()

        def lose() -> None:
            for _ in range(2):
                torch._C._pop_torch_function_stack()

        Surroundings().kept(lose)
        assert differences(before, surroundings()) == []


@pytest.mark.parametrize("lost", range(4))
@pytest.mark.parametrize("left", range(3))
def test_modes_are_those_that_were_there_in_their_order(lost: int, left: int) -> None:
    with Mode(), Mode(), Mode():
        before = surroundings()

        def change() -> None:
            for _ in range(lost):
                torch._C._pop_torch_function_stack()
            for _ in range(left):
                Mode().__enter__()

        Surroundings().kept(change)
        assert differences(before, surroundings()) == []


@pytest.mark.parametrize("name", ["_restore_modes", "_restore_grad", "_restore_stance"])
def test_a_step_that_fails_once_is_done_again(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    right = getattr(Surroundings, name)
    failed: list[str] = []

    def fail_once(self: Surroundings) -> None:
        if not failed:
            failed.append(name)
            raise KeyboardInterrupt
        right(self)

    monkeypatch.setattr(Surroundings, name, fail_once)
    torch.compile(lambda x: x)
    before = surroundings()
    with pytest.raises(KeyboardInterrupt):
        Surroundings().kept(_leave_everything)
    assert differences(before, surroundings()) == []


def test_the_error_of_the_call_comes_out() -> None:
    def fail() -> None:
        raise ZeroDivisionError("its own")

    with pytest.raises(ZeroDivisionError, match="its own"):
        Surroundings().kept(fail)


def test_errors_do_not_bury_the_model_in_frames(build: Callable[..., Any]) -> None:
    model = build("bert")

    def fail(*_: Any) -> None:
        try:
            {}["lost"]
        except KeyError:
            raise ZeroDivisionError("its own")  # noqa: B904, the context is looked at

    model.encoder.layer[1].register_forward_pre_hook(fail)
    with pytest.raises(ZeroDivisionError) as caught:
        extract(model, inputs=batch_of("bert"), batch_index=0)
    frames = [frame.f_code for frame, _ in traceback.walk_tb(caught.value.__traceback__)]
    assert frames[-1] is fail.__code__
    assert [code.co_name for code in frames if code.co_filename == guards.__file__] == ["kept"]
    assert isinstance(caught.value.__context__, KeyError)
    assert not caught.value.__suppress_context__


def test_overlapping_captures_leave_the_stance() -> None:
    torch.compile(lambda x: x)
    one, other = object(), object()
    before = surroundings()["stance"]
    stance.hold(one)
    stance.hold(other)
    assert surroundings()["stance"] == "force_eager"
    stance.release(one)
    stance.release(one)
    assert surroundings()["stance"] == "force_eager"
    stance.release(other)
    assert surroundings()["stance"] == before


def test_a_stance_that_somebody_else_sets_meanwhile_stays() -> None:
    torch.compile(lambda x: x)
    holder = object()
    stance.hold(holder)
    torch.compiler.set_stance("eager_on_recompile")
    stance.release(holder)
    try:
        assert surroundings()["stance"] == "eager_on_recompile"
    finally:
        torch.compiler.set_stance("default")


@pytest.mark.skipif(sys.platform == "win32", reason="no fork")
def test_a_process_forked_in_a_capture_can_capture(build: Callable[..., Any]) -> None:
    model, batch = build("bert"), batch_of("bert")
    torch.compile(lambda x: x)
    inside, finish = threading.Event(), threading.Event()

    def wait(*_: Any) -> None:
        inside.set()
        assert finish.wait(60)

    handle = model.encoder.layer[1].register_forward_pre_hook(wait)
    thread = threading.Thread(target=lambda: extract(model, inputs=batch, batch_index=0))
    thread.start()
    assert inside.wait(60)
    handle.remove()
    with stance._lock:  # as another thread may hold it
        child = os.fork()
    if child == 0:
        status = 1
        try:
            if surroundings()["stance"] == "default":
                status = 0 if extract(model, inputs=batch, batch_index=0).num_layers == 3 else 2
        finally:
            os._exit(status)
    finish.set()
    thread.join()
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def test_a_forked_child_holds_nothing_of_the_threads_that_are_gone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(stance, "_holders", {1, 2})
    monkeypatch.setattr(stance, "_lock", stance._lock)
    restored: list[int] = []
    monkeypatch.setattr(stance, "_restore", lambda: restored.append(1))
    lock = stance._lock
    stance._in_a_forked_child()
    assert stance._holders == set()
    assert stance._lock is not lock, "another thread may hold it for good"
    stance._in_a_forked_child()
    assert restored == [1], "who held nothing restores nothing"
