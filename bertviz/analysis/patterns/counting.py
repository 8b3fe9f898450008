"""How much of a head's weight lies on the pairs of patterns: sums over the queries of one text.

The problem. Thirteen patterns, twice each, in hundreds of heads, over texts of hundreds of tokens,
are billions of query–key pairs. So a layer's weights are computed once (of a long text some rows at
a time) and multiplied with the pairs of all patterns together, one matrix product per query; pairs
are found once for all layers; and sums by distance need no loop over diagonals. Only a part of one
layer is held at a time.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bertviz.analysis.patterns.chunk import Chunk, by_distance, columns
from bertviz.analysis.patterns.merging import Merging
from bertviz.analysis.patterns.pattern import Pattern, Unavailable
from bertviz.analysis.patterns.text import Text

if TYPE_CHECKING:
    from torch import Tensor

    from bertviz.trace import AttentionBlock

AT_ONCE = 1_000_000  # weights computed at a time: buffers that stay in the cache


@dataclass(frozen=True)
class Sums:
    """Sums of one text and layer, over the queries for which a pattern exists.

    Columns are the patterns, and then the patterns again, renormalized: without special tokens and
    the first token.

    Attributes:
        mass: (heads, columns) as lists: weight on the pairs; for "even" patterns, times its
            evenness.
        count: How many queries there are.
        uniform: The same as ``mass`` under uniform attention.
        by_distance: The same as ``mass`` under the head's mean attention by distance.
        kept: (heads): the mean weight that renormalized rows have left.
    """

    mass: list[list[float]]
    count: list[list[float]]
    uniform: list[list[float]]
    by_distance: list[list[float]]
    kept: list[float]


def counted(
    block: AttentionBlock, text: Text, patterns: Sequence[Pattern], reasons: dict[str, str]
) -> dict[int, Sums]:
    """The sums of every layer of a block, by the layer's number.

    Args:
        block: A block of a trace.
        text: The block's tokens or words.
        patterns: What to look for.
        reasons: Filled, by pattern, with why the text cannot have it.
    """
    queries, keys = text.shape
    widest = max(layer.num_heads for layer in block.layers)
    step = max(1, AT_ONCE // (widest * keys))
    merging = Merging(block, text)
    layers = {
        layer.index: _Layer(layer.num_heads, patterns, queries, keys) for layer in block.layers
    }
    padding: dict[Any, Tensor] = {}
    for start in range(0, queries, step):
        rows = slice(start, min(start + step, queries))
        found = [_found(pattern, text, rows, reasons) for pattern in patterns]
        chunks: dict[Any, list[tuple[slice, Chunk]]] = {}
        for layer in block.layers:
            # Layers with one mask share what is made of it.
            mask = layer.mask_identity
            if mask not in padding:
                padding[mask] = merging.padding(layer, text, step)
            if mask not in chunks:
                chunks[mask] = [
                    (heads, Chunk(text, rows, patterns, found, visible, padding[mask]))
                    for heads, visible in merging.visible(layer, rows)
                ]
            weights = merging.weights(layer, rows)
            for heads, chunk in chunks[mask]:
                layers[layer.index].add(weights[heads], heads, chunk)
    return {index: layer.sums() for index, layer in layers.items()}


def _found(pattern: Pattern, text: Text, rows: slice, reasons: dict[str, str]) -> Tensor | None:
    """A pattern's pairs in some rows; None, and a reason, if the text cannot have it."""
    try:
        return pattern.pairs_in(text, rows)
    except Unavailable as reason:
        reasons.setdefault(pattern.name, str(reason))
        return None


class _Layer:
    """What is summed over the rows of a layer."""

    def __init__(self, heads: int, patterns: Sequence[Pattern], queries: int, keys: int) -> None:
        import torch

        self.queries = queries
        self.patterns = len(patterns)
        self.content, self.even = columns(patterns, "content"), columns(patterns, "even")
        count, distances = 2 * len(patterns), queries + keys - 1

        def zeros(*shape: int) -> Tensor:
            return torch.zeros(shape, dtype=torch.float64, device="cpu")

        self.mass, self.count, self.uniform = (zeros(heads, count) for _ in range(3))
        self.kept, self.rows = zeros(heads), zeros(heads)
        self.weight, self.visible = (zeros(2, heads, distances) for _ in range(2))
        self.distances = zeros(heads, len(self.content), distances)

    def add(self, weights: Tensor, heads: slice, chunk: Chunk) -> None:
        """Add some rows of some heads, (heads, rows, key)."""
        import torch

        by_row = weights.transpose(0, 1)  # (rows, heads, key)
        mass = torch.bmm(by_row, chunk.pairs)
        kept = mass[..., -1]
        if self.even:
            mass[..., self.even] *= self._evenness(by_row, mass, chunk)
        left = kept.clamp_min(1e-30)
        mass[..., self.patterns : -1] /= left[..., None]
        self.mass[heads] += (mass[..., :-1] * chunk.exists[:, None]).sum(0, dtype=torch.float64)
        self.count[heads] += chunk.exists.sum(0)
        self.uniform[heads] += chunk.uniform
        self.kept[heads] += kept[chunk.counts[1]].sum(0, dtype=torch.float64)
        self.rows[heads] += chunk.counts[1].sum()
        self._add_by_distance(weights, heads, chunk, left)

    def _evenness(self, by_row: Tensor, mass: Tensor, chunk: Chunk) -> Tensor:
        """(rows, heads, even columns): entropy over that of an even spread, 0 to 1."""
        import torch

        # Of weights w with sum m, the entropy of w / m is ln m - Σ w ln w / m.
        logs = torch.bmm(torch.xlogy(by_row, by_row), chunk.pairs[..., self.even])
        total = mass[..., self.even].clamp_min(1e-30)
        most = chunk.sizes[:, None, self.even].clamp_min(2).log()
        return ((total.log() - logs / total) / most).clamp(0, 1)

    def _add_by_distance(self, weights: Tensor, heads: slice, chunk: Chunk, left: Tensor) -> None:
        import torch

        start = self.queries - chunk.rows.stop  # where the rows' distances lie among all
        at = slice(start, start + chunk.visible.shape[1])
        counts = chunk.counts
        scale = torch.stack([counts[0].expand_as(left.T), counts[1] / left.T])  # (2, heads, rows)
        self.weight[0, heads, at] += by_distance(weights * scale[0][..., None])
        kept = chunk.pairs[..., -1]
        self.weight[1, heads, at] += by_distance(weights * kept * scale[1][..., None])
        self.visible[:, heads, at] += chunk.visible[:, None]
        self.distances[heads, :, at] += chunk.distances

    def sums(self) -> Sums:
        """The sums, once all rows have been added."""
        import torch

        mean = self.weight / self.visible.clamp_min(1)  # (2, heads, distances)
        half = len(self.content) // 2  # the first half as they are, the other renormalized
        expected = torch.zeros_like(self.mass)
        for some, variant in ((slice(0, half), 0), (slice(half, None), 1)):
            products = torch.einsum("hcd,hd->hc", self.distances[:, some], mean[variant])
            expected[:, self.content[some]] = products
        return Sums(
            mass=self.mass.tolist(),
            count=self.count.tolist(),
            uniform=self.uniform.tolist(),
            by_distance=expected.tolist(),
            kept=torch.nan_to_num(self.kept / self.rows).tolist(),
        )
