"""Attention to show: structured random attention, and the demo model's on English."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from bertviz import (
    HeadView,
    ModelView,
    NeuronView,
    extract,
    head_view,
    model_view,
    neuron_view,
)
from bertviz.demo import load_demo_model

ROOT = Path(__file__).parents[2]


def vectors(layers: int, heads: int, tokens: int) -> np.ndarray:
    """Queries and keys whose attention has bands, a sink and an even part, like real heads."""
    rng = np.random.default_rng(0)
    base = rng.normal(size=(layers, heads, tokens, 64)).astype(np.float32)
    smooth = base.copy()
    for shift in range(1, 4):
        smooth[:, :, shift:] += base[:, :, :-shift] / (shift + 1)
    smooth[:, :, 0] *= 2.0
    return smooth * 0.9


def weights_of(q: np.ndarray) -> np.ndarray:
    """Softmax of q·q/8, one layer at a time."""
    out = np.empty((*q.shape[:3], q.shape[2]), np.float32)
    for layer in range(q.shape[0]):
        scores = q[layer] @ q[layer].swapaxes(-1, -2) / 8
        scores -= scores.max(-1, keepdims=True)
        np.exp(scores, out=scores)
        out[layer] = scores / scores.sum(-1, keepdims=True)
    return out


class Shown:
    """One attention to show: our views of it, and its weights for the other pages."""

    def __init__(
        self, name: str, tokens: list[str], weights: np.ndarray, views: dict[str, Callable[[], Any]]
    ) -> None:
        self.name, self.tokens, self.weights, self.views = name, tokens, weights, views


def structured(tokens: int, layers: int | None = None) -> Shown:
    """Random attention that is like that of real heads; of one layer where tokens are many."""
    layers = layers or (12 if tokens <= 512 else 1)
    q = vectors(layers, 12, tokens)
    weights = weights_of(q)
    names = [f"w{i}" for i in range(tokens)]
    return Shown(
        f"structured random attention, {layers} x 12 heads, {tokens} tokens",
        names,
        weights,
        {
            "head": lambda: head_view(weights, names, html_action="return"),
            "neuron": lambda: neuron_view(tokens=names, queries=q, keys=q, html_action="return"),
            "model": lambda: model_view(weights, names, html_action="return"),
        },
    )


def real(tokens: int) -> Shown:
    """The demo model's attention on this repository's license."""
    model, tokenizer = load_demo_model()
    text = (ROOT / "LICENSE").read_text("utf-8")
    batch = tokenizer(text, truncation=True, max_length=tokens, return_tensors="pt")
    trace = extract(model, tokenizer, inputs=batch)
    block = trace.blocks["encoder"]
    weights = np.stack([layer.weights().numpy() for layer in block.layers])
    return Shown(
        f"all-MiniLM-L6-v2, 6 x 12 heads, {len(block.query_tokens)} tokens of English",
        list(block.query_tokens),
        weights,
        {
            "head": lambda: HeadView(trace),
            "neuron": lambda: NeuronView(trace),
            "model": lambda: ModelView(trace),
        },
    )
