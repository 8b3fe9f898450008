"""The numbers behind a picture: exact, all of them, or those that are asked for."""

from __future__ import annotations

import itertools
import sys
from typing import Any

import numpy as np
import pytest
import torch

from bertviz import AttentionTrace, HeadView, ModelView, NeuronView
from tests.helpers import Difference, a_model_view

TOKENS = ["the", "cat", "sat"]


@pytest.fixture(scope="module")
def trace() -> AttentionTrace:
    """Three layers of four heads, with queries and keys."""
    torch.manual_seed(0)
    return AttentionTrace.from_arrays(
        tokens=TOKENS, queries=torch.randn(3, 4, 3, 8), keys=torch.randn(3, 4, 3, 8)
    )


def test_rows_are_the_shown_numbers(trace: AttentionTrace) -> None:
    [block] = trace.blocks.values()
    layer = block.layers[1]
    heads = list(layer.heads)[1:3]
    rows = HeadView(trace, layer=layer.index, heads=heads).rows()
    places = [(row["head"], row["query"], row["key"]) for row in rows]
    assert places == list(itertools.product(heads, range(3), range(3)))
    weights = layer.weights(heads)
    for row in rows:
        assert (row["block"], row["layer"]) == (block.name, layer.index)
        assert row["weight"] == float(weights[heads.index(row["head"]), row["query"], row["key"]])
        assert row["query_token"] == block.query.text[row["query"]]
        assert row["key_token"] == block.key.text[row["key"]]
    every = ModelView(trace, include_layers=[layer.index], include_heads=heads).rows()
    assert every == rows


def test_the_neuron_view_gives_scores_too(trace: AttentionTrace) -> None:
    layer = trace.blocks["encoder"].layers[1]
    rows = NeuronView(trace, layer=1, head=2).rows()
    assert [row["score"] for row in rows] == layer.scores(2)[0].ravel().tolist()
    assert [row["weight"] for row in rows] == layer.weights(2)[0].ravel().tolist()
    assert "score" not in HeadView(trace).rows()[0]


def test_rows_of_one_query_or_key(trace: AttentionTrace) -> None:
    view = HeadView(trace, layer=2)
    every = view.rows()
    assert view.rows(query=1) == [row for row in every if row["query"] == 1]
    assert view.rows(key=np.int64(2)) == [row for row in every if row["key"] == 2]
    both = view.rows(query=1, key=2)
    assert both == [row for row in every if (row["query"], row["key"]) == (1, 2)]
    assert len(both) == 4


def test_the_largest_weights_of_each_query(trace: AttentionTrace) -> None:
    view = NeuronView(trace)
    rows = view.rows()
    for top in (1, 2, 9):
        expected = []
        for query in range(3):
            of_query = [row for row in rows if row["query"] == query]
            expected += sorted(of_query, key=lambda row: -row["weight"])[:top]
        assert view.rows(top=top) == expected
    assert view.rows(query=1, top=1) == [view.rows(top=1)[1]]


def test_the_largest_differences_go_either_way(trace: AttentionTrace) -> None:
    torch.manual_seed(1)
    other = AttentionTrace.from_arrays(
        tokens=TOKENS, queries=torch.randn(3, 4, 3, 8), keys=torch.randn(3, 4, 3, 8)
    )
    comparison = Difference(trace, other)
    found = [row["weight"] for row in HeadView(comparison, layer=1).rows(top=1)]
    true = comparison.weights(1).numpy().reshape(12, 3)
    largest = true[np.arange(12), np.abs(true).argmax(axis=1)]
    assert found == largest.tolist()
    assert min(found) < 0 < max(found)


def test_a_position_that_only_one_block_has() -> None:
    view = a_model_view(
        encoder_attention=[np.full((1, 3, 3), 1 / 3)],
        decoder_attention=[np.full((1, 2, 2), 1 / 2)],
        cross_attention=[np.full((1, 2, 3), 1 / 3)],
        encoder_tokens=TOKENS,
        decoder_tokens=["le", "chat"],
    )
    assert {row["block"] for row in view.rows(query=2)} == {"encoder"}
    assert {row["block"] for row in view.rows(key=2)} == {"encoder", "cross"}
    with pytest.raises(ValueError, match="query=3 is out of range: the text has 3 query tokens"):
        view.rows(query=3)


@pytest.mark.parametrize(
    ("restriction", "kind", "message"),
    [
        ({"query": 3}, ValueError, "query=3 is out of range: the text has 3 query tokens, 0 to 2"),
        ({"key": -1}, ValueError, "key=-1 is out of range: the text has 3 key tokens, 0 to 2"),
        ({"query": "the"}, TypeError, "query='the' is a str: expected an integer"),
        ({"top": 0}, ValueError, "top=0 keeps nothing: expected an integer of at least 1"),
        ({"top": 1.0}, TypeError, "top=1.0 is a float: expected an integer"),
    ],
)
def test_other_restrictions_are_refused(
    trace: AttentionTrace, restriction: dict[str, Any], kind: type[Exception], message: str
) -> None:
    view = HeadView(trace)
    for read in (view.rows, view.to_pandas):
        with pytest.raises(kind, match=message):
            read(**restriction)


def test_rows_are_lists_and_frames_are_frames(
    trace: AttentionTrace, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = []

    class Pandas:
        @staticmethod
        def DataFrame(columns: dict[str, Any]) -> str:  # noqa: N802, pandas' name
            made.append(columns)
            return "a frame"

    monkeypatch.setitem(sys.modules, "pandas", Pandas)
    view = HeadView(trace)
    assert view.to_pandas(query=0, top=1) == "a frame"
    rows = view.rows(query=0, top=1)
    assert isinstance(rows, list)
    assert list(made[0]) == list(rows[0])
    assert made[0]["weight"].tolist() == [row["weight"] for row in rows]
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(ModuleNotFoundError, match=r"pip install pandas.*rows\(\)"):
        view.to_pandas()
    rows = view.rows()
    assert isinstance(rows[0]["layer"], int)
    assert isinstance(rows[0]["weight"], float)
