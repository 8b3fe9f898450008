"""Whatever interrupts a call, and wherever, model, thread and process are as they were.

Real signals raise KeyboardInterrupt at random instants, once or twice in close succession; and
every call that sets something up or cleans up after it is made to raise once.
"""

from __future__ import annotations

import gc
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable, Hashable, Iterator
from pathlib import Path
from types import FrameType
from typing import Any

import numpy as np
import pytest
import torch

import bertviz
from tests.campaigns import interrupted
from tests.campaigns.interrupted import Subject

PACKAGE = str(Path(bertviz.__file__).parent)
# What sets up and cleans up: every place in these files that calls something is tried.
EVERY = tuple(
    f"{PACKAGE}/{name}.py"
    for name in (
        "extractor/running",
        "extractor/surroundings",
        "extractor/stance",
        "extractor/drawing",
        "progress",
        "trace/settings",
    )
)


class Injected(BaseException):
    """A fault; like an interrupt, no `except Exception` catches it."""


@pytest.fixture(scope="module")
def subjects(build: Callable[..., Any], word_tokenizer: Callable[..., Any]) -> list[Subject]:
    with_stance = torch.compile(lambda x: x)  # imports dynamo, whose stance is then set
    assert with_stance
    return interrupted.subjects(build, word_tokenizer())


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
    """Run something under an armed timer; returns how many interrupts came out of it."""
    came = 0
    try:
        try:
            arm(after, second)
            subject.run()
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
        subject.run()
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
    assert changed(subjects) == []


def changed(subjects: list[Subject]) -> list[str]:
    """Whose numbers are not those of the first time: what is kept between calls is half made."""
    return [subject.name for subject in subjects if subject.run() != subject.numbers]


class _Fault:
    """Raises at the n-th call that the package's code makes.

    Args:
        at: Which call; 0 for none.
        places: Is given the numbers of the calls made at each place in the code.
    """

    def __init__(self, at: int, places: dict[Hashable, list[int]] | None = None) -> None:
        self.at = at
        self.calls = 0
        self.places = places
        self.where = ""

    def __enter__(self) -> _Fault:
        sys.setprofile(self._profile)
        return self

    def __exit__(self, *_: object) -> None:
        sys.setprofile(None)

    def _profile(self, frame: FrameType, event: str, arg: Any) -> None:
        file = frame.f_code.co_filename
        if event not in ("call", "c_call") or not file.startswith(PACKAGE) or arg is sys.setprofile:
            return
        self.calls += 1
        if self.places is not None:
            caller = frame.f_back if event == "call" else None
            before = None if caller is None else (caller.f_code, caller.f_lasti)
            place = (file in EVERY, frame.f_code, frame.f_lasti, before)
            self.places.setdefault(place, []).append(self.calls)
        if self.calls == self.at:
            sys.setprofile(None)
            self.where = f"{frame.f_code.co_name}:{frame.f_lineno} {event}"
            raise Injected(self.where)


def _faults(subject: Subject, random: np.random.Generator, every: int, others: int) -> list[int]:
    """Which calls fail: at places that set up or clean up the first and any, elsewhere any."""
    places: dict[Hashable, list[int]] = {}
    with _Fault(0, places):
        subject.run()
    chosen: list[int] = []
    for wanted, many in ((True, every), (False, others)):
        calls = [calls for place, calls in places.items() if place[0] is wanted]
        for number in random.permutation(len(calls))[:many]:
            chosen.append(int(random.choice(calls[number])))
            if wanted and calls[number][0] not in chosen:
                chosen.append(calls[number][0])
    return chosen


def test_every_call_may_fail_once(
    subjects: list[Subject],
    random: np.random.Generator,
    seed: int,
    rounds: Callable[[int, int], int],
) -> None:
    """Every place that sets up or cleans up, and random ones elsewhere."""
    tried, failures, broken = 0, [], Counter[str]()
    for subject in subjects:
        for at in _faults(subject, random, rounds(5, 10**6), rounds(4, 40)):
            try:
                with _Fault(at) as fault:
                    subject.run()
            except BaseException:
                pass
            tried += 1
            found = subject.left()
            if found:
                failures.append(f"{subject.name}, {fault.where}: {found[:3]}")
                broken.update(key.rpartition(".")[2] for key in found)
    print(f"\n{tried - len(failures)} of {tried} faults undone (seed {seed})")
    assert not failures, f"seed {seed}: {len(failures)} of {tried}: {failures[:5]} {broken}"
    assert changed(subjects) == []
