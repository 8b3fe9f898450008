"""What a view costs before anybody sees it.

The problem. A view holds all layers of a trace, which is right for a text of a hundred tokens. Of
an 8-billion model at 1,024 tokens that is a billion weights, a minute in which nothing happens, or
a page of hundreds of megabytes that no notebook shows. Whoever wants that can say so.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bertviz.errors import warn_caller
from bertviz.web.payload.vectors import size_of

if TYPE_CHECKING:
    from collections.abc import Collection

    from bertviz.trace import AttentionTrace, LayerAttention

    Shipped = list[tuple[LayerAttention, list[int]]]

MANY = 200_000_000  # weights
PER_SECOND = 14_000_000  # weights that are encoded, as measured on one core
LARGE_BYTES = 64_000_000  # of a neuron view's queries and keys


def check_cost(
    kind: str,
    trace: AttentionTrace,
    layers: Collection[int] | None,
    heads: Collection[int] | None,
    layer: int | None,
) -> None:
    """Warn of a view that takes long, and refuse a neuron view that is very large.

    What ``include_layers`` or ``include_heads`` ask for is neither.

    Args:
        kind: "head", "model" or "neuron".
        trace: What is shown.
        layers: What ``include_layers`` asks for.
        heads: What ``include_heads`` asks for.
        layer: The layer that the view starts with.

    Raises:
        ValueError: The neuron view is too large.

    Warns:
        UserWarning: It takes more than some ten seconds.
    """
    if layers is not None or heads is not None:
        return
    shipped = [(held, list(held.heads)) for block in trace.blocks.values() for held in block.layers]
    first = shipped[0][0].index if layer is None else layer
    fix = f"include_layers=[{first}]"
    part = [(held, of) for held, of in shipped if held.index == first]
    if kind == "neuron":
        size, less = _bytes(shipped), _bytes(part)
        if size > LARGE_BYTES:
            raise ValueError(
                f"include_layers=None: queries and keys of all {len(shipped)} layers would make"
                f" a page of about {size / 1e6:.0f} MB. Pass {fix} (about {less / 1e6:.0f} MB), or"
                " name all layers, include_layers=range(...), if you want that page."
            )
        return
    count, few = _weights(shipped), _weights(part)
    if count > MANY:
        many = f"{len(shipped)} layers" if len(shipped) > 1 else "a layer"
        fewer = (
            f"{fix} ({few / 1e6:,.0f} million), include_heads" if few < count else "include_heads"
        )
        warn_caller(
            f"This {kind} view encodes {count / 1e6:,.0f} million weights of {many}, up to"
            f" {count / PER_SECOND:.0f} s, before it shows the first. Pass {fewer}, or a shorter"
            " text; with include_layers or include_heads this warning is not given."
        )


def _bytes(shipped: Shipped) -> float:
    """About how large the page is: float16 as base64, which compression hardly makes smaller."""
    return (size_of(shipped) or 0) / 2 * 1.2


def _weights(shipped: Shipped) -> int:
    return sum(len(heads) * layer.shape[0] * layer.shape[1] for layer, heads in shipped)
