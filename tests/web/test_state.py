"""A state that Python accepts is one that the page shows unchanged; all others are refused."""

from __future__ import annotations

import dataclasses
import itertools
import json
import subprocess
from collections.abc import Iterator
from functools import cache
from typing import Any

import numpy as np
import pytest
import torch

from bertviz.trace import AttentionBlock, AttentionTrace, LayerAttention, Tokens
from bertviz.web import page, payload
from bertviz.web.payload import STATE, check_state
from bertviz.web.payload.state import PAGE_MEASURES
from tests.helpers import NODE, ROOT, Difference

KEPT = ROOT / "tests" / "js" / "kept_states.js"
TOKENS = ["[CLS]", "the", "straw", "##berry", "[SEP]", "red", "[SEP]"]


def vectors(seed: int, layers: int = 3, heads: int = 4, tokens: int = 7) -> Any:
    return np.random.default_rng(seed).normal(size=(2, layers, heads, tokens, 4))


def pair_trace(seed: int = 0) -> AttentionTrace:
    """Two sentences, a word of two subword tokens, queries and keys."""
    queries, keys = vectors(seed)
    return AttentionTrace.from_arrays(TOKENS, queries=queries, keys=keys, sentence_b_start=5)


def cross_trace() -> AttentionTrace:
    """Two blocks: other layers and heads, and fewer queries than keys."""
    trace = plain_trace()
    [encoder] = trace.blocks.values()
    later = tuple(dataclasses.replace(layer, index=layer.index + 1) for layer in encoder.layers)
    encoder = dataclasses.replace(encoder, layers=later)
    layers = tuple(
        LayerAttention(index, "", heads, given_weights=torch.full((len(heads), 2, 3), 1 / 3))
        for index, heads in ((0, (0, 2)), (1, (0, 1, 2, 3)))
    )
    cross = AttentionBlock("cross", "cross", Tokens.read(["x", "y"]), encoder.key, layers)
    return dataclasses.replace(trace, blocks={"encoder": encoder, "cross": cross})


def special_trace() -> AttentionTrace:
    """Special tokens alone: hiding them would leave nothing, so it hides nothing."""
    return AttentionTrace.from_arrays(["[CLS]", "[SEP]"], np.full((1, 4, 2, 2), 0.5))


def plain_trace() -> AttentionTrace:
    """One sentence, whole words, weights only."""
    weights = np.full((2, 2, 3, 3), 1 / 3)
    return AttentionTrace.from_arrays(["a", "b", "c"], weights)


def value_trace() -> AttentionTrace:
    """The tokens of a pair, with values that are not attention."""
    values = np.random.default_rng(2).normal(size=(3, 4, 7, 7))
    return AttentionTrace.from_arrays(TOKENS, values, sentence_b_start=5, kind="signed")


class Explanation:
    """As much of an explanation as a payload takes."""

    block, layer, head, what = "encoder", 1, 2, "attention"
    units = ((0,), (1,), (2,), (3,))
    contributions = (0.1, 0.2, 0.3, 0.4)


MEASURE = {
    "name": "mine",
    "diverging": False,
    "values": {"encoder": {0: {0: 1.0}}},
    "null": None,
}


@cache
def payloads() -> dict[str, dict[str, Any]]:
    one, other = pair_trace(), pair_trace(1)
    return {
        "head": payload.build(one, "head"),
        "head, some": payload.build(one, "head", include_layers=[0, 2], include_heads=[1, 3]),
        "head, plain": payload.build(plain_trace(), "head"),
        "head, special": payload.build(special_trace(), "head"),
        "head, comparison": payload.build(other, "head", comparison=Difference(one, other)),
        "head, values": payload.build(value_trace(), "head"),
        "model, values": payload.build(value_trace(), "model"),
        "head, blocks": payload.build(cross_trace(), "head"),
        "model, blocks": payload.build(cross_trace(), "model"),
        "model": payload.build(one, "model"),
        "model, measured": payload.build(one, "model", measures=[MEASURE]),
        "model, comparison": payload.build(other, "model", comparison=Difference(one, other)),
        "neuron": payload.build(one, "neuron"),
        "neuron, explained": payload.build(one, "neuron", explanation=Explanation()),
    }


POSITIONS = [None, 0, 1, 2, 3, 5, 6]
VALUES: dict[str, list[Any]] = {
    "block": ["encoder", "cross"],
    "layer": [0, 1, 2],
    "heads": [[0], [2], [1, 3], [0, 1, 2, 3]],
    "query": POSITIONS,
    "key": POSITIONS,
    "also": [[], [0], [2, 3], [5, 6]],
    "locked": [True, False],
    "pair": ["All", "A→A", "B→B", "A→B", "B→A"],
    "mode": ["lines", "matrix"],
    "words": [True, False],
    "combine": ["each", "mean", "sum"],
    "hide": ["nothing", "special", "first", "both"],
    "mass": [1, 0.5, 0.999, 1.0],
    "renormalize": [True, False],
    "panel": ["text", "model"],
    "zoom": [None, [0, 3, 0, 3], [2, 7, 1, 7], [0, 2, 0, 3]],
    "cell": [None, [0, 0], [2, 3]],
    "measure": [None, "entropy", "distance", "first", "mine"],
    "sorted": [True, False],
    "detail": [True, False],
    "off": [[], [0], [1, 3]],
    "temperature": [1, 0.1, 2.5, 10.0],
    "sort": ["model", "contribution", "explanation"],
}
NEVER: dict[str, list[Any]] = {
    "block": ["decoder", ""],
    "layer": [7, -1],
    "heads": [[], [4], [1, 9], [-1]],
    "query": [7, -1, 99],
    "key": [7, -1, 99],
    "also": [[7], [-1]],
    "pair": ["C→D"],
    "mode": ["matrx"],
    "combine": ["max"],
    "hide": ["last"],
    "mass": [0, -1, 2],
    "panel": ["heads"],
    "zoom": [[0, 8, 0, 7], [3, 3, 0, 2], [4, 2, 0, 2], [-1, 2, 0, 2]],
    "cell": [[3, 0], [0, 9], [-1, 0]],
    "measure": ["entropi"],
    "off": [[0, 1, 2, 3], [4], [-1]],
    "temperature": [0, -1, 0.05, 11],
    "sort": ["size"],
}


def cases() -> Iterator[tuple[str, dict[str, Any]]]:
    """Every value alone, and many states of several keys."""
    for number, (name, data) in enumerate(payloads().items()):
        keys = list(STATE[data["view"]])
        for key in keys:
            yield from ((name, {key: value}) for value in VALUES[key] + NEVER.get(key, []))
        rng = np.random.default_rng(number)
        for size in 80 * [2, 3, 4]:
            chosen = [keys[i] for i in rng.choice(len(keys), size, replace=False)]
            yield name, {key: VALUES[key][rng.integers(len(VALUES[key]))] for key in chosen}


def is_stricter(view: str, state: dict[str, Any]) -> bool:
    """Whether Python refuses on purpose what the page keeps.

    With open columns the page selects a query by itself, after it has looked at ``also``.
    """
    nothing = state.get("query") is None and state.get("key") is None
    return view == "neuron" and nothing and bool(state.get("also"))


def on_the_page(
    payloads: dict[str, dict[str, Any]], cases: list[tuple[str, dict[str, Any]]]
) -> list[str | None]:
    """Why the page cannot show each of some states as it is; None where it can."""
    names = list(payloads)
    given = {
        "bundle": page.bundle(),
        "payloads": list(payloads.values()),
        "cases": [(names.index(name), state) for name, state in cases],
    }
    result = subprocess.run([NODE, KEPT], input=json.dumps(given), capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    verdicts: list[str | None] = json.loads(result.stdout)
    return verdicts


def in_python(data: dict[str, Any], state: dict[str, Any]) -> tuple[dict[str, Any], str | None]:
    """The state as it is accepted, or as it is and why it is refused."""
    try:
        return check_state(data["view"], data, state), None
    except ValueError as error:
        return state, str(error)


def test_python_accepts_what_the_page_shows_unchanged() -> None:
    every = list(cases())
    results = [in_python(payloads()[name], state) for name, state in every]
    accepted = [(name, state) for (name, _), (state, _) in zip(every, results, strict=True)]
    verdicts = on_the_page(payloads(), accepted)
    different, refused = [], 0
    for (name, state), (_, problem), verdict in zip(every, results, verdicts, strict=True):
        refused += problem is not None
        agreed = (problem is None) == (verdict is None)
        if not agreed and not is_stricter(payloads()[name]["view"], state):
            different.append((name, state, problem, verdict))
    assert different == []
    assert 0.2 < refused / len(every) < 0.8, "both happen"


@pytest.mark.parametrize("heads", [50, 51])  # thumbnails with a bar, and plain tiles
def test_a_model_view_begins_with_a_measure(heads: int) -> None:
    trace = AttentionTrace.from_arrays(["a"], np.ones((30, heads, 1, 1)))
    data = payload.build(trace, "model")
    states: list[dict[str, Any]] = [{"sorted": True}, {"sorted": True, "measure": None}]
    ours = [in_python(data, state)[1] is None for state in states]
    assert ours == [True, False]
    verdicts = on_the_page({"model": data}, [("model", state) for state in states])
    assert [verdict is None for verdict in verdicts] == ours


def problem_of(name: str, **state: Any) -> str:
    data = payloads()[name]
    with pytest.raises((TypeError, ValueError)) as caught:
        check_state(data["view"], data, state)
    return f"{caught.type.__name__}: {caught.value}"


@pytest.mark.parametrize(
    ("name", "state", "problem"),
    [
        (
            "head",
            {"query": 99},
            "ValueError: query=99 is out of range: the text has 7 query tokens, 0 to 6.",
        ),
        (
            "head",
            {"key": -1},
            "ValueError: key=-1 is out of range: the text has 7 key tokens, 0 to 6.",
        ),
        (
            "head",
            {"words": True, "query": 3},
            "ValueError: query=3 is not the first token of its word: with words=True a word is"
            " selected by its first token, 2.",
        ),
        (
            "head",
            {"zoom": [1, 4, 0, 4], "query": 0},
            "ValueError: query=0 is outside zoom=[1, 4, 0, 4], which shows query tokens 1 to 3.",
        ),
        (
            "head",
            {"mode": "matrx"},
            "ValueError: mode='matrx' is unknown: expected 'lines' or 'matrix'.",
        ),
        (
            "head, some",
            {"layer": 1},
            "ValueError: layer=1 is not in this head view: 'encoder' has layers 0, 2.",
        ),
        (
            "model",
            {"cell": [1, 9]},
            "ValueError: cell=[1, 9]: head 9 is not in this model view: layer 1 has heads 0 to 3.",
        ),
        (
            "neuron",
            {"also": [2]},
            "ValueError: also=[2] needs query= or key=: these are tokens selected beside it.",
        ),
        (
            "head",
            {"query": True},
            "TypeError: query=True is a bool: expected an integer, such as query=0.",
        ),
        (
            "head",
            {"query": 1.5},
            "TypeError: query=1.5 is a float: expected an integer, such as query=0.",
        ),
        ("head", {"words": "yes"}, "TypeError: words='yes' is a str: expected True or False."),
        ("head", {"locked": 1}, "TypeError: locked=1 is an int: expected True or False."),
        (
            "head",
            {"heads": 3},
            "TypeError: heads=3 is an int: expected a list of integers, such as heads=[0].",
        ),
        (
            "head",
            {"also": [1, "2"]},
            "TypeError: also holds '2', a str: expected integers, such as also=[0].",
        ),
        (
            "head",
            {"zoom": [0, 3]},
            "ValueError: zoom=[0, 3] has 2 numbers, not 4: expected a list of integers, such as"
            " zoom=[0, 1, 2, 3].",
        ),
        *(
            ("head", {key: value}, f"{kind.__name__}: {key}{problem}")
            for key, value, kind, problem in (
                (
                    "query",
                    torch.tensor(0.5),
                    TypeError,
                    "=tensor(0.5000) is a Tensor: expected an integer, such as query=0.",
                ),
                (
                    "layer",
                    10**400,
                    ValueError,
                    f"={10**56!s}... is out of range: expected an integer, such as layer=0.",
                ),
                (
                    "heads",
                    torch.tensor(0.5),
                    TypeError,
                    "=tensor(0.5000) is a Tensor: expected a list of integers, such as heads=[0].",
                ),
                (
                    "zoom",
                    {0, 1, 2, 3},
                    TypeError,
                    " is a set, which has no order: expected a list of integers, such as zoom=[0,"
                    " 1, 2, 3].",
                ),
                (
                    "also",
                    itertools.count(),
                    ValueError,
                    " holds more than 1,000,000 items: expected a list of integers, such as"
                    " also=[0].",
                ),
                (
                    "mass",
                    -0.0,
                    ValueError,
                    "=-0.0 is out of range: expected a number above 0 and up to 1, the part of"
                    " each row that lines show.",
                ),
                (
                    "constructor",
                    1,
                    TypeError,
                    " is not part of what a head view shows: expected some of"
                    f" {', '.join(STATE['head'])}.",
                ),
                (
                    "__proto__",
                    {},
                    TypeError,
                    " is not part of what a head view shows: expected some of"
                    f" {', '.join(STATE['head'])}.",
                ),
            )
        ),
        (
            "head",
            {"mass": float("nan")},
            "ValueError: mass=nan is not finite: expected a number above 0 and up to 1, the part"
            " of each row that lines show.",
        ),
    ],
)
def test_a_refusal_says_what_there_is(name: str, state: dict[str, Any], problem: str) -> None:
    assert problem_of(name, **state) == problem


@pytest.mark.parametrize(("view", "key"), [("head", "cell"), ("model", "mode"), ("neuron", "zoom")])
def test_a_key_of_another_view_is_unknown(view: str, key: str) -> None:
    expected = ", ".join(STATE[payloads()[view]["view"]])
    problem = (
        f"TypeError: {key} is not part of what a {view} view shows: expected some of {expected}."
    )
    assert problem_of(view, **{key: None}) == problem


@pytest.mark.parametrize("key", [key for key, values in STATE["head"].items() if values])
def test_listed_values_are_of_their_type(key: str) -> None:
    for value in (None, 7, [0]):
        assert problem_of("head", **{key: value}).startswith(f"TypeError: {key}={value!r} is a")


def test_a_state_becomes_json() -> None:
    state = {
        "heads": np.array([3, 1, 3]),
        "query": np.int64(2),
        "also": (5, 6, 5),
        "locked": np.bool_(True),
        "mass": np.float32(0.5),
    }
    found = check_state("head", payloads()["head"], state)
    assert json.loads(json.dumps(found)) == {
        "heads": [1, 3],
        "query": 2,
        "also": [5, 6],
        "locked": True,
        "mass": 0.5,
    }
    assert check_state("neuron", payloads()["neuron"], {"off": {3, 1}}) == {"off": [1, 3]}


# --- the page's own list of keys and values -----------------------------------------------------


def of_page(code: str) -> Any:
    """What a script of the page's modules prints as JSON."""
    result = subprocess.run(
        [NODE, "--input-type=module", "--eval", code],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(result.stdout)


def test_the_page_has_the_same_keys_and_values() -> None:
    code = """
    import { STATE } from "./bertviz/js/state.js";
    import { MEASURES } from "./bertviz/js/data/measures.js";
    console.log(JSON.stringify([STATE, Object.keys(MEASURES)]));
    """
    found, measures = of_page(code)
    assert measures == list(PAGE_MEASURES)
    assert found == json.loads(json.dumps(STATE))
