"""The words that errors share: a type with its article."""

from __future__ import annotations


def a_type(value: object) -> str:
    """The type's name with its article, for errors.

    >>> a_type(1), a_type("x")
    ('an int', 'a str')
    """
    name = type(value).__name__
    return f"{'an' if name[0] in 'aeiouAEIOU' else 'a'} {name}"
