"""Parts of everything: some rows, some heads, some tokens, of each term on its own."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import pytest
import torch

from bertviz import AttentionTrace
from bertviz.trace import AttentionBlock, Formula, LayerAttention, Tokens
from bertviz.trace.formula import Cut
from bertviz.trace.masks import MASKED, causal_mask, hidden_by, is_causal, lowest
from bertviz.trace.windows import pick

HEADS, QUERIES, KEYS, DIM = 4, 5, 7, 6
LOWEST = torch.finfo(torch.float32).min
GENERATOR = torch.Generator().manual_seed(3)


def normal(*shape: int) -> torch.Tensor:
    return torch.randn(shape, generator=GENERATOR)


FORMULAS: dict[str, dict[str, Any]] = {
    "plain": {},
    "causal": {"causal": True},
    "mask of a row": {"mask": torch.tensor([[[True] * 5 + [False, True]]])},
    "mask of each query": {"mask": normal(1, QUERIES, 1)},
    "mask of each head": {"mask": (normal(HEADS, QUERIES, KEYS) > -1)},
    "bias of each head": {"position_bias": normal(HEADS, 1, KEYS), "causal": True},
    "sinks": {"sinks": normal(HEADS)},
    "sinks of each query": {"sinks": normal(HEADS, QUERIES), "softcap": 2.0},
    "key heads": {"key_heads": (1, 0, 1, 1)},
    "everything": {
        "mask": normal(1, QUERIES, KEYS),
        "position_bias": normal(HEADS, QUERIES, KEYS),
        "causal": True,
        "softcap": 3.0,
        "sinks": normal(HEADS),
    },
}


@pytest.fixture(params=FORMULAS)
def layer(request: pytest.FixtureRequest) -> LayerAttention:
    queries, keys = 3 * normal(HEADS, QUERIES, DIM), normal(2, KEYS, DIM)
    formula = Formula(queries, keys, 0.7, **FORMULAS[request.param])
    return LayerAttention(4, "model.4", (1, 3, 5, 7), formula)


ROWS = [slice(None), slice(2, None), slice(1, 4, 2), slice(None, 3), [4, 0], [2], slice(4, 0, -2)]


@pytest.mark.parametrize("rows", ROWS, ids=str)
@pytest.mark.parametrize("heads", [None, [7], [5, 1]], ids=str)
def test_some_rows_of_some_heads_are_those_of_all(
    layer: LayerAttention, heads: Any, rows: Any
) -> None:
    places = list(range(HEADS)) if heads is None else [layer.heads.index(h) for h in heads]
    chosen = list(range(QUERIES)[rows]) if isinstance(rows, slice) else rows

    def part(whole: torch.Tensor) -> torch.Tensor:
        return whole.expand(HEADS, QUERIES, KEYS)[places][:, chosen]

    for call in (layer.weights, layer.scores):
        torch.testing.assert_close(call(heads, rows), part(call()), atol=1e-6, rtol=1e-5)
    size = (len(places), len(chosen), KEYS)
    bias, seen = layer.bias(), layer.visible()
    found, visible = layer.bias(heads, rows), layer.visible(heads, rows)
    if bias is None:
        assert found is None
        assert seen is None
        assert visible is None
        return
    assert found is not None
    assert torch.equal(found.expand(size), part(bias))
    expected = part(bias) > MASKED
    shown = torch.ones(size, dtype=torch.bool) if visible is None else visible.expand(size)
    assert torch.equal(shown, expected)
    assert (visible is None) == bool(expected.all())


def test_some_tokens_are_cut_out_with_all_their_terms(layer: LayerAttention) -> None:
    """The scores of what is left are as before, whatever is cut."""
    tokens = [str(i) for i in range(KEYS)]
    block = AttentionBlock(
        "cross", "cross", Tokens.read(tokens[:QUERIES]), Tokens.read(tokens), (layer,)
    )
    rows, columns = [0, 2, 3], [1, 2, 6]
    part = pick(block, rows, columns)
    assert part.query_tokens == ("0", "2", "3")
    assert part.key_tokens == ("1", "2", "6")
    [small] = part.layers
    assert (small.index, small.heads, small.name) == (4, layer.heads, "model.4")
    expected = layer.weights()[:, rows][:, :, columns]
    torch.testing.assert_close(small.weights(), expected, atol=1e-6, rtol=1e-4)
    # All of the keys, as in a window of cross-attention, need no further score.
    all_keys = pick(block, rows, list(range(KEYS))).layers[0]
    torch.testing.assert_close(all_keys.weights(), layer.weights()[:, rows], atol=1e-6, rtol=1e-4)
    sinks = layer.explained.sinks
    assert (all_keys.explained.sinks is None) == (sinks is None)


def test_a_part_holds_copies_of_its_own() -> None:
    vectors = normal(1, 2, 9, 4)
    trace = AttentionTrace.from_arrays(queries=vectors, keys=vectors)
    formula = trace.window(2, 4).blocks["encoder"].layers[0].explained
    for tensor in (formula.queries, formula.keys):
        assert tensor.untyped_storage().nbytes() == tensor.numel() * 4, "not the whole of a text"


def test_given_weights_are_cut_and_keep_no_claim_to_be_causal() -> None:
    weights = torch.ones(1, 2, 4, 4).tril() / torch.arange(1, 5)[:, None]
    for vectors in (None, torch.ones(1, 2, 4, 3)):
        trace = AttentionTrace.from_arrays(
            weights=weights, queries=vectors, keys=vectors, kind="decoder"
        )
        [block] = trace.blocks.values()
        [part] = pick(block, [1, 3], [0, 1]).layers
        assert part.weights().tolist() == [[[0.5, 0.5], [0.25, 0.25]]] * 2
        assert part.given_causal is False
        assert (part.formula is None) == (vectors is None)
        if vectors is not None:
            expected = block.layers[0].scores()[:, [1, 3]][:, :, [0, 1]]
            assert torch.equal(part.scores(), expected)


def test_a_window_skips_blocks_that_end_before_it() -> None:
    def block(name: Any, count: int) -> AttentionBlock:
        vectors = torch.ones(1, count, 2)
        tokens = Tokens.read([str(i) for i in range(count)])
        layer = LayerAttention(0, "", (0,), Formula(vectors, vectors, 1.0))
        return AttentionBlock(name, "encoder", tokens, tokens, (layer,))

    trace = AttentionTrace({"short": block("short", 3), "long": block("long", 6)})
    part = trace.window(2, 5)
    assert {n: b.query_tokens for n, b in part.blocks.items()} == {
        "short": ("2",),
        "long": ("2", "3", "4"),
    }
    assert list(trace.window(3, 6).blocks) == ["long"]
    with pytest.raises(ValueError, match="start=3, stop=7 is not a part of 6 tokens"):
        trace.window(3, 7)


def test_what_layers_share_is_cut_once() -> None:
    mask, bias = normal(1, QUERIES, KEYS), normal(HEADS, 1, KEYS)
    cut = Cut([0, 2], slice(1, 4))
    assert cut.term(mask) is cut.term(mask)
    assert torch.equal(cut.term(mask), mask[:, [0, 2], 1:4])  # type: ignore[arg-type]
    assert torch.equal(cut.term(bias), bias[:, :, 1:4])  # type: ignore[arg-type]
    rows = normal(1, QUERIES, 1)
    assert torch.equal(cut.term(rows), rows[:, [0, 2]])  # type: ignore[arg-type]
    assert cut.term(None) is None
    each = normal(HEADS)
    assert cut.sinks(each) is each


# --- masks -----------------------------------------------------------------------------------


def test_what_masks_in_each_precision() -> None:
    for dtype, masks, biases in (
        (torch.float32, [-1e4, -1e9, -math.inf], [-9999.0, 0.0, 5.0]),
        (torch.float16, [-10000.0, -65504.0, -32768.0], [-9992.0, -100.0]),
        (torch.bfloat16, [-1e4, -3e38], [-9900.0]),
        (torch.float64, [-1e4, -1e300], [-9999.0]),
    ):
        assert hidden_by(torch.tensor(masks, dtype=dtype)).all(), dtype
        assert not hidden_by(torch.tensor(biases, dtype=dtype)).any(), dtype
    for dtype in (torch.float32, torch.float16, torch.float64):
        low = torch.finfo(dtype).min
        assert lowest(torch.tensor([low, low / 2], dtype=dtype)).all()
        assert not lowest(torch.tensor([low / 2.1, -1e4], dtype=dtype)).any()


def test_masks_that_add_up_stay_within_float32() -> None:
    terms = {
        "mask": torch.full((1, 1, KEYS), LOWEST),
        "position_bias": torch.full((1, 1, KEYS), LOWEST),
    }
    formula = Formula(-9 * torch.ones(2, 2, 3), torch.ones(2, KEYS, 3), 1e38, **terms)
    assert (formula.bias([0]) == LOWEST).all()  # type: ignore[union-attr]
    assert (formula.scores([0, 1]) == LOWEST).all()


def test_what_is_causal() -> None:
    later = ~causal_mask(3, 5)
    assert later.tolist()[0] == [False, False, False, True, True]
    assert is_causal(later)
    assert is_causal(later, exactly=True)
    more = later.clone()
    more[2, 0] = True
    assert is_causal(more)
    assert not is_causal(more, exactly=True)
    less = torch.stack([later, later])
    less[1, 1, 4] = False
    assert not is_causal(less)
    assert is_causal(later[:1]) is False, "a single query says nothing"
    assert is_causal(later[1:])
    assert causal_mask(3, 5, [2, 0]).tolist() == (~later).tolist()[2::-2]
    assert causal_mask(3, 5, slice(1, 2)).tolist() == (~later).tolist()[1:2]


def test_keys_that_no_query_sees_are_found_in_steps() -> None:
    mask = torch.zeros(1, QUERIES, KEYS)
    mask[:, :, 2] = LOWEST
    mask[:, :4, 5] = LOWEST  # the last query sees it
    held = LayerAttention(
        0, "", (0, 1), Formula(normal(2, QUERIES, 3), normal(2, KEYS, 3), 1.0, mask=mask)
    )
    expected = [key == 2 for key in range(KEYS)]
    for step in (1, 2, 4, 5, 512):
        assert held.unseen_keys(step).tolist() == expected
    by_head = mask.expand(2, -1, -1).clone()
    by_head[1, 0, 2] = 0
    one = dataclasses.replace(held, formula=dataclasses.replace(held.formula, mask=by_head))
    assert not one.unseen_keys().any()
    for step in (0, -1):
        with pytest.raises(ValueError, match=f"step={step} reads nothing"):
            held.unseen_keys(step)


def test_one_mask_of_all_heads_is_given_once() -> None:
    both = torch.zeros(2, 3, 3)
    both[:, :, 1] = LOWEST

    def seen(mask: torch.Tensor) -> Any:
        formula = Formula(normal(2, 3, 4), normal(2, 3, 4), 1.0, mask=mask)
        return LayerAttention(0, "", (0, 1), formula).visible()

    assert seen(both).shape == (1, 3, 3)
    both[1, 2, 1] = 0
    assert seen(both).shape == (2, 3, 3)
    assert seen(both)[:, 2].tolist() == [[True, False, True], [True, True, True]]
    assert seen(torch.zeros(1, 1, 3)) is None


# --- layers, tokens, blocks ------------------------------------------------------------------


def test_what_a_layer_says_of_itself() -> None:
    formula = Formula(normal(4, 2, 6).half(), normal(2, 3, 6).half(), 0.25)
    held = LayerAttention(3, "a.b", (0, 2, 4, 6), formula)
    assert repr(held) == "LayerAttention(3, 'a.b', 4 heads, 2 x 3 tokens, queries and keys)"
    assert (held.dtype, held.head_dim, held.scaling, held.shape) == ("float16", 6, 0.25, (2, 3))
    assert (held.num_key_value_heads, held.key_head(4), held.key_head(0)) == (2, 1, 0)
    weights = LayerAttention(3, "", (5, 6), given_weights=torch.ones(2, 3, 4))
    assert repr(weights) == "LayerAttention(3, '', 2 heads, 3 x 4 tokens, weights)"
    assert (weights.num_key_value_heads, weights.key_head(6)) == (2, 1)
    nothing = (weights.queries, weights.keys, weights.scaling, weights.bias(), weights.visible())
    assert nothing == (None,) * 5
    assert weights.weights(None, [2, 0]).shape == (2, 2, 4)
    with pytest.raises(ValueError, match="formula and given_weights of layer 3 are both None"):
        LayerAttention(3, "", (0,))


def test_given_causal_weights_show_a_triangle() -> None:
    held = LayerAttention(0, "", (0,), given_weights=torch.ones(1, 2, 3), given_causal=True)
    assert held.visible().tolist() == [[[True, True, False], [True] * 3]]  # type: ignore[union-attr]
    assert held.visible(None, [1]).tolist() == [[[True] * 3]]  # type: ignore[union-attr]
    assert held.unseen_keys().tolist() == [False] * 3


@pytest.mark.parametrize("rows", [[3], [-4], [0, 3]])
def test_rows_beyond_the_last_are_named(rows: list[int]) -> None:
    held = LayerAttention(0, "", (0,), given_weights=torch.arange(9.0).view(1, 3, 3))
    with pytest.raises(ValueError, match="which is out of range: there are 3 queries, 0 to 2"):
        held.weights(None, rows)
    assert held.weights(None, [-3, 2])[0, :, 0].tolist() == [0, 6]


TOKENS = Tokens.read(
    ["[CLS]", "straw", "##berry", "[SEP]", "red", "[SEP]"], sentences=[0, 0, 0, 0, 1, 1]
)


def test_parts_of_tokens_are_parts_of_everything() -> None:
    assert TOKENS.words == (0, 1, 1, 2, 3, 4)
    assert TOKENS.first_of_words == [0, 1, 3, 4, 5]
    assert TOKENS.word_text == ("[CLS]", "strawberry", "[SEP]", "red", "[SEP]")
    part = TOKENS[2:5]
    assert (part.strings, part.words) == (("##berry", "[SEP]", "red"), (0, 1, 2))
    assert (part.sentences, part.special) == ((0, 0, 1), (False, True, False))
    assert TOKENS[:4].sentences is None, "one sentence is none"
    some = TOKENS[[-1, 1]]
    assert (some.strings, some.sentences, some.words) == (("[SEP]", "straw"), (1, 0), (0, 1))
    for places in ([6], [-7]):
        with pytest.raises(ValueError, match="out of range: there are 6 tokens, 0 to 5"):
            TOKENS[places]
    with pytest.raises(TypeError, match="is a slice of something else"):
        TOKENS["a":]  # type: ignore[misc]


def test_words_in_place_of_their_tokens() -> None:
    words = TOKENS.in_words()
    assert words.strings == words.text == ("[CLS]", "strawberry", "[SEP]", "red", "[SEP]")
    assert words.words == (0, 1, 2, 3, 4)
    assert words.sentences == (0, 0, 0, 1, 1)
    assert words.special == (True, False, True, False, True)
    spaced = Tokens.read(["Ġa", "Ġ", "Ġb"], named=False)
    assert spaced.in_words().text == ("a", "␣", "b")
    assert (spaced.in_words().named, spaced[:1].named, TOKENS.in_words().named) == (
        False,
        False,
        True,
    )
    assert spaced.unprettified().text == ("Ġa", "Ġ", "Ġb")
    assert Tokens.read(["Ġa"], prettify=False).text == ("Ġa",)


def test_queries_that_are_the_last_of_the_keys_share_tokens() -> None:
    def shares(query: str, key: str, kind: Any = "decoder") -> bool:
        weights = torch.ones(1, len(query), len(key))
        layer = LayerAttention(0, "", (0,), given_weights=weights)
        sides = Tokens.read(list(query)), Tokens.read(list(key))
        return AttentionBlock(kind, kind, *sides, (layer,)).shares_tokens

    assert shares("abc", "abc")
    assert shares("bc", "abc")
    assert not shares("ab", "abc")
    assert not shares("abc", "bc")
    assert not shares("abc", "abc", "cross")


def test_the_size_of_a_trace_is_that_of_its_largest_part() -> None:
    def block(name: Any, *heads: int) -> AttentionBlock:
        layers = tuple(
            LayerAttention(i, "", tuple(range(n)), given_weights=torch.ones(n, 1, 1))
            for i, n in enumerate(heads)
        )
        return AttentionBlock(name, "encoder", Tokens.read(["a"]), Tokens.read(["a"]), layers)

    trace = AttentionTrace({"a": block("a", 2, 5, 3), "b": block("b", 4)}, skipped={"x": "why"})
    assert (trace.num_layers, trace.num_heads) == (3, 5)
    sizes = "a: 3 layers, 1 x 1 tokens; b: 1 layers, 1 x 1 tokens; 1 not captured"
    assert repr(trace) == f"AttentionTrace({sizes})"
    named = dataclasses.replace(trace, model_name="Bert", skipped={})
    assert repr(named).startswith("AttentionTrace(Bert, a: 3 layers")
    for name in ("blocks", "skipped"):
        with pytest.raises(TypeError, match="cannot be changed"):
            getattr(trace, name)["c"] = "d"
    for skipped in ([], {"x": 3}, {3: "x"}):
        with pytest.raises(
            TypeError, match=r"skipped=.* expected a mapping from the paths of modu"
        ):
            dataclasses.replace(trace, skipped=skipped)
    for exactness in ({}, {"max_difference": "a"}, {"max_difference": 0.0, "x": {1, 2}}):
        with pytest.raises(TypeError, match=r"exactness=.* is something else: expected a mapping"):
            dataclasses.replace(trace, exactness=exactness)
