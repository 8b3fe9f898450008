"""Scores on their way from a product to a softmax.

The problem. Between ``queries @ keys.mT`` and the softmax, models scale, mask, add and rearrange in
any order, and at the softmax all of that must be separated again. So a product is described by
what was multiplied and by what has happened since. Each method here says what one operation makes
of that description; None means that it can't be described any longer.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from bertviz.trace.masks import MASKED


@dataclass(frozen=True)
class Term:
    """Something that was added to scores, and how the scores were laid out at that point."""

    tensor: Tensor  # expanded to the shape of the scores
    layout: Tensor
    masks: bool = False  # then ``tensor`` is bool, True where a key is masked


@dataclass(eq=False)
class Lost:
    """Scores that are no longer followed, so that a softmax over them is told as skipped.

    Attributes:
        path: The module that multiplied.
        reason: Why, as a clause.
        instead: Whether they went through what may take the place of a softmax.
        told: Whether that has been noted.
        sizes: (rows, columns) of the product, if they are known.
    """

    path: str
    reason: str
    sizes: tuple[int, ...] = ()
    instead: bool = False
    told: bool = False

    def over_heads(self, axis: int, tensor: Tensor) -> bool:
        """Whether an axis of a tensor of these scores runs over texts or heads, by its size."""
        inside = tensor.ndim < 4 or not set(self.sizes) <= set(tensor.shape)
        outer = tensor.shape[axis] not in self.sizes or axis < tensor.ndim - 2
        return bool(self.sizes) and not inside and outer


@dataclass(frozen=True)
class Product:
    """What scores were computed from so far.

    Attributes:
        path: The module that multiplied.
        rows: (batches…, rows, d), the queries in most models.
        columns: (batches…, columns, d), the keys in most models.
        cross: Whether rows and columns come from different inputs.
        layout: A tensor without data that is viewed as the scores are: its strides say where in the
            contiguous product, (batches…, rows, columns), each element of the scores comes from.
        factor: What the product is multiplied by.
        inner: The factor before a tanh, where the scores went through one.
        terms: What was added since.
    """

    path: str
    rows: Tensor
    columns: Tensor
    cross: bool
    layout: Tensor
    factor: float = 1.0
    inner: float | None = None
    terms: tuple[Term, ...] = ()

    @property
    def whole(self) -> bool:
        """Whether the scores still hold every element of the product."""
        rows, columns = self.rows.shape[-2], self.columns.shape[-2]
        count = math.prod(torch.broadcast_shapes(self.rows.shape[:-2], self.columns.shape[:-2]))
        return self.layout.numel() == count * rows * columns and self.layout.storage_offset() == 0

    def lost(self, reason: str, instead: bool = False) -> Lost:
        """These scores when they can't be followed any longer."""
        sizes = (self.rows.shape[-2], self.columns.shape[-2])
        return Lost(self.path, reason, sizes, instead)

    def fits(self, tensor: Tensor) -> bool:
        """Whether a tensor broadcasts to the shape of the scores."""
        shape = self.layout.shape
        return bool(torch.broadcast_shapes(tensor.shape, shape) == shape)

    def scaled(self, number: float) -> Product:
        """All scores times a number."""
        terms = tuple(t if t.masks else replace(t, tensor=t.tensor * number) for t in self.terms)
        return replace(self, factor=self.factor * number, terms=terms)

    def times(self, factor: Any, inverse: bool = False) -> Product | None:
        """Scores times a number, a number per head (a learned temperature), or zeros and ones."""
        if not isinstance(factor, Tensor) or factor.numel() == 1:
            return self.scaled(1 / float(factor) if inverse else float(factor))
        if not self.fits(factor):
            return None
        shape = self.layout.shape
        zeros_or_ones = factor.shape[-1] == shape[-1] and not inverse
        if zeros_or_ones and bool(((factor == 0) | (factor == 1)).all()):
            # A score of zero is not masked yet; the low number that models add next masks it.
            return self._with(Term((factor == 0).expand(shape), self.layout, masks=True))
        if self.terms or self.inner is not None or self.layout.ndim != self.rows.ndim:
            return None
        plain = torch.empty(shape, dtype=torch.float32, device="meta")
        rearranged = self.layout.stride() != plain.stride()
        if rearranged or factor.shape[-2:] != (1, 1):
            return None  # a factor that differs between tokens
        factor = 1 / factor if inverse else factor
        return replace(self, rows=self.rows * factor.to(self.rows))

    def plus(self, added: Any, factor: float = 1.0) -> Product | None:
        """Scores and a bias, or a mask of low numbers, times a factor."""
        if not isinstance(added, Tensor):
            # A number that is the same for all keys does not change a softmax.
            return self if isinstance(added, int | float) else None
        if not self.fits(added) or added.dtype == torch.bool:
            return None
        tensor = added.detach() if factor == 1 else added.detach() * factor
        return self._with(Term(tensor.expand(self.layout.shape), self.layout))

    def filled(self, mask: Any, value: Any) -> Product | None:
        """Scores with a low value wherever a mask is True."""
        low = value.max().item() if isinstance(value, Tensor) else value
        if not isinstance(mask, Tensor) or not isinstance(low, int | float) or low > MASKED:
            return None
        if not self.fits(mask):
            return None
        mask = mask if mask.dtype == torch.bool else mask != 0
        return self._with(Term(mask.expand(self.layout.shape), self.layout, masks=True))

    def over_heads(self, axis: int, _: Tensor) -> bool:
        """Whether an axis of the scores runs over texts or heads, not over queries or keys."""
        matrix = self.rows.shape[-2] * self.columns.shape[-2]
        return self.layout.shape[axis] == 1 or self.layout.stride(axis) % matrix == 0

    def viewed(self, layout: Tensor) -> Product:
        """The scores in another shape or order of axes."""
        return replace(self, layout=layout)

    def capped(self) -> Product | None:
        """Scores through a tanh: the beginning of a softcap."""
        if self.inner is not None or self.terms:
            return None
        return replace(self, inner=self.factor, factor=1.0)

    def exchanged(self) -> Product:
        """A product of keys and queries as one of queries and keys."""
        rows, columns = self.rows.shape[-2], self.columns.shape[-2]

        def turned(layout: Tensor) -> Tensor:
            strides = []
            for step in layout.stride():
                batch, inside = divmod(step, rows * columns)
                row, column = divmod(inside, columns)
                strides.append(batch * rows * columns + column * rows + row)
            return layout.as_strided(layout.shape, strides)

        return replace(
            self,
            rows=self.columns,
            columns=self.rows,
            layout=turned(self.layout),
            terms=tuple(replace(term, layout=turned(term.layout)) for term in self.terms),
        )

    def _with(self, term: Term) -> Product:
        return replace(self, terms=(*self.terms, term))
