"""A user's own patterns."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

from bertviz import AttentionTrace, extract, find_patterns


def test_own_patterns_are_counted_like_others() -> None:
    torch.manual_seed(0)
    weights = torch.rand(1, 2, 5, 5).softmax(-1)
    trace = AttentionTrace.from_arrays(["a", "b", "not", "c", "b"], weights=weights)
    own = {
        "mine": lambda tokens: [[key == query for key in tokens] for query in tokens],
        "tuples": lambda tokens: [(1, 0), (2, 1), (3, 2), (4, 3)],
        "both": lambda query, key: torch.eye(len(query), len(key)),
    }
    scores = find_patterns(trace, patterns=own)
    assert scores.best("mine") == scores.best("same token")
    assert [x.score for x in scores.best("tuples")] == [
        x.score for x in scores.best("previous token")
    ]
    assert [x.score for x in scores.best("both")] == [x.score for x in scores.best("self")]


def test_own_patterns_of_cross_attention(
    build: Callable[[str], Any], word_tokenizer: Callable[..., Any]
) -> None:
    trace = extract(build("bart"), word_tokenizer(pair=""), "the store", "the , i")

    def same(queries: Any, keys: Any) -> Any:
        return [[key == query for key in keys] for query in queries]

    scores = find_patterns(
        trace, patterns={"two": same, "one": lambda tokens: same(tokens, tokens)}
    )
    assert scores.best("two", block="cross") == scores.best("same token", block="cross") != []
    assert scores.best("one", block="cross") == []
    assert scores.best("one", block="encoder") == scores.best("same token", block="encoder")
