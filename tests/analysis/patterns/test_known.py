"""Which pairs each pattern is made of, written out for one small text; and what may be one."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest
import torch

from bertviz import AttentionTrace, find_patterns
from bertviz.analysis.patterns.arguments import as_count, as_level, check_text, told
from bertviz.analysis.patterns.chunk import by_distance
from bertviz.analysis.patterns.known import PREDICTIVE, known_patterns
from bertviz.analysis.patterns.own import as_matrix, own_patterns
from bertviz.analysis.patterns.pattern import Unavailable
from bertviz.analysis.patterns.score import Score, label_of
from bertviz.analysis.patterns.text import Text, delimiters
from bertviz.trace import AttentionBlock, LayerAttention, Tokens

TOKENS = Tokens.read(
    ["[CLS]", "go", "straw", "##berry", ",", "[SEP]", "go", "straw", "[SEP]"],
    sentences=[0, 0, 0, 0, 0, 0, 1, 1, 1],
)
ALL = range(9)
WORDS = {0: (1, 2, 3), 1: (6, 7)}  # of each sentence, neither special nor punctuation


def text_of(query: Tokens = TOKENS, key: Tokens = TOKENS, kind: Any = "encoder") -> Text:
    layer = LayerAttention(0, "", (0,), given_weights=torch.ones(1, len(query), len(key)))
    return Text.of(AttentionBlock(kind, kind, query, key, (layer,)))


def pairs(name: str, text: Text, rows: slice | None = None) -> set[tuple[int, int]]:
    pattern = next(pattern for pattern in known_patterns(2) if pattern.name == name)
    rows = rows or slice(0, text.shape[0])
    found = pattern.pairs_in(text, rows)
    assert found.shape == (len(range(text.shape[0])[rows]), text.shape[1])
    return {(int(q) + rows.start, int(k)) for q, k in found.nonzero()}


PAIRS: dict[str, set[tuple[int, int]]] = {
    "next token": {(q, q + 1) for q in range(8)},
    "previous token": {(q, q - 1) for q in range(1, 9)},
    "self": {(q, q) for q in ALL},
    "local window": {(q, k) for q in ALL for k in ALL if abs(q - k) <= 2},
    "first token": {(q, 0) for q in ALL},
    "same token": {(q, q) for q in (1, 2, 3, 4, 6, 7)} | {(1, 6), (6, 1), (2, 7), (7, 2)},
    "same token elsewhere": {(1, 6), (6, 1), (2, 7), (7, 2)},
    "same token in the other sentence": {(1, 6), (6, 1), (2, 7), (7, 2)},
    "same word": {(2, 3), (3, 2)},
    "delimiters": {(q, k) for q in ALL for k in (4, 5, 8)},
    "bag of words": {(q, k) for q in (1, 2, 3, 4) for k in WORDS[0]}
    | {(q, k) for q in (6, 7) for k in WORDS[1]},
    "induction": {(6, 2), (7, 3)},
}  # fmt: skip


@pytest.mark.parametrize("name", PAIRS)
def test_the_pairs_of_a_pattern(name: str) -> None:
    text = text_of()
    assert pairs(name, text) == PAIRS[name]
    some = {(q, k) for q, k in PAIRS[name] if 3 <= q < 8}
    assert pairs(name, text, slice(3, 8)) == some, "some rows are those of all"


@pytest.mark.parametrize("name", PAIRS)
def test_queries_may_be_the_last_of_the_keys(name: str) -> None:
    last = TOKENS[6:]
    text = text_of(last, TOKENS, "decoder")
    assert text.shared
    assert pairs(name, text) == {(q - 6, k) for q, k in PAIRS[name] if q >= 6}


def test_what_a_text_cannot_have() -> None:
    cross = text_of(TOKENS[:4], TOKENS[3:], "cross")
    for pattern in known_patterns():
        if pattern.one_text:
            with pytest.raises(Unavailable, match="compares positions in one text"):
                pattern.pairs_in(cross, slice(0, 4))
    assert pairs("same token", cross) == {(3, 0), (1, 3), (2, 4)}
    assert pairs("bag of words", cross) == {(q, k) for q in (1, 2, 3) for k in (0, 3, 4)}
    assert pairs("first token", cross) == {(q, 0) for q in range(4)}
    one = text_of(TOKENS[:4], TOKENS[:4])
    for name, why in (
        ("same token in the other sentence", "needs two sentences"),
        (PREDICTIVE, "needs a masked language model"),
    ):
        with pytest.raises(Unavailable, match=why):
            pairs(name, one)
    for side in ((False, True), (True, False)):
        query, key = (Tokens.read(["0", "1"], named=named) for named in side)
        with pytest.raises(Unavailable, match="needs the names of tokens"):
            pairs("same token", text_of(query, key, "cross"))
        assert pairs("first token", text_of(query, key, "cross")) == {(0, 0), (1, 0)}


def test_a_window_of_ones_own_and_the_known_flags() -> None:
    text = text_of()
    wide = {p.name: p for p in known_patterns(3)}["local window"].pairs_in(text, slice(0, 9))
    assert wide.sum(1).tolist() == [4, 5, 6, 7, 7, 7, 6, 5, 4]
    found = {p.name: (p.content, p.even, p.one_text, p.names) for p in known_patterns()}
    content = {
        "same token",
        "same token elsewhere",
        "same token in the other sentence",
        "same word",
    }
    content |= {PREDICTIVE, "induction"}
    assert {name for name, flags in found.items() if flags[0]} == content
    assert {name for name, flags in found.items() if flags[1]} == {"bag of words"}
    anywhere = {"same token", "delimiters", "first token", "bag of words"}
    assert {name for name, flags in found.items() if not flags[2]} == anywhere
    positions = {"next token", "previous token", "first token", "self", "local window"}
    assert {name for name, flags in found.items() if not flags[3]} == positions


def test_delimiters_are_punctuation_and_special_tokens_but_the_first() -> None:
    text = ["[CLS]", ".", "##,", " ?!", "a.", "$", "", "[SEP]"]
    special = [True, *[False] * 6, True]
    found = delimiters(text, special)
    assert found == [False, True, True, True, False, False, False, True]
    assert delimiters(["."], [False]) == [True]


def test_sums_over_diagonals() -> None:
    matrices = torch.arange(24.0).view(2, 3, 4)
    expected = [
        [
            float(sum(m[q, k] for q in range(3) for k in range(4) if k - q == d))
            for d in range(-2, 4)
        ]
        for m in matrices
    ]
    assert by_distance(matrices).tolist() == expected
    assert by_distance(matrices[:, :1]).tolist() == matrices[:, 0].tolist()


# --- scores and labels -----------------------------------------------------------------------


def score(**changes: Any) -> Score:
    given: dict[str, Any] = {
        "score": 0.6,
        "null": 0.1,
        "uniform": 0.1,
        "by_distance": None,
        "overlap": None,
        "spread": None,
        "queries": 100,
        "texts": 1,
    }
    return Score(**{**given, **changes})


def test_a_label_is_for_scores_surely_above_their_null() -> None:
    # ln(100) / (2 · 100) = 0.023, whose root is 0.152.
    for value, sure in ((0.24, False), (0.26, True)):
        assert score(score=value).is_sure(0.01) is label_of(score(score=value), 0.01) is sure
    # With many queries a tenth is enough, and not less.
    for value, sure in ((0.19, False), (0.21, True)):
        assert score(score=value, queries=10**6).is_sure(0.01) is sure
    assert label_of(None, 0.01) is False


def test_what_only_distance_speaks_against_is_undecided() -> None:
    confounded = {"null": 0.59, "by_distance": 0.59}
    for overlap, undecided in ((None, False), (0.49, False), (0.5, True), (1.0, True)):
        found = score(**confounded, overlap=overlap)
        assert found.is_undecided(0.01) is undecided
        assert label_of(found, 0.01) is (None if undecided else False)
    assert not score(**{**confounded, "uniform": 0.5}, overlap=1.0).is_undecided(0.01)
    assert label_of(score(overlap=1.0), 0.01) is True


# --- a user's own ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "value",
    [
        [(0, 2), (1, 0)],
        {(0, 2), (1, 0)},
        iter([(0, 2), (1, 0), (1, 0)]),
        [(np.int64(0), torch.tensor(2)), (1, np.uint8(0))],
        [[0, 0, 1], [1, 0, 0]],
        [[False, False, True], [True, False, False]],
        np.array([[0.0, 0, 1], [1, 0, 0]]),
        torch.tensor([[0, 0, 1], [1, 0, 0]]).to_sparse(),
        torch.tensor([[0.0, 0, 1], [1, 0, 0]], requires_grad=True),
    ],
    ids=range(9),
)  # fmt: skip
def test_pairs_in_every_form(value: Any) -> None:
    found = as_matrix("cells", value, (2, 3))
    assert found.dtype == torch.bool
    assert found.tolist() == [[False, False, True], [True, False, False]]


def test_no_pairs_are_fine_and_more_than_there_are_are_not() -> None:
    assert not as_matrix("cells", [], (2, 3)).any()
    every = [(q, k) for q in range(2) for k in range(3)]
    assert as_matrix("cells", every, (2, 3)).all()
    with pytest.raises(ValueError, match="cells holds more than 6 items"):
        as_matrix("cells", [*every, (0, 0)], (2, 3))


class Fails:
    """A list that fails after its first item."""

    def __iter__(self) -> Any:
        yield (0, 0)
        raise OSError("gone")


@pytest.mark.parametrize(
    ("value", "error", "message"),
    [
        (Fails(), TypeError, "cells is a Fails that fails when it is read, with OSError: gone"),
        ("ab", TypeError, "cells is a str, not a matrix: expected a matrix of 2 x 3 bools"),
        (b"ab", TypeError, "cells is a bytes, not a matrix"),
        ({"a": 1}, TypeError, "cells is a dict, not a matrix"),
        (None, TypeError, "cells is a NoneType, not a matrix"),
        (np.ones((2, 3), complex), TypeError, "not a matrix"),
        ([(0, 1), (0, 1, 2)], TypeError, "not a matrix"),
        ([range(10**12)] * 2, ValueError, "cells has shape (2, 4)"),
        ([[range(10**12)] * 3] * 2, TypeError, "not a matrix"),
        ([(0, 1.0)], TypeError, "holds the pair (0, 1.0), which is not of two integers"),
        ([(0, True)], TypeError, "holds the pair (0, True), which is not of two integers"),
        ([(0, 1), (0, 3)], ValueError, "the pair (0, 3), but there are 2 queries and 3 keys"),
        ([(2, 0)], ValueError, "the pair (2, 0), but there are"),
        ([(-1, 0)], ValueError, "the pair (-1, 0), but there are"),
        ([(0, -1)], ValueError, "the pair (0, -1), but there are"),
        (torch.ones(3, 2), ValueError, "cells has shape (3, 2): expected a matrix of 2 x 3"),
        (torch.full((2, 3), 2), ValueError, "cells holds numbers other than 0 and 1"),
        (torch.full((2, 3), 0.5), ValueError, "cells holds numbers other than 0 and 1"),
    ],
)
def test_what_is_not_pairs_is_said(value: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=re.escape(message).replace("NoneType", ".*")):
        as_matrix("cells", value, (2, 3))


class Silent:
    """A callable that does not say what it takes."""

    __signature__ = 3

    def __call__(self, tokens: Any) -> Any:
        return []


class Broken(dict[str, Any]):
    """A mapping that fails."""

    def items(self) -> Any:
        raise OSError("gone")


@pytest.mark.parametrize(
    ("patterns", "error", "message"),
    [
        ([1], TypeError, "patterns is a list: expected a dict from names to functions"),
        (Broken(), TypeError, r"patterns is a Broken whose items\(\) fails \(OSError: gone\)"),
        ({3: len}, TypeError, "A name in patterns is an int: expected a string"),
        ({" ": len}, ValueError, "A name in patterns=' ' is empty"),
        ({"\ud800": len}, ValueError, "half of a surrogate"),
        ({"x": Silent()}, TypeError, r"patterns\['x'\] is a Silent that does not say what argum"),
        ({"x": list}, TypeError, r"patterns\['x'\] takes 0 arguments"),
        ({"x": lambda a, *, b: []}, TypeError, r"patterns\['x'\] takes 2 arguments"),
        ({"x": lambda *a, b: []}, TypeError, r"patterns\['x'\] takes 2 arguments"),
    ],
)
def test_own_patterns_that_are_none(patterns: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        own_patterns(patterns, ["known"])


def test_functions_may_have_defaults() -> None:
    both = {"two": lambda q, k, b=1, **more: [(0, 0)], "one": lambda t, b=2: [(0, 0)]}
    assert [p.name for p in own_patterns(both, [])] == ["two", "one"]
    assert own_patterns(None, []) == own_patterns({}, []) == []
    for pattern in own_patterns(both, []):
        assert pattern.pairs_in(text_of(), slice(0, 2))[:, 0].tolist() == [True, False]
        assert pattern.content


def test_a_function_of_keys_gives_the_rows_of_the_queries() -> None:
    asked = []

    def mine(tokens: Any) -> Any:
        asked.append(tokens)
        return [(8, 1), (7, 0), (0, 3)]

    [pattern] = own_patterns({"mine": mine}, [])
    text = text_of(TOKENS[6:], TOKENS, "decoder")
    assert pattern.pairs_in(text, slice(1, 3)).nonzero().tolist() == [[0, 0], [1, 1]]
    assert pattern.pairs_in(text, slice(0, 1)).sum() == 0
    assert asked == [TOKENS.text], "asked once for a text"
    pattern.pairs_in(text_of(TOKENS[6:], TOKENS, "decoder"), slice(0, 1))
    assert len(asked) == 2
    with pytest.raises(Unavailable, match="takes one list of tokens, but queries and keys differ"):
        pattern.pairs_in(text_of(TOKENS[:2], TOKENS[4:], "cross"), slice(0, 1))


def test_a_function_that_fails_is_told_with_its_text() -> None:
    def fails(tokens: Any) -> Any:
        raise KeyError("inside")

    trace = AttentionTrace.from_arrays(["a", "b"], [[[0.5, 0.5]] * 2])
    message = (
        r"patterns\['x'\] failed for a text of 2 tokens, \('a', 'b'\), with KeyError: 'inside'"
    )
    with pytest.raises(ValueError, match=message):
        find_patterns(trace, patterns={"x": fails})


# --- arguments -------------------------------------------------------------------------------


def test_counts_and_levels_at_their_edges() -> None:
    assert as_count("n", np.int64(1)) == 1
    assert as_count("n", 0, least=0) == 0
    assert as_count("n", 5, most=5) == 5
    for value, message in ((0, "at least 1, got 0"), (6, "at most 5, got 6"), (2.0, "at least 1")):
        with pytest.raises(ValueError, match=f"n must be an integer of {message}"):
            as_count("n", value, most=5)
    for value in (True, "1", None):
        with pytest.raises(TypeError, match="n must be an integer of at least 1, got"):
            as_count("n", value)
    assert (as_level(0.01), as_level(np.float32(0.5))) == (0.01, 0.5)
    for level in (0, 1, 0.0, 1.0, -0.1):
        with pytest.raises(ValueError, match="level must be a probability between 0 and 1, got"):
            as_level(level)


def test_texts_and_errors_that_can_be_written() -> None:
    check_text("text", " a ")
    with pytest.raises(ValueError, match=r"text holds '.*' at position 1, half of a surrogate"):
        check_text("text", "a\ud800")
    assert told(ValueError("x" * 200)) == f"ValueError: {'x' * 200}"
    assert told(ValueError("x" * 201)) == f"ValueError: {'x' * 197}..."
    assert told(ValueError()) == "ValueError"

    class UnprintableError(Exception):
        def __str__(self) -> str:
            raise RuntimeError

    assert told(UnprintableError()) == "UnprintableError"
    assert told(ValueError("\ud800")) == r"ValueError: \ud800"
