"""A model of one attention, which a test writes in its own way."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

HEADS, DIM, LENGTH = 4, 8, 6


class Own(nn.Module):
    """One attention; ``how`` says what it makes of (batch, heads, tokens, d) queries and keys."""

    def __init__(self, how: Callable[[Tensor, Tensor], Tensor], key_heads: int = HEADS) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.how = how
        self.key_heads = key_heads
        self.query = nn.Linear(HEADS * DIM, HEADS * DIM)
        self.key = nn.Linear(HEADS * DIM, key_heads * DIM)
        seen: list[Tensor] = []  # outside the model, because what runs is a copy of the model
        self.note = lambda weights: seen.append(weights)
        self.last = lambda: seen[-1] if seen else None

    def forward(self, x: Tensor) -> Tensor:
        q = self.query(x).unflatten(-1, (HEADS, DIM)).transpose(1, 2) * 3
        k = self.key(x).unflatten(-1, (self.key_heads, DIM)).transpose(1, 2)
        self.note(self.how(q, k))
        return x

    @property
    def weights(self) -> Tensor | None:
        """What the last forward computed."""
        return self.last()


LOWER = torch.ones(LENGTH, LENGTH, dtype=torch.bool).tril()
BIAS = torch.randn(HEADS, LENGTH, LENGTH, generator=torch.Generator().manual_seed(3))


def flat(x: Tensor) -> Tensor:
    return x.reshape(-1, *x.shape[2:])
