"""Copies of masks and biases, one for all layers that use the same.

The problem. A mask of a long text is larger than its queries and keys, and every layer is given
the same one. Keeping it once by its address would be wrong: a model may change a mask in place
between layers, and memory that was freed is used again. So the address only says which copy to
look at first; whether it is the same mask is decided by its content.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from bertviz.extractor.records import narrowed


class Sharing:
    """Copies of the masks and biases of one forward.

    Args:
        row: The text's place in the batch.
        device: Where copies are kept.
    """

    def __init__(self, row: int, device: torch.device) -> None:
        self.row = row
        self.device = device
        # By place: the newest copy, and the same numbers on the model's device.
        self._copies: dict[tuple[Any, ...], tuple[Tensor, Tensor]] = {}
        self._near: dict[int, Tensor] = {}  # by id of a copy, which is kept in `_alive`
        self._alive: list[Tensor] = []
        self._seen: dict[int, Tensor] = {}

    def copy(self, tensor: Tensor | None, keys: int) -> Tensor | None:
        """This text's part of a mask or bias; the same object for the same memory and content.

        Layers may take views of one mask, and a mask may be longer than the keys.

        Args:
            tensor: Up to four axes, the last of which are (…, heads, query, key).
            keys: How many keys there are.

        Returns:
            (heads or 1, query or 1, key or 1).
        """
        if tensor is None:
            return None
        part = tensor.detach()
        while part.ndim < 4:
            part = part[None]
        part = part[self.row if part.shape[0] > 1 else 0]
        part = narrowed(part[..., :keys])
        place = (tensor.data_ptr(), tensor.shape, tensor.stride(), tensor.dtype, keys)
        known = self._copies.get(place)
        if known is not None and _same(known[1], part):
            return known[0]
        near = part.to(part.device, copy=True).contiguous()
        held = near.to(self.device)
        self._copies[place] = held, near
        self._near[id(held)] = near
        self._alive.append(held)
        return held

    def seen_of(self, hidden: Tensor) -> Tensor:
        """The inverse of a mask of masked pairs; the same object for the same memory."""
        held = self.copy(hidden[None], hidden.shape[-1])
        assert held is not None, "there is a mask"
        if id(held) not in self._seen:
            self._seen[id(held)] = seen = ~held
            self._near[id(seen)] = ~self._near[id(held)]
        return self._seen[id(held)]

    def near(self, term: Tensor | None, device: torch.device) -> Tensor | None:
        """A copy's numbers on the model's device."""
        if term is None or term.device == device:
            return term
        return self._near[id(term)] if id(term) in self._near else term.to(device)


def _same(one: Tensor, other: Tensor) -> bool:
    """Whether all numbers are equal; NaN counts as equal to NaN, so that a copy is found again."""
    if torch.equal(one, other):
        return True
    return one.is_floating_point() and bool(torch.isclose(one, other, 0, 0, equal_nan=True).all())
