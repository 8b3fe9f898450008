"""The wording of errors.

The problem. An error is read by somebody who has just typed something wrong. It should name the
argument, say what was found and what was expected, and offer the call that works. Written anew in
every module, those sentences differ from each other for no reason.

What was passed may be anything, also an object that cannot be printed, so values are written here.
"""

from __future__ import annotations

import contextlib
import difflib
import os
import sys
import warnings
from collections.abc import Callable, Collection, Iterable, Sequence
from contextvars import ContextVar, copy_context
from typing import TypeVar

PACKAGE = os.path.dirname(os.path.abspath(__file__)) + os.sep
Result = TypeVar("Result")
_silent: ContextVar[bool] = ContextVar("bertviz_silent", default=False)


class ArgumentError(TypeError, ValueError):
    """Arguments that do not go together, or one of a wrong type where BertViz 1.x checked values.

    Python and this package raise TypeError for these, BertViz 1.x raised ValueError; code that
    catches either still does.
    """


def warn_caller(message: str) -> None:
    """Give a warning that names the line outside of this package that led to it."""
    if _silent.get():
        return
    level, frame = 1, sys._getframe()
    # Functions that are decorated with a context manager are called by its module.
    inside = (PACKAGE, contextlib.__file__)
    while frame.f_back is not None and frame.f_code.co_filename.startswith(inside):
        level, frame = level + 1, frame.f_back
    warnings.warn(message, stacklevel=level)


def unwarned(call: Callable[[], Result]) -> Result:
    """Call something without our own warnings, in this thread alone.

    ``warnings.catch_warnings`` would change the filters of all threads, and an interrupt as it ends
    would leave them so. A context is dropped by Python itself.
    """

    def silent() -> Result:
        _silent.set(True)
        return call()

    return copy_context().run(silent)


def a_type(value: object) -> str:
    """The type's name with its article.

    >>> a_type(1), a_type("x")
    ('an int', 'a str')
    """
    name = type(value).__name__ or "object"
    return f"{'an' if name[0] in 'aeiouAEIOU' else 'a'} {name}"


def short(value: object) -> str:
    """A repr that never fills the screen and never fails.

    >>> len(short("x" * 1000)), short(-(10**5000))
    (60, '<an int>')
    """
    try:
        text = repr(value)
    except Exception:  # of the user's own class, or a number of thousands of digits
        text = f"<{a_type(value)}>"
    if "\n" in text:  # an array's rows
        text = " ".join(text.split())
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
