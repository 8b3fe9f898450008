"""The query–key pairs of all patterns in some rows of a matrix, as one tensor.

Layers with the same mask share a chunk, so pairs are found once for all of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from bertviz.analysis.patterns.pattern import Pattern
from bertviz.analysis.patterns.text import Text

if TYPE_CHECKING:
    from torch import Tensor


class Chunk:
    """All patterns in some rows, for one mask.

    Columns are the patterns, and then the patterns again, renormalized: without special tokens and
    the first token.

    Attributes:
        rows: The rows.
        pairs: (rows, key, columns + 1) float; the last column is what renormalizing keeps.
        exists: (rows, columns) bool: for which queries the pattern exists.
        sizes: (rows, columns): how many pairs there are.
        uniform: (columns): what uniform attention puts on the pairs, summed over the queries.
        distances: (content columns, distances): how many of the pairs there are at each distance.
        counts: (2, rows) bool: rows that count for the mean by distance, as they are and
            renormalized.
        visible: (2, distances): how many pairs are unmasked at each distance.
    """

    def __init__(
        self,
        text: Text,
        rows: slice,
        patterns: Sequence[Pattern],
        found: Sequence[Tensor | None],
        visible: Tensor | None,
        padding: Tensor,
    ) -> None:
        import torch

        self.rows = rows
        shape = (rows.stop - rows.start, text.shape[1])
        every = torch.ones(shape, dtype=torch.bool, device="cpu") if visible is None else visible
        every = every & ~padding[rows, None]
        kept = every & ~text.query.special[rows, None] & ~text.key.special & (text.key.places > 0)
        both = torch.stack([every, kept], -1)  # (rows, key, 2)

        count = len(patterns)
        pairs = torch.zeros(*shape, 2 * count + 1, dtype=torch.float32, device="cpu")
        for column, matrix in enumerate(found):
            if matrix is not None:
                pairs[..., column] = every & matrix
                pairs[..., count + column] = kept & matrix
        pairs[..., -1] = kept
        self.pairs = pairs
        self.sizes = pairs[..., :-1].sum(1)
        of = both.sum(1).repeat_interleave(count, 1)
        self.exists = (self.sizes > 0) & (self.sizes < of)
        even = columns(patterns, "even")
        self.exists[:, even] &= self.sizes[:, even] > 1  # one pair is neither even nor uneven
        self.uniform = (self.sizes / of.clamp_min(1) * self.exists).sum(0, dtype=torch.float64)
        self.counts = both.any(1).T
        self.visible = by_distance(both.permute(2, 0, 1).float())
        content = columns(patterns, "content")
        existing = pairs[..., content] * self.exists[:, None, content]
        self.distances = by_distance(existing.permute(2, 0, 1))


def columns(patterns: Sequence[Pattern], which: str) -> list[int]:
    """Columns of the patterns that are "content" or "even", as they are and renormalized."""
    return [c for c in range(2 * len(patterns)) if getattr(patterns[c % len(patterns)], which)]


def by_distance(matrices: Tensor) -> Tensor:
    """Sums over the diagonals of matrices.

    >>> import torch
    >>> by_distance(torch.tensor([[[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]]))
    tensor([[4., 6., 8., 3.]])

    Args:
        matrices: (any, rows, key).

    Returns:
        (any, rows + key - 1), from key - row = 1 - rows on.
    """
    import torch

    count, rows, keys = matrices.shape
    # In a matrix wider by as many columns as there are rows, a step along a diagonal is a fixed
    # stride, so that the diagonals are the columns of a view.
    width = keys + 2 * (rows - 1)
    wide = torch.zeros(count, rows, width, dtype=matrices.dtype, device="cpu")
    wide[..., rows - 1 : rows - 1 + keys] = matrices
    skewed = wide.as_strided((count, rows, keys + rows - 1), (rows * width, width + 1, 1))
    return skewed.sum(1)
