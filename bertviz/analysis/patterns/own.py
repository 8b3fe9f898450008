"""A user's own pattern: a function of the tokens, or a matrix of the query–key pairs that count.

Both are written by hand, so errors are phrased in the user's terms: which pattern, which shape,
which pair.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from bertviz.analysis.patterns.pattern import Pattern, Unavailable
from bertviz.analysis.patterns.text import Text
from bertviz.errors import a_type

if TYPE_CHECKING:
    from torch import Tensor

Own = Callable[..., Any]


def own_pattern(name: str, function: Own) -> Pattern:
    """A user's pattern: a function of tokens, or of query tokens and key tokens.

    Args:
        name: Its name, for errors.
        function: Returns a matrix (query, key), or (query, key) tuples.

    Raises:
        TypeError: It is not a function of one or two arguments.
    """
    argument = f"patterns[{name!r}]"
    takes_one = _arguments(argument, function) == 1
    result = f"The result of {argument}"

    def pairs(text: Text, rows: slice) -> Tensor:
        queries, keys = text.shape
        if takes_one:
            if not text.shared:
                raise Unavailable("takes one list of tokens, but queries and keys differ here")
            matrix = as_matrix(result, function(text.key.text), (keys, keys))
            return matrix[keys - queries :][rows]
        return as_matrix(result, function(text.query.text, text.key.text), text.shape)[rows]

    return Pattern(name, "your own", pairs, content=True)


def _arguments(argument: str, function: Own) -> int:
    """How many arguments a user's function needs, 1 or 2."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        raise TypeError(
            f"{argument} is {a_type(function)}: expected a function of the tokens that returns a"
            " matrix (query, key), such as lambda tokens: [[key == 'not' for key in tokens] for"
            " query in tokens]."
        ) from None
    needed = [p for p in parameters if p.default is p.empty and p.kind is not p.VAR_KEYWORD]
    if len(needed) not in (1, 2):
        raise TypeError(
            f"{argument} takes {len(needed)} arguments: expected one, the tokens, or two, the query"
            " tokens and the key tokens."
        )
    return len(needed)


def as_matrix(name: str, value: Any, shape: tuple[int, int]) -> Tensor:
    """Query–key pairs as a bool matrix.

    >>> as_matrix("cells", [(0, 1)], (2, 2))
    tensor([[False,  True],
            [False, False]])

    Args:
        name: Where they come from, for errors.
        value: A matrix of bools, or of zeros and ones: nested lists, NumPy, torch; or an iterable
            of (query, key) tuples.
        shape: The expected shape, (query, key).

    Raises:
        TypeError: The value is neither.
        ValueError: A matrix of another shape or with other values, or a pair outside the shape.
    """
    import torch

    wanted = f"a matrix of {shape[0]} x {shape[1]} bools (query, key), or (query, key) tuples"
    items = value
    if isinstance(value, Iterable) and not hasattr(value, "shape"):
        items = list(value)
        if all(isinstance(item, tuple) and len(item) == 2 for item in items):
            return _from_pairs(name, items, shape)
    try:
        found = torch.as_tensor(items, device="cpu")
    except (TypeError, ValueError, RuntimeError):
        raise TypeError(f"{name} is {a_type(value)}, not a matrix: expected {wanted}.") from None
    if tuple(found.shape) != shape:
        raise ValueError(f"{name} has shape {tuple(found.shape)}: expected {wanted}.")
    if not bool(((found == 0) | (found == 1)).all()):
        raise ValueError(f"{name} holds numbers other than 0 and 1: expected {wanted}.")
    return found.cpu().bool()


def _from_pairs(name: str, pairs: list[tuple[int, int]], shape: tuple[int, int]) -> Tensor:
    import torch

    matrix = torch.zeros(shape, dtype=torch.bool, device="cpu")
    for query, key in pairs:
        if not (0 <= query < shape[0] and 0 <= key < shape[1]):
            raise ValueError(
                f"{name} holds the pair {(query, key)}, but there are {shape[0]} queries and"
                f" {shape[1]} keys: expected positions from 0."
            )
        matrix[query, key] = True
    return matrix
