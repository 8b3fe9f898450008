"""Values that nobody should pass, and a verdict on what happened when somebody did.

Every call has one of two good ends: a usable result, or an error that bertviz itself raised, in a
``raise`` statement of its own, with a sentence that names the argument.
"""

from __future__ import annotations

import ast
import datetime
import decimal
import fractions
import functools
import traceback
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

import bertviz

HOME = Path(bertviz.__file__).parent


class Evil:
    """Whatever one asks it, it fails."""

    def _fail(self, *_: Any) -> Any:
        raise RuntimeError("an object that fails")

    __repr__ = __str__ = __len__ = __iter__ = __float__ = __index__ = __bool__ = __array__ = _fail
    __eq__ = __lt__ = __gt__ = __le__ = __ge__ = __getitem__ = __call__ = _fail
    __hash__ = object.__hash__


class EvilDict(dict[Any, Any]):
    def items(self) -> Any:
        raise KeyError("an object that fails")

    __iter__ = keys = values = items


def endless() -> Any:
    while True:
        yield (0, 1)


def loop() -> list[Any]:
    """A list that holds itself."""
    held: list[Any] = [1]
    held.append(held)
    return held


# Made anew each time, as some are used up.
ODD: list[Callable[[], Any]] = [
    *(
        functools.partial(lambda value: value, value)
        for value in [
            *[None, True, False, 0, 1, -1, 2, 1.5, -0.0, 0.01, 1j, ..., NotImplemented],
            *[float("nan"), float("inf"), 10**30, -(10**30), 10**400, 10**5000],
            *["", " ", "a", "self", "encoder", "\ud800", "a\x00b", "x" * 10_000, b"", b"a", "1"],
            *[[], (), {}, set(), [1], [None], ["a"], [["a", "b"]], ("a",), ("a", "b", "c")],
            *[{"a": 1}, {1: 2}, {None: None}, {"a"}, range(3), range(0), object(), int, len],
            *[np.float64(0.5), np.int64(3), np.float32("nan"), np.bool_(True), np.str_("a")],
            *[np.array(3), np.array([0.5, 2]), np.array("a"), np.array([None]), np.array([])],
            *[np.array(["2020"], "datetime64[D]"), np.ma.masked_array([1], [True]), np.eye(2) * 1j],
            *[torch.tensor(2), torch.tensor([1.0, 2.0]), torch.empty(0), torch.eye(2) * 1j],
            *[torch.empty(2, 2, device="meta"), torch.eye(2).to_sparse(), torch.tensor(torch.nan)],
            *[decimal.Decimal("0.5"), fractions.Fraction(1, 2), datetime.date(2020, 1, 1)],
            *[lambda: None, lambda *x: x, ValueError("a"), ValueError],
        ]
    ),
    *[Evil, EvilDict, endless, loop, lambda: iter([]), lambda: (x for x in ["a", 3])],
]


def is_raised(error: BaseException) -> bool:
    """Whether bertviz raised it on purpose: the last frame is a ``raise`` of bertviz."""
    last = traceback.extract_tb(error.__traceback__)[-1]
    path = Path(last.filename)
    return path.is_relative_to(HOME) and any(
        node.lineno <= (last.lineno or 0) <= (node.end_lineno or 0) for node in raises(path)
    )


@functools.cache
def raises(path: Path) -> list[ast.Raise]:
    tree = ast.parse(path.read_text())
    return [node for node in ast.walk(tree) if isinstance(node, ast.Raise)]


def verdict(
    call: Callable[[], Any], names: Sequence[str], usable: Callable[[Any], None]
) -> str | None:
    """None if the end was a good one, else what was wrong.

    Args:
        call: What is attacked.
        names: The argument's name, or others that say which it is; one has to be in the message.
        usable: Fails for a result that cannot be used.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            result = call()
        except Exception as error:
            if not is_raised(error):
                return f"from inside: {type(error).__name__}: {error!s:.200}"
            message = str(error)
            if not any(name in message for name in names):
                return f"unnamed: {type(error).__name__}: {message:.200}"
            if len(message) > 2_000:
                return f"a message of {len(message)} characters"
            return None
        try:
            usable(result)
        except Exception as error:
            where = traceback.extract_tb(error.__traceback__)[-1]
            return f"not usable: {type(error).__name__}: {error!s:.200} ({where.name})"
    return None
