"""What may be passed to ``find_patterns`` and its result, checked once, before anything runs."""

from __future__ import annotations

import operator
from typing import Any

from bertviz.arguments import as_number
from bertviz.errors import a_type, short


def as_count(name: str, value: Any, *, least: int = 1, most: int | None = None) -> int:
    """An int that counts something, also NumPy's.

    Args:
        name: The argument's name.
        value: What was passed.
        least: The smallest that is accepted.
        most: The largest that is accepted.

    >>> as_count("window", 1.5)
    Traceback (most recent call last):
        ...
    ValueError: window must be an integer of at least 1, got 1.5.

    Raises:
        TypeError: It is not a number.
        ValueError: It is a number that is too small or too large, or not an integer.
    """
    wanted = f"{name} must be an integer of at least {least}, got {short(value)}"
    if isinstance(value, float):
        raise ValueError(f"{wanted}.")
    try:
        if isinstance(value, bool):
            raise TypeError
        number = operator.index(value)
    except Exception:
        raise TypeError(f"{wanted}, {a_type(value)}.") from None
    if number < least:
        raise ValueError(f"{wanted}.")
    if most is not None and number > most:
        raise ValueError(f"{name} must be an integer of at most {most:,}, got {short(value)}.")
    return number


def as_level(value: Any) -> float:
    """A probability between 0 and 1, both excluded.

    >>> as_level("a")
    Traceback (most recent call last):
        ...
    TypeError: level='a' is a str: expected a probability between 0 and 1, such as level=0.01.

    Raises:
        TypeError: It is not a number.
        ValueError: It is outside.
    """
    level = as_number("level", value, "expected a probability between 0 and 1, such as level=0.01")
    if not 0 < level < 1:
        raise ValueError(f"level must be a probability between 0 and 1, got {short(value)}.")
    return level


def check_text(name: str, value: object, where: str = "a text") -> None:
    """Refuse what is no text that can be written: other types, blanks, halves of a character.

    Args:
        name: What it is, for errors.
        value: What was passed.
        where: What is expected.

    Raises:
        TypeError: It is not a string.
        ValueError: It is empty, or holds a lone surrogate, which no file or page can hold.
    """
    if not isinstance(value, str):
        raise TypeError(f"{name} is {a_type(value)}: expected {where}.")
    if not value.strip():
        raise ValueError(f"{name}={short(value)} is empty: expected {where} of at least one word.")
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise ValueError(
            f"{name} holds {value[error.start]!r} at position {error.start}, half of a surrogate"
            f" pair and no character: decode the text with errors='replace'."
        ) from None


def told(error: Exception) -> str:
    """An exception in a few words, also one that cannot be printed."""
    try:
        text = str(error)
    except Exception:
        text = ""
    text = text if len(text) <= 200 else text[:197] + "..."
    written = text.encode(errors="backslashreplace").decode()
    return f"{type(error).__name__}: {written}" if written else type(error).__name__
