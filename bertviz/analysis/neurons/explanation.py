"""What ``explain_head`` gives."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from bertviz.analysis.neurons.units import CARRIED, Unit, neurons_of, ranked
from bertviz.analysis.summary import Summary
from bertviz.analysis.tables import Table

CANNOT_SAY = (
    "Single neurons are not canonical: an orthogonal change of basis of q and k leaves the"
    " attention unchanged but gives different neurons."
)


@dataclass(frozen=True, eq=False, repr=False)
class HeadExplanation(Summary, Table):
    """Which neurons produce a head's attention, and whether it needs them.

    ``explain_head`` makes it; the docstring of ``bertviz.analysis.neurons`` defines the numbers.
    ``rows()`` and ``to_pandas()`` give a row for each unit, those that contribute most first, with
    the columns neurons, contribution, share (of all positive contributions) and top.

    Attributes:
        model_name: Class of the model, None for arrays.
        block: The block of the trace.
        layer: The model's own number of the layer.
        head: The model's own number of the head.
        what: What is explained: a pattern, "its strongest keys", or "the given query–key pairs".
        assumed_pairs: Whether the pairing of neurons was assumed rather than passed.
        units: Neurons that belong together: single ones, or the pairs of a rotary model.
        contributions: The contribution of each unit.
        added: How far the bias that the model adds to scores lifts these keys; 0 without one.
        top: The units that make up 80 % of the positive contributions, the largest first.
        queries: How many queries have such keys.
        uniform: The mass on these keys under uniform attention.
        mass: The head's mass on these keys.
        without_top: The mass without the top units.
        only_top: The mass with only the top units.
        without_random: The mass without as many units drawn at random: lowest, mean and highest of
            20 draws.
        only_random: The mass with only such random units, in the same order.
    """

    model_name: str | None
    block: str
    layer: int
    head: int
    what: str
    assumed_pairs: bool
    units: tuple[Unit, ...]
    contributions: tuple[float, ...]
    added: float
    top: tuple[Unit, ...]
    queries: int
    uniform: float
    mass: float
    without_top: float
    only_top: float
    without_random: tuple[float, float, float]
    only_random: tuple[float, float, float]

    @property
    def neurons(self) -> tuple[int, ...]:
        """All neurons, those that contribute most first."""
        return tuple(neurons_of([self.units[unit] for unit in ranked(self.contributions)]))

    @property
    def concentration(self) -> float:
        """The share of the units that make up 80 % of the positive contributions."""
        return len(self.top) / len(self.units)

    def _columns(self) -> dict[str, list[Any]]:
        positive = sum(value for value in self.contributions if value > 0) or 1.0
        units = ranked(self.contributions)
        return {
            "neurons": [self.units[unit] for unit in units],
            "contribution": [self.contributions[unit] for unit in units],
            "share": [self.contributions[unit] / positive for unit in units],
            "top": [self.units[unit] in self.top for unit in units],
        }

    HEAD: ClassVar = ("attention", "mass on these keys", "as many at random")

    def _lines(self) -> list[list[Any]]:
        def drawn(values: tuple[float, float, float]) -> str:
            low, mean, high = values
            return f"{mean:.2f} ({low:.2f} to {high:.2f})"

        return [
            ["as it is", self.mass, ""],
            ["without them", self.without_top, drawn(self.without_random)],
            ["with only them", self.only_top, drawn(self.only_random)],
            ["uniform attention", self.uniform, ""],
        ]

    def _caption(self) -> str:
        model = f"{self.model_name}, " if self.model_name else ""
        block = f"{self.block}, " if self.block not in ("encoder", "decoder") else ""
        name = "neurons" if len(self.units[0]) == 1 else "pairs of neurons"
        top = ", ".join("+".join(map(str, unit)) for unit in self.top[:8])
        more = f" and {len(self.top) - 8} more" if len(self.top) > 8 else ""
        return (
            f"{model}{block}layer {self.layer}, head {self.head}: {self.what}."
            f" {len(self.top)} of {len(self.units)} {name} make {CARRIED:.0%} of what lifts these"
            f" keys: {top}{more}."
        )

    def _notes(self) -> str:
        added = ""
        if abs(self.added) >= 0.005:
            added = (
                f"The bias that the model adds to the scores lifts these keys by {self.added:.2f},"
                f" all neurons together by {sum(self.contributions):.2f}. "
            )
        if self.assumed_pairs:
            added += (
                "It is assumed that neurons n and n + half are rotated together, as in Llama; pass"
                " pairs= if they are not. "
            )
        return added + CANNOT_SAY
