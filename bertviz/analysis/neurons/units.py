"""Neurons that belong together, and the fewest of them that matter.

A rotation spreads what one neuron held over two, so the neurons of a rotary model are judged in the
pairs that it rotates. A unit is such a pair, or a single neuron where nothing is rotated.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from bertviz.arguments import as_choice, as_index
from bertviz.errors import short
from bertviz.trace import Formula

Pairs = Literal["auto", "halves", "interleaved"] | None
Unit = tuple[int, ...]

CARRIED = 0.8


def units_of(formula: Formula, pairs: Pairs, rotary_dim: int | None) -> tuple[Unit, ...]:
    """The units of a layer's neurons.

    Args:
        formula: The layer's formula.
        pairs: Which neurons are rotated together; "auto" takes halves where a layer rotates.
        rotary_dim: How many neurons are rotated; all by default.

    Raises:
        TypeError: An argument is of the wrong type.
        ValueError: ``pairs`` is unknown, or so many neurons cannot be rotated.
    """
    if pairs is not None:
        as_choice("pairs", pairs, ("auto", "halves", "interleaved"), " or None")
    if pairs == "auto":
        pairs = "halves" if formula.rotary else None
    return paired(int(formula.queries.shape[-1]), pairs, rotary_dim)


def paired(head_dim: int, pairs: Pairs, rotary_dim: int | None) -> tuple[Unit, ...]:
    """Neurons that are rotated together.

    >>> paired(4, "halves", None), paired(5, "interleaved", 4)
    (((0, 2), (1, 3)), ((0, 1), (2, 3), (4,)))
    """
    if pairs is None:
        if rotary_dim is not None:
            raise ValueError(
                f"rotary_dim={short(rotary_dim)} was given, but no neurons are rotated: pass"
                " pairs='halves' or pairs='interleaved'."
            )
        return tuple((neuron,) for neuron in range(head_dim))
    rotated = head_dim if rotary_dim is None else as_index("rotary_dim", rotary_dim)
    if rotated % 2 or not 0 < rotated <= head_dim:
        raise ValueError(
            f"rotary_dim must be an even number from 2 to head_dim, {head_dim}, got {rotated}."
        )
    half = rotated // 2
    both = [(n, n + half) if pairs == "halves" else (2 * n, 2 * n + 1) for n in range(half)]
    return (*both, *((neuron,) for neuron in range(rotated, head_dim)))


def carrying(contributions: Sequence[float]) -> list[int]:
    """The fewest units that make up 80 % of the positive contributions.

    >>> carrying([1.0, 6.0, -3.0, 3.0])
    [1, 3]
    """
    positive = sum(value for value in contributions if value > 0)
    carried, top = 0.0, []
    for unit in ranked(contributions):
        top.append(unit)
        carried += contributions[unit]
        if carried >= CARRIED * positive:
            break
    return top


def ranked(contributions: Sequence[float]) -> list[int]:
    """Units, those that contribute most first.

    >>> ranked([1.0, 6.0, -3.0])
    [1, 0, 2]
    """
    return sorted(range(len(contributions)), key=lambda unit: -contributions[unit])


def neurons_of(units: Sequence[Unit]) -> list[int]:
    """The neurons of some units.

    >>> neurons_of([(0, 2), (1, 3)])
    [0, 2, 1, 3]
    """
    return [neuron for unit in units for neuron in unit]
