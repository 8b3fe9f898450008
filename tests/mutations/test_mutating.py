"""Mutants are what they say: one mistake each, in code that still parses."""

from __future__ import annotations

import ast

import pytest

from tests.mutations.equivalent import EQUIVALENT, matches
from tests.mutations.mutating import mutants
from tests.mutations.reached import watched
from tests.mutations.run import CORE, ROOT, choose, mutants_of


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("a < b", "(a <= b)"),
        ("a - b", "(a + b)"),
        ("a and b", "(a or b)"),
        ("x[1:n]", "x[:n]"),
        ("x.amax(-1)", "x.amin(-1)"),
        ("f(a, causal=b)", "f(a)"),
        ("not a", "a"),
        ("a if b else c", "c if b else a"),
        ("abs(a)", "a"),
    ],
)
def test_the_mistakes_of_an_expression(right: str, wrong: str) -> None:
    sources = [mutant.source for mutant in mutants("code.py", f"value = {right}\n")]
    assert any(ast.dump(ast.parse(f"value = {wrong}\n")) == ast.dump(ast.parse(s)) for s in sources)


def test_words_and_annotations_are_left_alone() -> None:
    source = (
        'def f(x: "int | None" = None) -> int | str:\n    """One."""\n    raise ValueError(1)\n'
    )
    assert [(m.was, m.now) for m in mutants("code.py", source)] == [("raise ValueError(1)", "pass")]


def test_every_mutant_differs_in_one_place_of_one_file() -> None:
    chosen = choose(CORE, 60, seed=1)
    assert len({(m.path, m.line, m.was, m.now) for m in chosen}) == 60
    assert any(m.path.endswith(".js") for m in chosen)
    for mutant in chosen:
        right = (ROOT / mutant.path).read_text(encoding="utf-8")
        assert mutant.source != right
        assert mutant.source.replace(mutant.now, "", 1) != right


@pytest.mark.parametrize("path", EQUIVALENT)
def test_every_mutant_that_is_called_equivalent_exists(path: str) -> None:
    """An entry whose line was changed would be a claim about code that is not there."""
    found = list(mutants_of(ROOT / path))
    stale = [e for e in EQUIVALENT[path] if not any(matches(m, e) for m in found)]
    assert stale == []


SOURCE = """\
LIMIT = 3
TABLE = {
    "a": lambda x: x,
}


def f(x, most=LIMIT):
    if (
        x
        and most
    ):
        return g(
            x,
        )
    return x


@cache
def g(x):
    return x
"""


@pytest.mark.parametrize(
    ("line", "lines"),
    [(1, None), (3, [2, 3, 4]), (7, None), (9, [8, 9, 10, 11]), (13, [12, 13, 14]), (15, [15])],
)
def test_the_lines_that_a_test_must_run_to_meet_a_mutant(line: int, lines: list[int]) -> None:
    """None is all tests: what runs when the module is imported, and what a cache keeps."""
    found = watched(SOURCE, line)
    assert (found and list(found)) == lines
    assert watched(SOURCE, 20) is None
