"""The formula from queries and keys to weights, term by term, against plain loops."""

from __future__ import annotations

import copy
import dataclasses
import math
import pathlib
import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

from bertviz import AttentionTrace, HeadView, extract
from bertviz.trace import Formula, LayerAttention, Tokens
from tests.models import batch_of

LOWEST = torch.finfo(torch.float32).min


def layer(heads: int = 4, key_heads: int = 2, query: int = 5, key: int = 5, **more: Any) -> Any:
    torch.manual_seed(0)
    return LayerAttention(
        index=3,
        name="encoder.layer.3",
        heads=tuple(range(heads)),
        formula=Formula(
            queries=torch.randn(heads, query, 8),
            keys=torch.randn(key_heads, key, 8),
            scaling=0.4,
            **more,
        ),
    )


def with_formula(held: LayerAttention, heads: Any = None, **changes: Any) -> LayerAttention:
    formula = dataclasses.replace(held.formula, **changes)
    return dataclasses.replace(held, heads=heads or held.heads, formula=formula)


def plainly(held: LayerAttention, head: int, added: Any) -> list[list[float]]:
    """Weights of one head in Python floats; ``added`` is a function of query and key."""
    assert held.queries is not None
    assert held.keys is not None
    keys = held.keys[head * held.keys.shape[0] // held.queries.shape[0]].tolist()
    rows = []
    for q, query in enumerate(held.queries[head].tolist()):
        scores = []
        for k, key in enumerate(keys):
            score = 0.4 * sum(a * b for a, b in zip(query, key, strict=True))
            if held.formula.softcap is not None:
                score = math.tanh(score / held.formula.softcap) * held.formula.softcap
            scores.append(score + added(q, k))
        sink = [] if held.formula.sinks is None else [float(held.formula.sinks[head].expand(5)[q])]
        top = max([*scores, *sink])
        total = sum(math.exp(score - top) for score in [*scores, *sink])
        rows.append([math.exp(score - top) / total for score in scores])
    return rows


def test_plain_and_grouped() -> None:
    held = layer()
    assert (held.num_heads, held.num_key_value_heads, held.head_dim) == (4, 2, 8)
    assert [held.key_head(head) for head in range(4)] == [0, 0, 1, 1]
    assert held.bias() is None
    assert held.dtype == "float32"
    for head in range(4):
        expected = torch.tensor(plainly(held, head, lambda q, k: 0.0))
        torch.testing.assert_close(held.weights(head)[0], expected, atol=1e-6, rtol=0)


TERMS: dict[str, tuple[dict[str, Any], Any]] = {
    "softcap": ({"softcap": 0.5}, lambda q, k: 0.0),
    "sinks": ({"sinks": torch.tensor([0.0, 1.0, -1.0, 9.0])}, lambda q, k: 0.0),
    "sinks of each query": (
        {"sinks": torch.tensor([[0.0, 1, 2, 3, 4]] * 4)},
        lambda q, k: 0.0,
    ),
    "causal": ({"causal": True}, lambda q, k: 0.0 if k <= q else -1e30),
    "bool mask": (
        {"mask": torch.tensor([[[True, False, True, True, False]]])},
        lambda q, k: 0.0 if k in (0, 2, 3) else -1e30,
    ),
    "mask of minus infinity": (
        {"mask": torch.tensor([[[0.0, -math.inf, 0, 0, 0]]])},
        lambda q, k: -1e30 if k == 1 else 0.0,
    ),
    "position bias": (
        {"position_bias": torch.arange(25.0).view(1, 5, 5) / 7},
        lambda q, k: (5 * q + k) / 7,
    ),
    "all": (
        {
            "softcap": 0.5,
            "sinks": torch.ones(4),
            "causal": True,
            "mask": torch.tensor([[[LOWEST, 0, 0, 0, 0]]]).expand(1, 5, 5).clone(),
            "position_bias": torch.arange(25.0).view(1, 5, 5) / 7,
        },
        lambda q, k: (5 * q + k) / 7 + (0 if 0 < k <= q else -1e30),
    ),
}


@pytest.mark.parametrize("name", TERMS)
def test_terms(name: str) -> None:
    fields, added = TERMS[name]
    held = layer(**fields)
    rows = slice(1, None)  # with all terms, the first row sees nothing
    for head in range(4):
        expected = torch.tensor(plainly(held, head, added))[rows]
        torch.testing.assert_close(held.weights(head)[0, rows], expected, atol=1e-6, rtol=0)
    assert not held.weights().isnan().any()
    bias = held.bias()
    if bias is not None:
        assert bias.dtype == torch.float32
        whole = bias.expand(4, 5, 5)
        assert (held.scores()[whole == LOWEST] < LOWEST / 2).all()


def test_bias_of_each_head() -> None:
    bias = torch.randn(4, 5, 5)
    held = layer(position_bias=bias)
    found = held.bias([3, 1])
    assert found is not None
    assert torch.equal(found, bias[[3, 1]])
    torch.testing.assert_close(held.scores(2), layer().scores(2) + bias[2:3])


def test_rows_that_see_nothing_are_even_and_never_nan() -> None:
    for mask in (
        torch.zeros(1, 1, 5, dtype=torch.bool),
        torch.full((1, 1, 5), LOWEST),
        torch.full((1, 1, 5), -math.inf),
    ):
        held = layer(mask=mask, position_bias=torch.full((1, 5, 5), -3.0))
        assert torch.equal(held.weights(), torch.full((4, 5, 5), 0.2))
        assert held.scores().isfinite().all()


def test_masked_cells_hold_the_smallest_float32_also_from_half_precision() -> None:
    for dtype in (torch.float16, torch.bfloat16, torch.float64):
        mask = torch.tensor([[[0.0, torch.finfo(dtype).min, 0, 0, 0]]], dtype=dtype)
        bias = layer(mask=mask).bias()
        assert bias is not None
        assert bias.tolist() == [[[0.0, LOWEST, 0.0, 0.0, 0.0]]]


def test_causal_with_more_keys_than_queries_ends_at_the_last() -> None:
    seen = layer(query=2, key=5, causal=True).weights()[0] > 0
    assert seen.tolist() == [[True, True, True, True, False], [True] * 5]


@pytest.mark.parametrize("heads", [2, [2], (0, 3), range(1, 3), torch.tensor([3, 1])])
def test_some_heads_equal_those_of_all(heads: Any) -> None:
    held = layer(sinks=torch.randn(4), position_bias=torch.randn(4, 5, 5))
    chosen = [heads] if isinstance(heads, int) else [int(head) for head in heads]
    torch.testing.assert_close(held.weights(heads), held.weights()[chosen], atol=1e-7, rtol=0)
    torch.testing.assert_close(held.scores(heads), held.scores()[chosen], atol=1e-6, rtol=0)


def test_heads_are_the_models_own_numbers() -> None:
    whole = layer()
    part = with_formula(whole, queries=whole.queries[[1, 3]], key_heads=(0, 1), heads=(1, 3))
    assert torch.equal(part.weights(3), whole.weights(3))
    with pytest.raises(ValueError, match=r"heads holds 0, which layer 3 does not have: .* 1, 3"):
        part.weights(0)
    with pytest.raises(ValueError, match=r"heads holds 4"):
        whole.scores([0, 4])


def test_half_precision_is_computed_in_float32() -> None:
    held = layer()
    half = with_formula(held, queries=held.queries.bfloat16(), keys=held.keys.bfloat16())
    same = with_formula(held, queries=half.queries.float(), keys=half.keys.float())
    assert half.dtype == "bfloat16"
    assert half.weights().dtype == torch.float32
    assert torch.equal(half.weights(), same.weights())


def test_given_weights() -> None:
    weights = torch.rand(2, 3, 4, dtype=torch.float64)
    held = LayerAttention(index=1, name="", heads=(0, 1), given_weights=weights)
    assert torch.equal(held.weights(1), weights[1:].float())
    assert held.shape == (3, 4)
    assert held.head_dim is None
    assert held.dtype == "float64"
    with pytest.raises(ValueError, match="Layer 1 holds weights but no queries and keys"):
        held.scores()


def test_what_is_given_out_is_not_what_is_held() -> None:
    weights = torch.rand(2, 3, 3)
    held = LayerAttention(index=0, name="", heads=(0, 1), given_weights=weights)
    held.weights().zero_()
    assert held.weights().sum() > 0
    bias = torch.ones(1, 5, 5)
    biased = layer(position_bias=bias)
    found = biased.bias()
    assert found is not None
    found.zero_()
    assert biased.bias().sum() == 25  # type: ignore[union-attr]


def test_frozen() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        layer().index = 4


def test_traces_can_be_pickled_and_copied(build: Callable[..., Any]) -> None:
    trace = extract(build("t5"), inputs=batch_of("t5"), batch_index=0, verify=True)
    for same in (pickle.loads(pickle.dumps(trace)), copy.copy(trace), copy.deepcopy(trace)):
        assert list(same.blocks) == list(trace.blocks)
        assert same.exactness == trace.exactness
        for name, block in trace.blocks.items():
            assert same.blocks[name].query == block.query
            for one, other in zip(same.blocks[name].layers, block.layers, strict=True):
                assert torch.equal(one.weights(), other.weights())
        with pytest.raises(TypeError, match="cannot be changed"):
            same.blocks["encoder"] = None
    layers = pickle.loads(pickle.dumps(trace)).blocks["encoder"].layers
    assert layers[0].formula.position_bias is layers[1].formula.position_bias, "shared, kept once"


def test_what_is_visible() -> None:
    assert layer().visible() is None
    causal = layer(causal=True).visible()
    assert causal is not None
    assert torch.equal(causal, torch.ones(5, 5, dtype=torch.bool).tril()[None])
    part = layer(causal=True).visible(2, [1, 3])
    assert part is not None
    assert part[0].tolist() == causal[0, [1, 3]].tolist()
    for low in (-1e4, -math.inf, LOWEST):
        bias = torch.zeros(4, 1, 5)
        bias[2, :, 1] = low
        found = layer(position_bias=bias).visible()
        assert found is not None
        assert found.sum(-1).tolist() == [[5] * 5, [5] * 5, [4] * 5, [5] * 5]
    masked = torch.tensor([[[True, True, False, True, True]]])
    assert layer(mask=masked).unseen_keys().tolist() == [False, False, True, False, False]
    half = torch.tensor([[[0.0, -3.3e4, 0.0, 0.0, 0.0]]], dtype=torch.float16)
    assert layer(mask=half).unseen_keys().tolist() == [False, True, False, False, False]


def test_a_layer_by_the_models_own_number() -> None:
    trace = AttentionTrace.from_arrays(weights=torch.full((3, 2, 4, 4), 0.25))
    [block] = trace.blocks.values()
    part = dataclasses.replace(block, layers=block.layers[1:])
    assert part.layer(2) is part.layers[1]
    with pytest.raises(ValueError, match=r"layer=0 is not in block .encoder.: .* 1 to 2"):
        part.layer(0)


def test_layers_of_the_same_mask_say_so() -> None:
    def layer(**options: Any) -> LayerAttention:
        return LayerAttention(index=0, name="", heads=(0, 1), **options)

    given = torch.eye(3).expand(2, 3, 3)
    assert (
        layer(given_weights=given).mask_identity
        == layer(given_weights=given.clone()).mask_identity
        != layer(given_weights=given, given_causal=True).mask_identity
    )
    vectors, mask = torch.ones(2, 3, 4), torch.zeros(1, 3, 3)

    def formula(**terms: Any) -> LayerAttention:
        return layer(formula=Formula(vectors, vectors, scaling=1.0, **terms))

    assert formula(mask=mask).mask_identity == formula(mask=mask).mask_identity
    for other in ({}, {"mask": mask.clone()}, {"position_bias": mask}, {"causal": True}):
        assert formula(**other).mask_identity != formula(mask=mask).mask_identity


ROWS: list[tuple[Any, type[Exception], str]] = [
    ("0", TypeError, "rows='0' is a str"),
    (0.0, TypeError, "rows=0.0 is a float"),
    ([True], TypeError, "rows holds True, a bool"),
    ([0, 99], ValueError, "rows holds 99, which is out of range: there are 3 queries, 0 to 2"),
    (10**30, ValueError, "rows holds 1000.*, which is out of range"),
    (slice("a", None), TypeError, r"rows=slice\('a', None, None\) is a slice of something else"),
]


@pytest.mark.parametrize(("rows", "error", "message"), ROWS, ids=range(len(ROWS)))
@pytest.mark.parametrize("given", [False, True])
def test_rows_that_are_none(rows: Any, error: type[Exception], message: str, given: bool) -> None:
    vectors = torch.ones(1, 2, 3, 4)
    weights = torch.full((1, 2, 3, 3), 1 / 3) if given else None
    trace = AttentionTrace.from_arrays(weights=weights, queries=vectors, keys=vectors)
    layer = trace.blocks["encoder"].layers[0]
    for call in (layer.weights, layer.scores, layer.bias, layer.visible):
        with pytest.raises(error, match=message):
            call(None, rows)


def test_rows_in_every_form() -> None:
    vectors = torch.randn(1, 2, 3, 4)
    layer = AttentionTrace.from_arrays(queries=vectors, keys=vectors).blocks["encoder"].layers[0]
    whole = layer.weights()
    for rows in ([2, 1], (2, 1), np.array([2, 1]), torch.tensor([2, 1]), slice(2, 0, -1)):
        assert torch.equal(layer.weights(None, rows), whole[:, [2, 1]])  # type: ignore[arg-type]
    assert torch.equal(layer.weights(np.int64(1), 2), whole[1:, 2:])  # type: ignore[arg-type]


@pytest.mark.parametrize("heads", ["0", 0.0, [True], torch.tensor(0.5), {"a": 1}, object()])
def test_heads_that_are_none(heads: Any) -> None:
    layer = AttentionTrace.from_arrays(weights=[[[1.0]]]).blocks["encoder"]
    with pytest.raises(TypeError, match=r"heads.*: expected .*head numbers"):
        layer.layers[0].weights(heads)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"blocks": [1]}, TypeError, r"blocks=\[1\] is a list: expected a mapping from names"),
        ({"blocks": {}}, ValueError, "blocks is empty"),
        ({"blocks": {"encoder": 1}}, TypeError, r"blocks\['encoder'\] is an int"),
        ({"model_name": 3}, TypeError, "model_name=3 is an int: expected a string"),
        ({"dtype": torch.float32}, TypeError, "dtype=torch.float32 is a dtype"),
        ({"exactness": 3}, TypeError, "exactness=3 is an int: expected a mapping of JSON types"),
        ({"exactness": {"max_difference": float("nan")}}, TypeError, "exactness=.*nan.*JSON"),
    ],
)
def test_a_trace_is_made_of_blocks(arguments: Any, error: type[Exception], message: str) -> None:
    blocks = AttentionTrace.from_arrays(weights=[[[1.0]]]).blocks
    with pytest.raises(error, match=message):
        AttentionTrace(**{"blocks": blocks, **arguments})


def test_tokens_are_taken_by_position() -> None:
    tokens = Tokens.read(["a", "b", "c"])
    assert tokens[np.array([2, 0])].strings == ("c", "a")  # type: ignore[index]
    assert tokens[1].strings == ("b",)  # type: ignore[index]
    for wrong, error in (("a", TypeError), (1.5, TypeError), ([3], ValueError)):
        with pytest.raises(error, match="positions"):
            tokens[wrong]  # type: ignore[index]
    for wrong in ({"a"}, "abc", [1], None):
        with pytest.raises(TypeError, match="strings"):
            Tokens.read(wrong)  # type: ignore[arg-type]


def test_half_a_character_is_kept_and_can_be_saved(tmp_path: pathlib.Path) -> None:
    trace = AttentionTrace.from_arrays(["\ud83d", "b"], torch.full((1, 2, 2), 0.5))
    for suffix in ("html", "svg"):
        HeadView(trace, prettify_tokens=False).save(tmp_path / f"x.{suffix}")
    trace.save(tmp_path / "x.safetensors")
    loaded = AttentionTrace.load(tmp_path / "x.safetensors")
    assert loaded.blocks["encoder"].query_tokens == ("\ud83d", "b")
