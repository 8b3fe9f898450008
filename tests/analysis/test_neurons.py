"""Neurons that make a head: known ones are found, and the numbers are those of plain loops."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

from bertviz import (
    AttentionTrace,
    HeadExplanation,
    NeuronView,
    explain_head,
    extract,
    find_patterns,
)
from bertviz.demo import SENTENCE_A, SENTENCE_B, load_demo_model
from tests.analysis import hand_set
from tests.helpers import no_pandas


@pytest.fixture(scope="module")
def known() -> tuple[AttentionTrace, dict[str, list[int]]]:
    model, tokenizer, neurons = hand_set.hand_set()
    # A pair in which every pattern exists.
    text = "salt and pepper , the king saw the strawberries ."
    return extract(model, tokenizer, text, "the king and the queen saw salt ."), neurons


@pytest.fixture(scope="module")
def demo_trace() -> AttentionTrace:
    return extract(*load_demo_model(), SENTENCE_A, SENTENCE_B)


def partners(trace: AttentionTrace) -> list[tuple[int, int]]:
    block = trace.blocks["encoder"]
    tokens, sentences = block.query_tokens, block.query.sentences
    assert sentences is not None
    return [
        (q, k)
        for q, query in enumerate(tokens)
        for k, key in enumerate(tokens)
        if hand_set.PARTNERS.get(query) == key and sentences[q] == sentences[k]
    ]


@pytest.mark.parametrize("name", hand_set.WHERE)
def test_known_neurons_are_recovered(
    known: tuple[AttentionTrace, dict[str, list[int]]], name: str
) -> None:
    trace, neurons = known
    what: dict[str, Any] = {"pattern": name}
    if name == "predictive words":
        what = {"cells": partners(trace)}
    found = explain_head(trace, *hand_set.WHERE[name], **what)
    assert found.mass > 0.95
    # Every neuron of some weight is a known one, and the known ones do it all.
    total = sum(found.contributions)
    strong = {n for n, value in enumerate(found.contributions) if value > 0.05 * total}
    assert strong <= set(neurons[name])
    assert {neuron for unit in found.top for neuron in unit} <= strong
    assert sum(found.contributions[n] for n in neurons[name]) == pytest.approx(total, rel=0.02)
    # They are needed: without them hardly more than chance, or the half where several keys matched.
    assert found.without_top < found.without_random[1]
    assert found.without_top < 0.55
    assert found.only_top > found.only_random[1]


@pytest.mark.parametrize("name", ["next token", "previous token", "same token", "self"])
def test_heads_of_one_comparison_use_just_its_neurons(
    known: tuple[AttentionTrace, dict[str, list[int]]], name: str
) -> None:
    trace, neurons = known
    found = explain_head(trace, *hand_set.WHERE[name], name)
    assert sorted(found.neurons[: hand_set.BITS]) == neurons[name]


def test_one_neuron_makes_a_sink(known: tuple[AttentionTrace, dict[str, list[int]]]) -> None:
    trace, neurons = known
    found = explain_head(trace, *hand_set.WHERE["first token"], "first token")
    assert found.top == ((neurons["first token"][0],),)
    assert found.concentration == 1 / 16
    assert found.without_top == pytest.approx(found.uniform, abs=0.05)
    assert found.only_top == pytest.approx(found.mass, abs=0.02)


def plainly(layer: Any, head: int, use: Any, exists: list[int], may: Any) -> list[float]:
    """Contributions in loops; ``use(q, k)`` weighs the cells."""
    row = layer.heads.index(head)
    queries = layer.queries[row].tolist()
    keys = layer.keys[layer.key_head(head)].tolist()
    found = []
    for n in range(layer.head_dim):
        total = 0.0
        for q in exists:
            seen = [k for k in range(len(keys)) if may(q, k)]
            products = {k: layer.scaling * queries[q][n] * keys[k][n] for k in seen}
            mean = sum(products.values()) / len(seen)
            total += sum(use(q, k) * (products[k] - mean) for k in seen)
        found.append(total / len(exists))
    return found


@pytest.mark.parametrize("architecture", ["bert", "llama"])
def test_contributions_as_plain_loops_say(
    build: Callable[[str], Any], word_tokenizer: Callable[..., Any], architecture: str
) -> None:
    trace = extract(build(architecture), word_tokenizer(), "i went to the store .")
    block = next(iter(trace.blocks.values()))
    layer, count = block.layers[1], len(block.query_tokens)
    causal = block.kind == "decoder"

    def may(q: int, k: int) -> bool:
        return k <= q or not causal

    found = explain_head(trace, 1, 3, "previous token", pairs=None)
    assert not found.assumed_pairs
    exists = list(range(1, count))
    expected = plainly(layer, 3, lambda q, k: float(k == q - 1), exists, may)
    assert found.contributions == pytest.approx(expected, abs=1e-5)
    assert found.queries == len(exists)
    best = find_patterns(trace).best("previous token")
    mass, null = next(x[2:] for x in best if x[:2] == (1, 3))
    assert (found.mass, found.uniform) == (pytest.approx(mass), pytest.approx(null))

    weights = layer.weights(3)[0]
    by_attention = explain_head(trace, 1, 3, pairs=None)
    exists = [q for q in range(count) if not causal or q > 0]
    expected = plainly(layer, 3, lambda q, k: float(weights[q, k]), exists, may)
    assert by_attention.contributions == pytest.approx(expected, abs=1e-5)
    assert by_attention.what == "its strongest keys"
    assert by_attention.mass == pytest.approx(float(weights[exists].max(1).values.mean()))


def test_without_and_with_only_the_top_neurons(
    build: Callable[[str], Any], word_tokenizer: Callable[..., Any]
) -> None:
    trace = extract(build("bert"), word_tokenizer(), "i went to the store .")
    layer = trace.blocks["encoder"].layers[2]
    found = explain_head(trace, 2, 1, "next token")
    top = [neuron for unit in found.top for neuron in unit]
    assert layer.queries is not None
    assert layer.keys is not None
    assert layer.scaling is not None
    for keep, expected in ((False, found.without_top), (True, found.only_top)):
        part = torch.tensor([(n in top) is keep for n in range(8)]).float()
        scores = (layer.queries[1] * part) @ layer.keys[1].T * layer.scaling
        mass = scores.softmax(-1).diagonal(1).mean()
        assert float(mass) == pytest.approx(expected, abs=1e-6)
    low, mean, high = found.without_random
    assert low <= mean <= high


def test_a_change_of_basis_changes_neurons_and_no_attention() -> None:
    torch.manual_seed(0)
    tokens = list("abcdef")
    queries, keys = torch.zeros(1, 6, 8), torch.zeros(1, 6, 8)
    queries[..., 2], keys[0, 0, 2] = 1, 9
    turn = torch.linalg.qr(torch.randn(8, 8)).Q
    one = AttentionTrace.from_arrays(tokens, queries=queries, keys=keys)
    other = AttentionTrace.from_arrays(tokens, queries=queries @ turn, keys=keys @ turn)
    found = [explain_head(trace, 0, 0, "first token") for trace in (one, other)]
    assert found[0].mass == pytest.approx(found[1].mass, abs=1e-5)
    assert found[0].top == ((2,),)
    assert len(found[1].top) > 1
    assert sum(found[0].contributions) == pytest.approx(sum(found[1].contributions), abs=1e-5)
    assert "not canonical" in str(found[0])


def test_pairs_of_a_rotary_model_do_not_depend_on_the_place() -> None:
    """One rotated pair holds the match: its contribution is the same however far it is turned."""
    tokens = list("abcde")
    base = torch.zeros(5, 4)
    base[:, 0] = 3.0
    for pairs, partner in (("halves", 2), ("interleaved", 1)):
        found = []
        for turned in (0.0, 0.7):
            queries = base.clone()
            angle = torch.tensor(turned)
            queries[:, 0], queries[:, partner] = 3 * angle.cos(), 3 * angle.sin()
            keys = queries.clone()
            keys[1:] *= -1
            trace = AttentionTrace.from_arrays(tokens, queries=queries[None], keys=keys[None])
            found.append(explain_head(trace, 0, 0, "first token", pairs=pairs))  # type: ignore[arg-type]
        assert found[0].units[0] == (0, partner)
        assert found[0].top == found[1].top == ((0, partner),)
        assert found[0].contributions == pytest.approx(found[1].contributions, abs=1e-5)
        assert "1 of 2 pairs of neurons" in str(found[1])
        assert f"0+{partner}" in str(found[1])


def test_a_rotary_model_is_told_by_its_trace(
    build: Callable[[str], Any], word_tokenizer: Callable[..., Any]
) -> None:
    trace = extract(build("llama"), word_tokenizer(), "i went to the store .")
    found = explain_head(trace, 1, 3, "previous token")
    assert found.units == ((0, 4), (1, 5), (2, 6), (3, 7))
    alone = explain_head(trace, 1, 3, "previous token", pairs=None)
    sums = [alone.contributions[n] + alone.contributions[n + 4] for n in range(4)]
    assert found.contributions == pytest.approx(sums, abs=1e-6)
    assert found.assumed_pairs
    assert "as in Llama, is assumed" in str(found)
    said = explain_head(trace, 1, 3, "previous token", pairs="interleaved")
    assert said.units[0] == (0, 1)
    assert "assumed" not in str(said)


def test_what_the_model_adds_is_told_apart(build: Callable[[str], Any]) -> None:
    trace = extract(build("t5").encoder, inputs={"input_ids": torch.tensor([[5, 9, 12, 7, 3]])})
    layer = trace.blocks["encoder"].layers[0]
    found = explain_head(trace, 0, 1, "next token")
    scores = layer.scores(1)[0]
    lifted = (scores.diagonal(1) - scores[:-1].mean(1)).mean()
    assert abs(found.added) > 0.01
    assert sum(found.contributions) + found.added == pytest.approx(float(lifted), abs=1e-4)
    assert "What the model adds to the scores" in str(found)


def test_cells_and_blocks(build: Callable[[str], Any], word_tokenizer: Callable[..., Any]) -> None:
    trace = extract(build("bart"), word_tokenizer(pair=""), "the store", "the , i")
    assert explain_head(trace, 0, 1).block == "encoder"
    cross = explain_head(trace, 0, 1, cells=[(0, 1), (1, 0)], block="cross")
    assert (cross.block, cross.queries, cross.what) == ("cross", 2, "cells")
    weights = trace.blocks["cross"].layers[0].weights(1)[0]
    assert cross.mass == pytest.approx(float((weights[0, 1] + weights[1, 0]) / 2))
    matrix = torch.zeros(weights.shape)
    matrix[0, 1] = matrix[1, 0] = 1
    again = explain_head(trace, 0, 1, cells=matrix.tolist(), block="cross")
    assert again.contributions == cross.contributions
    assert "cross, layer 0, head 1" in str(cross)


@pytest.fixture
def explained(build: Callable[[str], Any], word_tokenizer: Callable[..., Any]) -> HeadExplanation:
    trace = extract(build("bert"), word_tokenizer(), "the store . the store")
    return explain_head(trace, 1, 2, "same token elsewhere")


def test_table(explained: HeadExplanation, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bertviz.analysis.tables.importlib.import_module", no_pandas)
    rows = explained.table()
    assert [row["neurons"][0] for row in rows] == list(explained.neurons)
    values = [row["contribution"] for row in rows]
    assert values == sorted(values, reverse=True)
    assert sum(row["share"] for row in rows if row["share"] > 0) == pytest.approx(1)
    carried = sum(row["share"] for row in rows if row["top"])
    assert carried >= 0.8
    assert carried - min(row["share"] for row in rows if row["top"]) < 0.8


def test_summaries(explained: HeadExplanation) -> None:
    assert "BertModel, layer 1, head 2: same token elsewhere." in str(explained)
    assert repr(explained) == str(explained)
    escaped = dataclasses.replace(explained, what="<b>")._repr_html_()
    assert "&lt;b&gt;" in escaped
    assert "<b>" not in escaped
    assert "script" not in escaped


WRONG: dict[str, tuple[Callable[[AttentionTrace], Any], type[Exception], str]] = {
    "layer": (lambda t: explain_head(t, 7, 0), ValueError, "layer=7 is not in the trace: expected"),
    "head": (lambda t: explain_head(t, 0, 9), ValueError, "head=9 is not in layer 0: expected one"),
    "block": (lambda t: explain_head(t, 0, 0, block="x"), ValueError, "block='x' is unknown"),
    "pattern": (lambda t: explain_head(t, 0, 0, "next"), ValueError, "pattern='next' is unknown"),
    "both": (
        lambda t: explain_head(t, 0, 0, "self", cells=[(0, 0)]),
        TypeError,
        "got pattern and cells",
    ),
    "none": (
        lambda t: explain_head(t, 0, 0, "same word"),
        ValueError,
        "same word exists for no query of this text",
    ),
    "one sentence": (
        lambda t: explain_head(t, 0, 0, "same token in the other sentence"),
        ValueError,
        "has no cells in this text: needs two sentences",
    ),
    "cells": (
        lambda t: explain_head(t, 0, 0, cells=[[1, 0]]),
        ValueError,
        r"cells has shape \(1, 2\): expected a matrix of 3 x 3",
    ),
    "pairs": (
        lambda t: explain_head(t, 0, 0, pairs="both"),  # type: ignore[arg-type]
        ValueError,
        "pairs='both' is unknown",
    ),
    "rotary_dim alone": (
        lambda t: explain_head(t, 0, 0, rotary_dim=2),
        ValueError,
        "rotary_dim=2 was given and nothing is turned",
    ),
    "odd": (
        lambda t: explain_head(t, 0, 0, pairs="halves", rotary_dim=3),
        ValueError,
        "rotary_dim=3 neurons cannot be turned in pairs",
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_errors_say_what_to_do(name: str) -> None:
    call, kind, message = WRONG[name]
    trace = AttentionTrace.from_arrays(
        ["a", "b", "c"], queries=torch.ones(2, 3, 4), keys=torch.ones(2, 3, 4)
    )
    with pytest.raises(kind, match=message):
        call(trace)


def test_weights_alone_have_no_neurons() -> None:
    trace = AttentionTrace.from_arrays(["a", "b"], weights=[[[0.25, 0.75], [0.5, 0.5]]])
    with pytest.raises(ValueError, match="holds weights but no queries and keys"):
        explain_head(trace, 0, 0)


def test_the_neuron_view_begins_with_an_explanation(demo_trace: AttentionTrace) -> None:
    explanation = explain_head(demo_trace, 0, 2, "previous token")
    sent = NeuronView(demo_trace, explanation=explanation)._payload
    assert sent["state"] == {"block": "encoder", "layer": 0, "heads": [2]}
    assert sent["explanation"] == {
        "block": "encoder",
        "layer": 0,
        "head": 2,
        "what": "previous token",
        "contributions": list(explanation.contributions),
    }


def test_pairs_share_what_they_contribute(build: Callable[[str], Any]) -> None:
    trace = extract(build("llama"), inputs={"input_ids": torch.arange(5, 13)[None]})
    explanation = explain_head(trace, 0, 1)
    values = NeuronView(trace, explanation=explanation)._payload["explanation"]["contributions"]
    half = len(values) // 2
    assert values[:half] == values[half:]
    np.testing.assert_allclose(sum(values), sum(explanation.contributions), rtol=1e-6)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"layer": 1}, ValueError, "layer=1 is not what the explanation is of, layer 0"),
        ({"head": 3}, ValueError, "head=3 is not what the explanation is of, head 2"),
        ({"explanation": [1.0]}, TypeError, "explanation is a list: expected what explain_head"),
    ],
)
def test_an_explanation_of_something_else(
    demo_trace: AttentionTrace, options: dict[str, Any], error: type[Exception], message: str
) -> None:
    given = {"explanation": explain_head(demo_trace, 0, 2), **options}
    with pytest.raises(error, match=message):
        NeuronView(demo_trace, **given)


def test_an_explanation_of_another_model(
    demo_trace: AttentionTrace, build: Callable[[str], Any]
) -> None:
    other = extract(build("bert"), inputs={"input_ids": torch.arange(5, 13)[None]})
    with pytest.raises(ValueError, match="with 32 neurons in block 'encoder', which this trace"):
        NeuronView(other, explanation=explain_head(demo_trace, 0, 2))
