"""Tokens in the forms that BertViz accepted, as a list of strings.

The problem. BertViz passed tokens on to its page as they came, so one string was as many tokens as
it has letters (a protein, a word), and ids were shown as numbers. Both still work; but a string is
more often a text that was not tokenized, and ids are often tokens that were not converted, so the
first has to fit and the second is said.
"""

from __future__ import annotations

import operator
from collections.abc import Iterable, Mapping
from typing import Any

from bertviz.arguments import as_items, axes_of, offers, shape_of
from bertviz.errors import ArgumentError, warn_caller

# Where the number of tokens can be read: the arrays beside them, and the axis.
SIDES: Mapping[str, tuple[tuple[str, int], ...]] = {
    "tokens": (("attention", -1),),
    "encoder_tokens": (("encoder_attention", -1), ("cross_attention", -1)),
    "decoder_tokens": (("decoder_attention", -2), ("cross_attention", -2)),
}


def as_strings(name: str, tokens: Any, arrays: Mapping[str, Any]) -> Any:
    """The tokens as strings, if they are letters or integers; other forms are left alone.

    Args:
        name: The argument's name, one of ``SIDES``.
        tokens: What was passed.
        arrays: The arrays that were passed beside it, by name.

    Raises:
        TypeError: It is a tokenizer.
        ArgumentError: It is one string of another length than the arrays.
        ValueError: It is longer than any list of tokens.
    """
    if hasattr(tokens, "convert_ids_to_tokens"):
        raise TypeError(
            f"{name} is a tokenizer ({type(tokens).__name__}): with arrays expected a list of"
            " strings, such as tokenizer.convert_ids_to_tokens(inputs.input_ids[0]) gives."
        )
    if isinstance(tokens, str):
        _check_letters(name, tokens, arrays)
        return list(tokens)
    numbers = _integers(name, tokens)
    if numbers is None:
        return tokens
    warn_caller(
        f"{name} holds integers, which are shown as numbers. If they are ids, pass"
        f" tokenizer.convert_ids_to_tokens({name})."
    )
    return [str(number) for number in numbers]


def _check_letters(name: str, text: str, arrays: Mapping[str, Any]) -> None:
    """Refuse a string that does not have one letter per position."""
    for array, axis in SIDES[name]:
        length = _length(arrays.get(array), axis)
        if length is not None and length != len(text):
            raise ArgumentError(
                f"{name} is one string of {len(text)} letters, {array} has {length} positions:"
                f" expected a list of {length} strings, such as"
                " tokenizer.convert_ids_to_tokens(inputs.input_ids[0]) gives."
            )


def _length(value: Any, axis: int) -> int | None:
    """The length of an axis of the last layer, None if there is none."""
    while isinstance(value, list | tuple) and value and not _is_matrix(value):
        value = value[-1]
    if isinstance(value, list | tuple) and value:
        return len(value if axis == -2 else value[0])
    shape = shape_of(value)
    return shape[axis] if len(shape) >= 2 else None


def _is_matrix(value: list[Any] | tuple[Any, ...]) -> bool:
    """Whether this is a list of lists of numbers."""
    first = value[0]
    return isinstance(first, list | tuple) and not (
        first and (isinstance(first[0], list | tuple) or hasattr(first[0], "shape"))
    )


def _integers(name: str, tokens: Any) -> list[int] | None:
    """All of them as integers, or None if one is something else; refuses what is endless."""
    if isinstance(tokens, Mapping | bytes) or not isinstance(tokens, Iterable):
        return None
    if (offers(tokens, "ndim") and axes_of(tokens) != 1) or not offers(tokens, "__len__"):
        return None
    try:
        items = as_items(name, tokens, "expected a list of strings")
    except TypeError:
        return None
    numbers = []
    for token in items:
        try:
            numbers.append(operator.index(token))
        except (TypeError, ValueError):
            return None
        if isinstance(token, bool):
            return None
    return numbers or None
