"""What arrives in the page is what was captured: the page's own decoder is run, and compared."""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

from bertviz import extract
from bertviz.trace import AttentionTrace, Formula, LayerAttention
from bertviz.web import payload
from tests.helpers import Difference, decoded
from tests.models import batch_of

WITHIN = 0.002  # what views.md's accounting allows a listed weight


def weights_trace(tokens: int, sharpness: float, *, query: int | None = None) -> AttentionTrace:
    generator = torch.Generator().manual_seed(tokens)
    scores = torch.randn(2, 3, query or tokens, tokens, generator=generator) * sharpness
    return AttentionTrace.from_arrays(weights=scores.softmax(-1))


@pytest.mark.parametrize("view", ["head", "model"])
@pytest.mark.parametrize(
    ("tokens", "query", "sharpness"),
    [
        (5, None, 1.0),
        (64, None, 3.0),
        (65, None, 3.0),
        (300, None, 6.0),
        (70, 9, 2.0),
        (300, None, 0),
    ],
)
def test_listed_and_hidden_are_the_row(
    tokens: int, query: int | None, sharpness: float, view: Any
) -> None:
    trace = weights_trace(tokens, sharpness, query=query)
    [block] = trace.blocks.values()
    [layers] = decoded(payload.build(trace, view))
    for layer, found in zip(block.layers, layers, strict=True):
        true = layer.weights().flatten(0, 1).double()
        listed = torch.tensor(found["dense"], dtype=torch.float64)
        hidden = torch.tensor(found["hidden"], dtype=torch.float64)
        shown = listed > 0
        if shown.any():
            assert float((listed - true)[shown].abs().max()) <= WITHIN
        torch.testing.assert_close(listed.sum(-1) + hidden, true.sum(-1), atol=1e-3, rtol=0)
        # Nothing that an 8-bit screen could show is left out.
        assert float(true[~shown].max() if (~shown).any() else 0) <= 1 / 255 + WITHIN


def test_a_short_text_hides_nothing() -> None:
    [layers] = decoded(payload.build(weights_trace(20, 2.0), "head"))
    assert max(max(layer["hidden"]) for layer in layers) < 2e-5


def test_an_evenly_spread_head_is_hidden_mass_and_not_lost() -> None:
    trace = AttentionTrace.from_arrays(weights=torch.full((1, 512, 512), 1 / 512))
    [[layer]] = decoded(payload.build(trace, "head"))
    assert layer["hidden"] == pytest.approx([1.0] * 512)


def test_every_matrix_is_shipped_once_and_filters_ship_less() -> None:
    trace = weights_trace(40, 2.0)
    whole = payload.build(trace, "head")
    assert len(whole["chunks"]) == 2
    part = payload.build(trace, "head", include_layers=[1], include_heads=[2])
    [layer] = part["blocks"][0]["layers"]
    assert (layer["index"], layer["heads"]) == (1, [2])
    assert len(part["chunks"]) == 1
    [[found]] = decoded(part)
    true = trace.blocks["encoder"].layers[1].weights(2)[0]
    torch.testing.assert_close(torch.tensor(found["dense"]), true, atol=WITHIN, rtol=0)


@pytest.mark.parametrize(
    "architecture", ["bert", "gpt2", "llama", "t5", "bart", "gemma2", "gpt_oss", "mistral"]
)
def test_the_page_computes_what_the_trace_does(
    architecture: str, build: Callable[..., Any]
) -> None:
    """Softcaps, sinks, biases, masks, sliding windows, grouped keys, cross-attention."""
    batch = batch_of(architecture, "left" if architecture == "gpt2" else "none")
    trace = extract(build(architecture), inputs=batch, batch_index=1, drop_padding=False)
    blocks = decoded(payload.build(trace, "neuron"))
    for block, layers in zip(trace.blocks.values(), blocks, strict=True):
        for layer, heads in zip(block.layers, layers, strict=True):
            for head, found in zip(layer.heads, heads, strict=True):
                true = layer.weights(head)[0]
                weights = torch.tensor(found["weights"])
                torch.testing.assert_close(weights, true, atol=2e-6, rtol=0)
                torch.testing.assert_close(
                    torch.tensor(found["all"]).view_as(true), true, atol=2e-6, rtol=0
                )
                assert found["listed"] + found["hidden"] == pytest.approx(float(true.sum()))
                # What-if in the page is what torch computes without those neurons.
                assert layer.queries is not None
                queries = layer.queries.clone()
                queries[..., [0, 2]] = 0
                less = dataclasses.replace(
                    layer, formula=dataclasses.replace(layer.formula, queries=queries)
                ).weights(head)[0]
                torch.testing.assert_close(torch.tensor(found["whatIf"]), less, atol=5e-6, rtol=0)
                scores = layer.scores(head)[0]
                for row, expected in zip(found["scores"], scores.tolist(), strict=True):
                    for score, value in zip(row, expected, strict=True):
                        if score == "-inf":
                            assert value < -1e37
                        else:
                            assert score == pytest.approx(value, abs=2e-5)


def test_large_traces_travel_in_half_precision_and_stay_close() -> None:
    generator = torch.Generator().manual_seed(0)
    vectors = torch.randn(2, 4, 4, 700, 64, generator=generator)
    trace = AttentionTrace.from_arrays(queries=vectors[0], keys=vectors[1])
    data = payload.build(trace, "neuron")
    assert data["blocks"][0]["layers"][0]["neurons"]["queries"]["dtype"] == "f2"
    small = payload.build(
        AttentionTrace.from_arrays(queries=vectors[0, :, :, :9], keys=vectors[1, :, :, :9]),
        "neuron",
    )
    assert small["blocks"][0]["layers"][0]["neurons"]["queries"]["dtype"] == "f4"
    layer = trace.blocks["encoder"].layers[0]
    half = layer.queries[[1]].half().float() @ layer.keys[[1]].half().float().mT / 8
    difference = (half.softmax(-1) - layer.weights(1)).abs().max()
    assert float(difference) < 0.001


def test_vectors_beyond_half_precision_stay_whole() -> None:
    vectors = torch.full((1, 2, 3, 4), 1e5)
    layer = payload.build(AttentionTrace.from_arrays(queries=vectors, keys=vectors), "neuron")
    assert layer["blocks"][0]["layers"][0]["neurons"]["queries"]["dtype"] == "f4"


def test_layers_share_one_bias(build: Callable[..., Any]) -> None:
    trace = extract(build("t5"), inputs=batch_of("t5"), batch_index=0)
    layers = payload.build(trace, "neuron")["blocks"][0]["layers"]
    chunks = {layer["neurons"]["bias"]["chunk"] for layer in layers}
    assert len(chunks) == 1
    causal = payload.build(extract(build("gpt2"), inputs=batch_of("gpt2"), batch_index=0), "neuron")
    neurons = [layer["neurons"] for layer in causal["blocks"][0]["layers"]]
    assert all(n["causal"] and n["bias"] is None for n in neurons), "a triangle needs no bytes"


def test_weights_alone_have_no_neurons() -> None:
    with pytest.raises(ValueError, match="Layer 0 of this trace has no queries and keys"):
        payload.build(weights_trace(4, 1.0), "neuron")


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


def test_words_are_shipped_where_one_has_several_pieces() -> None:
    weights = np.full((1, 4, 4), 0.25)
    tokens = ["[CLS]", "straw", "##berries", "[SEP]"]
    sent = payload.build(AttentionTrace.from_arrays(tokens, weights), "head")["blocks"][0]["query"]
    assert sent["words"] == {"of": [0, 1, 1, 2], "text": ["[CLS]", "strawberries", "[SEP]"]}
    assert sent["special"] == [0, 3]


def test_a_payload_is_json_and_the_same_each_time() -> None:
    trace = weights_trace(30, 2.0)
    first, second = (json.dumps(payload.build(trace, "head"), allow_nan=False) for _ in range(2))
    assert first == second


def test_rounding_does_not_add_up() -> None:
    rng = np.random.default_rng(0)
    rows = rng.dirichlet(np.full(400, 2.0), size=50).astype(np.float32)
    hidden, counts, deltas, values = payload.sparse(rows, fine=False)
    assert counts.sum() == len(deltas) == len(values)
    listed = np.add.reduceat(values, np.concatenate(([0], np.cumsum(counts)[:-1])))
    np.testing.assert_allclose(listed / payload.LONG_STEPS + hidden, 1, atol=1e-3)
    assert (values > 0).all()


def test_the_other_version_is_refused_by_the_page() -> None:
    data = payload.build(weights_trace(3, 1.0), "head") | {"version": 99}
    with pytest.raises(AssertionError, match="has version 99 of the data, its script reads 1"):
        decoded(data)


def test_masked_cells_of_a_bias_are_minus_infinity() -> None:
    layer = LayerAttention(
        index=0,
        name="",
        heads=(0,),
        formula=Formula(
            queries=torch.randn(1, 3, 2),
            keys=torch.randn(1, 3, 2),
            scaling=1.0,
            mask=torch.tensor([[[0.0, -math.inf, 1.5]]]),
        ),
    )
    trace = AttentionTrace.from_arrays(queries=layer.queries[None], keys=layer.keys[None])
    [block] = trace.blocks.values()
    block = dataclasses.replace(block, layers=(layer,))
    trace = dataclasses.replace(trace, blocks={"encoder": block})
    [[[found]]] = decoded(payload.build(trace, "neuron"))
    assert [row[1] for row in found["scores"]] == ["-inf"] * 3
    torch.testing.assert_close(torch.tensor(found["weights"]), layer.weights()[0])


# --- what a model view takes along --------------------------------------------------------------


def vectors(tokens: int, *, head_dim: int = 8, heads: int = 4) -> AttentionTrace:
    generator = torch.Generator().manual_seed(1)
    both = torch.randn(2, 3, heads, tokens, head_dim, generator=generator)
    return AttentionTrace.from_arrays(queries=both[0], keys=both[1])


def test_a_short_text_ships_neurons_beside_weights() -> None:
    trace = vectors(6)
    data = payload.build(trace, "model", include_heads=[1, 2])
    assert data["neurons"] == "here"
    layers = data["blocks"][0]["layers"]
    assert all(layer["weights"] and layer["neurons"] for layer in layers)
    assert layers[0]["neurons"]["queries"] == {
        "chunk": 1,
        "offset": 0,
        "dtype": "f2",
        "shape": [2, 6, 8],
    }
    # The page computes the same attention from them.
    [found] = decoded(data | {"view": "neuron"})
    for layer, heads in zip(trace.blocks["encoder"].layers, found, strict=True):
        for head, row in zip([1, 2], heads, strict=True):
            np.testing.assert_allclose(row["weights"], layer.weights([head])[0], atol=WITHIN)


def test_neurons_stay_behind_where_they_are_heavy(monkeypatch: pytest.MonkeyPatch) -> None:
    trace = vectors(6)
    bytes_of = 3 * 2 * 4 * 6 * 8 * 2  # layers, queries and keys, heads, tokens, neurons, float16
    monkeypatch.setattr(payload, "BESIDE_BYTES", bytes_of)
    assert payload.build(trace, "model")["neurons"] == "here"
    monkeypatch.setattr(payload, "BESIDE_BYTES", bytes_of - 1)
    data = payload.build(trace, "model")
    assert data["neurons"] == "left out"
    assert data["blocks"][0]["layers"][0]["neurons"] is None
    # Fewer heads are lighter.
    assert payload.build(trace, "model", include_heads=[0])["neurons"] == "here"
    assert payload.build(trace, "head")["neurons"] == "left out"
    assert payload.build(weights_trace(4, 1.0), "model")["neurons"] == "none"


def test_many_heads_are_listed_coarsely(monkeypatch: pytest.MonkeyPatch) -> None:
    trace = weights_trace(20, 2.0)  # 2 layers of 3 heads
    monkeypatch.setattr(payload, "FINE_WEIGHTS", 2 * 3 * 20 * 20 - 1)
    data = payload.build(trace, "model")
    steps = {layer["weights"]["steps"] for layer in data["blocks"][0]["layers"]}
    assert steps == {payload.LONG_STEPS}
    [layers] = decoded(data)
    for layer, found in zip(trace.blocks["encoder"].layers, layers, strict=True):
        true = layer.weights().reshape(-1, 20).numpy()
        dense = np.array(found["dense"])
        listed = dense > 0
        assert np.abs(dense - true)[listed].max() < WITHIN
        np.testing.assert_allclose(dense.sum(-1) + found["hidden"], 1, atol=1e-5)
    # Some of the heads are few enough.
    fine = payload.build(trace, "model", include_heads=[0])
    assert fine["blocks"][0]["layers"][0]["weights"]["steps"] == payload.SHORT_STEPS


# --- comparisons --------------------------------------------------------------------------------


@pytest.mark.parametrize("tokens", [12, 90])
def test_differences_are_two_sets_of_weights(tokens: int) -> None:
    a, b = weights_trace(tokens, 1.0), weights_trace(tokens, 3.0)
    data = payload.build(b, "head", comparison=Difference(a, b), include_heads=[0, 2])
    assert data["difference"] is True
    [layers] = decoded(data)
    for index, found in enumerate(layers):
        true = Difference(a, b).weights(index, [0, 2]).reshape(-1, tokens).numpy()
        more, less = np.array(found["dense"]).reshape(2, -1, tokens)
        hidden = np.array(found["hidden"]).reshape(2, -1)
        assert not (more * less).any(), "a difference has one sign"
        listed = (more + less) > 0
        assert np.abs(more - less - true)[listed].max() < WITHIN
        for part, unlisted, sign in ((more, hidden[0], 1), (less, hidden[1], -1)):
            whole = np.clip(sign * true, 0, 1).sum(-1)
            np.testing.assert_allclose(part.sum(-1) + unlisted, whole, atol=1e-3)


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
