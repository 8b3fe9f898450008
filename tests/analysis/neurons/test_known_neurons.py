"""Neurons that are known to make a head are found."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from bertviz import AttentionTrace, explain_head, extract
from tests.analysis import hand_set


@pytest.fixture(scope="module")
def known() -> tuple[AttentionTrace, dict[str, list[int]]]:
    model, tokenizer, neurons = hand_set.hand_set()
    # A pair in which every pattern exists.
    text = "salt and pepper , the king saw the strawberries ."
    return extract(model, tokenizer, text, "the king and the queen saw salt ."), neurons


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
