"""What a model computed, kept outside of it: a capture runs a copy, whose attributes are gone."""

from __future__ import annotations

import itertools

from torch import Tensor, nn

_numbers = itertools.count()
_weights: dict[int, Tensor] = {}


class Ran(nn.Module):
    """A module whose ``weights`` are those of its last run, whether itself ran or a copy of it."""

    def __init__(self) -> None:
        super().__init__()
        self.number = next(_numbers)

    @property
    def weights(self) -> Tensor:
        """What the values were multiplied by."""
        return _weights[self.number]

    @weights.setter
    def weights(self, value: Tensor) -> None:
        _weights[self.number] = value
