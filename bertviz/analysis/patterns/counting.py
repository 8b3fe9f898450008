"""How much of a head's weight lies on the pairs of patterns: sums over the queries of one text.

The problem. Thirteen patterns, twice each, in hundreds of heads, over texts of hundreds of tokens,
are billions of query–key pairs. So a layer's weights are computed once (of a long text some rows at
a time) and multiplied with the pairs of all patterns together, one matrix product per query; pairs
are found once for all layers; and sums by distance need no loop over diagonals. Only a part of one
layer is held at a time.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from bertviz.analysis.patterns.chunk import Chunk, by_distance, columns
from bertviz.analysis.patterns.merging import Merging
from bertviz.analysis.patterns.pattern import Pattern, Unavailable
from bertviz.analysis.patterns.sums import Sums
from bertviz.analysis.patterns.text import Text

if TYPE_CHECKING:
    from torch import Tensor

    from bertviz.trace import AttentionBlock, LayerAttention

SLACK = 1e-2  # weights in half precision do not add up to exactly one
AT_ONCE = 1_000_000  # weights computed at a time: buffers that stay in the cache


def counted(
    block: AttentionBlock, text: Text, patterns: Sequence[Pattern], reasons: dict[str, str]
) -> Sums:
    """The sums of a text in a block.

    Args:
        block: A block of a trace.
        text: The block's tokens or words.
        patterns: What to look for.
        reasons: Filled, by pattern, with why the text cannot have it.

    Raises:
        ValueError: The trace holds something other than attention.
    """
    queries, keys = text.shape
    widest = max(layer.num_heads for layer in block.layers)
    step = max(1, AT_ONCE // (widest * keys))
    merging = Merging(block, text)
    layers = [_Layer(layer.num_heads, patterns, queries, keys) for layer in block.layers]
    masks: dict[Any, _Masks] = {}  # layers with one mask share what is made of it
    for start in range(0, queries, step):
        rows = slice(start, min(start + step, queries))
        found = [_found(pattern, text, rows, reasons) for pattern in patterns]
        chunks: dict[Any, list[tuple[slice, Chunk]]] = {}
        for layer, sums in zip(block.layers, layers, strict=True):
            mask = layer.mask_identity
            if mask not in masks:
                masks[mask] = _Masks(patterns, text, merging.padding(layer, text, step))
            if mask not in chunks:
                chunks[mask] = [
                    (heads, Chunk(text, rows, patterns, found, visible, masks[mask].padding))
                    for heads, visible in merging.visible(layer, rows)
                ]
                masks[mask].add([chunk for _, chunk in chunks[mask]])
            weights = merging.weights(layer, rows)
            for heads, chunk in chunks[mask]:
                sums.add(weights[heads], heads, chunk)
            _check_attention(sums, block, layer)
    return _sums(block, text, layers, masks)


def _found(pattern: Pattern, text: Text, rows: slice, reasons: dict[str, str]) -> Tensor | None:
    """A pattern's pairs in some rows; None, and a reason, if the text cannot have it."""
    try:
        return pattern.pairs_in(text, rows)
    except Unavailable as reason:
        reasons.setdefault(pattern.name, str(reason))
        return None


def _check_attention(sums: _Layer, block: AttentionBlock, layer: LayerAttention) -> None:
    """Refuse weights that are not attention, as soon as they spoil a sum."""
    most = (1 + SLACK) * sums.rows
    good = ((sums.mass > -SLACK) & (sums.mass <= most)).all(1)  # NaN is neither
    good &= (sums.weight > -SLACK).all(0).all(-1) & (sums.weight.sum(-1) <= most).all(0)
    if not bool(good.all()):
        head = layer.heads[int((~good).nonzero()[0])]
        raise ValueError(
            f"The weights of layer {layer.index}, head {head} (block {block.name!r}) are not"
            " attention: expected numbers from 0 to 1 in rows that add up to at most 1, as"
            " find_patterns compares shares of attention."
        )


def _sums(
    block: AttentionBlock, text: Text, layers: Sequence[_Layer], masks: dict[Any, _Masks]
) -> Sums:
    """The sums of all layers, once all rows have been added."""
    import torch

    first, number = {}, 0
    for mask, held in masks.items():
        first[mask], number = number, number + len(held.count)
    places = []
    for layer in block.layers:
        held = masks[layer.mask_identity]
        own = torch.arange(layer.num_heads, dtype=torch.int64, device="cpu")
        own = own if len(held.count) > 1 else torch.zeros_like(own)
        places.append(own + first[layer.mask_identity])
    mask = torch.cat(places)
    held_rows = torch.cat([held.rows for held in masks.values()])
    kept = torch.cat([layer.kept for layer in layers]) / held_rows[mask]
    return Sums(
        mass=torch.cat([layer.mass for layer in layers]),
        kept=torch.nan_to_num(kept),
        weight=torch.cat([layer.weight for layer in layers], 1).float(),
        mask=mask,
        count=torch.cat([held.count for held in masks.values()]),
        uniform=torch.cat([held.uniform for held in masks.values()]),
        visible=torch.cat([held.visible for held in masks.values()], 1).int(),
        pairs=torch.cat([held.pairs for held in masks.values()]).int(),
        first=text.farthest,
        shared=text.shared,
    )


class _Masks:
    """What is summed over the rows of the masks that some layers share: one, or one per head."""

    def __init__(self, patterns: Sequence[Pattern], text: Text, padding: Tensor) -> None:
        self.padding = padding
        self.columns = 2 * len(patterns)
        self.content = len(columns(patterns, "content"))
        self.queries, keys = text.shape
        self.distances = self.queries + keys - 1
        self._reserve(0)

    def _reserve(self, masks: int) -> None:
        import torch

        def zeros(*shape: int) -> Tensor:
            return torch.zeros(shape, dtype=torch.float64, device="cpu")

        self.count = zeros(masks, self.columns).long()
        self.uniform = zeros(masks, self.columns)
        self.rows = zeros(masks)
        self.visible = zeros(2, masks, self.distances)
        self.pairs = zeros(masks, self.content, self.distances)

    def add(self, chunks: Sequence[Chunk]) -> None:
        """Add some rows of every mask."""
        if not len(self.count):
            self._reserve(len(chunks))
        for mask, chunk in enumerate(chunks):
            at = _distances(chunk, self.queries)
            self.count[mask] += chunk.exists.sum(0)
            self.uniform[mask] += chunk.uniform
            self.rows[mask] += chunk.counts[1].sum()
            self.visible[:, mask, at] += chunk.visible
            self.pairs[mask, :, at] += chunk.distances


class _Layer:
    """What is summed over the rows of a layer."""

    def __init__(self, heads: int, patterns: Sequence[Pattern], queries: int, keys: int) -> None:
        import torch

        def zeros(*shape: int) -> Tensor:
            return torch.zeros(shape, dtype=torch.float64, device="cpu")

        self.queries = queries
        self.patterns = len(patterns)
        self.even = columns(patterns, "even")
        self.mass, self.kept = zeros(heads, 2 * len(patterns)), zeros(heads)
        self.weight = zeros(2, heads, queries + keys - 1)
        self.rows = 0  # how many rows were read

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
        self.rows = max(self.rows, chunk.rows.stop)
        self.mass[heads] += (mass[..., :-1] * chunk.exists[:, None]).sum(0, dtype=torch.float64)
        self.kept[heads] += kept[chunk.counts[1]].sum(0, dtype=torch.float64)
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

        at = _distances(chunk, self.queries)
        counts = chunk.counts
        scale = torch.stack([counts[0].expand_as(left.T), counts[1] / left.T])  # (2, heads, rows)
        self.weight[0, heads, at] += by_distance(weights * scale[0][..., None])
        kept = chunk.pairs[..., -1]
        self.weight[1, heads, at] += by_distance(weights * kept * scale[1][..., None])


def _distances(chunk: Chunk, queries: int) -> slice:
    """Where the distances of some rows lie among all."""
    start = queries - chunk.rows.stop
    return slice(start, start + chunk.visible.shape[1])
