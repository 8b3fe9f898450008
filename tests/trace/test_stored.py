"""JSON of another kind than a field's becomes no trace, whichever field it is."""

from __future__ import annotations

import copy
import json
import re
from typing import Any

import pytest
import torch

from bertviz import AttentionTrace
from bertviz.trace import AttentionBlock, Formula, LayerAttention, Tokens
from bertviz.trace.stored import LARGEST, restored, written

EXACT = {
    "max_difference": 1e-7,
    "dtype": "float32",
    "layers": {"cross": [0.0, 1e-7]},
    "terms": ["mask"],
    "compared_with": "what the model computed",
    "note": None,
}


def made() -> AttentionTrace:
    """Every field is there: a formula with all terms, weights, two sentences, a report."""
    mask = torch.zeros(1, 2, 3)
    formula = Formula(
        queries=torch.ones(2, 2, 4),
        keys=torch.ones(1, 3, 4),
        scaling=0.5,
        softcap=30.0,
        sinks=torch.zeros(2),
        mask=mask,
        position_bias=torch.zeros(1, 2, 3, dtype=torch.bfloat16),
        causal=True,
        key_heads=(0, 0),
        rotary=True,
    )
    layers = (
        LayerAttention(4, "a.4", (1, 3), formula),
        LayerAttention(5, "a.5", (1, 3), given_weights=torch.zeros(2, 2, 3), given_causal=True),
        LayerAttention(6, "a.6", (1, 3), Formula(formula.queries, formula.keys, 1.0, mask=mask)),
    )
    query, key = Tokens.read(["x", "##y"], sentences=[0, 1]), Tokens.read(["a", "b", "c"])
    block = AttentionBlock("cross", "cross", query, key, layers)
    return AttentionTrace(
        {"cross": block}, "Bert", "bfloat16", EXACT, skipped={"a.7": "out of memory"}
    )


def stored() -> tuple[Any, dict[str, torch.Tensor]]:
    about, tensors = written(made())
    return json.loads(json.dumps(about)), tensors


def test_every_field_comes_back() -> None:
    trace, (about, tensors) = made(), stored()
    back = restored(about, tensors)
    assert json.loads(json.dumps(written(back)[0])) == about
    assert (back.model_name, back.dtype, back.kind) == ("Bert", "bfloat16", "attention")
    assert (back.exactness, back.skipped) == (EXACT, {"a.7": "out of memory"})
    for mine, theirs in zip(trace.blocks["cross"].layers, back.blocks["cross"].layers, strict=True):
        assert (mine.index, mine.name, mine.heads) == (theirs.index, theirs.name, theirs.heads)
        assert torch.equal(mine.weights(), theirs.weights())
        assert mine.given_causal == theirs.given_causal
    first, _, last = (layer.formula for layer in back.blocks["cross"].layers)
    assert first is not None
    assert last is not None
    assert (first.mask is last.mask, first.queries is last.queries) == (True, True)
    assert (first.key_heads, first.rotary, first.causal, first.softcap) == ((0, 0), True, True, 30)
    names = {f"cross.0.{name}" for name in ("queries", "keys", "sinks", "mask", "position_bias")}
    assert set(tensors) == {*names, "cross.1.given_weights"}
    assert tensors["cross.0.queries"] is not trace.blocks["cross"].layers[0].queries


BLOCK = ("blocks", 0)
LAYER = (*BLOCK, "layers", 0)
FORMULA = (*LAYER, "formula")
TEXTS: list[Any] = [3, None, ["a"], {}]
FLAGS: list[Any] = [0, 1, None, "true", []]
COUNTS: list[Any] = [-1, 0.0, True, "1", None, LARGEST, [0]]
NUMBERS: list[Any] = ["1", None, True, [1.0], 10**400]
LISTS: list[Any] = ["ab", 3, None, {"0": 0}]
TENSORS: list[Any] = ["cross.0.mask", 3, {"tensor": 3}, {"tensor": "cross.0.mask", "more": 1}, {}]
OBJECTS: list[Any] = [3, None, "a", []]
FIELDS: list[tuple[tuple[Any, ...], list[Any], str]] = [
    (("model_name",), [3, [], {}], "model_name is {}, {}: expected a text"),
    (("dtype",), TEXTS, "dtype is {}, {}: expected a text"),
    (("kind",), ["gradient", *TEXTS], "kind is {}, {}: expected one of attention, signed, unnorm"),
    (("blocks",), LISTS, "blocks is {}, {}: expected a list"),
    (BLOCK, OBJECTS, "blocks[0] is {}, {}: expected an object"),
    ((*BLOCK, "name"), TEXTS, "blocks[0].name is {}, {}: expected a text"),
    ((*BLOCK, "kind"), ["self", *TEXTS], "kind is {}, {}: expected one of encoder, decoder, cross"),
    ((*BLOCK, "query", "strings"), LISTS, "query.strings is {}, {}: expected a list"),
    ((*BLOCK, "query", "strings", 1), TEXTS, "query.strings[1] is {}, {}: expected a text"),
    ((*BLOCK, "key", "text"), LISTS, "key.text is {}, {}: expected a list"),
    ((*BLOCK, "query", "sentences"), ["ab", 3], "query.sentences is {}, {}: expected a list"),
    ((*BLOCK, "query", "sentences", 0), COUNTS, "sentences[0] is {}, {}: expected an integer from"),
    ((*BLOCK, "query", "words", 1), COUNTS, "words[1] is {}, {}: expected an integer from 0"),
    ((*BLOCK, "query", "special", 1), FLAGS, "special[1] is {}, {}: expected true or false"),
    ((*BLOCK, "query", "named"), FLAGS, "named is {}, {}: expected true or false"),
    ((*LAYER, "index"), COUNTS, "layers[0].index is {}, {}: expected an integer from 0"),
    ((*LAYER, "name"), TEXTS, "layers[0].name is {}, {}: expected a text"),
    ((*LAYER, "heads"), LISTS, "heads is {}, {}: expected a list"),
    ((*LAYER, "heads", 1), COUNTS, "heads[1] is {}, {}: expected an integer from 0"),
    ((*LAYER, "given_causal"), FLAGS, "given_causal is {}, {}: expected true or false"),
    ((*LAYER, "given_weights"), TENSORS, "given_weights is {}, {}: expected the name of a tensor"),
    (FORMULA, [3, "a", []], "formula is {}, {}: expected an object"),
    ((*FORMULA, "queries"), [None, *TENSORS], "queries is {}, {}: expected the name of a tensor"),
    ((*FORMULA, "keys"), [None, *TENSORS], "keys is {}, {}: expected the name of a tensor"),
    ((*FORMULA, "sinks"), TENSORS, "sinks is {}, {}: expected the name of a tensor"),
    ((*FORMULA, "position_bias"), TENSORS, "position_bias is {}, {}: expected the name of a tens"),
    ((*FORMULA, "scaling"), NUMBERS, "scaling is {}, {}: expected a"),
    ((*FORMULA, "softcap"), ["1", True, []], "softcap is {}, {}: expected a number"),
    ((*FORMULA, "causal"), FLAGS, "causal is {}, {}: expected true or false"),
    ((*FORMULA, "rotary"), FLAGS, "rotary is {}, {}: expected true or false"),
    ((*FORMULA, "key_heads"), ["ab", 3], "key_heads is {}, {}: expected a list"),
    ((*FORMULA, "key_heads", 0), COUNTS, "key_heads[0] is {}, {}: expected an integer from 0"),
    (("exactness",), [3, "a", []], "exactness is {}, {}: expected an object"),
    (("exactness", "max_difference"), NUMBERS, "max_difference is {}, {}: expected a"),
    (("exactness", "dtype"), TEXTS, "exactness.dtype is {}, {}: expected a text"),
    (("exactness", "layers"), OBJECTS, "exactness.layers is {}, {}: expected an object"),
    (("exactness", "layers", "cross"), LISTS, "layers.cross is {}, {}: expected a list"),
    (("exactness", "layers", "cross", 0), NUMBERS, "layers.cross[0] is {}, {}: expected a"),
    (("exactness", "terms", 0), TEXTS, "exactness.terms[0] is {}, {}: expected a text"),
    (("exactness", "compared_with"), TEXTS, "compared_with is {}, {}: expected a text"),
    (("exactness", "note"), [3, []], "exactness.note is {}, {}: expected a text"),
    (("skipped",), OBJECTS, "skipped is {}, {}: expected an object"),
    (("skipped", "a.7"), TEXTS, "skipped.a.7 is {}, {}: expected a text"),
]


def change(about: Any, place: tuple[Any, ...], value: Any) -> Any:
    held = about = copy.deepcopy(about)
    for key in place[:-1]:
        held = held[key]
    held[place[-1]] = value
    return about


@pytest.mark.parametrize(("place", "values", "message"), FIELDS)
def test_a_field_of_another_kind_is_named(
    place: tuple[Any, ...], values: list[Any], message: str
) -> None:
    about, tensors = stored()
    pattern = re.escape(message).replace(r"\{\}", ".*")
    for value in values:
        with pytest.raises(ValueError, match=pattern):
            restored(change(about, place, value), tensors)


def fields(value: Any, place: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    found = []
    if isinstance(value, dict) and "tensor" not in value:
        for key in value:
            if place not in (("skipped",), ("exactness", "layers")):
                found.append((*place, key))
            found += fields(value[key], (*place, key))
    elif isinstance(value, list):
        for at, item in enumerate(value):
            found += fields(item, (*place, at))
    return found


def test_every_field_is_needed_and_no_other_is_known() -> None:
    about, tensors = stored()
    places = fields(about)
    assert len(places) > 60
    for place in places:
        held = less = copy.deepcopy(about)
        for key in place[:-1]:
            held = held[key]
        del held[place[-1]]
        with pytest.raises(ValueError, match=f"{place[-1]} is missing"):
            restored(less, tensors)
        more = change(about, (*place[:-1], "more"), 1)
        with pytest.raises(ValueError, match="has 'more', which is unknown"):
            restored(more, tensors)


def test_names_of_blocks_and_tensors_fit() -> None:
    about, tensors = stored()
    twice = {**about, "blocks": about["blocks"] * 2}
    with pytest.raises(ValueError, match="blocks has two blocks of one name"):
        restored(twice, tensors)
    with pytest.raises(ValueError, match="it holds tensor 'x', which the trace does not use"):
        restored(about, {**tensors, "x": torch.ones(1)})
    with pytest.raises(
        ValueError, match=r"queries is tensor 'cross\.0\.queries', which the file d"
    ):
        restored(about, {n: t for n, t in tensors.items() if n != "cross.0.queries"})


def test_numbers_at_their_edges() -> None:
    about, tensors = stored()
    largest = change(about, (*LAYER, "index"), LARGEST - 1)
    assert restored(largest, tensors).blocks["cross"].layers[0].index == LARGEST - 1
    whole = restored(change(about, (*FORMULA, "scaling"), 2), tensors)
    scaling = whole.blocks["cross"].layers[0].scaling
    assert (scaling, type(scaling)) == (2.0, float)
    for number in (float("nan"), float("inf")):
        with pytest.raises(ValueError, match=r"scaling is .*: expected a finite number"):
            restored(change(about, (*FORMULA, "scaling"), number), tensors)
