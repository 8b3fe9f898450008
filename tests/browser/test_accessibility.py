"""What a screen reader finds, by axe-core, and everything done by keyboard alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from bertviz import HeadView, ModelView, NeuronView

from .conftest import ROOT, Opened

TOKENS = ["[CLS]", "the", "cat", "[SEP]", "it", "sat", "[SEP]"]
AXE = ROOT / "node_modules" / "axe-core" / "axe.min.js"


def weights(layers: int = 2, heads: int = 3, tokens: int = 7) -> np.ndarray:
    scores = np.random.default_rng(0).normal(size=(layers, heads, tokens, tokens)) * 3
    exps = np.exp(scores - scores.max(-1, keepdims=True))
    return exps / exps.sum(-1, keepdims=True)


def vectors(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(2, 3, 7, 16)).astype(np.float32) * 1.4


VIEWS: dict[str, Callable[[], Any]] = {
    "head": lambda: HeadView(weights(), TOKENS, sentence_b_start=4),
    "neuron": lambda: NeuronView(
        tokens=TOKENS, queries=vectors(0), keys=vectors(1), sentence_b_start=4
    ),
    "model": lambda: ModelView(weights(), TOKENS, sentence_b_start=4),
}
STATES: dict[str, list[dict[str, Any]]] = {
    "head": [
        {},
        {"query": 2},
        {"query": 2, "locked": True},
        {"key": 0, "locked": True, "query": None},
        {"pair": "A→B", "renormalize": True, "heads": [1], "query": None, "key": None},
        {"pair": "All", "mode": "matrix"},
        {"query": 1, "key": 3, "locked": True},
        {"zoom": [1, 5, 0, 4]},
    ],
    "neuron": [
        {},
        {"query": 4, "locked": True},
        {"off": [1, 5, 6]},
        {"sort": "contribution"},
        {"detail": False},
    ],
    "model": [
        {},
        {"cell": [1, 2]},
        {"query": 2, "locked": True},
        {"measure": "entropy", "sorted": True},
        {"cell": None},
    ],
}


def violations(opened: Opened) -> list[str]:
    """Whatever axe finds in the view; the page around it is the notebook's."""
    opened.page.evaluate(AXE.read_text("utf-8"))
    found = opened.page.evaluate("() => axe.run('.bertviz').then((results) => results.violations)")
    return [
        f"{rule['id']} ({rule['help']}): {node['target']} {node['failureSummary']}"
        for rule in found
        for node in rule["nodes"]
    ]


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("view", VIEWS)
def test_no_violation_in_any_state(page_of: Callable[..., Opened], view: str, theme: str) -> None:
    opened = page_of(VIEWS[view](), theme=theme)
    for state in STATES[view]:
        if state:
            opened.set(**state)
        assert violations(opened) == [], state
