"""Numbers of a head that say what kind of head it is, as the model view's page computes them."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from bertviz.trace.settings import plainly

if TYPE_CHECKING:
    from torch import Tensor

    from bertviz.trace.attention_trace import AttentionTrace

# In the words of the page, `js/data/measures.js`; a test compares the numbers.
NAMES = ("entropy (bits)", "mean distance (tokens)", "weight on the first token")


@plainly()
def measures_of_heads(trace: AttentionTrace) -> list[dict[str, Any]]:
    """A number per head for each measure; see ``AttentionTrace.measures``."""
    found: list[dict[str, Any]] = [
        {"name": name, "values": {}, "null": None, "diverging": False} for name in NAMES
    ]
    for block in trace.blocks.values():
        for layer in block.layers:
            for head in layer.heads:
                numbers = _numbers(layer.weights(head)[0].cpu().double())
                for measure, number in zip(found, numbers, strict=True):
                    layers = measure["values"].setdefault(block.name, {})
                    layers.setdefault(layer.index, {})[head] = number
    return found


def _numbers(weights: Tensor) -> tuple[float, float, float]:
    """Entropy, mean distance and weight on the first key, each the mean over the queries."""
    import torch

    queries, keys = (torch.arange(n, dtype=torch.float64, device="cpu") for n in weights.shape)
    distance = (keys[None, :] - queries[:, None]).abs()
    entropy = -torch.special.xlogy(weights, weights).sum(1) / math.log(2)
    return (
        float(entropy.mean()),
        float((weights * distance).sum(1).mean()),
        float(weights[:, 0].mean()),
    )
