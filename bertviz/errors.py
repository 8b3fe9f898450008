"""The wording of errors, and the checks that are the same wherever a number is passed.

The problem. An error is read by somebody who has just typed something wrong. It should name the
argument, say what was found and what was expected, and offer the call that works. Written anew in
every module, those sentences differ from each other for no reason.
"""

from __future__ import annotations

import difflib
import operator
from collections.abc import Collection, Iterable, Sequence


def a_type(value: object) -> str:
    """The type's name with its article.

    >>> a_type(1), a_type("x")
    ('an int', 'a str')
    """
    name = type(value).__name__
    return f"{'an' if name[0] in 'aeiouAEIOU' else 'a'} {name}"


def short(value: object) -> str:
    """A repr that never fills the screen.

    >>> len(short("x" * 1000))
    60
    """
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


def short_list(names: Sequence[str], most: int = 3) -> str:
    """Some names, and how many more there are.

    >>> short_list(["a", "b"]), short_list(["a", "b", "c", "d", "e"])
    ('a, b', 'a, b, c and 2 more')
    """
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more


def numbers_in_words(numbers: Iterable[int]) -> str:
    """Numbers in order, as a range where they are consecutive.

    >>> numbers_in_words([0, 1, 2]), numbers_in_words([3, 0]), numbers_in_words([4])
    ('0 to 2', '0, 3', '4')
    """
    found = sorted(numbers)
    if len(found) > 1 and found == list(range(found[0], found[-1] + 1)):
        return f"{found[0]} to {found[-1]}"
    return ", ".join(map(str, found))


def listing(what: str, numbers: Collection[int]) -> str:
    """Numbers with their noun.

    >>> listing("layer", [0, 1, 2]), listing("head", [4]), listing("layer", [0])
    ('layers 0 to 2', 'head 4', 'only layer 0')
    """
    if len(numbers) == 1:
        only = "only " if 0 in numbers else ""
        return f"{only}{what} {numbers_in_words(numbers)}"
    return f"{what}s {numbers_in_words(numbers)}"


def suggestion(name: str, names: Iterable[str]) -> str:
    """The name that was probably meant, or all names.

    >>> suggestion("head", ["layer", "heads"]), suggestion("zzz", ["layer", "heads"])
    ('did you mean heads?', 'it takes heads, layer.')
    """
    known = sorted(names)
    close = difflib.get_close_matches(name, known, n=1) or [x for x in known if name in x]
    return f"did you mean {close[0]}?" if close else f"it takes {', '.join(known)}."


def as_index(name: str, value: object, what: str) -> int:
    """An int from an int, a NumPy integer or the like.

    Args:
        name: The argument's name.
        value: What was passed.
        what: What the number counts, such as "layer".

    Raises:
        TypeError: ``value`` is a bool, a string, a float or anything else that is not an integer.

    >>> as_index("layer", "2", "layer")
    Traceback (most recent call last):
        ...
    TypeError: layer='2' is a str: expected a layer number, such as layer=2.
    """
    example = value if isinstance(value, str) and value.isdecimal() else 0
    if isinstance(value, float) and value.is_integer():
        example = int(value)
    try:
        if isinstance(value, bool):
            raise TypeError
        return operator.index(value)  # type: ignore[arg-type]
    except TypeError:
        raise TypeError(
            f"{name}={short(value)} is {a_type(value)}: expected a {what} number, such"
            f" as {name}={example}."
        ) from None


def as_indices(name: str, value: object, what: str) -> list[int]:
    """Ints, without repeats, from a list, tuple, range, set, array or one number.

    Args:
        name: The argument's name.
        value: What was passed.
        what: What the numbers count, such as "head".

    Raises:
        TypeError: An item is not an integer.
        ValueError: It is empty.

    >>> as_indices("heads", range(2, 5), "head"), as_indices("heads", 3, "head")
    ([2, 3, 4], [3])
    >>> as_indices("heads", [], "head")
    Traceback (most recent call last):
        ...
    ValueError: heads=[] is empty: expected at least one head number, such as heads=[0], or leave heads out for all.
    """  # noqa: E501
    if isinstance(value, str | bytes | bool | float):
        raise TypeError(
            f"{name}={short(value)} is {a_type(value)}: expected a list of {what}"
            f" numbers, such as {name}=[0, 1]."
        )
    try:
        items = list(value)  # type: ignore[call-overload]
    except TypeError:
        return [as_index(name, value, what)]
    numbers = []
    for item in items:
        try:
            number = as_index(name, item, what)
        except TypeError:
            raise TypeError(
                f"{name} holds {short(item)}, {a_type(item)}: expected {what} numbers,"
                f" such as {name}=[0, 1]."
            ) from None
        numbers.append(number)
    if not numbers:
        raise ValueError(
            f"{name}={short(value)} is empty: expected at least one {what} number, such as"
            f" {name}=[0], or leave {name} out for all."
        )
    return list(dict.fromkeys(numbers))


def check_among(
    name: str, value: int | Sequence[int], known: Iterable[int], what: str, owner: str
) -> None:
    """Refuse numbers that do not exist, and say which do.

    Args:
        name: The argument's name.
        value: One number, or several.
        known: The numbers that exist.
        what: What they count, such as "layer".
        owner: What has them, such as "the model".

    Raises:
        ValueError: A number is not among those.

    >>> check_among("layer", 7, range(6), "layer", "the model")
    Traceback (most recent call last):
        ...
    ValueError: layer=7 is out of range: the model has layers 0 to 5; pass layer=5 or lower.
    """
    available = sorted(known)
    single = isinstance(value, int)
    wanted = [value] if isinstance(value, int) else value
    unknown = next((number for number in wanted if number not in available), None)
    if unknown is None:
        return
    subject = f"{name}={value}" if single else f"{name} holds {unknown}, which"
    if not available[0] <= unknown <= available[-1]:
        problem = "is out of range"
    else:
        problem = f"is not a {what} that exists"
    near = min(available, key=lambda number: abs(number - unknown))
    if single:
        fix = f"pass {name}={near}"
        if near == available[-1] and len(available) > 1:
            fix += " or lower"
    else:
        fix = f"choose from {'it' if len(available) == 1 else 'these'}"
    raise ValueError(f"{subject} {problem}: {owner} has {listing(what, available)}; {fix}.")
