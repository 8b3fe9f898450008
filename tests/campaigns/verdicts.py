"""Judges one call: a usable result, an error that names an argument, or a failure."""

from __future__ import annotations

import dis
import json
import traceback
import warnings
from collections import Counter
from collections.abc import Callable, Collection
from pathlib import Path
from types import TracebackType
from typing import Any

import bertviz
from bertviz import NothingCaptured, NotReproduced

PACKAGE = str(Path(bertviz.__file__).parent)


class Verdicts:
    """Counts what became of many calls, and keeps what failed.

    Attributes:
        counts: How many calls gave a result, and how many a named error.
        failures: By cause, the call that failed first and how many did.
    """

    def __init__(self, campaign: str, seed: int) -> None:
        self.campaign = campaign
        self.seed = seed
        self.counts: Counter[str] = Counter()
        self.failures: dict[str, tuple[int, str]] = {}

    def judge(self, what: str, call: Callable[[], Any], names: Collection[str]) -> Any:
        """Make a call and judge it.

        Args:
            what: Describes the call, for the report.
            call: Makes the call and uses its result.
            names: The arguments, one of which an error must name.

        Returns:
            What the call gave, None if it raised.
        """
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            try:
                result = call()
            except BaseException as error:
                problem = unnamed(error, names)
                self._count("refused", problem, what)
                return None
        leaked = [w for w in caught if w.category is not UserWarning]
        problem = f"warning: {leaked[0].message}" if leaked else None
        self._count("accepted", problem, what)
        return result

    def _count(self, outcome: str, problem: str | None, what: str) -> None:
        if problem is None:
            self.counts[outcome] += 1
            return
        self.counts["failed"] += 1
        number, first = self.failures.get(problem, (0, what))
        self.failures[problem] = (number + 1, first)

    def finish(self) -> None:
        """Print the counts, and fail if anything failed."""
        total = sum(self.counts.values())
        counts = ", ".join(f"{self.counts[k]} {k}" for k in ("accepted", "refused", "failed"))
        print(f"\n{self.campaign}, seed {self.seed}: {total} calls, {counts}")
        worst = sorted(self.failures.items(), key=lambda item: -item[1][0])
        report = "\n".join(f"{n:5} x {problem}\n        {what}" for problem, (n, what) in worst)
        assert not self.failures, f"seed {self.seed}\n{report}"
        assert self.counts["accepted"] > 0.02 * total, "valid calls are among them"


def unnamed(error: BaseException, names: Collection[str]) -> str | None:
    """Why an error is not one of the library's own that names an argument; None if it is."""
    if isinstance(error, NothingCaptured | NotReproduced):
        return None
    if any("was running on inputs" in note for note in getattr(error, "__notes__", ())):
        return None  # the model's own error, with a note of what it was called with
    last, instruction = _raised_by(error.__traceback__)
    where = f"{last.filename.rpartition('/')[2]}:{last.lineno}"
    found = f"{type(error).__name__} at {where} in {last.name}"
    if not last.filename.startswith(PACKAGE):
        inner = traceback.extract_tb(error.__traceback__)
        inside = [f for f in inner if f.filename.startswith(PACKAGE)]
        at = f"{inside[-1].filename.rpartition('/')[2]}:{inside[-1].lineno}" if inside else "?"
        return f"{found}, from {at}: {_message(error):.90}"
    if instruction != "RAISE_VARARGS":
        return f"{found}, not raised on purpose: {_message(error):.90}"
    if not isinstance(error, TypeError | ValueError | OSError | MemoryError):
        return f"{found}: {_message(error):.90}"
    if not any(name in _message(error) for name in names):
        return f"{found} names none of {', '.join(names)}: {_message(error):.90}"
    return None


def _raised_by(trace: TracebackType | None) -> tuple[traceback.FrameSummary, str]:
    assert trace is not None
    while trace.tb_next is not None:
        trace = trace.tb_next
    code = trace.tb_frame.f_code
    instruction = next(
        each.opname for each in dis.get_instructions(code) if each.offset == trace.tb_lasti
    )
    return traceback.FrameSummary(code.co_filename, trace.tb_lineno, code.co_name), instruction


def _message(error: BaseException) -> str:
    try:
        return str(error)
    except Exception as inner:
        return f"no message: {type(inner).__name__}"


def use(trace: bertviz.AttentionTrace) -> None:
    """Ask a trace for everything that a view needs; fail if a number is not finite."""
    for block in trace.blocks.values():
        assert min(len(block.query), len(block.key)) > 0
        json.dumps([block.query.text, block.query.word_text])
        for layer in block.layers:
            weights = layer.weights()
            assert weights.shape == (layer.num_heads, len(block.query), len(block.key))
            assert bool(weights.isfinite().all()), "weights are not finite"
            if layer.formula is not None:
                assert bool(layer.scores().isfinite().all()), "scores are not finite"
    show(bertviz.HeadView(trace))


def show(view: Any) -> None:
    """Fail if a view is not what a page can read."""
    json.dumps(view._payload, allow_nan=False)
    repr(view)
