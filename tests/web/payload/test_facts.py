"""What a payload says of tokens and models."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from bertviz.trace import AttentionTrace
from bertviz.web import payload
from tests.helpers import Difference
from tests.web.payload.traces import weights_trace


def test_tokens_are_shipped_once() -> None:
    block = payload.build(weights_trace(4, 1.0), "head")["blocks"][0]
    assert block["key"] is None
    text = ["0", "1", "2", "3"]
    nothing = {"raw": None, "sentences": None, "words": None, "special": []}
    assert block["query"] == {"text": text, **nothing}
    trace = AttentionTrace.from_arrays(
        ["Ġa", "b"], weights=[[[1.0, 0.0], [0.5, 0.5]]], sentence_b_start=1
    )
    tokens = payload.build(trace, "head")["blocks"][0]["query"]
    assert tokens["text"] == [" a", "b"]
    assert tokens["raw"] == ["Ġa", "b"]
    assert tokens["sentences"] == [0, 1]


def test_words_are_shipped_where_one_has_several_subwords() -> None:
    weights = np.full((1, 4, 4), 0.25)
    tokens = ["[CLS]", "straw", "##berries", "[SEP]"]
    sent = payload.build(AttentionTrace.from_arrays(tokens, weights), "head")["blocks"][0]["query"]
    assert sent["words"] == {"of": [0, 1, 1, 2], "text": ["[CLS]", "strawberries", "[SEP]"]}
    assert sent["special"] == [0, 3]


def test_a_difference_is_as_sure_as_both_together() -> None:
    a, b = weights_trace(5, 1.0), weights_trace(5, 3.0)
    assert payload.build(b, "head", comparison=Difference(a, b))["model"]["exactness"] is None
    about = {"compared_with": "what the model computed", "terms": [], "note": None}
    a = dataclasses.replace(a, exactness={"max_difference": 1e-7, **about}, model_name="One")
    assert payload.build(b, "head", comparison=Difference(a, b))["model"]["exactness"] is None
    b = dataclasses.replace(b, exactness={"max_difference": 2e-7, **about}, model_name="Other")
    model = payload.build(b, "model", comparison=Difference(a, b))["model"]
    assert model["name"] == "Other minus One"
    assert model["exactness"]["max_difference"] == pytest.approx(3e-7)
    assert model["exactness"]["note"] == "a differs from its model by 1.0e-07, b by 2.0e-07"


def test_what_was_not_captured_is_shipped() -> None:
    a, b = weights_trace(5, 1.0), weights_trace(5, 3.0)
    assert "skipped" not in payload.build(a, "head")["model"]
    a = dataclasses.replace(a, skipped={"layers.1": "its scores go through 'pow'"})
    assert payload.build(a, "head")["model"]["skipped"] == a.skipped
    b = dataclasses.replace(b, skipped={"layers.2": "out of memory"})
    both = payload.build(b, "head", comparison=Difference(a, b))["model"]["skipped"]
    assert sorted(both) == ["layers.1", "layers.2"]
