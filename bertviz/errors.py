"""What errors are phrased with."""

from __future__ import annotations

from collections.abc import Iterable


def a_type(value: object) -> str:
    """The type's name with its article, for errors.

    >>> a_type(1), a_type("x")
    ('an int', 'a str')
    """
    name = type(value).__name__
    return f"{'an' if name[0] in 'aeiouAEIOU' else 'a'} {name}"


def numbers_in_words(numbers: Iterable[int]) -> str:
    """Numbers for a message: a range, or one by one where there are gaps.

    >>> numbers_in_words([0, 1, 2]), numbers_in_words([0, 3])
    ('0 to 2', '0, 3')
    """
    known = sorted(numbers)
    if len(known) > 2 and known == list(range(known[0], known[-1] + 1)):
        return f"{known[0]} to {known[-1]}"
    return ", ".join(map(str, known))
