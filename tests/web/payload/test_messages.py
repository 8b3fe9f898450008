"""A state that is refused is refused for its own reason, and the sentence says what there is."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from bertviz.trace import AttentionTrace
from bertviz.web import payload
from bertviz.web.payload import STATE, check_state
from bertviz.web.payload.state_tokens import left_by, pairs_of
from tests.helpers import Difference

TOKENS = ["[CLS]", "the", "straw", "##berry", "[SEP]", "red", "[SEP]"]


def vectors(seed: int, **options: Any) -> AttentionTrace:
    both = np.random.default_rng(seed).normal(size=(2, 2, 3, 7, 4))
    return AttentionTrace.from_arrays(TOKENS, queries=both[0], keys=both[1], **options)


class Explanation:
    """As much of an explanation as a payload takes."""

    block, layer, head, what = "encoder", 1, 2, "attention"
    units = ((0,), (1, 2), (3,))
    contributions = (0.1, 0.2, 0.4)


PAIR = vectors(0, sentence_b_start=5)
SIGNED = AttentionTrace.from_arrays(TOKENS, np.full((2, 3, 7, 7), -1.0), kind="signed")
PLAIN = AttentionTrace.from_arrays(["a"], np.ones((1, 2, 1, 1)))
ONE_SIDE = AttentionTrace.from_arrays(
    weights=np.full((1, 1, 1, 2), 0.5),
    query_tokens=["a"],
    key_tokens=["straw", "##berry"],
    kind="cross",
)
MEASURE = {"name": "mine", "diverging": False, "values": {}, "null": None}
PAYLOADS: dict[str, dict[str, Any]] = {
    "head": payload.build(PAIR, "head"),
    "one sentence": payload.build(vectors(0), "head"),
    "plain": payload.build(PLAIN, "head"),
    "words of keys": payload.build(ONE_SIDE, "head"),
    "signed": payload.build(SIGNED, "head"),
    "comparison": payload.build(PAIR, "head", comparison=Difference(vectors(1), PAIR)),
    "model": payload.build(PAIR, "model"),
    "measured": payload.build(PAIR, "model", measures=[MEASURE]),
    "compared": payload.build(PAIR, "model", comparison=Difference(vectors(1), PAIR)),
    "neuron": payload.build(PAIR, "neuron"),
    "explained": payload.build(PAIR, "neuron", explanation=Explanation()),
}
CANCEL = "a comparison: differences of opposite sign would cancel out"
SUMS = "signed values, whose sums are to be passed: the page does not add them up"
REFUSED: list[tuple[str, dict[str, Any], str]] = [
    ("plain", {"query": 1}, "query=1 is out of range: the text has one query token, 0."),
    ("plain", {"block": "x"}, "block='x' is not in this head view: expected 'encoder'."),
    ("plain", {"layer": 1}, "layer=1 is not in this head view: 'encoder' has layer 0."),
    ("plain", {"words": True}, "words=True has nothing to join: every word of this text is one"),
    ("plain", {"pair": "A→A"}, "pair='A→A' is not in this head view: 'encoder' does not have two"),
    ("head", {"block": None}, "block=None is a NoneType: expected a name."),
    ("head", {"heads": []}, "heads=[] is empty: layer 0 has heads 0 to 2."),
    ("head", {"heads": [0, 3]}, "heads holds 3, which is not in this head view: layer 0 has"),
    ("head", {"mass": 1.01}, "mass=1.01 is out of range: expected a number above 0 and up to 1"),
    ("head", {"pair": "A→B", "key": 4}, "key=4 is left out by pair='A→B'."),
    ("head", {"pair": "A→B", "query": 5}, "query=5 is left out by pair='A→B'."),
    ("head", {"hide": "special", "key": 4}, "key=4 is left out by hide='special'."),
    ("head", {"hide": "first", "query": 0}, "query=0 is left out by hide='first'."),
    ("head", {"query": 2, "also": [2]}, "also holds 2, which is selected as query= already."),
    ("head", {"key": 2, "also": [2]}, "also holds 2, which is selected as key= already."),
    (
        "head",
        {"query": 2, "also": [7]},
        "also holds 7, which is out of range: the text has 7 query",
    ),
    ("head", {"key": 2, "also": [7]}, "also holds 7, which is out of range: the text has 7 key"),
    ("head", {"locked": True}, "locked=True needs query= or key=: nothing is selected."),
    ("head", {"renormalize": True}, "renormalize=True needs a filter, since whole rows sum to one"),
    (
        "head",
        {"zoom": [0, 3, 5, 8]},
        "zoom=[0, 3, 5, 8] is not a window: its key tokens 5 to 8 are",
    ),
    ("head", {"zoom": [3, 3, 0, 2]}, "its query tokens 3 to 3 are not a range within 0 to 7"),
    (
        "head",
        {"zoom": [0, 2, 2, 4], "key": 4},
        "key=4 is outside zoom=[0, 2, 2, 4], which shows key",
    ),
    ("signed", {"words": True}, f"words=True does not go with {SUMS} within a word."),
    ("signed", {"combine": "sum"}, f"combine='sum' does not go with {SUMS} between heads."),
    (
        "signed",
        {"renormalize": True, "hide": "first"},
        "renormalize=True does not go with signed va",
    ),
    ("comparison", {"words": True}, f"words=True does not go with {CANCEL} within a word."),
    ("comparison", {"combine": "mean"}, f"combine='mean' does not go with {CANCEL} between heads."),
    (
        "comparison",
        {"renormalize": True, "hide": "first"},
        "renormalize=True does not go with a com",
    ),
    (
        "model",
        {"cell": [2, 0]},
        "cell=[2, 0]: layer 2 is not in this model view: 'encoder' has lay",
    ),
    ("model", {"cell": [1, 3]}, "cell=[1, 3]: head 3 is not in this model view: layer 1 has heads"),
    (
        "model",
        {"cell": [1, 0], "layer": 0},
        "layer=0 does not go with cell=[1, 0], which opens layer 1",
    ),
    ("model", {"measure": "x"}, "expected 'entropy', 'distance', 'first'."),
    ("model", {"measure": 3}, "measure=3 is an int: expected a name."),
    (
        "model",
        {"sorted": True, "measure": None},
        "sorted=True needs a measure to sort by: pass measure='entropy'.",
    ),
    ("measured", {"measure": "x"}, "expected 'mine', 'entropy', 'distance', 'first'."),
    (
        "compared",
        {"measure": "entropy"},
        "measure='entropy' is not in this model view: it has none.",
    ),
    ("compared", {"sorted": True}, "sorted=True needs a measure to sort by, and there is none."),
    (
        "neuron",
        {"heads": [0, 1]},
        "heads=[0, 1] holds 2 heads, and a neuron view shows one: pass heads=[0]",
    ),
    (
        "neuron",
        {"query": None},
        "query=None does not go with open columns, which belong to a query",
    ),
    ("neuron", {"off": [4]}, "off holds 4, which is out of range: a head has 4 neurons, 0 to 3."),
    ("neuron", {"off": [0, 1, 2, 3]}, "off holds all 4 neurons: at least one has to stay on."),
    ("neuron", {"sort": "explanation"}, "sort='explanation' needs an explanation"),
    (
        "explained",
        {"sort": "explanation"},
        "is of head 2 of layer 1 in 'encoder', and this is head 0 of layer 0",
    ),
    ("explained", {"sort": "explanation", "layer": 1, "heads": [1]}, "this is head 1 of layer 1"),
]


@pytest.mark.parametrize(("name", "state", "message"), REFUSED)
def test_a_refusal_gives_its_reason(name: str, state: dict[str, Any], message: str) -> None:
    data = PAYLOADS[name]
    with pytest.raises((TypeError, ValueError)) as caught:
        check_state(data["view"], data, state)
    assert message in str(caught.value)


ACCEPTED: list[tuple[str, dict[str, Any]]] = [
    ("head", {"mass": 1.0}),
    ("head", {"zoom": [6, 7, 0, 7], "query": 6, "key": 0}),
    ("head", {"zoom": None, "query": 6, "key": None}),
    ("head", {"words": True, "query": 2}),
    ("words of keys", {"words": True}),
    ("head", {"pair": "A→B", "query": 4, "key": 5}),
    ("head", {"renormalize": True, "pair": "A→B"}),
    ("head", {"renormalize": True, "hide": "first"}),
    ("head", {"locked": True, "key": 0}),
    ("head", {"locked": False}),
    ("signed", {"combine": "each", "hide": "special"}),
    ("model", {"cell": [1, 2], "layer": 1}),
    ("model", {"cell": None, "measure": None}),
    ("measured", {"sorted": True}),
    ("neuron", {"query": None, "detail": False}),
    ("neuron", {"locked": True}),
    ("neuron", {"off": [0, 1, 2]}),
    ("explained", {"sort": "explanation", "layer": 1, "heads": [2]}),
]


@pytest.mark.parametrize(("name", "state"), ACCEPTED)
def test_what_can_be_shown_is_accepted(name: str, state: dict[str, Any]) -> None:
    assert check_state(PAYLOADS[name]["view"], PAYLOADS[name], state) == state


def test_filters_leave_positions_of_their_side() -> None:
    block = PAYLOADS["head"]["blocks"][0]
    tokens = block["query"]
    assert left_by(tokens, "query", {}) == list(range(7))
    assert left_by(tokens, "query", {"pair": "B→A"}) == [5, 6]
    assert left_by(tokens, "key", {"pair": "B→A"}) == [0, 1, 2, 3, 4]
    assert left_by(tokens, "key", {"words": True}) == [0, 1, 2, 4, 5, 6]
    assert left_by(tokens, "key", {"hide": "special", "words": True}) == [1, 2, 5]
    assert left_by(tokens, "key", {"hide": "first"}) == [1, 2, 3, 4, 5, 6]
    special = {**tokens, "special": list(range(7))}
    assert left_by(special, "key", {"hide": "special"}) == list(range(7))
    none = {**tokens, "sentences": None}
    assert left_by(none, "key", {"pair": "A→A"}) == list(range(7))


def test_words_of_many_tokens_stand_at_their_first() -> None:
    words = {"of": [0, 0, 0, 1, 2, 2], "text": ["a", "b", "c"]}
    tokens = {"text": list("abcdef"), "words": words, "sentences": None, "special": []}
    assert left_by(tokens, "key", {"words": True}) == [0, 3, 4]


def test_the_values_that_are_listed() -> None:
    assert STATE["head"]["words"] == (False, True)
    assert STATE["head"]["mode"] == ("lines", "matrix")
    assert STATE["head"]["query"] is None


def test_pairs_that_both_sides_have() -> None:
    tokens = PAYLOADS["head"]["blocks"][0]["query"]
    none, first = ({**tokens, "sentences": which} for which in (None, [0, 0]))
    assert pairs_of({"query": tokens, "key": None}) == ["All", "A→A", "B→B", "A→B", "B→A"]
    assert pairs_of({"query": tokens, "key": first}) == ["All", "A→A", "B→A"]
    assert pairs_of({"query": first, "key": tokens}) == ["All", "A→A", "A→B"]
    for query, key in ((none, tokens), (tokens, none), (none, None)):
        assert pairs_of({"query": query, "key": key}) == ["All"]
