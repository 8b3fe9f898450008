"""Which query-key pairs are masked, and whether a mask is causal: decided here and nowhere else.

Models write a mask as a bool, as minus infinity, as the smallest number of their precision, or as
-10,000, and some add two of them. One threshold has to tell a mask from a position bias.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

# A number this low, added to a score, masks it: exp(-10,000) is 0 in every precision.
MASKED = -1e4


def hidden_by(term: Tensor) -> Tensor:
    """Which pairs a mask or bias masks, as a bool tensor of the same shape.

    Args:
        term: What is added to scores; or bool, True for what is unmasked.

    >>> import torch
    >>> hidden_by(torch.tensor([0.0, -8.0, -1e4])), hidden_by(torch.tensor([True, False]))
    (tensor([False, False,  True]), tensor([False,  True]))
    """
    import torch

    if term.dtype == torch.bool:
        return ~term
    # Half precision ends at -65,504, and its masks are often half of that.
    return term <= max(MASKED, torch.finfo(term.dtype).min / 2)


def lowest(term: Tensor) -> Tensor:
    """Which numbers of a float term are as low as its dtype goes: masks rather than biases.

    In a row that is masked entirely, a mask of -10,000 still lets the scores decide; the lowest
    number of a dtype does not.
    """
    import torch

    return term <= torch.finfo(term.dtype).min / 2


def causal_mask(queries: int, keys: int, rows: slice | list[int] | None = None) -> Tensor:
    """(rows, key), True where a key is not after the query; the last query sees all keys.

    >>> causal_mask(2, 3)
    tensor([[ True,  True, False],
            [ True,  True,  True]])
    """
    import torch

    positions = partial(torch.arange, dtype=torch.int64, device="cpu")
    last = positions(queries)[slice(None) if rows is None else rows] + keys - queries
    return positions(keys) <= last[:, None]


def is_causal(hidden: Tensor, exactly: bool = False) -> bool:
    """Whether every key after its query is masked.

    Args:
        hidden: (..., query, key), True for what is masked.
        exactly: Whether nothing else may be masked.

    Returns:
        False for a single query, which says nothing.

    >>> import torch
    >>> is_causal(torch.tensor([[False, True], [True, False]]))
    True
    >>> is_causal(torch.tensor([[False, True], [True, False]]), exactly=True)
    False
    """
    queries, keys = hidden.shape[-2:]
    if queries < 2:
        return False
    later = ~causal_mask(queries, keys).to(hidden.device)
    return bool((hidden == later).all()) if exactly else bool(hidden[..., later].all())
