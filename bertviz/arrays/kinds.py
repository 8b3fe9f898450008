"""Whether arrays are what their kind says, and a hint where attention does not look like attention.

The problem. Attention × gradient, sums over heads and saliency maps have the shape of attention.
Passed without a word they would be drawn as attention, with lines that are too strong, too weak or
not there. Numbers that no softmax gives are refused, rows that do not sum to one are told, and both
messages say how to show what is not attention.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from bertviz.errors import warn_caller

if TYPE_CHECKING:
    from torch import Tensor

    from bertviz.trace import TraceKind

# How far a row of attention may be from one: rounding in bfloat16 is below it.
TOLERANCE = 0.01
# Sums of values in float32 have to stay finite, in Python and in the page.
LARGEST = 1e30
HOW = "values that are not attention are shown with kind='signed' (any numbers) or"
HOW += " kind='unnormalized' (none below zero), where NaN stands for missing ones"


def check_values(name: str, layers: Sequence[Tensor], kind: TraceKind) -> None:
    """Refuse values that do not go with their kind.

    Args:
        name: What the caller's argument is called.
        layers: (heads, query, key) each.
        kind: "signed" or "unnormalized".

    Raises:
        ValueError: A value is infinite or too large, or negative where none should be.
    """
    for index, layer in enumerate(layers):
        large = layer.abs() > LARGEST
        if bool(large.any()):
            raise ValueError(
                f"{name} holds {_at(layer, large, index)}: expected finite numbers up to"
                f" {LARGEST:.0e} in size, or NaN for missing ones; divide them by one number."
            )
        if kind == "unnormalized" and bool((layer < 0).any()):
            raise ValueError(
                f"{name} holds {_at(layer, layer < 0, index)}, and kind='unnormalized' has no"
                " numbers below zero: pass kind='signed'."
            )


def warn_of_sums(name: str, layers: Sequence[Tensor]) -> None:
    """Warn about rows of attention that do not sum to one, the worst of them by name.

    Args:
        name: What the caller's argument is called.
        layers: (heads, query, key) each, in 0..1.
    """
    import torch

    worst, count, told = 0.0, 0, ""
    for index, layer in enumerate(layers):
        sums = layer.sum(-1, dtype=torch.float32)
        off = (sums - 1).abs()
        off[sums == 0] = 0  # a row that is masked entirely
        count += int((off > TOLERANCE).sum())
        if (largest := float(off.max())) > worst:
            worst = largest
            head, query = divmod(int(off.argmax()), layer.shape[1])
            total = float(sums[head, query])
            told = f"query {query} of layer {index}, head {head} sums to {total:.4g}"
    if not count:
        return
    rows = "one row that does" if count == 1 else f"{count} rows that do"
    warn_caller(
        f"{name} has {rows} not sum to 1: {told}. If the rest of a row is elsewhere (an attention"
        " sink, a part of a longer text), pass kind='attention'; if the model was in training mode,"
        f" dropout changed it: call model.eval(). {HOW[0].upper()}{HOW[1:]}.",
    )


def _at(layer: Tensor, where: Tensor, index: int) -> str:
    """One of some values, and its place."""
    head, query, key = (int(i) for i in where.nonzero()[0])
    return (
        f"{float(layer[head, query, key]):.4g} at layer {index}, head {head}, query {query}, key"
        f" {key}"
    )
