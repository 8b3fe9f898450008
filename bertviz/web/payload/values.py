"""Values that are not attention, in the form of weights: parts of the largest, and what is missing.

The problem. Weights lie in 0..1 and are listed in fixed steps. Values may be of any size and sign,
and some are missing. So a layer's values are divided by the largest of them, its scale; positive
and negative ones are listed apart, as the differences of two traces are; and a bit for every pair
of tokens says where there is none.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bertviz.web.payload import sparse

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from bertviz.trace import LayerAttention, TraceKind
    from bertviz.web.payload.chunks import Chunks


def values_of(
    chunks: Chunks, layer: LayerAttention, heads: list[int], fine: bool, kind: TraceKind
) -> dict[str, Any]:
    """A layer's "weights", "less", "scale" and "missing" in the schema.

    Args:
        chunks: Where the numbers go.
        layer: The layer.
        heads: The model's own numbers of the heads to ship.
        fine: Whether listing all values is affordable.
        kind: "signed" or "unnormalized".

    Raises:
        ValueError: A value is infinite.
    """
    import numpy as np

    scale = 0.0
    for head in heads:  # one at a time: a layer may be large
        values = layer.weights([head])[0].numpy()
        if np.isinf(values).any():
            raise ValueError(
                f"layer {layer.index}, head {head} holds an infinite value: expected finite"
                " numbers, or NaN for missing ones."
            )
        scale = max(scale, float(np.nanmax(np.abs(values), initial=0)))
    # Numbers of any size are read with four digits. Rows of values do not concentrate on a few
    # keys, and roots make small ones visible: all are listed, if that is affordable.
    steps = sparse.SHORT_STEPS
    threshold = 0.5 / steps if fine else sparse.LONG_THRESHOLD
    more, less, gaps = [], [], []
    for head in heads:
        values = layer.weights([head])[0].numpy().astype(np.float64)
        parts = (np.nan_to_num(values) / (scale or 1)).astype(np.float32)
        more.append(sparse.listed(parts, steps, threshold))
        less.append(sparse.listed(-parts, steps, threshold))
        gaps.append(np.isnan(values))
    return {
        "weights": sparse.packed(chunks, more, steps),
        "less": sparse.packed(chunks, less, steps) if kind == "signed" else None,
        "scale": scale,
        "missing": _missing(chunks, np.stack(gaps)),
    }


def _missing(chunks: Chunks, gaps: NDArray[np.bool_]) -> dict[str, int] | None:
    """A bit for every value, where one is missing."""
    import numpy as np

    count = int(gaps.sum())
    if not count:
        return None
    packed = np.packbits(gaps, bitorder="little").tobytes()
    return {"chunk": chunks.add(packed), "count": count}
