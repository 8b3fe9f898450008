"""The page computes from queries and keys what the trace does: its own code is run and compared."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

from bertviz import extract
from bertviz.trace import AttentionBlock, AttentionTrace, Formula, LayerAttention, Tokens
from bertviz.web import payload
from bertviz.web.payload import vectors
from tests.helpers import decoded
from tests.models import batch_of
from tests.web.payload.traces import WITHIN, vectors_trace, weights_trace


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
    tensors = torch.randn(2, 4, 4, 700, 64, generator=generator)
    trace = AttentionTrace.from_arrays(queries=tensors[0], keys=tensors[1])
    data = payload.build(trace, "neuron")
    assert data["blocks"][0]["layers"][0]["neurons"]["queries"]["dtype"] == "f2"
    small = payload.build(
        AttentionTrace.from_arrays(queries=tensors[0, :, :, :9], keys=tensors[1, :, :, :9]),
        "neuron",
    )
    assert small["blocks"][0]["layers"][0]["neurons"]["queries"]["dtype"] == "f4"
    layer = trace.blocks["encoder"].layers[0]
    half = layer.queries[[1]].half().float() @ layer.keys[[1]].half().float().mT / 8
    difference = (half.softmax(-1) - layer.weights(1)).abs().max()
    assert float(difference) < 0.001


def test_vectors_beyond_half_precision_stay_whole() -> None:
    tensors = torch.full((1, 2, 3, 4), 1e5)
    layer = payload.build(AttentionTrace.from_arrays(queries=tensors, keys=tensors), "neuron")
    assert layer["blocks"][0]["layers"][0]["neurons"]["queries"]["dtype"] == "f4"


@pytest.mark.parametrize("large", [59_000.0, 61_000.0, 65_519.0, 65_521.0, 1e30])
@pytest.mark.parametrize("side", ["queries", "keys"])
def test_long_texts_never_overflow_half_precision(side: str, large: float) -> None:
    arrays = {"queries": torch.zeros(1, 1, 700, 600), "keys": torch.zeros(1, 1, 700, 600)}
    arrays[side][0, 0, 3, 5] = -large
    layer = payload.build(AttentionTrace.from_arrays(**arrays), "neuron")["blocks"][0]["layers"][0]
    assert layer["neurons"][side]["dtype"] == ("f2" if large < 60_000 else "f4")


@pytest.mark.parametrize(
    ("value", "dtype"), [(3.0, "f2"), (7e4, "f4"), (-7e4, "f4"), (999.9, "f4")]
)
def test_biases_that_half_precision_cannot_hold_stay_whole(value: float, dtype: str) -> None:
    """Beyond 65,504 there is no number; at 1,000 they are half a unit apart."""
    bias = torch.zeros(1, 700, 700)
    bias[0, 3, 5] = value
    vectors = torch.zeros(1, 700, 600)
    formula = Formula(vectors, vectors, scaling=1.0, position_bias=bias)
    layer = LayerAttention(index=0, name="", heads=(0,), formula=formula)
    tokens = Tokens.read([str(i) for i in range(700)])
    block = AttentionBlock("encoder", "encoder", tokens, tokens, (layer,))
    built = payload.build(AttentionTrace({"encoder": block}), "neuron")
    assert built["blocks"][0]["layers"][0]["neurons"]["bias"]["dtype"] == dtype


@pytest.mark.parametrize("heads", [1, 3])
@pytest.mark.parametrize("lowest", [None, -math.inf, torch.finfo(torch.float32).min])
def test_a_triangle_needs_no_bytes_however_it_is_written(lowest: float | None, heads: int) -> None:
    seen = torch.ones(heads, 9, 9, dtype=torch.bool).tril()
    mask = seen if lowest is None else torch.zeros(heads, 9, 9).masked_fill(~seen, lowest)
    formula = Formula(torch.rand(3, 9, 4), torch.rand(3, 9, 4), scaling=1.0, mask=mask)
    layer = LayerAttention(index=0, name="", heads=(0, 1, 2), formula=formula)
    tokens = Tokens.read(list("abcdefghi"))
    block = AttentionBlock("encoder", "encoder", tokens, tokens, (layer,))
    built = payload.build(AttentionTrace({"encoder": block}), "neuron")
    neurons = built["blocks"][0]["layers"][0]["neurons"]
    assert (neurons["causal"], neurons["bias"]) == (True, None)


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


def test_masked_pairs_of_a_bias_are_minus_infinity() -> None:
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


def test_a_short_text_ships_neurons_beside_weights() -> None:
    trace = vectors_trace(6)
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
    trace = vectors_trace(6)
    bytes_of = 3 * 2 * 4 * 6 * 8 * 2  # layers, queries and keys, heads, tokens, neurons, float16
    monkeypatch.setattr(vectors, "BESIDE_BYTES", bytes_of)
    assert payload.build(trace, "model")["neurons"] == "here"
    monkeypatch.setattr(vectors, "BESIDE_BYTES", bytes_of - 1)
    data = payload.build(trace, "model")
    assert data["neurons"] == "left out"
    assert data["blocks"][0]["layers"][0]["neurons"] is None
    # Fewer heads are lighter.
    assert payload.build(trace, "model", include_heads=[0])["neurons"] == "here"
    assert payload.build(trace, "head")["neurons"] == "left out"
    assert payload.build(weights_trace(4, 1.0), "model")["neurons"] == "none"
