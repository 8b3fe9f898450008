"""What is just right is accepted, what is just wrong refused, in every layer and head."""

from __future__ import annotations

import re
import warnings
from typing import Any

import numpy as np
import pytest
import torch

from bertviz import AttentionTrace
from bertviz.arrays import from_stacks
from bertviz.arrays.checks import check_scores, check_weights, kept_positions
from bertviz.arrays.shapes import as_layers
from bertviz.trace import Formula

EVEN = torch.full((2, 3, 4, 4), 0.25)  # layers, heads, query, key


def spoiled(number: float, at: tuple[int, ...] = (1, 2, 3, 0)) -> torch.Tensor:
    found = EVEN.double().clone()
    found[at] = number
    return found


# --- weights ---------------------------------------------------------------------------------


@pytest.mark.parametrize("number", [-1e-6, 1.001, 0.0])
def test_weights_may_be_off_by_rounding(number: float) -> None:
    check_weights("weights", list(spoiled(number)))


@pytest.mark.parametrize(("number", "told"), [(-2e-6, "-2e-06"), (1.0011, "1.001")])
def test_weights_that_no_softmax_gives_are_told_with_their_layer(number: float, told: str) -> None:
    with pytest.raises(ValueError, match=f"weights holds {told} in layer 1: expected") as error:
        check_weights("weights", list(spoiled(number)))
    assert "dropout" not in str(error.value)


def test_dropout_is_suspected_where_weights_are_zero_and_too_large() -> None:
    both = spoiled(1.25)
    both[1, 0, 0, 0] = 0
    with pytest.raises(ValueError, match="its dropout set some weights to 0"):
        check_weights("weights", list(both))
    both[1, 0, 0, 1] = -0.5
    with pytest.raises(ValueError, match=r"holds -0.5 in layer 1: .* If these are scores, apply"):
        check_weights("weights", list(both))


def test_a_single_row_is_warned_of_with_its_place() -> None:
    with pytest.warns(
        UserWarning, match="weights has one row that does not sum to 1: query 3 of l"
    ):
        AttentionTrace.from_arrays(weights=spoiled(0.27))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        AttentionTrace.from_arrays(weights=spoiled(0.2599))
        AttentionTrace.from_arrays(weights=spoiled(0.27), kind="attention")


def test_the_first_value_that_is_not_of_its_kind_is_told_with_its_place() -> None:
    for kind, number in (("signed", 2e30), ("signed", -2e30), ("unnormalized", -0.5)):
        told = re.escape(f"{number:.4g} at layer 1, head 2, query 3, key 0")
        with pytest.raises(ValueError, match=f"weights holds {told}"):
            AttentionTrace.from_arrays(weights=spoiled(number), kind=kind)  # type: ignore[arg-type]
    for kind, number in (("signed", -1e30), ("unnormalized", 1e30), ("unnormalized", 0.0)):
        AttentionTrace.from_arrays(weights=spoiled(number), kind=kind)  # type: ignore[arg-type]


# --- the block and its tokens ----------------------------------------------------------------


def test_attention_is_causal_only_if_all_of_it_is() -> None:
    causal = EVEN.tril()
    assert list(AttentionTrace.from_arrays(weights=causal, kind="attention").blocks) == ["decoder"]
    layers = AttentionTrace.from_arrays(weights=causal, kind="attention").blocks["decoder"].layers
    assert all(layer.given_causal for layer in layers)
    almost = causal.clone()
    almost[1, 2, 0, 1] = 0.1
    assert list(AttentionTrace.from_arrays(weights=almost, kind="attention").blocks) == ["encoder"]
    # Rows alone do not tell: more keys than queries, or values of another kind.
    wide = AttentionTrace.from_arrays(weights=causal[:, :, :2], kind="attention")
    assert list(wide.blocks) == ["encoder"]
    assert list(AttentionTrace.from_arrays(weights=causal, kind="signed").blocks) == ["encoder"]
    encoder = AttentionTrace.from_arrays(weights=EVEN).blocks["encoder"]
    assert not any(layer.given_causal for layer in encoder.layers)


def test_tokens_of_one_side_name_that_side() -> None:
    weights = torch.full((1, 1, 2, 3), 1 / 3)
    block = AttentionTrace.from_arrays(weights=weights, key_tokens=["a", "b", "c"]).blocks["cross"]
    assert (block.query_tokens, block.key_tokens) == (("0", "1"), ("a", "b", "c"))
    block = AttentionTrace.from_arrays(weights=weights, query_tokens=["a", "b"]).blocks["cross"]
    assert (block.query_tokens, block.key_tokens) == (("a", "b"), ("0", "1", "2"))
    vectors = {"queries": torch.ones(1, 1, 2, 4), "keys": torch.ones(1, 1, 3, 4)}
    block = AttentionTrace.from_arrays(**vectors).blocks["encoder"]
    assert (block.query_tokens, block.key_tokens) == (("0", "1"), ("0", "1", "2"))
    for given, arrays in (({"weights": weights}, "weights"), (vectors, None)):
        for side, count in (("query", 2), ("key", 3)):
            name = arrays or {"query": "queries", "key": "keys"}[side]
            message = rf"{side}_tokens holds 1 strings, {name} of shape .* has {count} {side} pos"
            with pytest.raises(ValueError, match=message):
                AttentionTrace.from_arrays(**given, **{f"{side}_tokens": ["a"]})  # type: ignore[arg-type]


def test_sentences_begin_at_any_token_but_the_first() -> None:
    def sentences(start: int) -> Any:
        trace = AttentionTrace.from_arrays(weights=EVEN, sentence_b_start=start)
        return trace.blocks["encoder"].query.sentences

    assert (sentences(1), sentences(3)) == ((0, 1, 1, 1), (0, 0, 0, 1))
    for start in (0, 4, -1):
        with pytest.raises(
            ValueError, match=f"sentence_b_start={start} is out of range: .* 1 to 3"
        ):
            sentences(start)


def test_prettify_tokens_is_on_unless_it_is_off() -> None:
    tokens = ["Ġa", "Ġb", "c", "d"]
    shown = [
        AttentionTrace.from_arrays(tokens, EVEN, **options).blocks["encoder"].query.text
        for options in ({}, {"prettify_tokens": False})
    ]
    assert shown == [(" a", " b", "c", "d"), tuple(tokens)]


def test_a_decoder_needs_a_key_for_every_query() -> None:
    for queries, fine in ((2, True), (3, True), (4, False)):
        arrays = {"queries": torch.ones(1, 1, queries, 2), "keys": torch.ones(1, 1, 3, 2)}
        if fine:
            trace = AttentionTrace.from_arrays(**arrays, kind="decoder")
            last = trace.blocks["decoder"].layers[0].weights()[0, -1]
            assert torch.equal(last, torch.full((3,), 1 / 3))
        else:
            with pytest.raises(ValueError, match="there are 4 queries and 3 keys"):
                AttentionTrace.from_arrays(**arrays, kind="decoder")
        AttentionTrace.from_arrays(**arrays, kind="encoder")


# --- padding ---------------------------------------------------------------------------------


def test_padding_by_the_row_of_the_text() -> None:
    mask = [[1, 1, 0], [0, 1, 1]]
    assert kept_positions(mask, 1, 3, 3) == [1, 2]
    assert kept_positions(mask, -1, 3, 3) == [1, 2]
    assert kept_positions(mask, -2, 3, 3) == kept_positions(mask, None, 3, 3) == [0, 1]
    assert kept_positions(mask[1:], 1, 3, 3) == [1, 2], "one mask is that of any text"
    assert kept_positions(mask[0], 1, 3, 3) == [0, 1]
    for row in (2, -3):
        with pytest.raises(
            ValueError, match=f"a row for each of 2 texts, and batch_index={row} is"
        ):
            kept_positions(mask, row, 3, 3)
    for sides in ((3, 4), (4, 3), (4, 4)):
        with pytest.raises(ValueError, match="for queries and keys that are the same tokens"):
            kept_positions(mask[0], None, *sides)
    for number in (2, -1, 0.5):
        with pytest.raises(ValueError, match="attention_mask holds numbers other than 0 and 1"):
            kept_positions([1, number, 0], None, 3, 3)


def test_padding_is_left_out_of_queries_and_keys_or_kept() -> None:
    vectors = torch.randn(2, 1, 3, 4, 5)
    given: dict[str, Any] = {"queries": vectors[0], "keys": vectors[1], "weights": EVEN[:1]}
    mask = [0, 1, 0, 1]
    part = AttentionTrace.from_arrays(**given, attention_mask=mask, kind="attention")
    layer = part.blocks["encoder"].layers[0]
    assert part.blocks["encoder"].query_tokens == ("1", "3")
    assert torch.equal(layer.queries, vectors[0, 0][:, [1, 3]])  # type: ignore[arg-type]
    assert torch.equal(layer.keys, vectors[1, 0][:, [1, 3]])  # type: ignore[arg-type]
    assert layer.weights().shape == (3, 2, 2)
    whole = AttentionTrace.from_arrays(**given, attention_mask=mask, drop_padding=False)
    assert len(whole.blocks["encoder"].query) == 4


# --- queries and keys ------------------------------------------------------------------------


def test_arrays_that_do_not_fit_each_other_are_named_with_their_layer() -> None:
    queries, keys = torch.ones(2, 4, 3, 8), torch.ones(2, 2, 3, 8)
    lists: dict[str, Any] = {"queries": list(queries), "keys": list(keys)}
    weights = [torch.full((4, 3, 3), 1 / 3), torch.full((4, 3, 3), 1 / 3)]
    AttentionTrace.from_arrays(**lists, weights=weights)
    with pytest.raises(ValueError, match=r"layers: queries 2, keys 2, weights 1"):
        AttentionTrace.from_arrays(**lists, weights=weights[:1])
    with pytest.raises(ValueError, match=r"layers: queries 2, keys 1\."):
        AttentionTrace.from_arrays(queries=list(queries), keys=list(keys[:1]))
    with pytest.raises(ValueError, match=r"weights\[1\] has shape \(2, 3, 3\), .* \(4, 3, 3\)"):
        AttentionTrace.from_arrays(**lists, weights=[weights[0], weights[0][:2]])
    with pytest.raises(ValueError, match=r"queries\[1\] .* and keys\[1\] .* differ in head_dim"):
        AttentionTrace.from_arrays(queries=list(queries), keys=[keys[0], keys[0][..., :7]])
    for name in ("queries", "keys"):
        broken = {**lists, name: [lists[name][0], lists[name][1].clone()]}
        broken[name][1][1, 2, 3] = torch.nan
        with pytest.raises(ValueError, match=f"{name} holds NaN or infinity, .* in layer 1"):
            AttentionTrace.from_arrays(**broken)


def test_products_that_overflow_are_found_in_every_head() -> None:
    queries = torch.ones(3, 2, 4)
    queries[2, 1] = 1e30
    keys = torch.ones(3, 2, 4)
    check_scores(Formula(queries, keys, 1.0), 5)
    keys[2, 0] = 1e30
    with pytest.raises(ValueError, match=r"overflow float32 in layer 5, head 2: .*about 4\.0e\+60"):
        check_scores(Formula(queries, keys, 1.0), 5)
    with pytest.raises(ValueError, match="layer 5, head 0"):
        check_scores(Formula(queries[:1] * 1e18, keys[:1], -1e21), 5)
    # A small factor comes after the product.
    with pytest.raises(ValueError, match="layer 5, head 2"):
        check_scores(Formula(queries, keys, 1e-30), 5)


@pytest.mark.parametrize("scaling", [-1e39, 3.5e38])
def test_a_scaling_of_one_layer_may_be_too_large(scaling: float) -> None:
    vectors = torch.ones(2, 1, 2, 2)
    with pytest.raises(ValueError, match=r"scaling\[1\]=.* is too large for float32"):
        AttentionTrace.from_arrays(queries=vectors, keys=vectors, scaling=[1.0, scaling])


# --- shapes ----------------------------------------------------------------------------------


def test_texts_are_counted_from_either_end() -> None:
    texts = torch.arange(3.0).view(3, 1, 1, 1).expand(3, 2, 4, 4)
    for form in ([texts, texts], torch.stack([texts, texts])):
        for index, expected in ((0, 0), (2, 2), (-1, 2), (-3, 0)):
            layers = as_layers("weights", form, index)
            assert [layer.shape for layer in layers] == [(2, 4, 4)] * 2
            assert all((layer == expected).all() for layer in layers)
        for index in (3, -4):
            with pytest.raises(
                ValueError, match=f"batch_index={index} is out of range: .* 3 texts"
            ):
                as_layers("weights", form, index)
        with pytest.raises(
            ValueError, match="a batch of 3 texts: say which one with batch_index=0 t"
        ):
            as_layers("weights", form)


def test_one_text_needs_no_number() -> None:
    for array in (EVEN[:, None], list(EVEN[:, None])):
        for index in (None, 0, -1):
            assert [layer.shape for layer in as_layers("weights", array, index)] == [(3, 4, 4)] * 2
        with pytest.raises(ValueError, match=r"batch_index=1 is out of range: .* holds one text"):
            as_layers("weights", array, 1)
    with pytest.raises(
        ValueError, match=r"holds one text, since \(2, 3, 4, 4\) is \(layers, heads"
    ):
        as_layers("weights", EVEN, 1)
    with pytest.raises(
        ValueError, match=r"batch_index=1 is out of range: weights holds one text\."
    ):
        as_layers("weights", EVEN[0], 1)


@pytest.mark.parametrize("shape", [(0, 3, 4, 4), (0, 1, 3, 4, 4)])
def test_no_layers_are_none(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=r"has shape .*: expected at least one layer"):
        as_layers("weights", np.zeros(shape))


# --- three stacks ----------------------------------------------------------------------------


def stacks() -> dict[str, Any]:
    return {
        "encoder_attention": torch.full((1, 2, 3, 3), 1 / 3),
        "decoder_attention": torch.full((1, 2, 2, 2), 0.5),
        "cross_attention": torch.full((1, 2, 2, 3), 1 / 3, dtype=torch.float64),
        "encoder_tokens": ["a", "b", "c"],
        "decoder_tokens": ["Ġx", "y"],
    }


def test_three_stacks_have_their_tokens_and_kinds() -> None:
    trace = from_stacks(**stacks())
    found = {
        name: (block.kind, block.query_tokens, block.key_tokens, block.layers[0].given_causal)
        for name, block in trace.blocks.items()
    }
    encoder, decoder = ("a", "b", "c"), ("Ġx", "y")
    assert found == {
        "encoder": ("encoder", encoder, encoder, False),
        "decoder": ("decoder", decoder, decoder, True),
        "cross": ("cross", decoder, encoder, False),
    }
    assert (trace.kind, trace.dtype) == ("attention", "float32")
    assert trace.blocks["cross"].query.text == (" x", "y")
    raw = from_stacks(**stacks(), prettify_tokens=False)
    assert raw.blocks["cross"].query.text == decoder


def test_a_stack_without_its_tokens_says_how_many() -> None:
    for stack, side, count in (
        ("encoder_attention", "encoder_tokens", 3),
        ("decoder_attention", "decoder_tokens", 2),
        ("cross_attention", "decoder_tokens", 2),
        ("cross_attention", "encoder_tokens", 3),
    ):
        given = stacks()
        given[side] = None
        some = {
            name: x
            for name, x in given.items()
            if name in (stack, "encoder_tokens", "decoder_tokens")
        }
        message = f"{stack} was given without {side}: pass {side}, a list of {count} strings"
        with pytest.raises(ValueError, match=message):
            from_stacks(**some)
    with pytest.raises(ValueError, match="are all None: pass one of them"):
        from_stacks(encoder_tokens=["a"])
    with pytest.raises(ValueError, match="kind='decoder' is said by the names of the arguments"):
        from_stacks(**stacks(), kind="decoder")  # type: ignore[arg-type]


def test_steps_of_generate_in_a_stack() -> None:
    steps = [[torch.full((1, 2, 1, 3), 1 / 3)] for _ in range(2)]
    rows = [[torch.full((1, 2, 1, n), 1 / n)] for n in (1, 2)]
    given = {"encoder_tokens": ["a", "b", "c"], "decoder_tokens": ["x", "y", "written last"]}
    trace = from_stacks(cross_attention=steps, decoder_attention=rows, **given)
    assert trace.blocks["cross"].query_tokens == ("x", "y")
    assert trace.blocks["decoder"].layers[0].weights()[0].tolist() == [[1, 0], [0.5, 0.5]]
    beams = [[torch.full((2, 2, 1, 3), 1 / 3)] for _ in range(2)]
    with pytest.raises(
        ValueError, match=r"cross_attention holds the steps of generate\(\) for 2 te"
    ):
        from_stacks(cross_attention=beams, **given)
