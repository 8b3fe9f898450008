"""A trace says what it holds, wherever it goes; what needs attention refuses the rest."""

from __future__ import annotations

import copy
import dataclasses
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from bertviz import (
    AttentionTrace,
    HeadView,
    ModelView,
    NeuronView,
    compare,
    explain_head,
    find_patterns,
    neuron_view,
)

VALUES = np.random.default_rng(0).normal(size=(2, 2, 4, 4))
VALUES[0, 1, 2] = np.nan


@pytest.fixture
def trace() -> AttentionTrace:
    return AttentionTrace.from_arrays(list("abcd"), VALUES, kind="signed")


def test_copies_and_files_keep_the_kind_and_what_is_missing(
    trace: AttentionTrace, tmp_path: Path
) -> None:
    path = tmp_path / "values.safetensors"
    trace.save(path)
    for other in (
        AttentionTrace.load(path),
        copy.deepcopy(trace),
        pickle.loads(pickle.dumps(trace)),
        HeadView(trace, prettify_tokens=False).trace,
        pickle.loads(pickle.dumps(ModelView(trace))).trace,
    ):
        assert other.kind == "signed"
        for layer, same in zip(
            trace.blocks["encoder"].layers, other.blocks["encoder"].layers, strict=True
        ):
            torch.testing.assert_close(layer.weights(), same.weights(), equal_nan=True)


def test_a_window_of_values_is_their_part(trace: AttentionTrace) -> None:
    part = trace.window(1, 4)
    assert part.kind == "signed"
    [block] = part.blocks.values()
    assert block.query_tokens == block.key_tokens == ("b", "c", "d")
    found = np.stack([layer.weights().numpy() for layer in block.layers])
    np.testing.assert_allclose(found, VALUES[:, :, 1:, 1:], rtol=1e-6)


@pytest.mark.parametrize(
    ("name", "call"),
    [
        ("compare", lambda t: compare(t, t)),
        ("find_patterns", find_patterns),
        ("find_patterns", lambda t: find_patterns([t, t])),
        ("explain_head", lambda t: explain_head(t, 0, 0)),
        ("neuron_view", NeuronView),
        ("neuron_view", neuron_view),
        ("neuron_view", lambda _: neuron_view(VALUES, list("abcd"), kind="signed")),
        ("verify", lambda t: t.verify(None, {})),
    ],
)
def test_what_needs_attention_refuses_values(
    trace: AttentionTrace, name: str, call: Callable[[Any], Any]
) -> None:
    with pytest.raises(ValueError, match=f"{name} was given a trace of signed values: expected"):
        call(trace)


def test_a_kind_that_does_not_exist_or_fit(trace: AttentionTrace) -> None:
    with pytest.raises(ValueError, match="kind='gradient' is unknown: expected 'attention', 'sig"):
        dataclasses.replace(trace, kind="gradient")  # type: ignore[arg-type]
    vectors = np.ones((1, 1, 2, 2))
    computed = AttentionTrace.from_arrays(queries=vectors, keys=vectors)
    with pytest.raises(ValueError, match="kind='signed' does not go with queries and keys"):
        dataclasses.replace(computed, kind="signed")
