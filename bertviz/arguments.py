"""One door for each type of argument: what was passed becomes what is used, or a named error.

The problem. A number may come as an int, a NumPy scalar, a tensor of no axes, a string or NaN; a
list may be a set, a generator without end, or an object that raises when it is read. A check that
is written where it is needed thinks of two or three of them, and the others fail far away, in the
words of another library.

So whoever takes an argument sends it through the function for its type first. Each accepts all
forms that mean the same, gives back one plain Python type, and refuses everything else with the
argument's name. Code of the user's that runs in between (``__index__``, ``__iter__``) may raise
anything; that too is an error of the argument.
"""

from __future__ import annotations

import itertools
import math
import numbers
import operator
from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Any

from bertviz.errors import a_type, listing, short

# Integers beyond this are not exact in JavaScript, and nothing has as many layers or tokens.
LARGEST = 2**53
# Nothing that is read item by item is longer; an iterator without end stops here.
MOST_ITEMS = 1_000_000


def offers(value: object, name: str) -> bool:
    """Whether an object has an attribute; one that raises has not.

    >>> offers([], "append"), offers([], "shape")
    (True, False)
    """
    try:
        return hasattr(value, name)
    except Exception:
        return False


def axes_of(value: Any) -> int:
    """How many axes a tensor or an array has; 0 for anything else.

    >>> axes_of([1]), axes_of(0.5)
    (0, 0)
    """
    try:
        return int(value.ndim)
    except Exception:
        return 0


def shape_of(value: Any) -> tuple[int, ...]:
    """The lengths of a tensor's or an array's axes; none for anything else.

    >>> shape_of([1])
    ()
    """
    try:
        return tuple(int(length) for length in value.shape)
    except Exception:
        return ()


def as_index(name: str, value: object, what: str = "") -> int:
    """An int from an int, a NumPy integer or the like.

    Args:
        name: The argument's name.
        value: What was passed.
        what: What the number counts, such as "layer".

    Raises:
        TypeError: ``value`` is a bool, a string, a float or anything else that is not an integer.
        ValueError: It is larger than any number of layers, heads or tokens.

    >>> as_index("layer", "2", "layer")
    Traceback (most recent call last):
        ...
    TypeError: layer='2' is a str: expected a layer number, such as layer=2.
    """
    example = _meant(value)
    expected = f"expected {f'a {what} number' if what else 'an integer'}, such as {name}={example}"
    number = _index(value)
    if number is None:
        raise TypeError(f"{name}={short(value)} is {a_type(value)}: {expected}.")
    if abs(number) > LARGEST:
        raise ValueError(f"{name}={short(value)} is out of range: {expected}.")
    return number


def _index(value: Any) -> int | None:
    """An integer as an int, None if it is something else."""
    try:
        if isinstance(value, bool) or str(getattr(value, "dtype", "")).endswith("bool"):
            return None
        return int(operator.index(value))
    except Exception:
        return None


def _meant(value: object) -> int:
    """The integer that a string or a float was probably meant as, else 0."""
    if isinstance(value, str) and len(value) < 10 and value.isascii() and value.isdecimal():
        return int(value)
    whole = isinstance(value, float) and value.is_integer() and abs(value) < LARGEST
    return int(value) if whole else 0  # type: ignore[call-overload]


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
    found = as_numbers(name, value, f"{what} numbers")
    if not found:
        raise ValueError(
            f"{name}={short(value)} is empty: expected at least one {what} number, such as"
            f" {name}=[0], or leave {name} out for all."
        )
    return list(dict.fromkeys(found))


def as_numbers(
    name: str, value: object, what: str = "integers", example: str = "[0, 1]"
) -> list[int]:
    """Ints from a list, tuple, range, set, array or one number, in the order given.

    Args:
        name: The argument's name.
        value: What was passed.
        what: What they are, in the plural, such as "head numbers".
        example: What would be right.

    Raises:
        TypeError: An item is not an integer.
        ValueError: An item is larger than any number of layers, heads or tokens.

    >>> as_numbers("heads", [1, "2"], "head numbers")
    Traceback (most recent call last):
        ...
    TypeError: heads holds '2', a str: expected head numbers, such as heads=[0, 1].
    """
    expected = f"expected {what}, such as {name}={example}"
    single = _index(value)
    items = [value]
    if single is None:
        items = as_items(name, value, expected.replace(what, f"a list of {what}", 1), sets=True)
    found = []
    for item in items:
        number = _index(item)
        if number is None:
            raise TypeError(f"{name} holds {short(item)}, {a_type(item)}: {expected}.")
        if abs(number) > LARGEST:
            raise ValueError(f"{name} holds {short(item)}, which is out of range: {expected}.")
        found.append(number)
    return found


def as_items(name: str, value: Any, expected: str, *, sets: bool = False) -> list[Any]:
    """The items of a list, tuple, array, generator or the like.

    Args:
        name: The argument's name.
        value: What was passed.
        expected: Ends the error, such as "expected a list of strings".
        sets: Whether a set will do, where the order does not matter.

    Raises:
        TypeError: It is a string, a mapping, a set, or cannot be read item by item.
        ValueError: It does not end.

    >>> as_items("tokens", {"a"}, "expected a list of strings")
    Traceback (most recent call last):
        ...
    TypeError: tokens is a set, which has no order: expected a list of strings.
    """
    if isinstance(value, AbstractSet) and not sets:
        raise TypeError(f"{name} is {a_type(value)}, which has no order: {expected}.")
    problem = ""
    if not isinstance(value, str | bytes | bytearray | memoryview | Mapping):
        try:
            items = list(itertools.islice(iter(value), MOST_ITEMS + 1))
        except TypeError:
            items = None
        except Exception as error:
            items, problem = None, f" that cannot be read ({short(error)})"
        if items is not None and len(items) <= MOST_ITEMS:
            return items
        if items is not None:
            raise ValueError(f"{name} holds more than {MOST_ITEMS:,} items: {expected}.")
    raise TypeError(f"{name}={short(value)} is {a_type(value)}{problem}: {expected}.")


def as_flag(name: str, value: object, hint: str = "") -> bool:
    """A bool, also NumPy's.

    Args:
        name: The argument's name.
        value: What was passed.
        hint: A sentence that ends the error.

    Raises:
        TypeError: It is something else.

    >>> as_flag("verify", 1)
    Traceback (most recent call last):
        ...
    TypeError: verify=1 is an int: expected True or False.
    """
    if isinstance(value, bool):
        return value
    if type(value).__module__ == "numpy" and type(value).__name__ in ("bool", "bool_"):
        return bool(value)
    end = f" {hint}" if hint else ""
    raise TypeError(f"{name}={short(value)} is {a_type(value)}: expected True or False.{end}")


def as_choice(name: str, value: object, choices: Sequence[str], hint: str = "") -> str:
    """One of some strings.

    Args:
        name: The argument's name.
        value: What was passed.
        choices: The strings there are.
        hint: Ends the list of choices, such as ", or leave it out".

    Raises:
        TypeError: It is not a string.
        ValueError: It is another string.

    >>> as_choice("mode", "matrx", ["lines", "matrix"])
    Traceback (most recent call last):
        ...
    ValueError: mode='matrx' is unknown: expected 'lines' or 'matrix'.
    """
    if isinstance(value, str) and value in choices:
        return str.__str__(value)
    *others, last = map(repr, choices)
    expected = f"expected {', '.join(others)} or {last}" if others else f"expected {last}"
    if isinstance(value, str):
        raise ValueError(f"{name}={short(value)} is unknown: {expected}{hint}.")
    raise TypeError(f"{name}={short(value)} is {a_type(value)}: {expected}{hint}.")


def as_number(name: str, value: Any, expected: str = "expected a number, such as 0.5") -> float:
    """A finite float from an int, a float, a NumPy scalar, or an array or tensor of no axes.

    Args:
        name: The argument's name.
        value: What was passed.
        expected: Ends the error.

    Raises:
        TypeError: It is not a real number.
        ValueError: It is NaN, infinite, or too large for a float.

    >>> as_number("scaling", float("nan"))
    Traceback (most recent call last):
        ...
    ValueError: scaling=nan is not finite: expected a number, such as 0.5.
    """
    plain = value
    try:
        if getattr(value, "ndim", None) == 0:
            plain = value.item()
        if isinstance(plain, bool) or not isinstance(plain, numbers.Real):
            raise TypeError
        number = float(plain)
    except OverflowError:
        number = math.inf
    except Exception:
        raise TypeError(f"{name}={short(value)} is {a_type(value)}: {expected}.") from None
    if not math.isfinite(number):
        raise ValueError(f"{name}={short(value)} is not finite: {expected}.")
    return number


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
