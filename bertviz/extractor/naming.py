"""The names of tokens, where the user gives them."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from bertviz.errors import a_type, short
from bertviz.extractor.inputs import Reading

EXAMPLE = "tokens=['the', 'store']"


def check_names_of(tokens: Any, reading: Reading) -> tuple[str, ...] | None:
    """The names that were given; None if none were.

    Args:
        tokens: What was passed as ``tokens``.
        reading: What the model is about to read.

    Raises:
        TypeError: They are not a list of strings.
        ValueError: There are more or fewer than tokens, or one cannot be written.
    """
    if tokens is None:
        return None
    expected = f"expected a list of strings, one for each token, such as {EXAMPLE}"
    if not isinstance(tokens, list | tuple) and not hasattr(type(tokens), "__array__"):
        raise TypeError(f"tokens={short(tokens)} is {a_type(tokens)}: {expected}.")
    try:
        names = list(tokens)
    except Exception:
        raise TypeError(f"tokens is {a_type(tokens)} without items: {expected}.") from None
    for place, name in enumerate(names):
        if not isinstance(name, str):
            raise TypeError(f"tokens[{place}]={short(name)} is {a_type(name)}: {expected}.")
        try:
            name.encode()
        except UnicodeEncodeError:
            raise ValueError(
                f"tokens[{place}]={short(name)} holds half of a surrogate pair, which is no"
                " character: leave it out."
            ) from None
    count = _count(reading)
    if count is not None and len(names) != count:
        raise wrong_count(len(names), count)
    return tuple(str(name) for name in names)


def wrong_count(given: int, read: int) -> ValueError:
    """The error for more or fewer names than tokens."""
    return ValueError(
        f"tokens has {given} strings, but the model reads {read} tokens, padding and special"
        " tokens included: expected one for each."
    )


def _count(reading: Reading) -> int | None:
    """How many tokens the model reads, if its inputs say so."""
    for name in ("input_ids", "inputs_embeds"):
        value = reading.batch.get(name)
        if isinstance(value, Tensor) and value.ndim >= 2:
            return int(value.shape[1])
    return None
