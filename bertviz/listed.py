"""How many numbers nested lists hold, before anybody tries to read them.

A ``range(10**12)`` is a small object. NumPy and torch would begin to make an array of it, and not
come back. An array is read at once, whatever its size, and counts as one.
"""

from __future__ import annotations

from array import array
from collections.abc import Mapping
from typing import Any

from bertviz.arguments import offers
from bertviz.errors import a_type

# Lists inside lists: NumPy goes no deeper, and a list that holds itself has no end.
DEEPEST = 64
# Numbers that are objects of Python: more take gigabytes and minutes.
MOST_LISTED = 1 << 27
# What NumPy and torch copy as a whole; other objects they read item by item.
ARRAYS = ("__array__", "__array_interface__", "__array_struct__")


def refuse_endless(name: str, value: Any) -> None:
    """Refuse nested sequences that claim to hold more numbers than could be read.

    Args:
        name: The argument's name.
        value: What was passed; only lengths are asked for, and first items.

    Raises:
        ValueError: They hold more than ``MOST_LISTED``.

    >>> refuse_endless("weights", [range(10**12)])
    Traceback (most recent call last):
        ...
    ValueError: weights is a list of 1,000,000,000,000 numbers or more: pass a tensor or an array.
    """
    count = _listed_count(value, DEEPEST)
    if count > MOST_LISTED:
        raise ValueError(
            f"{name} is {a_type(value)} of {count:,} numbers or more: pass a tensor or an array."
        )


def _listed_count(value: Any, depth: int) -> int:
    """How many numbers nested sequences hold; no further than is needed to tell they are many."""
    if depth == 0 or isinstance(value, str | bytes | Mapping) or not offers(value, "__getitem__"):
        return 1
    if isinstance(value, array | memoryview) or any(offers(value, name) for name in ARRAYS):
        return 1
    try:
        length = len(value)
        if not length or length > MOST_LISTED or not offers(value[0], "__getitem__"):
            return length
        count = 0
        for item in value:
            count += _listed_count(item, depth - 1)
            if count > MOST_LISTED:
                break
    except Exception:
        return 0  # whoever reads it will say why it cannot be read
    return count
