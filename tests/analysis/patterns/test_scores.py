"""What find_patterns gives: best heads, labels, measures, rows, summaries."""

from __future__ import annotations

import copy
import math
import pickle
import re
from collections.abc import Callable
from typing import Any

import pytest
import torch

from bertviz import AttentionTrace, PatternScores, extract, find_patterns
from bertviz.analysis.measures import measures_of
from tests.analysis.patterns.plain import NAMES
from tests.helpers import no_pandas


@pytest.fixture
def scores() -> PatternScores:
    return find_patterns(
        AttentionTrace.from_arrays(
            ["<b>", "a", "a"],
            weights=[[[0.1, 0.8, 0.1], [0.1, 0.1, 0.8], [0.4, 0.3, 0.3]]],
        ),
        patterns={"<i>": lambda tokens: [[key == "<b>" for key in tokens] for _ in tokens]},
    )


def test_best(scores: PatternScores) -> None:
    assert scores.best("next token") == [(0, 0, pytest.approx(0.8), pytest.approx(1 / 3))]
    best = scores.best("next token")[0]
    assert [type(value) for value in best] == [int, int, float, float]
    assert best == (best.layer, best.head, best.score, best.null)
    assert scores.best("same word") == []
    assert scores.best("next token", 0) == []
    assert scores.patterns == (*NAMES, "<i>")


def test_renormalized_leaves_out_the_first_token(scores: PatternScores) -> None:
    # rows without the first key: (.8, .1)/.9, (.1, .8)/.9, (.3, .3)/.6
    assert scores.best("previous token", renormalized=True)[0][2] == pytest.approx(0.5)
    assert scores.best("next token", renormalized=True)[0][2] == pytest.approx((8 / 9 + 8 / 9) / 2)
    assert scores.best("first token", renormalized=True) == []
    row = next(row for row in scores.scores if row.pattern == "next token")
    assert row.kept == pytest.approx((0.9 + 0.9 + 0.6) / 3)


def test_labels_follow_the_stated_rule() -> None:
    rows = torch.eye(40).roll(1, 1) * 0.9 + 0.1 / 40
    for tokens, sure in ((4, False), (40, True)):
        part = rows[:tokens, :tokens] / rows[:tokens, :tokens].sum(1, keepdim=True)
        trace = AttentionTrace.from_arrays(list(map(str, range(tokens))), weights=part[None, None])
        found = find_patterns(trace)
        row = next(row for row in found.scores if row.pattern == "next token")
        assert row.whole is not None
        enough = max(0.1, math.sqrt(math.log(100) / (2 * (tokens - 1))))
        assert (row.whole.score - row.whole.null >= enough) is sure
        assert ("next token" in found.labels()[0, 0]) is sure
        strict = find_patterns(trace, level=1e-40)
        assert "next token" not in strict.labels()[0, 0]


def test_what_is_given_out_cannot_be_changed(scores: PatternScores) -> None:
    for held in (scores.unavailable, scores.about, scores.heads, scores.reasons, scores.sums[0]):
        with pytest.raises(TypeError, match="cannot be changed"):
            held["x"] = "y"  # type: ignore[index]


def test_measures(scores: PatternScores) -> None:
    measures = {measure["name"]: measure for measure in scores.measures()}
    assert "same word" not in measures
    assert measures["next token"]["values"] == {"encoder": {0: {0: pytest.approx(0.8)}}}
    assert measures["next token"]["null"] == {"encoder": {0: {0: pytest.approx(1 / 3)}}}
    assert list(measures)[-1] == "<i>"
    assert "strongest pattern" not in measures  # of two rows no head is sure


def test_the_first_measure_has_the_labels() -> None:
    weights = torch.zeros(1, 2, 40, 40)
    weights[0, 0, range(40), [0, *range(39)]] = 1  # the previous token
    weights[0, 1] = torch.softmax(torch.randn(40, 40, generator=torch.manual_seed(0)), -1)
    scores = find_patterns(
        AttentionTrace.from_arrays([f"t{i}" for i in range(40)], weights=weights)
    )
    first, *others = scores.measures()
    assert first["name"] == "strongest pattern"
    for (layer, head), labels in scores.labels().items():
        if labels:
            own = next(m for m in others if m["name"] == labels[0])
            for part in ("values", "null"):
                assert first[part]["encoder"][layer][head] == own[part]["encoder"][layer][head]
            assert first["labels"]["encoder"][layer][head] == labels[0]
        else:
            assert head not in first["values"]["encoder"].get(layer, {})
    assert first["labels"]["encoder"][0] == {0: "previous token"}


def test_measures_say_where_a_pattern_does_not_exist(
    build: Callable[[str], Any], word_tokenizer: Callable[..., Any]
) -> None:
    trace = extract(build("bart"), word_tokenizer(pair=""), "the store", "i , i")
    measures = {m["name"]: m["values"] for m in find_patterns(trace).measures()}
    assert measures["next token"]["cross"][0] == {0: None, 1: None}
    assert measures["next token"]["decoder"][0] == {0: None, 1: None}
    assert measures["next token"]["encoder"][0][0] > 0


def test_blocks(build: Callable[[str], Any], word_tokenizer: Callable[..., Any]) -> None:
    trace = extract(build("bart"), word_tokenizer(pair=""), "the store", "i , i")
    scores = find_patterns(trace)
    assert len(scores.best("self")) == 8  # of the encoder
    assert len(scores.best("self", block="decoder")) == 6
    assert len(scores.best("same token", block="cross")) == 0
    assert len(scores.labels("cross")) == 6
    with pytest.raises(ValueError, match="block='x' is unknown: expected one of encoder, decoder"):
        scores.best("self", block="x")


def test_rows_without_pandas(scores: PatternScores, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bertviz.analysis.tables.importlib.import_module", no_pandas)
    rows = scores.rows()
    assert len(rows) == len(scores.scores)
    assert set(rows[0]) >= {"renormalized_score", "renormalized_null", "kept", "label"}
    row = next(row for row in rows if row["pattern"] == "next token")
    assert (row["block"], row["layer"], row["head"], row["queries"]) == ("encoder", 0, 0, 2)
    assert row["score"] == pytest.approx(0.8)
    assert next(row for row in rows if row["pattern"] == "same word")["score"] is None


def test_summary_in_a_terminal(scores: PatternScores) -> None:
    text = str(scores)
    assert text == repr(scores)
    line = next(line for line in text.splitlines() if line.startswith("next token"))
    assert re.split("  +", line) == ["next token", "encoder", "(0, 0) 0.80 over 0.33", "0"]
    assert "same word: no query of the texts has such a key" in text


def test_html_is_plain_and_escaped(scores: PatternScores) -> None:
    html = scores._repr_html_()
    assert "&lt;i&gt;" in html
    assert "<i>" not in html
    assert "script" not in html


def test_the_model_view_takes_them(scores: PatternScores) -> None:
    trace = AttentionTrace.from_arrays(["<b>", "a", "a"], weights=torch.full((1, 1, 3, 3), 1 / 3))
    names = [measure["name"] for measure in measures_of(scores, trace)]
    assert names == [measure["name"] for measure in scores.measures()]


@pytest.mark.parametrize("way", [lambda x: pickle.loads(pickle.dumps(x)), copy.copy, copy.deepcopy])
def test_scores_can_be_pickled_and_copied(
    scores: PatternScores, way: Callable[[PatternScores], PatternScores]
) -> None:
    again = way(scores)
    assert again.rows() == scores.rows()
    assert again.best("next token")[0].score == scores.best("next token")[0].score
    assert (again.unavailable, again.about) == (scores.unavailable, scores.about)
    assert str(again) == str(scores)
    with pytest.raises(TypeError, match="cannot be changed"):
        again.about["self"] = ""  # type: ignore[index]


def test_to_pandas_says_what_to_install(
    scores: PatternScores, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bertviz.analysis.tables.importlib.import_module", no_pandas)
    with pytest.raises(ModuleNotFoundError, match="pip install pandas"):
        scores.to_pandas()
