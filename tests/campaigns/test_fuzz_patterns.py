"""Whatever find_patterns and its result are passed: a usable result, or a named error."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from bertviz import AttentionTrace, PatternScores, find_patterns
from tests.analysis import induction
from tests.campaigns.material import ANY, CONTAINERS, SCALARS, TEXTS, pick, written
from tests.campaigns.verdicts import Verdicts

TOKENS = ["<s>", "a", "b", "a", "b"]


@pytest.fixture(scope="module")
def trace() -> AttentionTrace:
    torch.manual_seed(0)
    return AttentionTrace.from_arrays(TOKENS, weights=torch.rand(2, 3, 5, 5).softmax(-1))


class Split(induction.Names):
    """A tokenizer of words, as simple as can be."""

    def __call__(self, text: str, pair: str | None = None, **_: Any) -> dict[str, Any]:
        words = text.split() + (pair or "").split()
        ids = [induction.START, *(1 + sum(map(ord, word)) % 99 for word in words)]
        return {"input_ids": torch.tensor([ids])}


def usable(result: Any) -> None:
    """A result can be read, printed, shown and saved, and every number is one."""
    if not isinstance(result, PatternScores):
        json.dumps(str(result)).encode()
        str(result).encode()
        return
    f"{result}{result._repr_html_()}".encode()
    for row in result.rows():
        for name in ("score", "null", "uniform_null", "distance_null", "spread", "kept"):
            assert row[name] is None or 0 <= row[name] < 1.001, (name, row)
    for pattern in result.patterns:
        result.best(pattern)
    assert result.labels()
    assert result.texts > 0
    assert math.isfinite(result.level)
    json.dumps(result.measures(), allow_nan=False).encode()


def own(random: np.random.Generator) -> Any:
    """A pattern of one's own that returns nonsense, or fails."""
    value = wrong(random)
    nested = [lambda v: v, lambda v: [v], lambda v: [[v] * 5] * 5, lambda v: [(v, 0)]]
    nested += [lambda v: [(0, v)], lambda v: [(0, 1), v], lambda v: np.full((5, 5), v)]
    nested += [lambda v: torch.full((5, 5), v), lambda v: [[True] * 5] * 4 + [v]]
    shape = nested[int(random.integers(len(nested)))]
    kind = int(random.integers(6))
    if kind == 0:
        error = [ValueError("a"), KeyError(), StopIteration(), SystemError("x"), MemoryError()]
        raised = error[int(random.integers(5))]

        def fails(tokens: Any) -> Any:
            raise raised

        return fails
    if kind == 1:
        return lambda query, key: shape(value)
    if kind == 2:
        return wrong(random)
    return lambda tokens: shape(value)


def wrong(random: np.random.Generator) -> Any:
    return pick(random, (SCALARS, TEXTS, CONTAINERS, ANY)[int(random.integers(4))])


# What was passed, the call, and what its error may call the argument.
Call = tuple[Any, Callable[[], Any], tuple[str, ...]]


def calls(
    trace: AttentionTrace, found: PatternScores, folder: Path, random: np.random.Generator
) -> dict[str, Callable[[], Call]]:
    """What is attacked, by argument."""
    model, tokenizer = induction.Decoder(7.0, 0.05, 0).eval(), Split()
    find: Any = find_patterns

    def an_argument(name: str, *also: str) -> Callable[[], Call]:
        def make() -> Call:
            value = wrong(random)
            return value, lambda: find(trace, **{name: value}), (name, *also)

        return make

    def of_model(name: str) -> Callable[[], Call]:
        def make() -> Call:
            value = wrong(random)
            passed = {"tokenizer": tokenizer, "texts": ["a b a", "b a b"], name: value}
            return value, lambda: find(model, **passed), (name,)

        return make

    def among_texts() -> Call:
        value, place = wrong(random), int(random.integers(3))
        texts: list[Any] = ["a b a", "b a b"]
        texts.insert(place, value if random.random() < 0.7 else ("a", value))
        skip = random.random() < 0.3
        options = {"on_error": "skip"} if skip else {}
        return value, lambda: find(model, tokenizer, texts, **options), (f"texts[{place}]",)

    def among_traces() -> Call:
        value = wrong(random)
        return value, lambda: find([trace, value]), ("source[1]",)

    def own_pattern() -> Call:
        name = "mine" if random.random() < 0.8 else wrong(random)
        try:
            patterns = {name: own(random)}
        except Exception:  # it has no hash
            patterns = {"mine": own(random)}
        return patterns, lambda: find(trace, patterns=patterns), ("patterns",)

    def method(called: str, argument: str, *before: Any) -> Callable[[], Call]:
        def make() -> Call:
            value = wrong(random)
            bound = getattr(found, called)
            if before:
                return value, lambda: bound(*before, **{argument: value}), (argument,)
            return value, lambda: bound(**{argument: value}), (argument,)

        return make

    def added() -> Call:
        value = wrong(random)
        return value, lambda: found + value, ("+",)

    def loaded() -> Call:
        value = wrong(random)
        if isinstance(value, str | bytes) and value in ("a", b"a", "1", "self", "encoder"):
            value = folder
        return value, lambda: PatternScores.load(value), ("path",)

    def saved() -> Call:
        value = wrong(random)
        return value, lambda: found.save(value), ("path",)

    def sources() -> Call:
        value = wrong(random)
        return value, lambda: find(value), ("source", "find_patterns")

    some = {
        name: an_argument(name)
        for name in ("patterns", "words", "window", "level", "on_error", "progress")
    }
    some["source"] = sources
    some |= {
        f"model {name}": of_model(name)
        for name in ("texts", "tokenizer", "predictive_words", "on_error", "progress", "words")
    }
    some |= {"among texts": among_texts, "among traces": among_traces, "own": own_pattern}
    some |= {
        "best pattern": method("best", "pattern"),
        "best count": method("best", "count", "self"),
        "best block": method("best", "block", "self"),
        "best renormalized": method("best", "renormalized", "self"),
        "labels block": method("labels", "block"),
        "labels renormalized": method("labels", "renormalized"),
    }
    some |= {"+": added, "load": loaded, "save": saved}
    some["undecided block"] = method("undecided", "block")
    some["undecided renormalized"] = method("undecided", "renormalized")
    return some


def test_every_bad_input_is_named(
    trace: AttentionTrace,
    rounds: Callable[[int, int], int],
    seed: int,
    random: np.random.Generator,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    found = find_patterns(trace)
    attacks = calls(trace, found, tmp_path, random)
    names = list(attacks)
    verdicts = Verdicts("find_patterns", seed)
    for number in range(rounds(400, 10_000)):
        name = names[number % len(names)]
        value, call, arguments = attacks[name]()
        verdicts.judge(f"{name}: {written(value)}", lambda call=call: usable(call()), arguments)
    verdicts.finish()
