"""The user's own arrays, in every form, and what is wrong with them said in their own words."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
import torch

from bertviz.trace import AttentionTrace

TOKENS = ["a", "b", "c"]


def random_weights(*shape: int) -> torch.Tensor:
    return torch.rand(shape, generator=torch.Generator().manual_seed(0)).softmax(-1)


FORMS: dict[str, Any] = {
    "(query, key)": lambda w: w[0, 0],
    "(heads, query, key)": lambda w: w[0],
    "(layers, heads, query, key)": lambda w: w,
    "(layers, 1, heads, query, key)": lambda w: w[:, None],
    "list of (heads, query, key)": list,
    "tuple of (1, heads, query, key)": lambda w: tuple(w[:, None]),
    "list of (query, key)": lambda w: [layer[0] for layer in w],
    "nested lists": lambda w: w.tolist(),
    "numpy": lambda w: w.numpy(),
    "list of numpy": lambda w: [layer.numpy() for layer in w],
    "requires grad": lambda w: w.clone().requires_grad_(),
    "float64": lambda w: w.double(),
    "bfloat16": lambda w: w.bfloat16(),
    "float16": lambda w: w.half(),
    "generator": lambda w: (layer for layer in w),
    "transposed view": lambda w: w.mT.contiguous().mT,
}


@pytest.mark.parametrize("form", FORMS)
def test_forms(form: str) -> None:
    weights = random_weights(2, 4, 3, 3)
    trace = AttentionTrace.from_arrays(TOKENS, weights=FORMS[form](weights))
    [block] = trace.blocks.values()
    assert block.query_tokens == tuple(TOKENS)
    atol = 4e-3 if form in ("bfloat16", "float16") else 1e-7
    expected = weights
    if form == "(query, key)":
        expected = weights[:1, :1]
    elif form == "(heads, query, key)":
        expected = weights[:1]
    elif form == "list of (query, key)":
        expected = weights[:, :1]
    assert len(block.layers) == len(expected)
    for layer, true in zip(block.layers, expected, strict=True):
        torch.testing.assert_close(layer.weights(), true, atol=atol, rtol=0)
        assert layer.weights().dtype == torch.float32


def test_layers_may_differ_in_their_heads() -> None:
    trace = AttentionTrace.from_arrays(weights=[random_weights(2, 3, 3), random_weights(5, 3, 3)])
    assert [layer.num_heads for layer in trace.blocks["encoder"].layers] == [2, 5]
    nested = [random_weights(1, 3, 3).tolist(), random_weights(2, 3, 3).tolist()]
    assert AttentionTrace.from_arrays(weights=nested).num_heads == 2


def test_rectangular_and_kinds() -> None:
    cross = AttentionTrace.from_arrays(
        weights=random_weights(1, 2, 2, 3), query_tokens=["x", "y"], key_tokens=TOKENS
    )
    [block] = cross.blocks.values()
    assert (block.kind, block.query_tokens, block.key_tokens) == (
        "cross",
        ("x", "y"),
        ("a", "b", "c"),
    )
    causal = AttentionTrace.from_arrays(weights=random_weights(2, 3, 3).tril())
    assert list(causal.blocks) == ["decoder"]
    named = AttentionTrace.from_arrays(weights=random_weights(2, 3, 3), kind="cross")
    assert list(named.blocks) == ["cross"]


def test_the_users_arrays_are_copied() -> None:
    weights = random_weights(1, 2, 3, 3).numpy()
    trace = AttentionTrace.from_arrays(TOKENS, weights=weights)
    before = trace.blocks["encoder"].layers[0].weights()
    weights[:] = 0
    assert torch.equal(trace.blocks["encoder"].layers[0].weights(), before)


def test_queries_and_keys() -> None:
    generator = torch.Generator().manual_seed(0)
    queries = torch.randn(2, 4, 3, 8, generator=generator)
    keys = torch.randn(2, 2, 3, 8, generator=generator)
    trace = AttentionTrace.from_arrays(TOKENS, queries=queries, keys=keys)
    layer = trace.blocks["encoder"].layers[1]
    expected = (queries[1] @ keys[1].repeat_interleave(2, 0).mT / 8**0.5).softmax(-1)
    torch.testing.assert_close(layer.weights(), expected)
    scaled = AttentionTrace.from_arrays(queries=queries, keys=keys, scaling=[1.0, 0.25])
    assert [layer.scaling for layer in scaled.blocks["encoder"].layers] == [1.0, 0.25]
    causal = AttentionTrace.from_arrays(queries=queries, keys=keys, kind="decoder")
    assert causal.blocks["decoder"].layers[0].weights().triu(1).max() == 0


def test_given_weights_stand_beside_queries_and_keys() -> None:
    weights = random_weights(1, 2, 3, 3)
    vectors = torch.randn(1, 2, 3, 8)
    trace = AttentionTrace.from_arrays(weights=weights, queries=vectors, keys=vectors)
    layer = trace.blocks["encoder"].layers[0]
    assert torch.equal(layer.weights(), weights[0])
    assert layer.scores().shape == (2, 3, 3)


def test_sentences() -> None:
    trace = AttentionTrace.from_arrays(TOKENS, random_weights(1, 3, 3), sentence_b_start=2)
    assert trace.blocks["encoder"].query.sentences == (0, 0, 1)


NAN = random_weights(2, 3, 3)
NAN[1, 2, 0] = float("nan")
W = random_weights(2, 4, 3, 3)
MISTAKES: dict[str, tuple[dict[str, Any], type[Exception], str]] = {
    "nothing": ({}, ValueError, r"weights is None.*extract\(model, tokenizer, text\)"),
    "None per layer": ({"weights": [None, None]}, ValueError, r"weights holds None for layer 0"),
    "empty": ({"weights": []}, ValueError, r"weights is empty"),
    "a batch": (
        {"weights": [random_weights(16, 4, 3, 3)] * 2},
        ValueError,
        r"weights\[0\] has shape \(16, 4, 3, 3\), a batch of 16 texts",
    ),
    "one axis": ({"weights": torch.ones(3)}, ValueError, r"has shape \(3,\): expected \(heads"),
    "six axes": ({"weights": torch.ones(1, 1, 1, 1, 1, 1)}, ValueError, r"weights has shape \(1,"),
    "strings": (
        {"weights": [["a"]]},
        TypeError,
        r"weights is a list that is not an array of numbers",
    ),
    "ragged": ({"weights": [[[1.0], [0.5, 0.5]]]}, TypeError, r"nested lists of equal lengths"),
    "a dict": ({"weights": {"0": W}}, TypeError, r"weights is a dict: expected a list"),
    "nothing in it": ({"weights": torch.ones(1, 0, 0)}, ValueError, r"which holds nothing"),
    "token count": (
        {"weights": W, "tokens": ["a", "b"]},
        ValueError,
        r"tokens holds 2 strings, weights of shape \(4, 3, 3\) has 3 query positions",
    ),
    "tokens in one string": ({"weights": W, "tokens": "abc"}, TypeError, r"tokens is one string"),
    "token ids": ({"weights": W, "tokens": [1, 2, 3]}, TypeError, r"tokens\[0\] is an int"),
    "NaN": ({"weights": NAN}, ValueError, r"NaN at layer 0, head 1, query 2, key 0"),
    "scores": ({"weights": W * 9}, ValueError, r"expected weights in 0..1.*apply a softmax"),
    "negative": ({"weights": W - 0.5}, ValueError, r"weights holds -0\.\d+ in layer 0"),
    "queries alone": ({"queries": W}, ValueError, r"queries was given without keys"),
    "head dims": (
        {"queries": torch.ones(1, 2, 3, 4), "keys": torch.ones(1, 2, 3, 5)},
        ValueError,
        r"queries\[0\] \(2, 3, 4\) and keys\[0\] \(2, 3, 5\) differ in head_dim",
    ),
    "groups": (
        {"queries": torch.ones(1, 3, 3, 4), "keys": torch.ones(1, 2, 3, 4)},
        ValueError,
        r"the number of heads must be a multiple of the number of key heads",
    ),
    "layers": (
        {"queries": torch.ones(1, 2, 3, 4), "keys": torch.ones(2, 2, 3, 4)},
        ValueError,
        r"differ in their number of layers: queries 1, keys 2",
    ),
    "infinite vectors": (
        {"queries": torch.full((1, 2, 3, 4), torch.inf), "keys": torch.ones(1, 2, 3, 4)},
        ValueError,
        r"queries holds NaN or infinity, or a number too large for float32, in layer 0",
    ),
    "scaling of nothing": (
        {"weights": W, "scaling": 2.0},
        ValueError,
        r"scaling was given without",
    ),
    "scalings": (
        {"queries": torch.ones(1, 2, 3, 4), "keys": torch.ones(1, 2, 3, 4), "scaling": [1.0, 2.0]},
        ValueError,
        r"scaling holds 2 numbers for 1 layers",
    ),
    "kind": ({"weights": W, "kind": "self"}, ValueError, r"kind='self' is unknown"),
    "tokens twice": (
        {"weights": W, "tokens": TOKENS, "key_tokens": TOKENS},
        TypeError,
        r"tokens was given beside query_tokens or key_tokens",
    ),
    "a set as tokens": (
        {"weights": W, "tokens": {"a", "b", "c"}},
        TypeError,
        r"tokens is a set, which has no order",
    ),
    "a number as tokens": ({"weights": W, "tokens": 0.5}, TypeError, r"tokens=0.5 is a float"),
    "no heads": ({"weights": W[:, :0]}, ValueError, r"weights has shape \(2, 0, 3, 3\), which"),
    "no heads in queries": (
        {"queries": torch.ones(1, 0, 3, 4), "keys": torch.ones(1, 0, 3, 4)},
        ValueError,
        r"queries has shape \(1, 0, 3, 4\), which holds nothing",
    ),
    "no layers": ({"weights": W[:0]}, ValueError, r"weights has shape .*at least one layer"),
    "a generator without end": (
        {"weights": itertools.repeat(W[0])},
        ValueError,
        r"weights holds more than 1,000,000 items",
    ),
    "overflow": (
        {"queries": torch.full((1, 2, 3, 4), 1e30), "keys": torch.full((1, 2, 3, 4), 1e30)},
        ValueError,
        r"queries and keys overflow float32 in layer 0, head 0",
    ),
    "overflow of zeros": (
        {"queries": W[..., :2] * 0, "keys": W[..., :2] * 0, "scaling": 1e300},
        ValueError,
        r"scaling=1e\+300 is too large for float32",
    ),
    "overflow of float64": (
        {"queries": np.full((1, 1, 2, 2), 1e300), "keys": np.ones((1, 1, 2, 2))},
        ValueError,
        r"queries holds NaN or infinity, or a number too large for float32, in layer 0",
    ),
    "a flag": ({"weights": W, "drop_padding": 0}, TypeError, r"drop_padding=0 is an int"),
    "prettify": ({"weights": W, "prettify_tokens": "no"}, TypeError, r"prettify_tokens='no' is"),
    "a kind of no string": ({"weights": W, "kind": ["cross"]}, TypeError, r"kind=\['cross'\] is"),
    "a float as batch_index": (
        {"weights": W, "batch_index": 0.0},
        TypeError,
        r"batch_index=0.0 is a float: expected an integer, such as batch_index=0",
    ),
    "a batch that is not there": (
        {"weights": W, "batch_index": 1},
        ValueError,
        r"batch_index=1 is out of range: weights holds one text, since \(2, 4, 3, 3\) is \(layers",
    ),
    "a mask of another batch": (
        {"weights": W[:, None], "attention_mask": torch.ones(0, 3)},
        ValueError,
        r"attention_mask has shape \(0, 3\)",
    ),
    "an additive mask": (
        {"weights": W, "attention_mask": [0, 0, -1e4]},
        ValueError,
        r"attention_mask holds numbers other than 0 and 1",
    ),
    "steps that differ": (
        {"weights": [[torch.ones(1, 2, 1, 1)], [torch.ones(1, 3, 1, 2) / 2]]},
        ValueError,
        r"weights\[1\] and weights\[0\] differ in their layers or heads",
    ),
    "sentence_b_start": (
        {"weights": W, "sentence_b_start": 3},
        ValueError,
        r"sentence_b_start=3 is out of range: .* 1 to 2",
    ),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_mistakes(name: str) -> None:
    arguments, error, message = MISTAKES[name]
    with pytest.raises(error, match=message):
        AttentionTrace.from_arrays(**arguments)


def test_a_batch_and_its_padding() -> None:
    weights = random_weights(2, 3, 4, 5, 5)  # layers, texts, heads, query, key
    mask = np.array([[1] * 5, [0, 0, 1, 1, 1], [1, 1, 1, 0, 0]])
    tokens = list("abcde")
    for form in (weights, list(weights), weights.numpy()):
        trace = AttentionTrace.from_arrays(
            tokens, form, batch_index=1, attention_mask=mask, sentence_b_start=3
        )
        [block] = trace.blocks.values()
        assert block.query_tokens == ("c", "d", "e")
        assert block.query.sentences == (0, 1, 1)
        assert torch.equal(block.layers[1].weights(), weights[1, 1, :, 2:, 2:])
    vectors = torch.randn(2, 3, 4, 5, 8)
    part = AttentionTrace.from_arrays(
        tokens, queries=vectors, keys=vectors, batch_index=2, attention_mask=mask
    )
    assert part.blocks["encoder"].layers[0].queries.shape == (4, 3, 8)  # type: ignore[union-attr]
    with pytest.raises(ValueError, match=r"attention_mask has shape \(4,\), the arrays have 5"):
        AttentionTrace.from_arrays(tokens, weights, batch_index=0, attention_mask=[1, 1, 1, 1])
    with pytest.raises(ValueError, match="attention_mask is 0 everywhere"):
        AttentionTrace.from_arrays(tokens, weights, batch_index=0, attention_mask=[0] * 5)
    with pytest.raises(
        ValueError, match=r"batch_index=3 is out of range: weights\S* holds 3 texts"
    ):
        AttentionTrace.from_arrays(tokens, weights, batch_index=3)


def test_rounding_of_half_precision_is_no_mistake() -> None:
    weights = np.full((1, 2, 2), 0.5, np.float16)
    weights[0, 0] = (1.0005, 0)
    assert AttentionTrace.from_arrays(weights=weights).num_layers == 1


@pytest.mark.parametrize("scaling", [np.float32(0.5), np.array(0.5), torch.tensor(0.5), [0.5], 1])
def test_scaling_in_every_form(scaling: Any) -> None:
    vectors = torch.ones(1, 2, 3, 4)
    trace = AttentionTrace.from_arrays(queries=vectors, keys=vectors, scaling=scaling)
    found = trace.blocks["encoder"].layers[0].scaling
    assert (found, type(found)) == (float(np.ravel(np.asarray(scaling))[0]), float)


@pytest.mark.parametrize(
    "scaling", ["0.5", True, [None], float("nan"), [float("inf")], 10**400, {0.5}, 1j, b"1"]
)
def test_scaling_that_is_none(scaling: Any) -> None:
    vectors = torch.ones(1, 2, 3, 4)
    with pytest.raises(
        (TypeError, ValueError), match=r"scaling.*: expected one number, or one per"
    ):
        AttentionTrace.from_arrays(queries=vectors, keys=vectors, scaling=scaling)


def test_integers_of_numpy_are_integers() -> None:
    weights = random_weights(2, 2, 4, 3, 3)  # layers, texts, heads, query, key
    trace = AttentionTrace.from_arrays(
        np.array(TOKENS), weights, batch_index=np.int64(1), sentence_b_start=np.uint8(2)
    )
    block = trace.blocks["encoder"]
    assert torch.equal(block.layers[0].weights(), weights[0, 1])
    assert block.query.sentences == (0, 0, 1)
    assert {type(token) for token in block.query.strings} == {str}


def test_a_row_that_sums_to_two_is_warned_of() -> None:
    weights = random_weights(2, 4, 3, 3)
    weights[1, 2, 0] = 2 / 3
    with pytest.warns(UserWarning, match=r"query 0 of layer 1, head 2 sums to 2.*signed"):
        AttentionTrace.from_arrays(weights=weights)


def test_dropout_is_named() -> None:
    weights = random_weights(1, 1, 3, 3)
    weights[0, 0, 0] = torch.tensor([1.111, 0, 0])
    with pytest.raises(ValueError, match=r"weights holds 1.111 in layer 0.*model.eval\(\) first"):
        AttentionTrace.from_arrays(weights=weights)


def test_long_vectors_whose_products_are_small_are_accepted() -> None:
    queries = torch.tensor([[[[1e30, 0.0]]]])
    keys = torch.tensor([[[[0.0, 1e30]]]])
    trace = AttentionTrace.from_arrays(queries=queries, keys=keys)
    assert trace.blocks["encoder"].layers[0].weights().tolist() == [[[1.0]]]
