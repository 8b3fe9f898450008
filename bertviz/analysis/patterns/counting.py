"""How much of a head's weight lies on the cells of patterns: sums over the queries of one text.

The problem. Thirteen patterns, twice each, in hundreds of heads, over texts of hundreds of tokens,
are billions of cells. So a layer's weights are computed once (of a long text some rows at a time)
and multiplied with the cells of all patterns together, one matrix product per query; cells are
drawn once for all layers; and sums by distance need no loop over diagonals. What is held at a time
is a part of one layer.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bertviz.analysis.patterns.cells import NoCells, Pattern, Text

if TYPE_CHECKING:
    from torch import Tensor

    from bertviz.trace import AttentionBlock, LayerAttention

AT_ONCE = 1_000_000  # weights computed at a time: buffers that stay in the cache


@dataclass(frozen=True)
class Sums:
    """Of one text and layer, over the queries for which a pattern exists.

    Columns are the patterns, and then the patterns again, renormalised: without special tokens and
    the first token.

    Attributes:
        mass: (heads, columns) as lists: weight on the cells, of "even" patterns times its evenness.
        count: How many queries.
        uniform: The same under uniform attention.
        by_distance: The same under the head's mean attention by distance.
        kept: (heads): the mean weight that renormalised rows have left.
    """

    mass: list[list[float]]
    count: list[list[float]]
    uniform: list[list[float]]
    by_distance: list[list[float]]
    kept: list[float]


def counted(
    block: AttentionBlock, text: Text, patterns: Sequence[Pattern], reasons: dict[str, str]
) -> dict[int, Sums]:
    """The sums of every layer of a block.

    Args:
        block: Of a trace.
        text: Its tokens or words.
        patterns: What to look for.
        reasons: Gets, by pattern, why there is none of its cells.
    """
    queries, keys = len(text.query.text), len(text.key.text)
    widest = max(layer.num_heads for layer in block.layers)
    step = max(1, AT_ONCE // (widest * keys))
    merged = _Merged(block, text)
    layers = {
        layer.index: _Layer(layer.num_heads, patterns, queries, keys) for layer in block.layers
    }
    padding: dict[Any, Tensor] = {}
    for start in range(0, queries, step):
        rows = slice(start, min(start + step, queries))
        drawn = [_drawn(pattern, text, rows, reasons) for pattern in patterns]
        chunks: dict[Any, list[tuple[slice, _Chunk]]] = {}
        for layer in block.layers:
            # Layers with one mask share what is made of it.
            mask = layer.mask_identity
            if mask not in padding:
                padding[mask] = merged.padding(layer, text, step)
            if mask not in chunks:
                chunks[mask] = [
                    (heads, _Chunk(text, rows, patterns, drawn, seen, padding[mask]))
                    for heads, seen in merged.seen(layer, rows)
                ]
            weights = merged.weights(layer, rows)
            for heads, chunk in chunks[mask]:
                layers[layer.index].add(weights[heads], heads, chunk)
    return {index: layer.sums() for index, layer in layers.items()}


def _drawn(pattern: Pattern, text: Text, rows: slice, reasons: dict[str, str]) -> Tensor | None:
    """A pattern's cells in some rows; None, and a reason, if there cannot be any."""
    try:
        if pattern.one_text and not text.shared:
            raise NoCells("compares places of one text, and queries and keys are different tokens")
        return pattern.cells(text, rows)
    except NoCells as reason:
        reasons.setdefault(pattern.name, str(reason))
        return None


class _Merged:
    """A layer's weights and mask, of tokens or of words.

    A word attends to a word with the sum over the pieces that are attended to, and the mean over
    those that attend.
    """

    def __init__(self, block: AttentionBlock, text: Text) -> None:
        import torch

        self.merges = text.in_words
        if self.merges:
            sides = (torch.tensor(block.query.words), torch.tensor(block.key.words))
            (_, pieces), (numbers, _) = (
                torch.unique_consecutive(side, return_inverse=True) for side in sides
            )
            keys = torch.unique_consecutive(sides[1], return_inverse=True)[1]
            self.query = torch.nn.functional.one_hot(pieces).float()  # (tokens, words)
            self.key = torch.nn.functional.one_hot(keys, len(numbers)).float()

    def _tokens(self, rows: slice) -> slice:
        """The tokens of some words."""
        if not self.merges:
            return rows
        places = self.query[:, rows].any(1).nonzero()
        return slice(int(places[0]), int(places[-1]) + 1)

    def weights(self, layer: LayerAttention, rows: slice) -> Tensor:
        """(heads, rows, key)."""
        tokens = self._tokens(rows)
        weights = layer.weights(None, tokens).cpu()
        if not self.merges:
            return weights
        pieces = self.query[tokens, rows]
        return (pieces / pieces.sum(0)).T @ (weights @ self.key)

    def seen(self, layer: LayerAttention, rows: slice) -> list[tuple[slice, Tensor | None]]:
        """(rows, key) per group of heads that see the same; None where all is seen."""
        tokens = self._tokens(rows)
        seen = layer.visible(rows=tokens)
        if seen is None:
            return [(slice(None), None)]
        if self.merges:
            seen = self.query[tokens, rows].T @ (seen.float() @ self.key) > 0
        if seen.shape[0] == 1:
            return [(slice(None), seen[0])]
        return [(slice(head, head + 1), part) for head, part in enumerate(seen)]

    def padding(self, layer: LayerAttention, text: Text, step: int) -> Tensor:
        """(query): queries that are padding: nobody may see them."""
        import torch

        never = layer.unseen_keys(step)
        if self.merges:
            never = self.key.T @ (~never).float() == 0
        count = len(text.query.places)
        return never[len(never) - count :] if text.shared else torch.zeros(count, dtype=torch.bool)


class _Chunk:
    """The cells of all patterns in some rows, for one mask; layers share it.

    Attributes:
        rows: Which.
        cells: (rows, key, columns + 1) float; the last column is what renormalising leaves.
        exists: (rows, columns) bool: for which queries the pattern exists.
        sizes: (rows, columns): how many cells.
        uniform: (columns): sums over the queries.
        apart: (content columns, distances): how many of the cells lie at each distance.
        reads: (2, rows) bool: rows that count for the mean by distance, as they are and
            renormalised.
        seen: (2, distances): how many cells may be seen at each distance.
    """

    def __init__(
        self,
        text: Text,
        rows: slice,
        patterns: Sequence[Pattern],
        drawn: Sequence[Tensor | None],
        seen: Tensor | None,
        padding: Tensor,
    ) -> None:
        import torch

        self.rows = rows
        shape = (rows.stop - rows.start, len(text.key.text))
        every = torch.ones(shape, dtype=torch.bool) if seen is None else seen
        every = every & ~padding[rows, None]
        left = every & ~text.query.special[rows, None] & ~text.key.special & (text.key.places > 0)
        both = torch.stack([every, left], -1)  # (rows, key, 2)

        count = len(patterns)
        cells = torch.zeros(*shape, 2 * count + 1)
        for column, matrix in enumerate(drawn):
            if matrix is not None:
                cells[..., column] = every & matrix
                cells[..., count + column] = left & matrix
        cells[..., -1] = left
        self.cells = cells
        self.sizes = cells[..., :-1].sum(1)
        of = both.sum(1).repeat_interleave(count, 1)
        self.exists = (self.sizes > 0) & (self.sizes < of)
        for column, pattern in enumerate(patterns):
            if pattern.even:  # one cell is neither even nor uneven
                self.exists[:, [column, count + column]] &= (
                    self.sizes[:, [column, count + column]] > 1
                )
        self.uniform = (self.sizes / of.clamp_min(1) * self.exists).sum(0, dtype=torch.float64)
        self.reads = both.any(1).T
        self.seen = _by_distance(both.permute(2, 0, 1).float())
        content = _columns(patterns, "content")
        own = cells[..., content] * self.exists[:, None, content]
        self.apart = _by_distance(own.permute(2, 0, 1))


class _Layer:
    """What is summed over the rows of a layer."""

    def __init__(self, heads: int, patterns: Sequence[Pattern], queries: int, keys: int) -> None:
        import torch

        self.patterns = patterns
        self.queries = queries
        columns, distances = 2 * len(patterns), queries + keys - 1

        def zeros(*shape: int) -> Tensor:
            return torch.zeros(shape, dtype=torch.float64)

        self.mass, self.count, self.uniform = (zeros(heads, columns) for _ in range(3))
        self.kept, self.rows = zeros(heads), zeros(heads)
        self.weight, self.seen = (zeros(2, heads, distances) for _ in range(2))
        self.apart = zeros(heads, len(_columns(patterns, "content")), distances)

    def add(self, weights: Tensor, heads: slice, chunk: _Chunk) -> None:
        """Some rows of some heads: (heads, rows, key)."""
        import torch

        count = len(self.patterns)
        by_row = weights.transpose(0, 1)  # (rows, heads, key)
        mass = torch.bmm(by_row, chunk.cells)
        kept = mass[..., -1]
        even = _columns(self.patterns, "even")
        if even:
            # Of weights w with sum m, the entropy of w / m is ln m - Σ w ln w / m.
            logs = torch.bmm(torch.xlogy(by_row, by_row), chunk.cells[..., even])
            total = mass[..., even].clamp_min(1e-30)
            evenness = (total.log() - logs / total) / chunk.sizes[:, None, even].clamp_min(2).log()
            mass[..., even] *= evenness.clamp(0, 1)
        rest = kept.clamp_min(1e-30)
        mass[..., count:-1] /= rest[..., None]
        exists = chunk.exists[:, None]
        self.mass[heads] += (mass[..., :-1] * exists).sum(0, dtype=torch.float64)
        self.count[heads] += chunk.exists.sum(0)
        self.uniform[heads] += chunk.uniform
        reads = chunk.reads
        self.kept[heads] += kept[reads[1]].sum(0, dtype=torch.float64)
        self.rows[heads] += reads[1].sum()

        start = self.queries - chunk.rows.stop  # where the rows' distances lie among all
        at = slice(start, start + chunk.seen.shape[1])
        scale = torch.stack([reads[0].expand_as(rest.T), reads[1] / rest.T])  # (2, heads, rows)
        self.weight[0, heads, at] += _by_distance(weights * scale[0][..., None])
        left = chunk.cells[..., -1]
        self.weight[1, heads, at] += _by_distance(weights * left * scale[1][..., None])
        self.seen[:, heads, at] += chunk.seen[:, None]
        self.apart[heads, :, at] += chunk.apart

    def sums(self) -> Sums:
        """When all rows are in."""
        import torch

        mean = self.weight / self.seen.clamp_min(1)  # (2, heads, distances)
        content = _columns(self.patterns, "content")
        half = len(content) // 2  # the first half as they are, the other renormalised
        by_distance = torch.zeros_like(self.mass)
        for some, variant in ((slice(0, half), 0), (slice(half, None), 1)):
            lies = torch.einsum("hcd,hd->hc", self.apart[:, some], mean[variant])
            by_distance[:, content[some]] = lies
        return Sums(
            mass=self.mass.tolist(),
            count=self.count.tolist(),
            uniform=self.uniform.tolist(),
            by_distance=by_distance.tolist(),
            kept=torch.nan_to_num(self.kept / self.rows).tolist(),
        )


def _columns(patterns: Sequence[Pattern], which: str) -> list[int]:
    """Columns of the patterns that are "content" or "even", and renormalised once more."""
    return [c for c in range(2 * len(patterns)) if getattr(patterns[c % len(patterns)], which)]


def _by_distance(cells: Tensor) -> Tensor:
    """Sums over the diagonals of matrices.

    >>> import torch
    >>> _by_distance(torch.tensor([[[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]]))
    tensor([[4., 6., 8., 3.]])

    Args:
        cells: (any, rows, key).

    Returns:
        (any, rows + key - 1), from key - row = 1 - rows on.
    """
    import torch

    count, rows, keys = cells.shape
    # In rows that are as much wider as there are rows, a step down and one aside is a fixed stride.
    width = keys + 2 * (rows - 1)
    wide = torch.zeros(count, rows, width, dtype=cells.dtype)
    wide[..., rows - 1 : rows - 1 + keys] = cells
    skewed = wide.as_strided((count, rows, keys + rows - 1), (rows * width, width + 1, 1))
    return skewed.sum(1)
