"""Several texts are one score, with a spread."""

from __future__ import annotations

import statistics
from collections.abc import Callable
from typing import Any

import pytest

from bertviz import extract, find_patterns
from tests.analysis.patterns.plain import PAIR, TEXT


def test_texts_are_pooled_and_spread(
    build: Callable[[str], Any], word_tokenizer: Callable[..., Any]
) -> None:
    model, tokenizer = build("bert"), word_tokenizer()
    texts = [TEXT, (TEXT, PAIR), "the the the"]
    alone = [find_patterns(model, tokenizer, text) for text in texts]
    both = find_patterns(model, tokenizer, texts)
    assert both.texts == 3
    seen = 0
    for row, *own in zip(both.scores, *(scores.scores for scores in alone), strict=True):
        found = [one.whole for one in own if one.whole is not None]
        if not found:
            assert row.whole is None
            continue
        assert row.whole is not None
        queries = sum(one.queries for one in found)
        assert (row.whole.queries, row.whole.texts) == (queries, len(found))
        for name in ("score", "uniform", "by_distance"):
            if getattr(row.whole, name) is not None:
                mean = sum(getattr(one, name) * one.queries for one in found) / queries
                assert getattr(row.whole, name) == pytest.approx(mean)
        if len(found) > 1:
            assert row.whole.spread == pytest.approx(statistics.stdev(one.score for one in found))
            seen += 1
    assert seen > 50
    traces = [extract(model, tokenizer, TEXT), extract(model, tokenizer, TEXT, PAIR)]
    assert find_patterns(traces).best("self")[0] == pytest.approx(
        find_patterns(model, tokenizer, texts[:2]).best("self")[0]
    )


def test_a_pair_is_a_tuple(build: Callable[[str], Any], word_tokenizer: Callable[..., Any]) -> None:
    model, tokenizer = build("bert"), word_tokenizer()
    pair, two = "same token in the other sentence", [TEXT, PAIR]
    assert find_patterns(model, tokenizer, (TEXT, PAIR)).texts == 1
    assert pair not in find_patterns(model, tokenizer, (TEXT, PAIR)).unavailable
    apart = find_patterns(model, tokenizer, two)
    assert apart.texts == 2
    assert "two sentences" in apart.unavailable[pair]
