"""Whatever interrupts a capture, and wherever, model, thread and process are as they were.

Real signals raise KeyboardInterrupt at random instants, once or twice in close succession; and
every call that sets a capture up or cleans up after it is made to raise once.
"""

from __future__ import annotations

import gc
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType
from typing import Any

import numpy as np
import pytest
import torch

import bertviz.extractor
from bertviz.extractor import extract
from tests.campaigns.left import differences, repair, state
from tests.models import batch_of

FOLDER = str(Path(bertviz.extractor.__file__).parent)
# What sets a capture up and cleans up after it: every call in these files is tried.
EVERY = tuple(f"{FOLDER}/{name}.py" for name in ("running", "surroundings", "stance", "progress"))
CASES: list[tuple[str, dict[str, Any]]] = [
    ("bert", {}),
    ("llama", {"verify": True}),
    ("t5", {}),
    ("gpt2", {"generate": {"max_new_tokens": 3, "do_sample": True, "pad_token_id": 0}}),
    ("bart", {"verify": True}),
]


class Injected(BaseException):
    """A fault; like an interrupt, no `except Exception` catches it."""


class Subject:
    """A model in mixed modes, with hooks, and a capture of it."""

    def __init__(self, architecture: str, options: dict[str, Any], build: Callable[..., Any]):
        self.model = build(architecture).train()
        for number, module in enumerate(self.model.modules()):
            module.training = number % 3 != 0
        self.model.register_forward_hook(lambda *_: None)
        self.options = options
        self.batch = {k: v[:1] for k, v in batch_of(architecture).items()}
        self.flags = [module.training for module in self.model.modules()]
        self.before = state(self.model)

    def extract(self) -> None:
        extract(self.model, inputs=self.batch, **self.options)

    def left(self) -> list[str]:
        """What is not as before; afterwards it is again."""
        found = differences(self.before, state(self.model))
        if found:
            self.repair()
        return found

    def repair(self) -> None:
        from transformers.modeling_utils import PreTrainedModel

        def sane() -> None:
            for module, flag in zip(self.model.modules(), self.flags, strict=True):
                module.training = flag
                module._forward_pre_hooks.clear()
                module._forward_hooks.clear()
            if isinstance(self.model, PreTrainedModel):
                self.model.set_attn_implementation("sdpa")
            self.model.register_forward_hook(lambda *_: None)

        repair(self.model, sane)
        self.before = state(self.model)


@pytest.fixture(scope="module")
def subjects(build: Callable[..., Any]) -> list[Subject]:
    with_stance = torch.compile(lambda x: x)  # imports dynamo, whose stance is then set
    assert with_stance
    found = [Subject(*case, build) for case in CASES]
    for subject in found:
        subject.extract()
    for subject in found:  # making the others drew random numbers
        subject.before = state(subject.model)
    return found


@pytest.fixture
def alarms() -> Iterator[Callable[[float, float], None]]:
    """Arm a timer whose signal raises KeyboardInterrupt, and a second one some seconds later."""
    again = 0.0

    def interrupt(*_: object) -> None:
        nonlocal again
        if again:
            signal.setitimer(signal.ITIMER_REAL, again)
            again = 0.0
        raise KeyboardInterrupt

    def arm(after: float, second: float) -> None:
        nonlocal again
        again = second
        signal.setitimer(signal.ITIMER_REAL, after)

    # Python reports an interrupt inside a destructor, and the second one may come in that report.
    report, sys.unraisablehook = sys.unraisablehook, lambda _: None
    before = signal.signal(signal.SIGALRM, interrupt)
    yield arm
    signal.setitimer(signal.ITIMER_REAL, 0)
    signal.signal(signal.SIGALRM, before)
    sys.unraisablehook = report


def _interrupted(
    subject: Subject, arm: Callable[[float, float], None], after: float, second: float
) -> int:
    """Run a capture under an armed timer; returns how many interrupts came out of it."""
    came = 0
    try:
        try:
            arm(after, second)
            subject.extract()
        except KeyboardInterrupt:
            came += 1
        until = time.perf_counter() + second + 1e-3  # the second one may come after the end
        while came and second and time.perf_counter() < until:
            pass
        signal.setitimer(signal.ITIMER_REAL, 0)
    except KeyboardInterrupt:
        came += 1
        signal.setitimer(signal.ITIMER_REAL, 0)
    return came


@pytest.mark.parametrize("double", [False, True], ids=["once", "twice"])
def test_interrupts_at_random_instants(
    double: bool,
    subjects: list[Subject],
    alarms: Callable[[float, float], None],
    random: np.random.Generator,
    seed: int,
    rounds: Callable[[int, int], int],
) -> None:
    took = []
    for subject in subjects:
        start = time.perf_counter()
        subject.extract()
        took.append(time.perf_counter() - start)
    many, hit, broken = rounds(60, 3000), 0, Counter[str]()
    failures = 0
    for number in range(many):
        subject = subjects[number % len(subjects)]
        after = float(random.uniform(1e-5, took[number % len(subjects)]))
        second = float(random.uniform(1e-5, 4e-4)) if double else 0.0
        hit += bool(_interrupted(subject, alarms, after, second))
        if number % 10 == 0:
            gc.collect()  # what a dropped traceback still held cleans up now
        found = subject.left()
        failures += bool(found)
        broken.update(key.rpartition(".")[2] for key in found)
    print(f"\n{many - failures} of {many} as before ({hit} interrupted, seed {seed})")
    assert not failures, f"seed {seed}: {failures} of {many}: {broken.most_common(12)}"


class _Fault:
    """Raises at the n-th call inside the package's extractor, or of what it calls there."""

    def __init__(self, at: int) -> None:
        self.at = at
        self.calls = 0
        self.every: list[int] = []  # the calls in files of which every call is tried
        self.where = ""

    def __enter__(self) -> _Fault:
        sys.setprofile(self._profile)
        return self

    def __exit__(self, *_: object) -> None:
        sys.setprofile(None)

    def _profile(self, frame: FrameType, event: str, arg: Any) -> None:
        file = frame.f_code.co_filename
        if event not in ("call", "c_call") or not file.startswith(FOLDER) or arg is sys.setprofile:
            return
        self.calls += 1
        if self.at < 0 and file in EVERY:
            self.every.append(self.calls)
        if self.calls == self.at:
            sys.setprofile(None)
            self.where = f"{frame.f_code.co_name}:{frame.f_lineno} {event}"
            raise Injected(self.where)


def test_every_call_may_fail_once(
    subjects: list[Subject],
    random: np.random.Generator,
    seed: int,
    rounds: Callable[[int, int], int],
) -> None:
    """Every call that sets up or cleans up, and random ones in between."""
    tried, failures, broken = 0, [], Counter[str]()
    for subject in subjects:
        with _Fault(-1) as counted:
            subject.extract()
        every = random.permutation(counted.every)[: rounds(10, 10**6)]
        others = random.integers(1, counted.calls + 1, rounds(4, 300))
        for at in [*every, *others]:
            try:
                with _Fault(int(at)) as fault:
                    subject.extract()
            except BaseException:
                pass
            tried += 1
            found = subject.left()
            if found:
                failures.append(f"{fault.where}: {found[:3]}")
                broken.update(key.rpartition(".")[2] for key in found)
    print(f"\n{tried - len(failures)} of {tried} faults undone (seed {seed})")
    assert not failures, f"seed {seed}: {len(failures)} of {tried}: {failures[:5]} {broken}"
