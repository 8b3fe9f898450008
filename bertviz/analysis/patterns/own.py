"""A user's own pattern: a function of the tokens, or a matrix of the query–key pairs that count.

Both are written by hand, so errors are phrased in the user's terms: which pattern, which shape,
which pair. A function may return anything, or fail; what it did is said, and it is never a crash
from inside.
"""

from __future__ import annotations

import inspect
import operator
from collections.abc import Callable, Iterable, Mapping
from itertools import islice
from typing import TYPE_CHECKING, Any

from bertviz.analysis.patterns.arguments import check_text, told
from bertviz.analysis.patterns.pattern import Pattern, Unavailable
from bertviz.analysis.patterns.text import Text
from bertviz.errors import a_type, short

if TYPE_CHECKING:
    from torch import Tensor

Own = Callable[..., Any]
EXAMPLE = "patterns={'negation': lambda tokens: [[key == 'not' for key in tokens] for _ in tokens]}"


def own_patterns(patterns: object, known: Iterable[str]) -> list[Pattern]:
    """A user's patterns, by name.

    Args:
        patterns: A mapping from names to functions, or None.
        known: The names that are taken.

    Raises:
        TypeError: It is not a mapping, a name is not a string, or a pattern not a function.
        ValueError: A name is taken, empty, or cannot be written.
    """
    if patterns is None:
        return []
    if not isinstance(patterns, Mapping):
        raise TypeError(
            f"patterns is {a_type(patterns)}: expected a dict from names to functions of the"
            f" tokens, such as {EXAMPLE}."
        )
    found = []
    try:
        items = list(patterns.items())
    except Exception as error:
        raise TypeError(
            f"patterns is {a_type(patterns)} whose items() fails ({told(error)}): expected a dict"
            f" from names to functions of the tokens, such as {EXAMPLE}."
        ) from error
    for name, function in items:
        check_text("A name in patterns", name, "a string")
        if name in known:
            raise ValueError(
                f"patterns holds {name!r}, which is the name of a known pattern: give yours another"
                " name."
            )
        found.append(own_pattern(name, function))
    return found


def own_pattern(name: str, function: Own) -> Pattern:
    """A user's pattern: a function of tokens, or of query tokens and key tokens.

    Args:
        name: Its name, for errors.
        function: Returns a matrix (query, key), or (query, key) tuples.

    Raises:
        TypeError: It is not a function of one or two arguments.
    """
    argument = f"patterns[{short(name)}]"
    takes_one = _arguments(argument, function) == 1
    last: list[tuple[Text, Tensor]] = []  # of a long text, rows are asked for a few at a time

    def called(shape: tuple[int, int], *tokens: tuple[str, ...]) -> Tensor:
        try:
            result = function(*tokens)
        except Exception as error:
            raise ValueError(
                f"{argument} failed for a text of {len(tokens[0])} tokens, {short(tokens[0])}, with"
                f" {told(error)}: expected a matrix (query, key), or (query, key) tuples."
            ) from error
        return as_matrix(f"The result of {argument}", result, shape)

    def whole(text: Text) -> Tensor:
        queries, keys = text.shape
        if not takes_one:
            return called(text.shape, text.query.text, text.key.text)
        if not text.shared:
            raise Unavailable("takes one list of tokens, but queries and keys differ here")
        return called((keys, keys), text.key.text)[keys - queries :]

    def pairs(text: Text, rows: slice) -> Tensor:
        if not last or last[0][0] is not text:
            last[:] = [(text, whole(text))]
        return last[0][1][rows]

    return Pattern(name, "your own", pairs, content=True)


def _arguments(argument: str, function: Own) -> int:
    """How many arguments a user's function needs, 1 or 2."""
    if not callable(function):
        raise TypeError(
            f"{argument} is {a_type(function)}: expected a function of the tokens that returns a"
            " matrix (query, key), such as lambda tokens: [[key == 'not' for key in tokens] for"
            " query in tokens]."
        )
    try:
        parameters = inspect.signature(function).parameters.values()
    except Exception:
        raise TypeError(
            f"{argument} is {a_type(function)} that does not say what arguments it takes: expected"
            " a function of the tokens, such as lambda tokens: ..."
        ) from None
    needed = [p for p in parameters if p.default is p.empty and p.kind is not p.VAR_KEYWORD]
    if len(needed) not in (1, 2) or any(p.kind is p.KEYWORD_ONLY for p in needed):
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
    wanted = f"a matrix of {shape[0]} x {shape[1]} bools (query, key), or (query, key) tuples"
    count = shape[0] * shape[1]
    try:
        items = list(islice(value, count + 1)) if _is_listed(value) else None
    except Exception as error:
        raise TypeError(
            f"{name} is {a_type(value)} that fails when it is read, with {told(error)}: expected"
            f" {wanted}."
        ) from error
    if items is None:
        return _from_array(name, value, value, shape, wanted)
    if len(items) > count:
        raise ValueError(
            f"{name} holds more than {count} items, which is how many query–key pairs there are:"
            f" expected {wanted}."
        )
    if all(isinstance(item, tuple) and len(item) == 2 for item in items):
        return _from_pairs(name, items, shape)
    return _from_array(name, value, items, shape, wanted)


def _is_listed(value: Any) -> bool:
    """Whether a value holds items one by one, and is neither an array nor a text nor a mapping."""
    if hasattr(value, "shape") or isinstance(value, str | bytes | Mapping):
        return False
    return isinstance(value, Iterable)


def _from_array(name: str, value: Any, items: Any, shape: tuple[int, int], wanted: str) -> Tensor:
    import torch

    try:
        if isinstance(value, str | bytes | Mapping) or value is None:
            raise TypeError
        found = torch.as_tensor(_read(items, shape[1]), device="cpu").detach()
        found = (found.to_dense() if found.layout is not torch.strided else found).cpu()
        if found.is_complex() or found.is_quantized:
            raise TypeError
        valid = bool(((found == 0) | (found == 1)).all())
    except Exception:
        raise TypeError(f"{name} is {a_type(value)}, not a matrix: expected {wanted}.") from None
    if tuple(found.shape) != shape:
        raise ValueError(f"{name} has shape {tuple(found.shape)}: expected {wanted}.")
    if not valid:
        raise ValueError(f"{name} holds numbers other than 0 and 1: expected {wanted}.")
    return found.bool()


def _read(items: Any, keys: int) -> Any:
    """Rows and their items as lists, no longer than is needed to tell that one is too long."""
    if not isinstance(items, list):
        return items
    rows = [list(islice(row, keys + 1)) if _is_listed(row) else row for row in items]
    if any(_is_listed(item) for row in rows if isinstance(row, list) for item in row):
        raise TypeError
    return rows


def _from_pairs(name: str, pairs: list[tuple[Any, Any]], shape: tuple[int, int]) -> Tensor:
    import torch

    matrix = torch.zeros(shape, dtype=torch.bool, device="cpu")
    expected = "expected positions from 0"
    for pair in pairs:
        try:
            if any(isinstance(place, bool) for place in pair):
                raise TypeError
            query, key = map(operator.index, pair)
        except Exception:
            raise TypeError(
                f"{name} holds the pair {short(pair)}, which is not of two integers: {expected}."
            ) from None
        if not (0 <= query < shape[0] and 0 <= key < shape[1]):
            raise ValueError(
                f"{name} holds the pair {short(pair)}, but there are {shape[0]} queries and"
                f" {shape[1]} keys: {expected}."
            )
        matrix[query, key] = True
    return matrix
