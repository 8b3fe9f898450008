"""What ``compare`` gives: two traces with the same tokens, and how their heads differ."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from bertviz.analysis.lookup import check_name
from bertviz.analysis.summary import Summary
from bertviz.analysis.tables import Table
from bertviz.arguments import as_index, as_numbers
from bertviz.trace import AttentionBlock, AttentionTrace, Frozen, Heads
from bertviz.trace.settings import plainly

if TYPE_CHECKING:
    from torch import Tensor

NAMES = ("a", "b")

# What the model view calls the numbers of a ``HeadDifference``.
MEASURES = {
    "total_variation": "total variation",
    "jensen_shannon": "Jensen-Shannon (bits)",
    "entropy": "entropy, {1} − {0} (bits)",
}


@dataclass(frozen=True)
class HeadDifference:
    """How much the attention of a head differs between two traces.

    Attributes:
        block: The block of both traces.
        layer: The models' own number of the layer.
        head: The models' own number of the head.
        total_variation: The total variation distance, 0 to 1.
        jensen_shannon: The Jensen-Shannon divergence in bits, 0 to 1.
        entropy: The entropy of b minus that of a, in bits.
    """

    block: str
    layer: int
    head: int
    total_variation: float
    jensen_shannon: float
    entropy: float


class LargestDifference(NamedTuple):
    """A head that differs.

    Attributes:
        layer: The models' own number of the layer.
        head: The models' own number of the head.
        total_variation: The total variation distance, 0 to 1.
        jensen_shannon: The Jensen-Shannon divergence in bits, 0 to 1.
    """

    layer: int
    head: int
    total_variation: float
    jensen_shannon: float


@dataclass(frozen=True, eq=False, repr=False)
class Comparison(Summary, Table):
    """Two traces with the same tokens, and how their heads differ; ``compare`` makes it.

    ``rows()`` and ``to_pandas()`` give a row for every block, layer and head, with the columns
    block, layer, head, total_variation, jensen_shannon, entropy.

    Attributes:
        a: The first trace.
        b: The second trace; differences are b - a.
        differences: A ``HeadDifference`` for every block, layer and head.
        left_out: By block, the queries that only a has and those that only b has; empty unless the
            texts were aligned.
        names: What views, tables and figures call a and b.
    """

    a: AttentionTrace
    b: AttentionTrace
    differences: tuple[HeadDifference, ...]
    left_out: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]]
    names: tuple[str, str] = NAMES

    def __post_init__(self) -> None:
        object.__setattr__(self, "left_out", Frozen(self.left_out))

    @property
    def blocks(self) -> Mapping[str, AttentionBlock]:
        """The blocks of a; b's have the same names, tokens, layers and heads."""
        return self.a.blocks

    @plainly()
    def weights(self, layer: int, heads: Heads = None, block: str | None = None) -> Tensor:
        """How the weights of some heads differ, computed now.

        Args:
            layer: The models' own number.
            heads: The models' own head numbers, one or several; all by default.
            block: The block's name; the first by default.

        Returns:
            (heads, query, key), the weights of b minus those of a, -1 to 1.

        Raises:
            ValueError: There is no such block, layer or head.
        """
        name = self._block(block)
        if heads is not None:  # an iterator can be read once
            heads = as_numbers("heads", heads, "head numbers")
        one, other = (trace.blocks[name].layer(layer) for trace in (self.a, self.b))
        return other.weights(heads).cpu() - one.weights(heads).cpu()

    def largest(
        self, count: int | None = None, *, block: str | None = None
    ) -> list[LargestDifference]:
        """The heads that differ most.

        Args:
            count: How many heads; all by default.
            block: The block's name; the first by default.

        Returns:
            (layer, head, total_variation, jensen_shannon) as named tuples, the largest total
            variation first.

        Raises:
            TypeError: ``count`` is not an integer.
            ValueError: ``count`` is below 1, or there is no such block.
        """
        if count is not None:
            count = as_index("count", count)
            if count < 1:
                raise ValueError(f"count={count} gives nothing: expected an integer of at least 1.")
        name = self._block(block)
        found = [
            LargestDifference(row.layer, row.head, row.total_variation, row.jensen_shannon)
            for row in self.differences
            if row.block == name
        ]
        return sorted(found, key=lambda row: (-row.total_variation, row.layer, row.head))[:count]

    def measures(self) -> list[dict[str, Any]]:
        """A number per head for each measure, as the model view takes them.

        Returns:
            Dicts with "name", "values": block → layer → head → number, "null": None, and
            "diverging": whether the number has a sign.
        """
        found = []
        for attribute, label in MEASURES.items():
            name = label.replace("{0}", self.names[0]).replace("{1}", self.names[1])
            values: dict[str, dict[int, dict[int, float | None]]] = {}
            for row in self.differences:
                layers = values.setdefault(row.block, {})
                layers.setdefault(row.layer, {})[row.head] = getattr(row, attribute)
            diverging = attribute == "entropy"
            found.append({"name": name, "values": values, "null": None, "diverging": diverging})
        return found

    def _block(self, block: str | None) -> str:
        name = next(iter(self.blocks)) if block is None else block
        check_name("block", name, self.blocks)
        return name

    def _columns(self) -> dict[str, list[Any]]:
        names = [field.name for field in dataclasses.fields(HeadDifference)]
        return {name: [getattr(row, name) for row in self.differences] for name in names}

    @property
    def HEAD(self) -> tuple[str, ...]:  # type: ignore[override]  # noqa: N802, D102
        a, b = self.names
        numbers = ("total variation", "Jensen-Shannon (bits)", f"entropy, {b} − {a}")
        return ("block", "layer", "head", *numbers)

    def _lines(self) -> list[list[Any]]:
        ordered = sorted(self.differences, key=lambda row: -row.total_variation)
        return [list(dataclasses.astuple(row)) for row in ordered[:10]]

    def _caption(self) -> str:
        models = [trace.model_name or "arrays" for trace in (self.a, self.b)]
        a, b = self.names
        every = [row.total_variation for row in self.differences]
        mean = sum(every) / len(every)
        return (
            f"{models[0]} ({a}) and {models[1]} ({b}): {len(every)} heads, whose weights differ by"
            f" {mean:.2f} on average (total variation). Those that differ most:"
        )

    def _notes(self) -> str:
        notes = []
        for block, sides in self.left_out.items():
            both = zip(self.names, sides, strict=True)
            parts = [f"{name} {' '.join(tokens)}" for name, tokens in both if tokens]
            if parts:
                notes.append(f"Left out in {block}, of {'; of '.join(parts)}.")
        notes.append(
            "Heads are compared by number, which says little about models trained separately."
        )
        return " ".join(notes)
