"""Numbers of any kind: shown as what they are if passed with a kind, else told apart."""

from __future__ import annotations

import json
import re
import warnings
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bertviz import AttentionTrace, HeadView, ModelView
from tests.helpers import decoded

Rounds = Callable[[int, int], int]


def not_attention(random: np.random.Generator) -> tuple[np.ndarray, int | None]:
    """Weights in which one row of one head, or all, are no attention; the layer, None for all."""
    layers, heads, queries, keys = random.integers(1, 5, 4)
    values = random.dirichlet(np.ones(keys), (layers, heads, queries))
    way = random.integers(6)
    layer = int(random.integers(layers))
    at = (layer, random.integers(heads), random.integers(queries))
    if way == 0:  # sums over heads
        return random.integers(2, 5) * values, None
    if way == 1:  # attention x gradient
        size = 10.0 ** -random.integers(0, 8)
        return size * values * random.normal(size=values.shape), None
    if way == 2:
        values[at] *= random.choice([0.5, 0.9, 1.1, 2.0])
    elif way == 3:
        values[at] -= random.choice([0.02, 0.5])
    elif way == 4:
        values[at] = np.nan
    else:
        values[(*at, random.integers(keys))] = random.choice([np.nan, np.inf, -np.inf, 1e300])
    return values, layer


def test_what_is_no_attention_is_told(rounds: Rounds, random: np.random.Generator) -> None:
    """An error that names the kind to pass, or a warning that names the row, its sum and that."""
    told: Counter[str] = Counter()
    for _ in range(rounds(300, 10_000)):
        values, layer = not_attention(random)
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            try:
                AttentionTrace.from_arrays(weights=values)
                said, how = " ".join(str(each.message) for each in caught), "warning"
            except ValueError as error:
                said, how = str(error), "error"
        named = "kind=" in said and (layer is None or f"layer {layer}" in said)
        told[how if named else "silent" if not said else f"{how} without the kind"] += 1
    print(f"\nno attention, without a kind: {dict(told)}")
    assert set(told) <= {"error", "warning"}


def any_numbers(random: np.random.Generator) -> tuple[np.ndarray, str]:
    """Values of any size, with and without signs and missing ones, and their kind."""
    shape = (*random.integers(1, 4, 2), int(random.integers(1, 90)), int(random.integers(1, 90)))
    values = random.choice([random.normal, random.standard_cauchy])(size=shape)
    values *= 10.0 ** random.integers(-12, 13)
    if random.random() < 0.2:
        values[...] = random.choice([0.0, 1.0, -1.0, 1e-38])
    values[random.random(shape) < random.choice([0, 0, 0.05, 0.9])] = np.nan
    if random.random() < 0.3:
        values[:, :, random.integers(shape[2])] = np.nan
    if random.random() < 0.1:
        values[...] = np.nan
    kind = str(random.choice(["signed", "unnormalized"]))
    return values if kind == "signed" else np.abs(values), kind


def test_any_numbers_arrive(rounds: Rounds, random: np.random.Generator, tmp_path: Path) -> None:
    """What the page decodes is what was passed, and missing where it was NaN; it is drawn."""
    count = arrived = 0
    worst = 0.0
    for _ in range(rounds(5, 400)):
        values, kind = any_numbers(random)
        count += 1
        try:
            options: dict[str, Any] = {"kind": kind}
            sides = {"query_tokens": ["q"] * values.shape[2], "key_tokens": ["k"] * values.shape[3]}
            trace = AttentionTrace.from_arrays(weights=values, **sides, **options)
        except ValueError as error:
            print(error)
            continue
        views = HeadView(trace), ModelView(trace)
        for view in views:
            json.dumps(view._payload, allow_nan=False)
        view = views[random.integers(2)]
        state: dict[str, Any] = {"query": int(random.integers(values.shape[2]))}
        if view.kind == "head" and random.random() < 0.5:
            state["mode"] = "matrix"
        if view.kind == "model":
            state["cell"] = [0, 0]
        view.save(tmp_path / "figure.svg", **state)
        picture = re.sub('base64,[^"]*', "", (tmp_path / "figure.svg").read_text("utf-8"))
        assert not re.search("NaN|Infinity|undefined|null", picture)
        [layers] = decoded(view._payload)
        for true, found in zip(values, layers, strict=True):
            heads, rows = true.shape[0], true.shape[1]
            dense = np.array(found["dense"]).reshape(-1, heads, rows, true.shape[2])
            shown = dense[0] - (dense[1] if kind == "signed" else 0)
            missing = np.array(found["missing"]).reshape(true.shape).astype(bool)
            np.testing.assert_array_equal(missing, np.isnan(true))
            largest = np.nanmax(np.abs(true), initial=0)
            assert found["scale"] == pytest.approx(largest, rel=1e-6, abs=1e-44)
            off = np.abs(shown - np.nan_to_num(true)) / (largest or 1)
            worst = max(worst, float(off.max()))
        arrived += 1
    print(f"\nnumbers of any kind: {arrived} of {count} arrived, off by {worst:.4f} of the largest")
    assert arrived == count
    assert worst <= 1 / 255 + 1e-4  # what an 8-bit screen can show
