"""What is shipped, number by number: thresholds, precisions, scales, what is shared."""

from __future__ import annotations

import base64
import dataclasses
import gzip
from typing import Any

import numpy as np
import pytest
import torch

from bertviz.trace import AttentionBlock, AttentionTrace, Formula, LayerAttention, Tokens
from bertviz.web import payload
from bertviz.web.payload import facts, sparse, vectors
from bertviz.web.payload.chunks import Chunks
from tests.helpers import Difference, decoded
from tests.web.payload.traces import vectors_trace, weights_trace


def test_what_is_listed_begins_at_the_threshold() -> None:
    row = np.array([[0.25, 0.2499, 0.5, -0.75, 2.0]], np.float32)
    hidden, counts, deltas, values = sparse.listed(row, 100, 0.25)
    assert deltas.tolist() == [0, 2, 2]
    assert values.tolist() == [25, 50, 100]
    assert counts.tolist() == [3]
    assert hidden.tolist() == pytest.approx([0.2499], abs=1e-6)
    assert (hidden.dtype, hidden.shape) == (np.float32, (1,))


def test_every_row_begins_anew() -> None:
    rows = np.array([[0, 0.3, 0.7], [0, 0, 0], [0.604, 0, 0.396]], np.float32)
    hidden, counts, deltas, values = sparse.listed(rows, 10, 0.05)
    assert counts.tolist() == [2, 0, 2]
    assert deltas.tolist() == [1, 1, 0, 2]
    assert values.tolist() == [3, 7, 6, 4]
    assert hidden.tolist() == pytest.approx([0, 0, 0], abs=1e-6)


def test_steps_are_fine_for_short_rows_alone() -> None:
    for keys, fine in ((64, True), (65, False)):
        trace = AttentionTrace.from_arrays(weights=np.full((1, 1, 2, keys), 1 / keys))
        shipped = payload.build(trace, "head")["blocks"][0]["layers"][0]["weights"]
        assert shipped["steps"] == (sparse.SHORT_STEPS if fine else sparse.LONG_STEPS)
    # The smallest weights that are told from zero are half a step.
    row = np.array([[0.51 / 65535, 0.49 / 65535]], np.float32)
    assert sparse.list_weights(row, fine=True).counts.tolist() == [1]
    row = np.array([[1.01 / 255, 0.99 / 255]], np.float32)
    assert sparse.list_weights(row).counts.tolist() == [1]


def test_chunks_are_the_same_bytes_every_time() -> None:
    chunks = Chunks()
    assert [chunks.add(b"ab" * 9), chunks.add(b"")] == [0, 1]
    data = [base64.b64decode(text) for text in chunks.encoded]
    assert [gzip.decompress(each) for each in data] == [b"ab" * 9, b""]
    assert data[0][4:8] == bytes(4), "no time of writing"


# --- values ----------------------------------------------------------------------------------


def values_trace(values: Any, kind: Any = "signed") -> AttentionTrace:
    return AttentionTrace.from_arrays(weights=values, kind=kind)


def test_values_are_parts_of_the_largest_of_all_heads() -> None:
    values = np.array([[[[1.0, -2.0], [np.nan, 0.0]], [[4.0, 0.5], [-8.0, np.nan]]]])
    data = payload.build(values_trace(values), "head")
    [layer] = data["blocks"][0]["layers"]
    assert layer["scale"] == 8.0
    assert layer["missing"]["count"] == 2
    bits = gzip.decompress(base64.b64decode(data["chunks"][layer["missing"]["chunk"]]))
    assert bits == bytes([1 << 2 | 1 << 7])
    [[found]] = decoded(data)
    more, less = np.array(found["dense"]).reshape(2, 2, 2, 2)
    np.testing.assert_allclose(more - less, np.nan_to_num(values[0]), atol=8 / 65535)
    assert (found["scale"], found["missing"]) == (8.0, [0, 0, 1, 0, 0, 0, 0, 1])
    part = payload.build(values_trace(values), "head", include_heads=[0])
    assert part["blocks"][0]["layers"][0]["scale"] == 2.0


def test_values_that_are_not_negative_have_one_part() -> None:
    trace = values_trace(np.array([[[[0.0, 3.0]]]]), "unnormalized")
    layer = payload.build(trace, "head")["blocks"][0]["layers"][0]
    assert (layer["less"], layer["missing"], layer["scale"]) == (None, None, 3.0)
    nothing = payload.build(values_trace(np.zeros((1, 1, 2, 2))), "head")
    assert nothing["blocks"][0]["layers"][0]["scale"] == 0.0
    missing = payload.build(values_trace(np.full((1, 1, 2, 2), np.nan)), "head")
    layer = missing["blocks"][0]["layers"][0]
    assert (layer["scale"], layer["missing"]["count"]) == (0.0, 4)


@pytest.mark.parametrize("infinite", [np.inf, -np.inf])
def test_infinite_values_are_refused_with_their_head(infinite: float) -> None:
    trace = values_trace(np.ones((1, 2, 2, 2)))
    layer = trace.blocks["encoder"].layers[0]
    assert layer.given_weights is not None
    layer.given_weights[1, 0, 1] = infinite
    with pytest.raises(
        ValueError, match="layer 0, head 1 holds an infinite value: expected finite"
    ):
        payload.build(trace, "head")


# --- queries, keys, biases -------------------------------------------------------------------


def layer_of(heads: int = 4, **terms: Any) -> LayerAttention:
    generator = torch.Generator().manual_seed(0)
    formula = Formula(
        torch.randn(heads, 3, 2, generator=generator),
        torch.randn(2, 3, 2, generator=generator),
        0.5,
        **terms,
    )
    return LayerAttention(0, "", tuple(range(1, heads + 1)), formula)


def trace_of(*layers: LayerAttention) -> AttentionTrace:
    tokens = Tokens.read(["a", "b", "c"])
    held = tuple(dataclasses.replace(layer, index=i) for i, layer in enumerate(layers))
    return AttentionTrace({"encoder": AttentionBlock("encoder", "encoder", tokens, tokens, held)})


def test_heads_that_are_shipped_bring_their_own_keys_and_sinks() -> None:
    layer = layer_of(sinks=torch.arange(4.0), softcap=3.0, rotary=True, causal=True)
    data = payload.build(trace_of(layer), "neuron", include_heads=[2, 3, 4])
    neurons = data["blocks"][0]["layers"][0]["neurons"]
    assert (neurons["keyHead"], neurons["sinks"]) == ([0, 1, 1], [1.0, 2.0, 3.0])
    assert neurons["queries"]["shape"] == [3, 3, 2]
    assert neurons["keys"]["shape"] == [2, 3, 2]
    assert neurons["keys"]["offset"] == 3 * 3 * 2 * 4
    assert (neurons["softcap"], neurons["scaling"]) == (3.0, 0.5)
    assert (neurons["causal"], neurons["rotary"], neurons["bias"]) == (True, True, None)
    last = payload.build(trace_of(layer), "neuron", include_heads=[3])
    assert last["blocks"][0]["layers"][0]["neurons"]["keyHead"] == [0]
    [[[found]]] = decoded(last)
    torch.testing.assert_close(torch.tensor(found["weights"]), layer.weights(3)[0])


def test_half_precision_is_shipped_as_float32() -> None:
    half = torch.randn(2, 1, 2, 3, 4, generator=torch.Generator().manual_seed(0)).bfloat16()
    trace = AttentionTrace.from_arrays(queries=half[0], keys=half[1])
    [[heads]] = decoded(payload.build(trace, "neuron"))
    true = trace.blocks["encoder"].layers[0].weights()
    found = torch.tensor([head["weights"] for head in heads])
    torch.testing.assert_close(found, true, atol=1e-6, rtol=0)


def test_how_many_bytes_queries_and_keys_take() -> None:
    layer = layer_of()  # four heads share two of keys, 3 x 2 numbers each
    assert vectors.size_of([(layer, [1, 2, 3, 4])]) == 4 * (4 * 6 + 2 * 6)
    assert vectors.size_of([(layer, [1, 2]), (layer, [4])]) == 4 * (2 * 6 + 6 + 6 + 6)
    weights = LayerAttention(0, "", (0,), given_weights=torch.ones(1, 3, 3))
    assert vectors.size_of([(layer, [1]), (weights, [0])]) is None
    assert vectors.size_of([]) == 0


def biases(*layers: LayerAttention, heads: Any = None) -> list[Any]:
    data = payload.build(trace_of(*layers), "neuron", include_heads=heads)
    return [row["neurons"]["bias"] for row in data["blocks"][0]["layers"]]


def test_a_bias_is_shipped_once_for_what_shares_it_and_nothing_else() -> None:
    bias = torch.arange(36.0).view(4, 3, 3)
    one, same = (layer_of(position_bias=bias) for _ in range(2))
    chunks = [b["chunk"] for b in biases(one, same)]
    assert chunks[0] == chunks[1]
    for other in (
        layer_of(position_bias=bias.clone()),
        layer_of(position_bias=bias, causal=True),
        layer_of(position_bias=bias, mask=torch.zeros(1, 3, 3)),
    ):
        first, second = biases(one, other)
        assert first["chunk"] != second["chunk"]
    fewer = dataclasses.replace(one, heads=(1, 2, 3, 9))
    first, second = biases(one, fewer, heads=[1, 2, 3, 4])
    assert (first["shape"], second["shape"]) == ([4, 3, 3], [3, 3, 3])


def test_a_bias_that_adds_nothing_or_a_triangle_needs_no_bytes() -> None:
    low = torch.finfo(torch.float32).min
    later = torch.ones(3, 3).triu(1).bool()
    triangle = torch.zeros(1, 3, 3).masked_fill(later, low)

    def shipped(**terms: Any) -> tuple[bool, Any]:
        data = payload.build(trace_of(layer_of(**terms)), "neuron")
        neurons = data["blocks"][0]["layers"][0]["neurons"]
        return neurons["causal"], neurons["bias"]

    assert shipped() == (False, None)
    assert shipped(causal=True) == (True, None)
    assert shipped(mask=torch.zeros(1, 3, 3)) == (False, None)
    assert shipped(mask=torch.zeros(1, 1, 3), causal=True) == (True, None)
    assert shipped(mask=triangle) == (True, None)
    more = triangle.clone()
    more[0, 2, 0] = low
    causal, bias = shipped(mask=more)
    assert causal is False
    assert bias["shape"] == [1, 3, 3]
    added = triangle.clone()
    added[0, 2, 0] = 0.25
    assert shipped(mask=added)[1] is not None


def test_a_bias_is_rounded_only_where_nobody_sees_it() -> None:
    large = {"queries": torch.ones(1, 700, 600), "keys": torch.ones(1, 700, 600)}
    for value, dtype in ((8.0 + 0.0039, "f2"), (16.0 + 0.0078, "f4")):
        bias = torch.full((1, 1, 700), value)
        layer = LayerAttention(0, "", (0,), Formula(**large, scaling=1e-3, position_bias=bias))
        tokens = Tokens.read([str(i) for i in range(700)])
        block = AttentionBlock("encoder", "encoder", tokens, tokens, (layer,))
        built = payload.build(AttentionTrace({"encoder": block}), "neuron")
        neurons = built["blocks"][0]["layers"][0]["neurons"]
        assert (neurons["queries"]["dtype"], neurons["bias"]["dtype"]) == ("f2", dtype)


# --- facts -----------------------------------------------------------------------------------


def test_neurons_that_belong_together_share_what_they_contribute() -> None:
    class Explanation:
        block, layer, head, what = "encoder", 1, 2, "self"
        units = ((0, 2), (1,), (3,))
        contributions = (0.5, 0.25, -1.0)

    assert facts.of_explanation(Explanation()) == {  # type: ignore[arg-type]
        "block": "encoder",
        "layer": 1,
        "head": 2,
        "what": "self",
        "contributions": [0.25, 0.25, 0.25, -1.0],
    }


def test_measures_follow_the_heads_that_are_shipped() -> None:
    blocks = [{"name": "a", "layers": [{"index": 2, "heads": [1, 0]}]}, {"name": "b", "layers": []}]
    values = {"a": {2: {0: 1 / 3, 1: None}, 3: {0: 5.0}}}
    given = {"name": "x", "diverging": True, "values": values, "null": None}
    found = facts.of_measure(given, blocks)
    assert found == {**given, "values": [[[None, 0.33333]], []]}
    null = facts.of_measure({**given, "null": {"a": {2: {1: 2.0}}}}, blocks)["null"]
    assert null == [[[2.0, None]], []]


def test_a_comparison_names_both_models() -> None:
    def model(**changes: Any) -> dict[str, Any]:
        a, b = weights_trace(3, 1.0), weights_trace(3, 2.0)
        for name, value in changes.items():
            which, field = name.split("_", 1)
            if which == "a":
                a = dataclasses.replace(a, **{field: value})
            else:
                b = dataclasses.replace(b, **{field: value})
        return facts.of_models(Difference(a, b))

    assert model()["name"] == "arrays"
    assert model(a_model_name="One", b_model_name="One")["name"] == "One"
    assert model(b_model_name="One")["name"] == "One minus arrays"
    assert (model()["dtype"], model(a_dtype="float16")["dtype"]) == (
        "float32",
        "float32 and float16",
    )
    exact = {"max_difference": 0.5, "note": "n"}
    assert model(a_exactness=exact)["exactness"] is None
    assert model(b_exactness=exact)["exactness"] is None
    assert model(a_exactness=exact, b_exactness=exact)["exactness"]["max_difference"] == 1.0


def test_both_sides_are_shipped_where_they_differ_or_are_another_text() -> None:
    weights = np.full((1, 1, 2, 2), 0.5)
    for kind, same in (("encoder", True), ("cross", False)):
        trace = AttentionTrace.from_arrays(["a", "b"], weights, kind=kind)  # type: ignore[arg-type]
        assert (payload.build(trace, "head")["blocks"][0]["key"] is None) is same
    apart = AttentionTrace.from_arrays(
        weights=weights, query_tokens=["a", "b"], key_tokens=["a", "c"], kind="encoder"
    )
    assert payload.build(apart, "head")["blocks"][0]["key"]["text"] == ["a", "c"]


def test_what_is_shipped_by_view() -> None:
    trace = vectors_trace(5)
    for view, weights, neurons in (
        ("head", True, False),
        ("model", True, True),
        ("neuron", False, True),
    ):
        data = payload.build(trace, view)  # type: ignore[arg-type]
        layer = data["blocks"][0]["layers"][0]
        assert ((layer["weights"] is not None), (layer["neurons"] is not None)) == (
            weights,
            neurons,
        )
        assert data["neurons"] == ("here" if neurons else "left out")
        assert (data["theme"], data["difference"], data["state"]) == ("auto", False, {})
    compared = payload.build(trace, "model", comparison=Difference(trace, trace))
    assert compared["blocks"][0]["layers"][0]["neurons"] is None
    assert compared["difference"] is True
    nothing = payload.build(trace, "head", include_layers=[9])
    assert nothing["blocks"] == []
    some = payload.build(trace, "head", include_layers=[1], state={"layer": 1}, display_mode="dark")
    assert [layer["index"] for layer in some["blocks"][0]["layers"]] == [1]
    assert (some["theme"], some["state"]) == ("dark", {"layer": 1})
