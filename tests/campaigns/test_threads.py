"""Threads share a model: several extract from it, one runs it, one trains it, one draws numbers.

None of them may notice the others: what a thread computes is what it would compute alone.
"""

from __future__ import annotations

import threading
import time
import warnings
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import nn

from bertviz.extractor import extract
from tests.campaigns.left import differences, state
from tests.models import batch_of

ARCHITECTURES = ["bert", "llama", "t5"]


class Crowd:
    """Threads that each do something again and again until the rounds are over."""

    def __init__(self) -> None:
        self.done = threading.Event()
        self.failed: list[str] = []
        self.counts = Counter[str]()
        self._threads: list[threading.Thread] = []

    def again(self, name: str, work: Callable[[], bool], rounds: int | None = None) -> None:
        """Start a thread; without rounds it ends with the others."""

        def loop() -> None:
            number = 0
            while number < rounds if rounds is not None else not self.done.is_set():
                number += 1
                try:
                    well = work()
                except Exception as error:
                    well = False
                    self.failed.append(f"{name}: {type(error).__name__}: {error}"[:200])
                self.counts[f"{name} {'well' if well else 'wrong'}"] += 1

        thread = threading.Thread(target=loop)
        thread.start()
        if rounds is not None:
            self._threads.append(thread)

    def wait(self) -> None:
        try:
            for thread in self._threads:
                thread.join()
        finally:
            self.done.set()

    def check(self, what: str) -> None:
        print(f"\n{what}: {dict(self.counts)}")
        wrong = {name: count for name, count in self.counts.items() if name.endswith("wrong")}
        assert not wrong, (wrong, self.failed[:5])


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_threads_share_a_model(
    architecture: str,
    build: Callable[..., Any],
    rounds: Callable[[int, int], int],
) -> None:
    """Two extract, one of them with verification; a third one only runs the model."""
    model, batch = build(architecture), batch_of(architecture)
    before = state(model)
    with torch.no_grad():
        right = model(**batch)[0]
    weights = _weights(extract(model, inputs=batch, batch_index=0))

    def extracts(**options: Any) -> bool:
        trace = extract(model, inputs=batch, batch_index=0, **options)
        return all(map(torch.equal, _weights(trace), weights))

    def runs() -> bool:
        with torch.no_grad():
            return torch.equal(model(**batch)[0], right)

    crowd, many = Crowd(), rounds(12, 160)
    crowd.again("extract", extracts, many)
    crowd.again("verify", lambda: extracts(verify=True), many)
    crowd.again("run", runs)
    crowd.wait()
    crowd.check(architecture)
    assert differences(before, state(model)) == []


def _weights(trace: Any) -> list[torch.Tensor]:
    return [layer.weights() for block in trace.blocks.values() for layer in block.layers]


def test_a_model_is_trained_meanwhile(
    build: Callable[..., Any], rounds: Callable[[int, int], int]
) -> None:
    """Every step has its dropout, and no two have the same."""
    model, batch = build("bert").train(), batch_of("bert")
    assert isinstance(model, nn.Module)
    seen: set[bytes] = set()

    def trains() -> bool:
        out = model(**batch)[0]
        key = out.detach().numpy().tobytes()
        new = key not in seen
        seen.add(key)
        out.sum().backward()
        return new and all(module.training for module in model.modules())

    crowd, many = Crowd(), rounds(15, 250)
    crowd.again("train", trains)
    for _ in range(2):
        crowd.again("extract", lambda: bool(extract(model, inputs=batch, batch_index=0)), many)
    crowd.wait()
    crowd.check("training")


def test_no_number_is_drawn_twice(
    build: Callable[..., Any], rounds: Callable[[int, int], int]
) -> None:
    """Two threads generate text by drawing, two draw numbers from the process's generator."""
    model, ids = build("gpt2"), batch_of("gpt2")["input_ids"][:1]
    seen: set[float] = set()

    def draws() -> bool:
        time.sleep(1e-3)
        numbers = torch.rand(64, dtype=torch.float64).tolist()
        repeated = not seen.isdisjoint(numbers)
        seen.update(numbers)
        return not repeated

    def writes() -> bool:
        options = {"max_new_tokens": 3, "do_sample": True, "pad_token_id": 0}
        return bool(extract(model, inputs={"input_ids": ids}, generate=options))

    crowd, many = Crowd(), rounds(10, 120)
    for _ in range(2):
        crowd.again("draw", draws)
        crowd.again("generate", writes, many)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        crowd.wait()
    crowd.check("drawing")
