"""What runs plainly: neither torch's settings nor a failure anywhere changes what is set."""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import FrameType
from typing import Any

import pytest
import torch

from bertviz.trace import settings
from bertviz.trace.settings import plainly
from tests.campaigns.left import differences, surroundings


class Injected(BaseException):
    """Like an interrupt, no ``except Exception`` catches it."""


@plainly()
def _set_inside() -> dict[str, Any]:
    return surroundings()


def _failing(at: int) -> Callable[[FrameType, str, Any], None]:
    """A profiler that raises at a call that the decorator makes."""
    calls = 0

    def profile(frame: FrameType, event: str, arg: Any) -> None:
        nonlocal calls
        if event in ("call", "c_call") and frame.f_code.co_filename == settings.__file__:
            calls += 1
            if calls == at:
                raise Injected

    return profile


@pytest.mark.parametrize("inference", [False, True])
@pytest.mark.parametrize("gradients", [False, True])
def test_nothing_is_set_inside_and_all_is_set_again(inference: bool, gradients: bool) -> None:
    with (
        torch.device("cpu"),
        torch.autocast("cpu"),
        torch.inference_mode(inference),
        torch.set_grad_enabled(gradients),
    ):
        before = surroundings()
        inside = _set_inside()
        after = surroundings()
    assert not inside["grad mode"]
    assert not inside["inference mode"]
    assert not inside["autocast"][0]
    assert differences(before, after) == []


def test_a_failure_at_any_call_leaves_nothing() -> None:
    failed = 0
    with torch.device("cpu"), torch.autocast("cpu"):
        before = surroundings()
        for at in range(1, 100):
            sys.setprofile(_failing(at))
            try:
                _set_inside()
                break  # all have failed once
            except Injected:
                failed += 1
            finally:
                sys.setprofile(None)
            assert differences(before, surroundings()) == [], f"call {at}"
    assert failed >= 2  # Python does not report the making of every guard


def test_a_failure_inside_leaves_nothing_while_its_traceback_lives() -> None:
    @plainly()
    def fail() -> None:
        raise Injected

    with torch.autocast("cpu"):
        before = surroundings()
        try:
            fail()
        except Injected as error:
            kept = error
            assert differences(before, surroundings()) == []
    del kept
    assert torch.is_grad_enabled()
