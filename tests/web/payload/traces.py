"""Traces of random weights or vectors."""

from __future__ import annotations

import torch

from bertviz.trace import AttentionTrace

WITHIN = 0.002  # by how much a listed weight may be off


def weights_trace(tokens: int, sharpness: float, *, query: int | None = None) -> AttentionTrace:
    generator = torch.Generator().manual_seed(tokens)
    scores = torch.randn(2, 3, query or tokens, tokens, generator=generator) * sharpness
    return AttentionTrace.from_arrays(weights=scores.softmax(-1))


def vectors_trace(tokens: int, *, head_dim: int = 8, heads: int = 4) -> AttentionTrace:
    generator = torch.Generator().manual_seed(1)
    both = torch.randn(2, 3, heads, tokens, head_dim, generator=generator)
    return AttentionTrace.from_arrays(queries=both[0], keys=both[1])
