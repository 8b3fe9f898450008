"""What differs between two traces, head by head.

The problem. Two checkpoints of a model on one text, a model before and after fine-tuning, or one
model on two texts that differ in a word: side by side, two pictures look alike. What differs are
two distributions for every query, which have measures of their own:

    total variation        TV = ½ Σₖ |b(q, k) - a(q, k)|, the weight that lies elsewhere, 0 to 1
    Jensen-Shannon         H(½a + ½b) - ½H(a) - ½H(b) in bits, 0 to 1 (Lin, "Divergence Measures
                           Based on the Shannon Entropy", 1991)
    entropy, b minus a     H(b) - H(a) in bits: more spread (above 0) or more pointed

each the mean over the queries. What a row does not spend on the keys shown (a sink, tokens left
out) counts as one more key.

Heads are compared by number. In models trained apart from each other a number means nothing; then
what differs is which head is which.
"""

from __future__ import annotations

import dataclasses
import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from bertviz.analysis.summary import Summary
from bertviz.analysis.tables import as_table
from bertviz.trace import AttentionBlock, AttentionTrace, Frozen, Heads, LayerAttention
from bertviz.trace.windows import pick

if TYPE_CHECKING:
    from torch import Tensor

Align = Literal["tokens"] | None

AT_ONCE = 4_000_000  # weights of each trace computed at a time


@dataclass(frozen=True)
class HeadDifference:
    """How much a head looks elsewhere in one trace than in the other.

    Attributes:
        block: The block of both traces.
        layer: The models' own number.
        head: Likewise.
        total_variation: 0 to 1.
        jensen_shannon: In bits, 0 to 1.
        entropy: In bits, that of b minus that of a.
    """

    block: str
    layer: int
    head: int
    total_variation: float
    jensen_shannon: float
    entropy: float


@dataclass(frozen=True, eq=False, repr=False)
class Comparison(Summary):
    """Two traces with the same tokens, and how their heads differ; see ``compare``.

    Attributes:
        a: The one.
        b: The other; differences are b - a.
        differences: Of every block, layer and head.
        left_out: By block, the tokens that only one of them has: of a, of b (queries). Empty unless
            texts were aligned.
    """

    a: AttentionTrace
    b: AttentionTrace
    differences: tuple[HeadDifference, ...]
    left_out: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]]

    @property
    def blocks(self) -> Mapping[str, AttentionBlock]:
        """The blocks of a; b's have the same names, tokens, layers and heads."""
        return self.a.blocks

    def weights(self, layer: int, heads: Heads = None, block: str | None = None) -> Tensor:
        """How the weights of some heads differ, computed now.

        Args:
            layer: The models' own number.
            heads: One or several; all by default.
            block: Of which block; the first by default.

        Returns:
            (heads, query, key), those of b minus those of a, -1 to 1.

        Raises:
            ValueError: There is no such block, layer or head.
        """
        name = self._block(block)
        one, other = (trace.blocks[name].layer(layer) for trace in (self.a, self.b))
        return other.weights(heads).cpu() - one.weights(heads).cpu()

    def best(
        self, count: int | None = None, *, block: str | None = None
    ) -> list[tuple[int, int, float, float]]:
        """The heads that differ most.

        Args:
            count: How many; all by default.
            block: Of which block; the first by default.

        Returns:
            (layer, head, total variation, Jensen-Shannon in bits), the largest total variation
            first.

        Raises:
            ValueError: There is no such block.
        """
        name = self._block(block)
        found = [
            (row.layer, row.head, row.total_variation, row.jensen_shannon)
            for row in self.differences
            if row.block == name
        ]
        return sorted(found, key=lambda row: (-row[2], row[0], row[1]))[:count]

    def table(self) -> Any:
        """All numbers, a row for every block, layer and head.

        Returns:
            A pandas DataFrame where pandas is installed, else a list of dicts. The columns: block,
            layer, head, total_variation, jensen_shannon, entropy.
        """
        names = [one.name for one in dataclasses.fields(HeadDifference)]
        return as_table({name: [getattr(row, name) for row in self.differences] for name in names})

    def measures(self) -> list[dict[str, Any]]:
        """A number per head for each measure, as the model view takes them.

        Returns:
            Dicts with "name", "values": block → layer → head → number, "null": None, and
            "diverging": whether the number has a sign.
        """
        names = {
            "total_variation": "total variation",
            "jensen_shannon": "Jensen-Shannon (bits)",
            "entropy": "entropy, b − a (bits)",
        }
        found = []
        for attribute, name in names.items():
            values: dict[str, dict[int, dict[int, float | None]]] = {}
            for row in self.differences:
                layers = values.setdefault(row.block, {})
                layers.setdefault(row.layer, {})[row.head] = getattr(row, attribute)
            diverging = attribute == "entropy"
            found.append({"name": name, "values": values, "null": None, "diverging": diverging})
        return found

    def _block(self, block: str | None) -> str:
        if block is None:
            return next(iter(self.blocks))
        if block not in self.blocks:
            raise ValueError(
                f"block={block!r} is unknown: expected one of {', '.join(self.blocks)}."
            )
        return block

    HEAD: ClassVar = (
        "block",
        "layer",
        "head",
        "total variation",
        "Jensen-Shannon (bits)",
        "entropy, b − a",
    )

    def _lines(self) -> list[list[Any]]:
        ranked = sorted(self.differences, key=lambda row: -row.total_variation)
        return [list(dataclasses.astuple(row)) for row in ranked[:10]]

    def _caption(self) -> str:
        names = [trace.model_name or "arrays" for trace in (self.a, self.b)]
        every = [row.total_variation for row in self.differences]
        mean = sum(every) / len(every)
        return (
            f"{names[0]} (a) and {names[1]} (b): {len(every)} heads, whose weights differ by"
            f" {mean:.2f} on average (total variation). Those that differ most:"
        )

    def _notes(self) -> str:
        notes = []
        for name, sides in self.left_out.items():
            told = [
                f"{x} {' '.join(tokens)}" for x, tokens in zip("ab", sides, strict=True) if tokens
            ]
            if told:
                notes.append(f"Left out in {name}, of {'; of '.join(told)}.")
        notes.append("Heads are compared by number, which says little of models trained apart.")
        return " ".join(notes)


def compare(a: AttentionTrace, b: AttentionTrace, *, align: Align = None) -> Comparison:
    """How the heads of two traces differ: of two checkpoints, or of two texts.

    >>> from bertviz import AttentionTrace
    >>> a = AttentionTrace.from_arrays(["x", "y"], weights=[[[0.5, 0.5], [0.5, 0.5]]])
    >>> b = AttentionTrace.from_arrays(["x", "y"], weights=[[[0.9, 0.1], [0.4, 0.6]]])
    >>> comparison = compare(a, b)
    >>> [round(number, 2) for number in comparison.best()[0]]
    [0, 0, 0.25, 0.08]
    >>> comparison.weights(0)
    tensor([[[ 0.4000, -0.4000],
             [-0.1000,  0.1000]]])

    Args:
        a: A trace.
        b: Another, with the same blocks, layers and heads.
        align: Where the tokens differ, "tokens" compares those that both have, in order (as diff
            does with lines); what the others get of a row counts as one key. By default tokens
            have to be the same.

    Returns:
        The comparison; differences are b - a.

    Raises:
        TypeError: Something that is no trace.
        ValueError: The traces do not fit each other; the message names the first difference.
    """
    for name, trace in (("a", a), ("b", b)):
        if not isinstance(trace, AttentionTrace):
            raise TypeError(
                f"{name} is a {type(trace).__name__}: expected an AttentionTrace, as"
                " extract(model, tokenizer, text) gives."
            )
    if align not in (None, "tokens"):
        raise ValueError(f"align={align!r} is unknown: expected 'tokens' or None.")
    _check_blocks(a, b)
    left_out = {}
    if align == "tokens":
        parts: tuple[dict[str, AttentionBlock], dict[str, AttentionBlock]] = ({}, {})
        for name in a.blocks:
            one, other, left_out[name] = _aligned(a.blocks[name], b.blocks[name])
            parts[0][name], parts[1][name] = one, other
        a = dataclasses.replace(a, blocks=parts[0])
        b = dataclasses.replace(b, blocks=parts[1])
    _check_tokens(a, b)
    differences = []
    for name, block in a.blocks.items():
        for layer, same in zip(block.layers, b.blocks[name].layers, strict=True):
            for head, values in zip(layer.heads, _differences(layer, same), strict=True):
                differences.append(HeadDifference(name, layer.index, head, *values))
    return Comparison(a, b, tuple(differences), Frozen(left_out))


def _differences(a: LayerAttention, b: LayerAttention) -> list[list[float]]:
    """Total variation, Jensen-Shannon and entropy of each head, means over queries."""
    import torch

    queries, keys = a.shape
    step = max(1, AT_ONCE // (a.num_heads * keys))
    sums = torch.zeros(a.num_heads, 3, dtype=torch.float64)

    def entropy(rows: Tensor) -> Tensor:
        bits: Tensor = -torch.xlogy(rows, rows).sum(-1) / torch.log(torch.tensor(2.0))
        return bits

    for start in range(0, queries, step):
        rows = slice(start, min(start + step, queries))
        one, other = (_whole(layer.weights(None, rows).cpu()) for layer in (a, b))
        own, others = entropy(one), entropy(other)
        shared = entropy((one + other) / 2) - (own + others) / 2
        variation = (one - other).abs().sum(-1) / 2
        values = torch.stack([variation, shared.clamp(0, 1), others - own], -1)
        sums += values.sum(1, dtype=torch.float64)
    found: list[list[float]] = (sums / queries).tolist()
    return found


def _whole(weights: Tensor) -> Tensor:
    """Rows that sum to one: what a row spends elsewhere is one more key."""
    import torch

    return torch.cat([weights, (1 - weights.sum(-1, keepdim=True)).clamp_min(0)], -1)


def _check_blocks(a: AttentionTrace, b: AttentionTrace) -> None:
    names = [list(trace.blocks) for trace in (a, b)]
    if names[0] != names[1]:
        raise ValueError(
            f"The traces have different blocks: a has {', '.join(names[0])}; b has"
            f" {', '.join(names[1])}. Expected two traces of one architecture."
        )
    for name, block in a.blocks.items():
        other = b.blocks[name]
        if block.kind != other.kind:
            raise ValueError(
                f"Block {name!r} is {block.kind!r} in a and {other.kind!r} in b: expected the same"
                " kind."
            )
        numbers = [[layer.index for layer in one.layers] for one in (block, other)]
        if numbers[0] != numbers[1]:
            raise ValueError(
                f"Block {name!r} has layers {numbers[0]} in a and {numbers[1]} in b: expected the"
                " same; extract(..., layers=[...]) keeps some."
            )
        for layer, same in zip(block.layers, other.layers, strict=True):
            if layer.heads != same.heads:
                raise ValueError(
                    f"Layer {layer.index} of block {name!r} has heads {list(layer.heads)} in a and"
                    f" {list(same.heads)} in b: expected the same; extract(..., heads=[...]) keeps"
                    " some."
                )


def _check_tokens(a: AttentionTrace, b: AttentionTrace) -> None:
    for name, block in a.blocks.items():
        for side in ("query", "key"):
            one, other = (getattr(x, side).strings for x in (block, b.blocks[name]))
            if one == other:
                continue
            place = next(
                (i for i, (x, y) in enumerate(zip(one, other, strict=False)) if x != y),
                min(len(one), len(other)),
            )
            found = [
                repr(tokens[place]) if place < len(tokens) else "nothing" for tokens in (one, other)
            ]
            raise ValueError(
                f"The {side} tokens of block {name!r} differ from position {place} on: {found[0]}"
                f" in a, {found[1]} in b. Expected the same tokens; align='tokens' compares those"
                " that both have."
            )


def _aligned(
    a: AttentionBlock, b: AttentionBlock
) -> tuple[AttentionBlock, AttentionBlock, tuple[tuple[str, ...], tuple[str, ...]]]:
    """Both blocks with the tokens that both have, and the queries that only one has."""
    rows = _common(a.query_tokens, b.query_tokens)
    columns = _common(a.key_tokens, b.key_tokens)
    if not rows[0] or not columns[0]:
        raise ValueError(
            f"The traces have no token in common in block {a.name!r}: expected texts of which the"
            " most part is the same."
        )
    alone = tuple(
        tuple(token for place, token in enumerate(block.query_tokens) if place not in set(kept))
        for block, kept in zip((a, b), rows, strict=True)
    )
    return pick(a, rows[0], columns[0]), pick(b, rows[1], columns[1]), (alone[0], alone[1])


def _common(a: Sequence[str], b: Sequence[str]) -> tuple[list[int], list[int]]:
    """Positions of what both have, in order.

    >>> _common(["the", "cat", "sat"], ["the", "dog", "sat"])
    ([0, 2], [0, 2])
    """
    matches = difflib.SequenceMatcher(None, a, b, autojunk=False).get_matching_blocks()
    one = [match.a + i for match in matches for i in range(match.size)]
    other = [match.b + i for match in matches for i in range(match.size)]
    return one, other
