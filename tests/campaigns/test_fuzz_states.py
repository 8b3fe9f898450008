"""Whatever is passed as a state is shown, or refused by an error that names its key."""

from __future__ import annotations

import json
import pathlib
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from bertviz import AttentionTrace, HeadView, ModelView, NeuronView, compare
from bertviz.web.payload import STATE
from tests.campaigns.material import ANY, CONTAINERS, SCALARS, TEXTS, pick, written
from tests.campaigns.verdicts import Verdicts

TOKENS = ["[CLS]", "the", "straw", "##berry", "[SEP]", "red", "[SEP]"]
KEYS = sorted({key for keys in STATE.values() for key in keys})
RIGHT: dict[str, list[Any]] = {
    "block": ["encoder"],
    "layer": [0, np.int64(1)],
    "heads": [[1], np.array([0]), (0,), {1}],
    "query": [0, 2, np.int32(5), None],
    "key": [1, None],
    "also": [[4], []],
    "locked": [True, np.bool_(False)],
    "pair": ["All", "A→B"],
    "mode": ["lines", "matrix"],
    "words": [True, False],
    "combine": ["each", "mean"],
    "hide": ["nothing", "special"],
    "mass": [0.5, 1, np.float32(0.5)],
    "renormalize": [False],
    "panel": ["text", "model"],
    "zoom": [None, [0, 7, 0, 7]],
    "cell": [None, [0, 1]],
    "measure": [None, "entropy"],
    "sorted": [False],
    "detail": [True],
    "off": [[], [1], {2}],
    "temperature": [1, 0.5, np.float32(2)],
    "sort": ["model", "contribution"],
}


def trace(seed: int) -> AttentionTrace:
    queries, keys = np.random.default_rng(seed).normal(size=(2, 2, 2, 7, 4))
    return AttentionTrace.from_arrays(TOKENS, queries=queries, keys=keys, sentence_b_start=5)


@pytest.fixture(scope="module")
def views() -> list[Any]:
    one, other = trace(0), trace(1)
    both = compare(one, other)
    return [HeadView(one), ModelView(one), NeuronView(one), HeadView(both), ModelView(both)]


def state(random: np.random.Generator, keys: list[str]) -> dict[str, Any]:
    """Some keys with right values, some with wrong ones, and now and then a key that is unknown."""
    found: dict[str, Any] = {}
    for _ in range(int(random.integers(1, 4))):
        key = str(random.choice(keys))
        found[key] = RIGHT[key][int(random.integers(len(RIGHT[key])))]
    for _ in range(int(random.choice([0, 1, 1, 1, 2]))):
        key = str(random.choice(keys if random.random() < 0.9 else KEYS))
        found[key] = pick(random, (SCALARS, TEXTS, CONTAINERS, ANY)[int(random.integers(4))])
    if random.random() < 0.03:
        key = ("__proto__", "constructor", "", "\ud800", "path ", "toString")[random.integers(6)]
        found[key] = pick(random, ANY)
    return found


def test_states(
    rounds: Callable[[int, int], int],
    seed: int,
    random: np.random.Generator,
    views: list[Any],
    tmp_path: pathlib.Path,
) -> None:
    verdicts = Verdicts("states", seed)
    drawn = rounds(4, 60)  # a figure takes half a second
    for number in range(rounds(500, 10_000)):
        view = views[int(random.integers(len(views)))]
        given = state(random, list(STATE[view.kind]))
        figure = drawn > 0 and number % 100 == 0
        path = tmp_path / ("x.svg" if figure else "x.html")
        drawn -= figure

        def call(view: Any = view, path: pathlib.Path = path, given: Any = given) -> None:
            view.save(path, **given)
            assert path.stat().st_size > 1000

        what = ", ".join(f"{key}={written(value)}" for key, value in given.items())
        verdicts.judge(f"{view!r}: {what}", call, given)
    verdicts.finish()


def test_a_shown_state_is_json(
    rounds: Callable[[int, int], int], seed: int, random: np.random.Generator, views: list[Any]
) -> None:
    from bertviz.web.payload import check_state

    for _ in range(rounds(500, 10_000)):
        view = views[int(random.integers(len(views)))]
        given = state(random, list(STATE[view.kind]))
        try:
            found = check_state(view.kind, view._payload, given)
        except (TypeError, ValueError):
            continue
        text = json.dumps(found, allow_nan=False)
        assert json.loads(text) == found, f"seed {seed}"
        again = check_state(view.kind, view._payload, found)
        assert again == found, "what is accepted stays as it is"
