"""Weights as a list of those that are visible, and the rest of each row as one number.

The problem. Most weights are too small to change a pixel, yet there may be so many of them that
they hold most of a row. Each row therefore lists its visible weights in fixed steps and keeps the
sum of the others, its hidden mass.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from bertviz.trace import LayerAttention
    from bertviz.web.payload.chunks import Chunks

# With up to this many keys every weight that is distinguishable from zero is listed; a picture of a
# sentence then hides nothing. Longer rows list what an 8-bit screen can show.
SHORT = 64
FINE_WEIGHTS = 2_000_000  # of all heads: a thousand heads of short rows are as heavy as long ones
SHORT_STEPS = 65535
LONG_STEPS = 511  # off by less than 0.002
LONG_THRESHOLD = 1 / 255


class Listed(NamedTuple):
    """The weights of one head.

    Attributes:
        hidden: (query,) what is not listed.
        counts: (query,) how many weights are listed.
        deltas: (listed,) each key minus the one before it in the row.
        values: (listed,) the weights, in steps.
    """

    hidden: NDArray[np.float32]
    counts: NDArray[np.int64]
    deltas: NDArray[np.int64]
    values: NDArray[np.int64]


def list_weights(weights: NDArray[np.float32], fine: bool = False) -> Listed:
    """List the weights of one head in fixed steps; keep the rest of each row as hidden mass.

    Rounding runs along the row: the sum of the listed weights so far is what is rounded, so that
    errors do not add up. A listed weight is off by less than one step, a row's listed sum by half.

    Args:
        weights: (query, key), in 0..1; what is below zero counts as zero.
        fine: Whether to list everything distinguishable from zero, in small steps.
    """
    steps = SHORT_STEPS if fine else LONG_STEPS
    return listed(weights, steps, 0.5 / steps if fine else LONG_THRESHOLD)


def listed(weights: NDArray[np.float32], steps: int, threshold: float) -> Listed:
    """The same, with steps and a threshold of one's own.

    Args:
        weights: (query, key), in 0..1; what is below zero counts as zero.
        steps: How many make up 1.
        threshold: The smallest weight that is listed.
    """
    import numpy as np

    queries, keys = weights.shape
    flat = np.clip(weights, 0, 1).ravel()
    large = np.flatnonzero(flat >= threshold)
    row, column = np.divmod(large, keys)
    so_far = np.cumsum(flat[large], dtype=np.float64)
    first = np.diff(row, prepend=-1) != 0
    before = np.concatenate(([0.0], so_far[:-1]))[first]  # of all rows above
    so_far -= np.repeat(before, np.diff(np.append(np.flatnonzero(first), len(large))))
    rounded = np.rint(so_far * steps).astype(np.int64)
    values = np.diff(rounded, prepend=0)
    values[first] = rounded[first]

    kept = values > 0
    row, column, values = row[kept], column[kept], values[kept]
    first = np.diff(row, prepend=-1) != 0
    deltas = np.diff(column, prepend=0)
    deltas[first] = column[first]
    counts = np.bincount(row, minlength=queries)
    sums = np.bincount(row, weights=values, minlength=queries) / steps
    hidden = flat.reshape(queries, keys).sum(axis=1, dtype=np.float64) - sums
    return Listed(np.maximum(hidden, 0).astype(np.float32), counts, deltas, values)


def weights_of(
    chunks: Chunks, block: str, layer: LayerAttention, heads: list[int], fine: bool, comparison: Any
) -> dict[str, Any]:
    """A layer's "weights" and "less" in the schema.

    Args:
        chunks: Where the numbers go.
        block: The name of the layer's block.
        layer: The layer.
        heads: The model's own numbers of the heads to ship.
        fine: Whether short rows may list all of their weights.
        comparison: The comparison whose differences to ship in place of the layer's weights, or
            None.
    """
    fine = fine and layer.shape[1] <= SHORT
    steps = SHORT_STEPS if fine else LONG_STEPS
    # One head at a time: a layer of 12 heads at 4,096 tokens would be 800 MB of float32.
    if comparison is None:
        weights = (layer.weights([head])[0].numpy() for head in heads)
        heads_listed = [list_weights(each, fine) for each in weights]
        return {"weights": packed(chunks, heads_listed, steps), "less": None}
    more, less = [], []
    for head in heads:
        difference = comparison.weights(layer.index, [head], block)[0].numpy()
        more.append(list_weights(difference, fine))
        less.append(list_weights(-difference, fine))
    return {"weights": packed(chunks, more, steps), "less": packed(chunks, less, steps)}


def packed(chunks: Chunks, heads: Sequence[Listed], steps: int) -> dict[str, int]:
    """The heads of a layer in one chunk."""
    import numpy as np

    hidden, counts, deltas, values = (
        np.concatenate([head[field] for head in heads]) for field in range(4)
    )
    data = b"".join(
        (
            hidden.astype("<f4").tobytes(),
            counts.astype("<u4").tobytes(),
            _planes(deltas),
            _planes(values),
        )
    )
    return {"chunk": chunks.add(data), "listed": len(values), "steps": steps}


def _planes(values: NDArray[np.int64]) -> bytes:
    """Low bytes, then high bytes: the high plane is nearly constant, so it compresses to little."""
    import numpy as np

    return (values & 0xFF).astype(np.uint8).tobytes() + (values >> 8).astype(np.uint8).tobytes()
