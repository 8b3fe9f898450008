"""Repeated random tokens, the standard test for induction heads, finds them and no others."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from bertviz import PatternScores, find_patterns
from bertviz.analysis.patterns.score import Score
from tests.analysis import induction
from tests.analysis.induction import FIXED, INDUCTION, PREVIOUS, SAME

PERIODS = range(11, 31)
EXPECTED = {
    PREVIOUS: {"previous token", "local window"},
    SAME: {"self", "local window", "same token", "same token elsewhere"},
    INDUCTION: {"induction"},
}


@pytest.fixture(scope="module")
def model() -> Any:
    return induction.Decoder(strength=6.0, noise=0.05, seed=0).eval()


def found(model: Any, sequences: list[list[int]]) -> PatternScores:
    return find_patterns(induction.traces(model, sequences))


def labels(scores: PatternScores) -> dict[tuple[int, int], set[str]]:
    return {head: set(some) for head, some in scores.labels().items() if some}


def undecided(scores: PatternScores) -> dict[tuple[int, int], set[str]]:
    return {head: set(some) for head, some in scores.undecided().items() if some}


def of_induction(scores: PatternScores, head: tuple[int, int] = INDUCTION) -> Score:
    rows = (row.whole for row in scores.scores if (row.layer, row.head) == head)
    names = (row.pattern for row in scores.scores if (row.layer, row.head) == head)
    score = dict(zip(names, rows, strict=True))["induction"]
    assert score is not None
    return score


@pytest.mark.parametrize("times", [2, 3, 8])
def test_many_periods_find_the_heads_and_no_others(model: Any, times: int) -> None:
    random = np.random.default_rng(times)
    periods = PERIODS if times < 8 else PERIODS[::2]
    scores = found(model, [induction.repeated(period, times, random) for period in periods])
    assert labels(scores) == EXPECTED
    assert undecided(scores) == {}
    score = of_induction(scores)
    assert 0.8 < score.score < 0.97
    assert score.by_distance is not None
    assert score.by_distance < (0.03 if times < 8 else 0.3)


def test_two_periods_are_enough(model: Any) -> None:
    random = np.random.default_rng(0)
    scores = found(model, [induction.repeated(period, 3, random) for period in (17, 25)])
    assert labels(scores) == EXPECTED


@pytest.mark.parametrize("texts", [1, 10])
def test_one_period_says_that_it_cannot_tell(model: Any, texts: int) -> None:
    random = np.random.default_rng(0)
    period = induction.BACK + 1  # a head that looks that far back cannot be told apart
    scores = found(model, [induction.repeated(period, 2, random) for _ in range(texts)])
    assert "induction" not in labels(scores).get(INDUCTION, set())
    assert undecided(scores) == {
        FIXED: {"induction"},
        SAME: {"same token elsewhere"},
        INDUCTION: {"induction"},
    }
    overlap = of_induction(scores).overlap
    assert overlap is not None
    assert overlap > 0.9
    rows = {(r["layer"], r["head"], r["pattern"]): r["label"] for r in scores.rows()}
    assert rows[(*INDUCTION, "induction")] is None
    assert rows[(*PREVIOUS, "induction")] is False
    assert "Undecided: same token elsewhere, induction. The keys lie at the same" in str(scores)
    line = next(line for line in str(scores).splitlines() if line.startswith("induction"))
    assert line.endswith("0, 2 undecided")
    # One text of another period decides it.
    more = scores + found(model, [induction.repeated(31, 2, random)] * 1)
    other = scores + found(model, [induction.repeated(p, 2, random) for p in (25, 28, 31, 35)])
    assert more.texts == texts + 1
    assert "induction" in labels(other)[INDUCTION] or texts == 10
    assert "induction" not in labels(other).get(FIXED, set())


def test_text_that_does_not_repeat_leaves_nothing_undecided(model: Any) -> None:
    random = np.random.default_rng(0)
    scores = found(model, [induction.repeated(60, 1, random)])
    assert undecided(scores) == {}
    assert "Undecided" not in str(scores)


def test_a_pattern_of_positions_in_disguise_is_undecided(model: Any) -> None:
    traces = induction.traces(
        model, [induction.repeated(p, 2, np.random.default_rng(p)) for p in (11, 17, 25)]
    )
    before = {"mine": lambda tokens: [(place, place - 1) for place in range(1, len(tokens))]}
    scores = find_patterns(traces, patterns=before)
    assert undecided(scores)[PREVIOUS] == {"mine"}
