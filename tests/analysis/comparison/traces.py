"""Traces to compare, and differences of two rows in plain loops."""

from __future__ import annotations

import math

import torch


def distributions(seed: int, queries: int = 4, keys: int = 4) -> torch.Tensor:
    torch.manual_seed(seed)
    return (2 * torch.randn(2, 3, queries, keys)).softmax(-1)


def plainly(a: list[float], b: list[float]) -> tuple[float, float, float]:
    """Total variation, Jensen-Shannon and difference in entropy of two rows, in loops."""
    a, b = [*a, max(0.0, 1 - sum(a))], [*b, max(0.0, 1 - sum(b))]

    def entropy(row: list[float]) -> float:
        return -sum(p * math.log2(p) for p in row if p > 0)

    middle = [(x + y) / 2 for x, y in zip(a, b, strict=True)]
    variation = sum(abs(x - y) for x, y in zip(a, b, strict=True)) / 2
    return variation, entropy(middle) - (entropy(a) + entropy(b)) / 2, entropy(b) - entropy(a)
