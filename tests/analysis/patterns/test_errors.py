"""What find_patterns cannot read is refused with a sentence that says what to do."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch

from bertviz import AttentionTrace, find_patterns

WRONG: dict[str, tuple[Callable[[AttentionTrace], Any], type[Exception], str]] = {
    "pattern": (
        lambda t: find_patterns(t).best("next"),
        ValueError,
        "pattern='next' is unknown: expected one of next token, previous token",
    ),
    "taken": (
        lambda t: find_patterns(t, patterns={"self": lambda tokens: []}),
        ValueError,
        "patterns holds 'self', which is the name of a known pattern",
    ),
    "no function": (
        lambda t: find_patterns(t, patterns={"x": 3}),  # type: ignore[dict-item]
        TypeError,
        r"patterns\['x'\] is an int: expected a function",
    ),
    "three arguments": (
        lambda t: find_patterns(t, patterns={"x": lambda a, b, c: []}),
        TypeError,
        r"patterns\['x'\] takes 3 arguments: expected one",
    ),
    "shape": (
        lambda t: find_patterns(t, patterns={"x": lambda tokens: [[True]]}),
        ValueError,
        r"The result of patterns\['x'\] has shape \(1, 1\): expected a matrix of 2 x 2",
    ),
    "numbers": (
        lambda t: find_patterns(t, patterns={"x": lambda tokens: [[0.5, 0], [0, 1]]}),
        ValueError,
        r"The result of patterns\['x'\] holds numbers other than 0 and 1",
    ),
    "outside": (
        lambda t: find_patterns(t, patterns={"x": lambda tokens: [(0, 2)]}),
        ValueError,
        r"result of patterns\['x'\] holds the pair \(0, 2\), but there are 2 queries and 2 keys",
    ),
    "no matrix": (
        lambda t: find_patterns(t, patterns={"x": lambda tokens: "no"}),
        TypeError,
        r"The result of patterns\['x'\] is a str, not a matrix",
    ),
    "level": (
        lambda t: find_patterns(t, level=2),
        ValueError,
        "level must be a probability between 0 and 1, got 2",
    ),
    "window": (
        lambda t: find_patterns(t, window=0),
        ValueError,
        "window must be an integer of at least 1, got 0",
    ),
    "half a window": (
        lambda t: find_patterns(t, window=1.5),  # type: ignore[call-overload]
        ValueError,
        "window must be an integer of at least 1, got 1.5",
    ),
    "texts of a trace": (
        lambda t: find_patterns(t, None, "text"),  # type: ignore[call-overload]
        TypeError,
        "find_patterns got texts and no model",
    ),
    "no trace": (
        lambda t: find_patterns("text"),  # type: ignore[call-overload]
        TypeError,
        "source is a str that holds no traces",
    ),
    "no traces": (lambda t: find_patterns([]), TypeError, "a list that holds no traces"),
    "texts": (
        lambda t: find_patterns(torch.nn.Linear(1, 1), None, [3]),  # type: ignore[list-item]
        TypeError,
        r"texts\[0\] is an int: expected a string, or a pair of strings",
    ),
    "no text": (
        lambda t: find_patterns(torch.nn.Linear(1, 1), None, []),
        ValueError,
        r"texts=\[\] holds no text",
    ),
    "models": (
        lambda t: find_patterns(
            [t, AttentionTrace.from_arrays(["a"], weights=torch.ones(2, 1, 1, 1))]
        ),
        ValueError,
        "The traces are not of one model",
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_errors_say_what_to_do(name: str) -> None:
    call, kind, message = WRONG[name]
    trace = AttentionTrace.from_arrays(["a", "b"], weights=[[[0.25, 0.75], [0.5, 0.5]]])
    with pytest.raises(kind, match=message):
        call(trace)
