"""Numbers per head: one form, whatever they come from, and errors that say what is wrong."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from bertviz import AttentionTrace, ModelView
from bertviz.analysis.measures import measures_of

TOKENS = ["the", "cat", "sat"]


@pytest.fixture(scope="module")
def trace() -> AttentionTrace:
    weights = np.random.default_rng(0).dirichlet(np.ones(3), size=(2, 4, 3))
    return AttentionTrace.from_arrays(tokens=TOKENS, weights=weights)


@pytest.fixture(scope="module")
def both(trace: AttentionTrace) -> AttentionTrace:
    """An encoder and a decoder."""
    weights = np.full((1, 2, 3, 3), 1 / 3)
    blocks = dict(trace.blocks)
    blocks["decoder"] = AttentionTrace.from_arrays(
        tokens=TOKENS, weights=weights, kind="decoder"
    ).blocks["decoder"]
    return AttentionTrace(blocks=blocks, dtype="float32")


class Scores:
    def __init__(self, *measures: Any) -> None:
        self.given = measures

    def measures(self) -> list[Any]:
        return list(self.given)


def test_a_mapping_of_ones_own(trace: AttentionTrace) -> None:
    values = {(0, 3): np.float32(0.5), (1, np.int64(0)): torch.tensor(2), (1, 1): None}
    [found] = measures_of({"mine": values}, trace)
    assert found == {
        "name": "mine",
        "values": {"encoder": {0: {3: 0.5}, 1: {0: 2.0, 1: None}}},
        "null": None,
        "diverging": False,
    }
    assert type(found["values"]["encoder"][1][0]) is float


def test_labels_are_words(trace: AttentionTrace) -> None:
    values = {"encoder": {0: {1: 0.5, 2: 0.25}}}
    labels: dict[str, Any] = {"encoder": {0: {1: "previous token", 2: None}}}
    [found] = measures_of(Scores({"name": "best", "values": values, "labels": labels}), trace)
    assert found["labels"] == labels
    labels["encoder"][0][2] = 3
    message = r"measures\['best'\] has the label 3 for layer 0, head 2, an int: expected a string"
    with pytest.raises(TypeError, match=message):
        measures_of(Scores({"name": "best", "values": values, "labels": labels}), trace)


def test_what_an_analysis_gives(both: AttentionTrace) -> None:
    values = {"encoder": {1: {2: -0.25}}, "decoder": {0: {1: 0.5}}}
    measure = {"name": "b - a", "values": values, "null": {"encoder": {1: {2: 0}}}}
    [found] = measures_of(Scores({**measure, "diverging": True}), both)
    assert found["values"] == values
    assert found["null"] == {"encoder": {1: {2: 0.0}}}
    assert found["diverging"] is True


def measure(**more: Any) -> dict[str, Any]:
    return {"name": "x", "values": {"encoder": {0: {0: 0.5}}}, **more}


BAD: list[tuple[Any, type[Exception], str]] = [
    (
        0.5,
        TypeError,
        r"measures is a float: expected what find_patterns\(trace\) gives, or measures=",
    ),
    ([0.5], TypeError, "measures is a list"),
    ({}, ValueError, "measures is empty: expected at least one"),
    (Scores(), ValueError, "measures is empty"),
    (
        {(0, 3): 0.5},
        TypeError,
        r"measures has \(0, 3\) in place of a name: give the numbers a name",
    ),
    ({"x": [0.5]}, TypeError, r"measures\['x'\] is a list: expected a mapping"),
    ({"x": {3: 0.5}}, TypeError, r"measures\['x'\] has the key 3: expected \(layer, head\)"),
    ({"x": {(0, 1, 2): 0.5}}, TypeError, r"has the key \(0, 1, 2\)"),
    ({"x": {(2, 0): 0.5}}, ValueError, "names layer 2: block 'encoder' has layers 0 to 1"),
    ({"x": {(0, 4): 0.5}}, ValueError, "names head 4: layer 0 has heads 0 to 3"),
    ({"x": {(0, 0): float("nan")}}, ValueError, "has nan for layer 0, head 0: expected a finite"),
    ({"x": {(0, 0): float("inf")}}, ValueError, "pass None where there is none"),
    ({"x": {(0, 0): "0.5"}}, TypeError, "has '0.5' for layer 0, head 0, a str: expected a number"),
    ({"x": {(0, 0): True}}, TypeError, "a bool: expected a number"),
    ({"x": {(0, 0): 10**400}}, ValueError, "expected a finite number"),
    ({"x": {(0, 0): 1j}}, TypeError, "a complex: expected a number"),
    ({"x": {(0, 0): [1]}}, TypeError, "a list: expected a number"),
    ({"": {(0, 0): 1}}, TypeError, "has the name '': expected a string that is not empty"),
    ({3: {(0, 0): 1}}, TypeError, "has the name 3"),
    (Scores(5), TypeError, r"^measures\(\) gave an int: expected dicts with 'name'"),
    (Scores({"name": "x"}), TypeError, "gave a dict: expected dicts with 'name' and 'values'"),
    (Scores(measure(values={"cross": {0: {0: 1}}})), ValueError, "names the block 'cross'"),
    (Scores(measure(values={"encoder": [1]})), TypeError, "has values in another form"),
    (Scores(measure(null={"encoder": {0: {9: 1}}})), ValueError, r"\['null of x'\] names head 9"),
    (Scores(measure(), measure()), ValueError, "measures has 'x' twice"),
]


@pytest.mark.parametrize(("measures", "error", "message"), BAD)
def test_what_is_wrong_is_said(
    trace: AttentionTrace, measures: Any, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        ModelView(trace, measures=measures)


def test_layers_and_heads_alone_do_not_tell_blocks(both: AttentionTrace) -> None:
    with pytest.raises(ValueError, match=r"the trace has 2 blocks \(encoder, decoder\)"):
        measures_of({"x": {(0, 0): 0.5}}, both)


def test_the_payload_has_the_heads_that_are_shipped(both: AttentionTrace) -> None:
    values = {"encoder": {1: {2: 1 / 3, 0: 0.25}}, "decoder": {0: {1: 0.5}}}
    view = ModelView(both, measures=Scores(measure(values=values)), include_heads=[1, 2])
    [shipped] = view._payload["measures"]
    assert shipped["values"] == [[[None, None], [None, 0.33333]], [[0.5]]]
    assert shipped["null"] is None


def test_without_measures_there_are_none(trace: AttentionTrace) -> None:
    assert ModelView(trace)._payload["measures"] == []


def test_measures_may_come_one_by_one(trace: AttentionTrace) -> None:
    class Lazy:
        def measures(self) -> Any:
            yield measure()
            yield measure(name="y", null={"encoder": {0: {0: None}}})

    found = measures_of(Lazy(), trace)
    assert [(one["name"], one["null"]) for one in found] == [
        ("x", None),
        ("y", {"encoder": {0: {0: None}}}),
    ]
    assert measures_of(None, trace) == []
    with pytest.raises(ValueError, match="measures is empty"):
        measures_of(type("No", (), {"measures": lambda self: iter(())})(), trace)
