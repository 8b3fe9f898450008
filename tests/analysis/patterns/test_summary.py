"""What is told of a result in words: what is missing, what was left out, what is undecided."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bertviz import AttentionTrace, PatternScores, find_patterns
from bertviz.analysis.patterns import summary
from bertviz.analysis.patterns.scores import Skipped


@pytest.fixture
def scores() -> PatternScores:
    row = [[1.0, 0, 0], [0.9, 0.1, 0], [0, 0.9, 0.1]]
    trace = AttentionTrace.from_arrays(["a", "b", "c"], [[row, row], [row, row]])
    return find_patterns(trace)


def told(scores: PatternScores, beginning: str) -> str:
    _, found, sentence = summary.notes(scores).partition(beginning)
    return found + sentence


def test_how_many_heads_and_texts(scores: PatternScores) -> None:
    assert summary.caption(scores).endswith("patterns in 4 heads, over 1 text")
    many = replace(scores, sums=scores.sums * 2, model_name="Own")
    assert summary.caption(many) == "Own: patterns in 4 heads, over 2 texts"


def test_texts_that_were_skipped_are_counted_and_the_first_is_told(scores: PatternScores) -> None:
    assert "Skipped" not in summary.notes(scores)
    skips = tuple(
        Skipped(place, reason) for place, reason in ((2, "it is empty"), (5, "x"), (6, "y"))
    )
    assert told(replace(scores, skipped=skips[:1]), "Skipped") == "Skipped: text 2, it is empty"
    assert told(replace(scores, skipped=skips), "Skipped") == (
        "Skipped: text 2, it is empty; and 2 more"
    )
    assert summary.caption(replace(scores, skipped=skips)).endswith("(3 skipped)")


def test_every_pattern_that_is_missing_is_told_with_its_reason(scores: PatternScores) -> None:
    names = tuple(scores.unavailable)
    assert len(names) > 1
    reasons = replace(scores, reasons={name: f"because of {name}" for name in names})
    assert told(reasons, "Not available") == (
        "Not available: " + " ".join(f"{name}: because of {name}." for name in names)
    )
