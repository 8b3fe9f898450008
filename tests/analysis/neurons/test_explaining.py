"""Contributions and the causal check are what plain loops say."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch

from bertviz import AttentionTrace, explain_head, extract, find_patterns
from bertviz.trace import AttentionBlock, Formula, LayerAttention, Tokens


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


def grouped(seed: int = 0) -> AttentionTrace:
    """Four heads that share two keys in an order of their own, and a bias for each head."""
    generator = torch.Generator().manual_seed(seed)
    formula = Formula(
        queries=torch.randn(4, 5, 6, generator=generator),
        keys=torch.randn(2, 5, 6, generator=generator),
        scaling=0.7,
        position_bias=torch.randn(4, 5, 5, generator=generator),
        key_heads=(1, 0, 0, 1),
    )
    layer = LayerAttention(index=0, name="", heads=(2, 3, 5, 7), formula=formula)
    tokens = Tokens.read(list("abcde"))
    return AttentionTrace(
        {"encoder": AttentionBlock("encoder", "encoder", tokens, tokens, (layer,))}
    )


@pytest.mark.parametrize("head", [2, 3, 5, 7])
def test_heads_that_share_keys_are_explained_by_their_own(head: int) -> None:
    trace = grouped()
    layer = trace.blocks["encoder"].layers[0]
    found = explain_head(trace, 0, head, "previous token")
    expected = plainly(layer, head, lambda q, k: float(k == q - 1), [1, 2, 3, 4], lambda q, k: True)
    assert found.contributions == pytest.approx(expected, abs=1e-5)
    place = layer.heads.index(head)
    bias = layer.explained.position_bias
    assert bias is not None
    lifts = [bias[place, q, q - 1] - bias[place, q].mean() for q in range(1, 5)]
    assert found.added == pytest.approx(float(sum(lifts)) / 4, abs=1e-5)


def test_half_precision_is_explained_in_float32() -> None:
    half = torch.randn(2, 1, 1, 6, 8, generator=torch.Generator().manual_seed(1)).bfloat16()
    found = explain_head(AttentionTrace.from_arrays(queries=half[0], keys=half[1]), 0, 0)
    whole = half.float()
    expected = explain_head(AttentionTrace.from_arrays(queries=whole[0], keys=whole[1]), 0, 0)
    assert found.contributions == pytest.approx(expected.contributions, rel=1e-6)


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


def test_what_the_model_adds_is_told_apart(build: Callable[[str], Any]) -> None:
    trace = extract(build("t5").encoder, inputs={"input_ids": torch.tensor([[5, 9, 12, 7, 3]])})
    layer = trace.blocks["encoder"].layers[0]
    found = explain_head(trace, 0, 1, "next token")
    scores = layer.scores(1)[0]
    lifted = (scores.diagonal(1) - scores[:-1].mean(1)).mean()
    assert abs(found.added) > 0.01
    assert sum(found.contributions) + found.added == pytest.approx(float(lifted), abs=1e-4)
    assert "The bias that the model adds to the scores" in str(found)


def test_cells_and_blocks(build: Callable[[str], Any], word_tokenizer: Callable[..., Any]) -> None:
    trace = extract(build("bart"), word_tokenizer(pair=""), "the store", "the , i")
    assert explain_head(trace, 0, 1).block == "encoder"
    cross = explain_head(trace, 0, 1, cells=[(0, 1), (1, 0)], block="cross")
    assert (cross.block, cross.queries, cross.what) == (
        "cross",
        2,
        "the given query–key pairs",
    )
    weights = trace.blocks["cross"].layers[0].weights(1)[0]
    assert cross.mass == pytest.approx(float((weights[0, 1] + weights[1, 0]) / 2))
    matrix = torch.zeros(weights.shape)
    matrix[0, 1] = matrix[1, 0] = 1
    again = explain_head(trace, 0, 1, cells=matrix.tolist(), block="cross")
    assert again.contributions == cross.contributions
    assert "cross, layer 0, head 1" in str(cross)


WRONG: dict[str, tuple[Callable[[AttentionTrace], Any], type[Exception], str]] = {
    "layer": (lambda t: explain_head(t, 7, 0), ValueError, "layer=7 is not in the trace: expected"),
    "head": (lambda t: explain_head(t, 0, 9), ValueError, "head=9 is not in layer 0: expected one"),
    "block": (lambda t: explain_head(t, 0, 0, block="x"), ValueError, "block='x' is unknown"),
    "pattern": (lambda t: explain_head(t, 0, 0, "next"), ValueError, "pattern='next' is unknown"),
    "no trace": (
        lambda t: explain_head([t], 0, 0),  # type: ignore[arg-type]
        TypeError,
        "trace is a list: expected an AttentionTrace",
    ),
    "a float": (lambda t: explain_head(t, 0.0, 0), TypeError, "layer=0.0 is a float"),  # type: ignore[arg-type]
    "a string": (lambda t: explain_head(t, 0, "0"), TypeError, "head='0' is a str"),  # type: ignore[arg-type]
    "a list as block": (
        lambda t: explain_head(t, 0, 0, block=["encoder"]),  # type: ignore[arg-type]
        TypeError,
        r"block=\['encoder'\] is a list: expected one of encoder",
    ),
    "cells of strings": (
        lambda t: explain_head(t, 0, 0, cells=[("a", "b")]),
        TypeError,
        "cells holds 'a', a str: expected positions of tokens",
    ),
    "sparse cells": (
        lambda t: explain_head(t, 0, 0, cells=torch.eye(3).to_sparse()),
        TypeError,
        r"cells is a sparse tensor .*: pass cells.to_dense\(\)",
    ),
    "a number as pairs": (
        lambda t: explain_head(t, 0, 0, pairs=2),  # type: ignore[arg-type]
        TypeError,
        "pairs=2 is an int: expected 'auto', 'halves' or 'interleaved' or None",
    ),
    "a float as rotary_dim": (
        lambda t: explain_head(t, 0, 0, pairs="halves", rotary_dim=2.0),  # type: ignore[arg-type]
        TypeError,
        "rotary_dim=2.0 is a float",
    ),
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
        "does not exist in this text: needs two sentences",
    ),
    "cells": (
        lambda t: explain_head(t, 0, 0, cells=[[1, 0]]),
        ValueError,
        r"cells has shape \(1, 2\): expected a matrix of 3 x 3",
    ),
    "window": (
        lambda t: explain_head(t, 0, 0, "local window", window=0),
        ValueError,
        "window must be an integer of at least 1, got 0",
    ),
    "pairs": (
        lambda t: explain_head(t, 0, 0, pairs="both"),  # type: ignore[arg-type]
        ValueError,
        "pairs='both' is unknown",
    ),
    "rotary_dim alone": (
        lambda t: explain_head(t, 0, 0, rotary_dim=2),
        ValueError,
        "rotary_dim=2 was given, but no neurons are rotated",
    ),
    "odd": (
        lambda t: explain_head(t, 0, 0, pairs="halves", rotary_dim=3),
        ValueError,
        "rotary_dim must be an even number from 2 to head_dim, 4, got 3",
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


def test_the_check_computes_weights_also_where_weights_were_given() -> None:
    torch.manual_seed(0)
    queries, keys = torch.randn(1, 1, 5, 8), torch.randn(1, 1, 5, 8)
    tokens = list("abcde")
    computed = AttentionTrace.from_arrays(tokens, queries=queries, keys=keys)
    weights = computed.blocks["encoder"].layers[0].weights()[None]
    given = AttentionTrace.from_arrays(tokens, weights=weights, queries=queries, keys=keys)
    found, expected = (explain_head(trace, 0, 0, "next token") for trace in (given, computed))
    assert found.without_top != found.mass
    assert found.rows() == expected.rows()
    assert found.without_random == pytest.approx(expected.without_random)
    assert found.only_top == pytest.approx(expected.only_top)
