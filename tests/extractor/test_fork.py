"""A fork at any time: while a lock is held, while another thread extracts, inside a capture."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import nn

from bertviz import extract
from bertviz.extractor import stance
from tests.models import batch_of

pytestmark = [
    pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork"),
    # Python warns of what is tested here.
    pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning"),
]


def in_a_child(work: Callable[[], None]) -> int:
    """The exit code of a child that works; 14 if it hangs."""
    child = os.fork()
    if child == 0:
        signal.alarm(120)
        try:
            work()
        except BaseException:
            os._exit(1)
        os._exit(0)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    return -code if code < 0 else code


def test_while_another_thread_holds_the_lock(build: Callable[[str], Any]) -> None:
    import torch._dynamo  # noqa: F401, else there is nothing to lock

    model, batch = build("bert"), batch_of("bert")
    held, done = threading.Event(), threading.Event()

    def hold() -> None:
        with stance._lock:
            held.set()
            done.wait()

    thread = threading.Thread(target=hold)
    thread.start()
    held.wait()
    try:
        assert in_a_child(lambda: check(model, batch)) == 0
    finally:
        done.set()
        thread.join()


def test_while_another_thread_extracts(build: Callable[[str], Any]) -> None:
    model, batch = build("bert"), batch_of("bert")
    stop = threading.Event()

    def again() -> None:
        other = build("gpt2")
        while not stop.is_set():
            extract(other, inputs=batch_of("gpt2"), batch_index=0)

    thread = threading.Thread(target=again)
    thread.start()
    try:
        assert [in_a_child(lambda: check(model, batch)) for _ in range(3)] == [0] * 3
    finally:
        stop.set()
        thread.join()


def test_in_the_middle_of_a_capture(build: Callable[[str], Any]) -> None:
    """The child extracts from another model; what it inherited is left alone."""
    inner, batch = build("bert"), batch_of("bert")
    codes: list[int] = []

    class Forking(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.attention = nn.MultiheadAttention(8, 2, batch_first=True)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            codes.append(in_a_child(lambda: check(inner, batch)))
            return self.attention(x, x, x)[0]

    extract(Forking(), inputs={"x": torch.randn(1, 4, 8)})
    assert codes == [0]


def check(model: Any, batch: dict[str, torch.Tensor]) -> None:
    trace = extract(model, inputs=batch, batch_index=1)
    assert len(trace.blocks["encoder"].layers) == 3
