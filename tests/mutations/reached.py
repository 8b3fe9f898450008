"""Which tests reach which line of the package: coverage's dynamic contexts, one a test.

The problem. A mutant can be noticed only by tests that run its line, and most tests do not; to run
all for every mutant takes hours. So all tests run once, and each line's tests are noted.
"""

from __future__ import annotations

import ast
import json
import sys
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import coverage
import pytest

PROCESSES = ("os.fork", "os.posix_spawn", "subprocess.Popen")
CACHED = ("cache", "lru_cache", "cached_property")


class Reached:
    """The tests that reach each line, and how long each takes.

    Attributes:
        seconds: Every test, in the order in which they ran.
        sets: Sets of tests, as their places in that order.
        lines: By file and line, which of these sets reaches it.
        unseen: Tests that start processes, or a tracer of their own: they are not watched.
        failed: Tests that fail without a mutant, and are not counted.
    """

    def __init__(
        self,
        seconds: dict[str, float],
        sets: list[list[int]],
        lines: dict[str, dict[str, int]],
        unseen: Sequence[str],
        failed: Sequence[str],
    ) -> None:
        self.seconds, self.sets, self.lines = seconds, sets, lines
        self.unseen, self.failed = frozenset(unseen), frozenset(failed)

    @staticmethod
    def load(path: Path) -> Reached:
        """What `Watching` has written."""
        return Reached(**json.loads(path.read_text(encoding="utf-8")))

    def tests(self, path: str, line: int, source: str) -> list[str]:
        """The tests to run for a line, those first that are likely to notice, and are fast."""
        numbers = watched(source, line)
        if numbers is None or path not in self.lines:
            chosen = set(self.seconds)
        else:
            found, names = self.lines[path], list(self.seconds)
            sets = {found[str(number)] for number in numbers if str(number) in found}
            chosen = {names[place] for number in sets for place in self.sets[number]} | self.unseen
        chosen -= self.failed
        folder = "tests/" + "/".join(path.split("/")[1:-1])
        files: dict[str, float] = defaultdict(float)
        for test in chosen:
            files[file_of(test)] += self.seconds.get(test, 0)

        def order(file: str) -> tuple[bool, bool, bool, float]:
            campaign = file.startswith("tests/campaigns")
            own = file.startswith(folder + "/") and folder.count("/") > 0
            name = f"test_{Path(path).stem}.py"
            return campaign, not file.endswith(name), not own, files[file]

        places = {file: place for place, file in enumerate(sorted(files, key=order))}
        return sorted(chosen, key=lambda test: places[file_of(test)])


def file_of(test: str) -> str:
    """The file of a test."""
    return test.split("::", 1)[0]


def watched(source: str, line: int) -> range | None:
    """The lines of the statement at a line; None if it runs when the module is imported."""
    inside: ast.AST | None = None
    own = range(line, line + 1)
    for node in _around(ast.parse(source), line):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            if any(name in ast.unparse(d) for d in node.decorator_list for name in CACHED):
                return None
            if inside is None and line < node.body[0].lineno:
                return None  # its defaults
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            inside = node
        if isinstance(node, ast.stmt):
            body = getattr(node, "body", None)
            last = body[0].lineno - 1 if body else node.end_lineno
            own = range(node.lineno, max(line, last or line) + 1)
    return own if inside else None


def _around(node: ast.AST, line: int) -> Iterator[ast.AST]:
    """Statements and lambdas that hold a line, the outer ones first."""
    for child in ast.iter_child_nodes(node):
        if getattr(child, "lineno", line) <= line <= getattr(child, "end_lineno", line):
            if isinstance(child, ast.stmt | ast.Lambda):
                yield child
            yield from _around(child, line)


class Watching:
    """A pytest plugin that notes, with coverage, which test runs which line, and writes it down."""

    def __init__(self, root: Path, target: Path) -> None:
        self.root, self.target = root, target
        self.coverage = coverage.Coverage(data_file=None, include=[f"{root}/bertviz/*"])
        self.seconds: dict[str, float] = {}
        self.fixtures: dict[str, list[str]] = {}
        self.unseen: set[str] = set()
        self.failed: set[str] = set()
        self.test: str | None = None

    def pytest_configure(self) -> None:
        self._start()
        sys.addaudithook(self._audit)

    def _start(self) -> None:
        self.coverage.start()
        self.tracer = sys.gettrace()

    def _audit(self, event: str, arguments: tuple[Any, ...]) -> None:
        if event in PROCESSES and self.test:
            self.unseen.add(self.test)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        self.coverage.switch_context(item.nodeid)
        self.test, begin = item.nodeid, time.process_time()
        self.fixtures[item.nodeid] = list(getattr(item, "fixturenames", ()))
        try:
            return (yield)
        finally:
            self.seconds[item.nodeid] = time.process_time() - begin
            if sys.gettrace() is not self.tracer:
                self.unseen.add(item.nodeid)
                self.coverage.stop()
                self._start()
            self.test = None

    @pytest.hookimpl(wrapper=True)
    def pytest_fixture_setup(self, fixturedef: Any, request: Any) -> Iterator[Any]:
        """What is made once for many tests is reached by all of them."""
        if fixturedef.scope == "function":
            return (yield)
        before = self.test
        self.coverage.switch_context(f"fixture {fixturedef.argname}")
        try:
            return (yield)
        finally:
            if before:
                self.coverage.switch_context(before)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed:
            self.failed.add(report.nodeid)

    def pytest_sessionfinish(self) -> None:
        self.coverage.stop()
        data = self.coverage.get_data()
        users = defaultdict(set)
        for place, (test, names) in enumerate(self.fixtures.items()):
            users[test].add(place)
            for name in names:
                users[f"fixture {name}"].add(place)
        sets: dict[tuple[int, ...], int] = {}
        lines = {
            str(Path(file).relative_to(self.root)): {
                number: sets.setdefault(
                    tuple(sorted(set().union(*(users[name] for name in names)))), len(sets)
                )
                for number, names in data.contexts_by_lineno(file).items()
            }
            for file in data.measured_files()
        }
        written = {
            "seconds": self.seconds,
            "sets": list(sets),
            "lines": lines,
            "unseen": sorted(self.unseen),
            "failed": sorted(self.failed),
        }
        self.target.write_text(json.dumps(written), encoding="utf-8")


class Only:
    """A pytest plugin that runs these tests alone, in this order."""

    def __init__(self, tests: Sequence[str]) -> None:
        self.places = {test: place for place, test in enumerate(tests)}

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        items[:] = sorted(
            (item for item in items if item.nodeid in self.places),
            key=lambda item: self.places[item.nodeid],
        )
