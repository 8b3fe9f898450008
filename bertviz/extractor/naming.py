"""The names of tokens, where the user gives them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import Tensor

from bertviz.arguments import as_choice, as_items
from bertviz.errors import a_type, short
from bertviz.extractor.inputs import Reading

EXAMPLE = "['the', 'store']"
STACKS = ("encoder", "decoder")

# By stack; where the model is no encoder-decoder, its only one is called "encoder".
Names = dict[str, tuple[str, ...]]


def check_names_of(tokens: Any, reading: Reading) -> Names:
    """The names that were given, by stack; none if none were.

    Args:
        tokens: What was passed as ``tokens``.
        reading: What the model is about to read.

    Raises:
        TypeError: They are neither a list of strings nor, for an encoder-decoder, a dict of lists.
        ValueError: There are more or fewer than tokens, one cannot be written, or a stack is
            unknown.
    """
    if tokens is None:
        return {}
    if not isinstance(tokens, Mapping):
        given = {"encoder": (tokens, "tokens")}
    elif reading.two_stacks:
        given = _by_stack(tokens)
    else:
        raise TypeError(
            f"tokens={short(tokens)} is {a_type(tokens)}, but {type(reading.model).__name__} is no"
            f" encoder-decoder: expected a list of strings, such as tokens={EXAMPLE}."
        )
    found = {}
    for stack, (value, name) in given.items():
        names = found[stack] = _names(name, value)
        count = _count(reading, stack)
        if count is not None and len(names) != count:
            raise wrong_count(name, len(names), count)
    return found


def _by_stack(tokens: Mapping[Any, Any]) -> dict[str, tuple[Any, str]]:
    """What was given for each stack, and what to call it."""
    example = f"{{'encoder': {EXAMPLE}, 'decoder': {EXAMPLE}}}"
    expected = f"expected lists of strings, such as tokens={example}"
    try:
        given = dict(tokens.items())
    except Exception:
        raise TypeError(f"tokens is {a_type(tokens)} without items: {expected}.") from None
    if not given:
        raise ValueError(f"tokens={short(tokens)} is empty: {expected}.")
    for key in given:
        as_choice("a key of tokens", key, STACKS)
    return {str(key): (value, f"tokens[{key!r}]") for key, value in given.items()}


def _names(name: str, value: Any) -> tuple[str, ...]:
    """A list of names, checked."""
    expected = f"expected a list of strings, one for each token, such as {name}={EXAMPLE}"
    if not isinstance(value, list | tuple) and not hasattr(type(value), "__array__"):
        raise TypeError(f"{name}={short(value)} is {a_type(value)}: {expected}.")
    names = as_items(name, value, expected)
    for place, item in enumerate(names):
        if not isinstance(item, str):
            raise TypeError(f"{name}[{place}]={short(item)} is {a_type(item)}: {expected}.")
        try:
            item.encode()
        except UnicodeEncodeError:
            raise ValueError(
                f"{name}[{place}]={short(item)} holds half of a surrogate pair, which is no"
                " character: leave it out."
            ) from None
    return tuple(str.__str__(item) for item in names)


def wrong_count(name: str, given: int, read: int) -> ValueError:
    """The error for more or fewer names than tokens."""
    reads = "decoder" if "decoder" in name else "model"
    return ValueError(
        f"{name} has {given} strings, but the {reads} reads {read} tokens, padding and special"
        " tokens included: expected one for each."
    )


def _count(reading: Reading, stack: str) -> int | None:
    """How many tokens a stack reads, if the model's inputs say so."""
    prefix = "decoder_" if stack == "decoder" else ""
    for name in ("input_ids", "inputs_embeds"):
        value = reading.batch.get(prefix + name)
        if isinstance(value, Tensor) and value.ndim >= 2:
            return int(value.shape[1])
    return None
