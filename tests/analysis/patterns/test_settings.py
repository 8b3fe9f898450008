"""Torch's settings change no number, also where scores are computed later, added or loaded."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from bertviz import AttentionTrace, PatternScores, find_patterns
from tests.analysis import induction

Settings = Callable[[], AbstractContextManager[Any]]


@pytest.fixture(scope="module")
def traces() -> list[AttentionTrace]:
    random = np.random.default_rng(0)
    model = induction.Decoder(strength=6.0, noise=0.05, seed=0).eval()
    return induction.traces(model, [induction.repeated(p, 2, random) for p in (11, 14, 17)])


SETTINGS: dict[str, Settings] = {
    "meta": lambda: torch.device("meta"),
    "autocast": lambda: torch.autocast("cpu", torch.bfloat16),
    "inference": torch.inference_mode,
}


@pytest.mark.parametrize("name", SETTINGS)
def test_contexts(traces: list[AttentionTrace], name: str, tmp_path: Path) -> None:
    expected = find_patterns(traces).rows()
    path = tmp_path / "x.safetensors"
    with SETTINGS[name]():
        find_patterns(traces[:1]).save(path)
        both = PatternScores.load(path) + find_patterns(traces[1:])
        assert both.rows() == expected
    assert (both + both).texts == 6
    assert (both + both).rows()


@pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16, torch.float16], ids=str)
def test_default_dtypes(traces: list[AttentionTrace], dtype: torch.dtype) -> None:
    expected = find_patterns(traces).rows()
    try:
        torch.set_default_dtype(dtype)
        assert find_patterns(traces).rows() == expected
    finally:
        torch.set_default_dtype(torch.float32)
