"""What the parts of a trace are made of, checked as they are made.

The problem. A formula, a layer and a block are values that scripts build themselves. A NumPy array
or a mask of another shape in one of them would fail much later, inside some matrix product. So
types and shapes are checked here, without a look at the numbers: a part is made for every layer,
and often.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from bertviz.arguments import as_index, as_number, as_numbers
from bertviz.errors import a_type, short

if TYPE_CHECKING:
    from torch import Tensor

    from bertviz.trace.formula import Formula

VECTORS = {"queries": "(heads, query, head_dim)", "keys": "(key_value_heads, key, head_dim)"}
MATRICES = "(heads, query, key), with 1 in place of a number that does not matter"


def check_tensor(name: str, value: Any, axes: Sequence[int], shape: str, bools: str = "") -> None:
    """Refuse anything but a tensor of numbers that can be computed with.

    Args:
        name: The argument's name.
        value: What was passed.
        axes: How many axes it may have.
        shape: What they are, in words.
        bools: "or bool" where bool will do, too.

    Raises:
        TypeError: It is no tensor, or not one of numbers.
        ValueError: It has more or fewer axes.
    """
    numbers = f"floating-point{f' {bools}' if bools else ''}"
    expected = f"expected a {numbers} tensor, {shape}"
    torch = sys.modules.get("torch")
    if torch is None or not issubclass(type(value), torch.Tensor):
        raise TypeError(
            f"{name}={short(value)} is {a_type(value)}: {expected}, such as torch.as_tensor(...)"
            " gives."
        )
    try:
        plain = value.layout == torch.strided and not value.is_nested
        kind, found = value.dtype, tuple(value.shape) if plain else ()
    except Exception as error:
        raise TypeError(
            f"{name} is {a_type(value)} that cannot be read ({short(error)})."
        ) from None
    if not plain:
        raise TypeError(
            f"{name} is a sparse or nested tensor ({value.layout}): {expected} that holds its"
            " numbers one by one."
        )
    if not kind.is_floating_point and not (bools and kind == torch.bool):
        raise TypeError(f"{name} is of type {kind}: {expected}.")
    if len(found) not in axes:
        raise ValueError(f"{name} has shape {found}: {expected}.")


def check_formula(formula: Formula) -> None:
    """Refuse what a formula cannot be made of, and make plain Python of its numbers.

    Raises:
        TypeError: An argument is of another type.
        ValueError: One does not fit the others.
    """
    for name, shape in VECTORS.items():
        check_tensor(name, getattr(formula, name), (3,), shape)
    (heads, queries, size), (key_heads, _, own) = formula.queries.shape, formula.keys.shape
    if size != own:
        raise ValueError(
            f"keys has shape {tuple(formula.keys.shape)}, queries {tuple(formula.queries.shape)}:"
            " expected the same head_dim, the last number."
        )
    if heads and not key_heads:
        raise ValueError(f"keys has shape {tuple(formula.keys.shape)}: expected at least one head.")
    _set(formula, "scaling", as_number("scaling", formula.scaling))
    if formula.softcap is not None:
        softcap = as_number("softcap", formula.softcap, "expected a number above 0, or None")
        if softcap <= 0:
            raise ValueError(f"softcap={softcap} is too small: expected a number above 0, or None.")
        _set(formula, "softcap", softcap)
    if formula.sinks is not None:
        check_tensor("sinks", formula.sinks, (1, 2), "(heads,) or (heads, query)")
        _check_axes("sinks", formula.sinks, (heads, queries), exact=True)
    for name, bools in (("mask", "or bool"), ("position_bias", "")):
        term = getattr(formula, name)
        if term is not None:
            check_tensor(name, term, (3,), MATRICES, bools)
            _check_axes(name, term, (heads, queries))
    if formula.key_heads is not None:
        numbers = as_numbers("key_heads", formula.key_heads, "rows of keys")
        if len(numbers) != heads or any(not 0 <= number < key_heads for number in numbers):
            raise ValueError(
                f"key_heads={short(numbers)} does not fit: expected a number from 0 to"
                f" {key_heads - 1} for each of {heads} heads."
            )
        _set(formula, "key_heads", tuple(numbers))


def check_part(formula: Formula) -> None:
    """Refuse a formula that is no part of a trace: while a model writes, masks see more keys.

    Raises:
        ValueError: A mask or bias is of more or fewer keys than there are, or holds no numbers.
    """
    for name in (*VECTORS, "mask", "position_bias", "sinks"):
        check_held(name, getattr(formula, name))
    for name in ("mask", "position_bias"):
        term = getattr(formula, name)
        if term is not None:
            _check_axes(name, term, (formula.num_heads, *formula.shape))


def check_held(name: str, tensor: Tensor | None) -> None:
    """Refuse a tensor on the meta device."""
    if tensor is not None and tensor.is_meta:
        raise ValueError(
            f"{name} is on the meta device, where tensors have a shape and no numbers: pass one on"
            " 'cpu'."
        )


def _check_axes(name: str, term: Tensor, sizes: tuple[int, ...], exact: bool = False) -> None:
    for found, size in zip(term.shape, sizes, strict=False):
        if found != size and (exact or found != 1):
            raise ValueError(
                f"{name} has shape {tuple(term.shape)}: expected {MATRICES}, for"
                f" {', '.join(map(str, sizes))} of them."
                if not exact
                else f"{name} has shape {tuple(term.shape)}: expected {sizes[:1]} or {sizes}."
            )


def check_heads(heads: Any) -> tuple[int, ...]:
    """Numbers of heads.

    Raises:
        TypeError: They are no integers.
        ValueError: One is negative, or there twice.
    """
    found = tuple(as_numbers("heads", heads, "head numbers"))
    if len(set(found)) < len(found) or any(number < 0 for number in found):
        raise ValueError(
            f"heads={short(list(found))} holds a number twice or below 0: expected the model's own"
            " numbers, from 0."
        )
    return found


def check_number(name: str, value: Any) -> int:
    """The model's own number of a layer."""
    number = as_index(name, value)
    if number < 0:
        raise ValueError(f"{name}={number} is out of range: expected a number from 0.")
    return number


def check_instance(name: str, value: Any, kind: type, example: str) -> None:
    """Refuse anything but an object of a class."""
    if not issubclass(type(value), kind):
        what = a_type(value)
        raise TypeError(f"{name}={short(value)} is {what}: expected {example}.")


def _set(owner: object, name: str, value: Any) -> None:
    object.__setattr__(owner, name, value)
