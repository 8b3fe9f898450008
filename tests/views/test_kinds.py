"""Views of values that are not attention: numbers, words, and what is not offered."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bertviz import AttentionTrace, HeadView, ModelView
from bertviz.views.view import View

TOKENS = ["the", "straw", "##berry"]
VALUES = np.array(
    [
        [[[0.5, -2.0, 0.0], [np.nan, np.nan, np.nan], [1.0, np.nan, -0.25]]],
        [[[-3.0, 0.0, 0.0], [8.0, 0.0, 1.0], [0.0, 0.0, 0.0]]],
    ]
)


@pytest.fixture
def trace() -> AttentionTrace:
    return AttentionTrace.from_arrays(TOKENS, VALUES, kind="signed")


def test_rows_are_the_values(trace: AttentionTrace) -> None:
    rows = HeadView(trace).rows()
    assert "weight" not in rows[0]
    np.testing.assert_allclose([row["value"] for row in rows], VALUES[0].ravel(), equal_nan=True)
    best = HeadView(trace).rows(query=2, top=2)
    assert [row["value"] for row in best] == [1.0, -0.25], "missing ones come last"
    frame = ModelView(trace).to_pandas()
    assert list(frame.columns)[-1] == "value"
    assert int(frame["value"].isna().sum()) == 4


def test_a_payload_has_no_nan(trace: AttentionTrace) -> None:
    for view in (HeadView(trace), ModelView(trace)):
        data = json.loads(json.dumps(view._payload, allow_nan=False))
        assert data["kind"] == "signed"
        assert [layer["scale"] for layer in data["blocks"][0]["layers"]] == [2.0, 8.0]
        missing = [layer["missing"] for layer in data["blocks"][0]["layers"]]
        assert missing[0]["count"] == 4
        assert missing[1] is None


@pytest.mark.parametrize(
    ("view", "state"),
    [
        (HeadView, {}),
        (HeadView, {"query": 2, "locked": True}),
        (HeadView, {"key": 1, "locked": True}),
        (HeadView, {"mode": "matrix"}),
        (ModelView, {}),
        (ModelView, {"cell": [0, 0]}),
    ],
)
@pytest.mark.parametrize("kind", ["signed", "unnormalized"])
def test_figures_claim_no_attention(
    view: type[View], state: dict[str, Any], kind: Any, tmp_path: Path
) -> None:
    values = VALUES if kind == "signed" else np.abs(VALUES)
    path = tmp_path / "figure.svg"
    shown = view(AttentionTrace.from_arrays(TOKENS, values, kind=kind))
    shown.save(path, **state)
    texts = re.findall(r"<(?:text|title)[^>]*>([^<]*)<", path.read_text(encoding="utf-8"))
    words = " ".join(texts).lower()
    for claim in ("attention", "attend", "weight", "mass", "verified", "normalize "):
        assert claim not in words
    assert f"{kind} values" in words
    largest = "8.00" if view is ModelView else "2.00"
    ends = [f"−{largest}", f"+{largest}"] if kind == "signed" else [largest]
    assert all(end in texts for end in ends), "the scale is told with its number"
    assert any(text.startswith("missing: 4 of ") for text in texts)
    assert "NaN" not in path.read_text(encoding="utf-8")


@pytest.mark.parametrize("kind", ["signed", "unnormalized"])
def test_a_measure_beside_the_scale(kind: Any, tmp_path: Path) -> None:
    values = VALUES if kind == "signed" else np.abs(VALUES)
    trace = AttentionTrace.from_arrays(TOKENS, values, kind=kind)
    view = ModelView(trace, measures={"mine": {(0, 0): 1.0, (1, 0): 2.0}})
    view.save(tmp_path / "x.svg")
    texts = " ".join(re.findall(r"<text[^>]*>([^<]*)<", (tmp_path / "x.svg").read_text("utf-8")))
    assert "bar: mine, 0.00 to 2.00" in texts
    assert f"√ value {'−8.00 +' if kind == 'signed' else '0 '}8.00" in texts
    assert "missing: 4 of 18 values" in texts


def test_the_document_claims_no_attention(trace: AttentionTrace, tmp_path: Path) -> None:
    path = tmp_path / "page.html"
    HeadView(trace).save(path)
    text = path.read_text(encoding="utf-8")
    assert "<title>Head view</title>" in text
    assert "<p>This head view needs JavaScript." in text
    assert repr(HeadView(trace)) == "HeadView(signed values, 2 layers, 1 head, 3 tokens)"


@pytest.mark.parametrize(
    ("state", "message"),
    [
        ({"words": True}, "words=True does not go with signed values"),
        ({"combine": "mean"}, "combine='mean' does not go with signed values"),
        (
            {"renormalize": True, "hide": "first"},
            "renormalize=True does not go with signed values: their rows do not sum to one",
        ),
    ],
)
def test_what_takes_rows_for_wholes_is_refused(
    trace: AttentionTrace, state: dict[str, Any], message: str, tmp_path: Path
) -> None:
    with pytest.raises(ValueError, match=message):
        HeadView(trace).save(tmp_path / "x.svg", **state)
    with pytest.raises(ValueError, match="measure='entropy' is not in this model view"):
        ModelView(trace).save(tmp_path / "x.svg", measure="entropy")


def test_values_beyond_floats_and_nothing_at_all(tmp_path: Path) -> None:
    """All zeros, all missing, and the largest and smallest numbers that are allowed."""
    for number in (0.0, np.nan, 1e30, -1e-38, 1e-45):
        trace = AttentionTrace.from_arrays(TOKENS, np.full((1, 1, 3, 3), number), kind="signed")
        for view in (HeadView(trace), ModelView(trace)):
            for state in ({}, {"query": 1}):
                view.save(tmp_path / "x.svg", **state)
                text = (tmp_path / "x.svg").read_text(encoding="utf-8")
                assert "NaN" not in text
                assert "Infinity" not in text
