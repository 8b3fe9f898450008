"""How far the attention of two layers differs, in numbers: means over the queries."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from bertviz.trace import LayerAttention

if TYPE_CHECKING:
    from torch import Tensor

AT_ONCE = 4_000_000  # weights of each trace computed at a time


def differences(a: LayerAttention, b: LayerAttention) -> list[list[float]]:
    """Total variation, Jensen-Shannon and entropy (b minus a) of each head."""
    import torch

    queries, keys = a.shape
    step = max(1, AT_ONCE // (a.num_heads * keys))
    sums = torch.zeros(a.num_heads, 3, dtype=torch.float64, device="cpu")
    for start in range(0, queries, step):
        rows = slice(start, min(start + step, queries))
        one, other = (_whole(layer.weights(None, rows).cpu()) for layer in (a, b))
        entropies = _entropy(one), _entropy(other)
        divergence = _entropy((one + other) / 2) - (entropies[0] + entropies[1]) / 2
        variation = (one - other).abs().sum(-1) / 2
        more = entropies[1] - entropies[0]
        sums += torch.stack([variation, divergence.clamp(0, 1), more], -1).sum(
            1, dtype=torch.float64
        )
    found: list[list[float]] = (sums / queries).tolist()
    return found


def _entropy(rows: Tensor) -> Tensor:
    """The entropy of each row, in bits."""
    import torch

    bits: Tensor = -torch.xlogy(rows, rows).sum(-1) / math.log(2)
    return bits


def _whole(weights: Tensor) -> Tensor:
    """Rows that sum to one: the weight that a row spends elsewhere becomes one more key."""
    import torch

    return torch.cat([weights, (1 - weights.sum(-1, keepdim=True)).clamp_min(0)], -1)
