"""What is summed over the queries of one text: all that scores and nulls are made of.

The problem. Scores of several texts are means over the queries of all of them, and the distance
null of each text comes from the others. So each text leaves its sums, and scores are computed when
somebody asks; texts can be added later, on another machine, or from a file.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True, eq=False)
class Sums:
    """Sums of one text in one block, over the queries for which a pattern exists.

    Heads are those of all layers of the block, layer by layer. Columns are the patterns, and then
    the patterns again, renormalized: without special tokens and the first token. What depends only
    on the mask is held once for all heads with the same mask.

    Attributes:
        mass: (heads, columns) float64: weight on the pairs; for "even" patterns, times its
            evenness.
        kept: (heads) float64: the mean weight that renormalized rows have left.
        weight: (2, heads, distances) float32: weight by distance, over all unmasked pairs, as it
            is and renormalized.
        mask: (heads) int64: which of the masks below a head has.
        count: (masks, columns) int64: how many queries there are.
        uniform: (masks, columns) float64: the same as ``mass`` under uniform attention.
        visible: (2, masks, distances) int32: how many pairs are unmasked, by distance.
        pairs: (masks, content columns, distances) int32: how many of the pattern's pairs there are,
            by distance.
        first: The first distance, key minus query; the others follow.
        shared: Whether queries and keys are the same tokens, so that distance 0 is a token itself.
    """

    mass: Tensor
    kept: Tensor
    weight: Tensor
    mask: Tensor
    count: Tensor
    uniform: Tensor
    visible: Tensor
    pairs: Tensor
    first: int
    shared: bool

    @property
    def distances(self) -> int:
        """How many distances there are."""
        return int(self.weight.shape[-1])
