"""Which neurons make a head look where it looks.

The problem. A score is a sum over neurons, scaling · Σₙ q(n) k(n), so a reader wants to know which
of them lift the keys that a head attends to. But what all keys of a query have in common changes no
weight, and a neuron can do much in a picture and nothing in the softmax.

**Contribution** of neuron n: how far it lifts the cells in question above the other keys that the
query may see,

    cₙ = mean over q of Σₖ u(q, k) · (p(q, k, n) - mean of p(q, ·, n) over the keys that q may see)
    p(q, k, n) = scaling · q(n) · k(n)

u being the head's attention, or, for a pattern, the same for each of the query's cells (its sum is
1). The contributions add up to how far q·k lifts the cells; what the model adds to scores (relative
positions, say) is given beside them, and a softcap, which comes after the sum, is left out.

**Concentration**: the fewest neurons that make 80 % of the sum of all positive contributions.

**A causal check**: the softmax computed again without these neurons, and with only them, beside as
many neurons drawn at random.

**What it cannot say.** Single neurons are not canonical: an orthogonal change of basis of queries
and keys (the same for both) leaves all attention as it is and gives other neurons. Few neurons with
high contributions are a fact about this model's basis, worth knowing because its weights are
written in it. And what is switched off here is switched off in this head alone; the layers after it
are not run again.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from bertviz.analysis.patterns.cells import (
    NoCells,
    as_matrix,
    known_patterns,
    text_of,
)
from bertviz.analysis.summary import Summary
from bertviz.analysis.tables import as_table
from bertviz.trace import AttentionBlock, AttentionTrace, LayerAttention

if TYPE_CHECKING:
    from torch import Tensor

Pairs = Literal["auto", "halves", "interleaved"] | None

CARRIED = 0.8
RANDOM_SETS = 20

NOT_SAID = (
    "Single neurons are not canonical: an orthogonal change of basis of q and k leaves the"
    " attention as it is and gives other neurons."
)


@dataclass(frozen=True, eq=False, repr=False)
class HeadExplanation(Summary):
    """Which neurons make a head's attention, and whether it needs them; see ``explain_head``.

    Attributes:
        model_name: Class of the model, None for arrays.
        block: The block of the trace.
        layer: The model's own number.
        head: Likewise.
        what: What is explained: a pattern, "cells", or "its strongest keys".
        units: Neurons that belong together: one each, or pairs of a rotary model.
        assumed_pairs: Whether which neurons are pairs was assumed and not said.
        contributions: Of each unit.
        added: How far what the model adds to scores lifts the cells; 0 where it adds nothing.
        top: Units that make 80 % of the positive contributions, the largest first.
        queries: How many have such cells.
        uniform: Mass on the cells under uniform attention.
        mass: The head's mass on the cells.
        without_top: The same without the top units.
        only_top: With only them.
        without_random: Without as many units drawn at random: lowest, mean, highest of 20 draws.
        only_random: With only those, likewise.
    """

    model_name: str | None
    block: str
    layer: int
    head: int
    what: str
    assumed_pairs: bool
    units: tuple[tuple[int, ...], ...]
    contributions: tuple[float, ...]
    added: float
    top: tuple[tuple[int, ...], ...]
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
        return tuple(neuron for unit in self._ranked() for neuron in self.units[unit])

    @property
    def concentration(self) -> float:
        """Which part of the neurons makes 80 % of the positive contributions."""
        return len(self.top) / len(self.units)

    def table(self) -> Any:
        """The units, those that contribute most first.

        Returns:
            A pandas DataFrame where pandas is installed, else a list of dicts. The columns:
            neurons, contribution, share (of all positive contributions) and top.
        """
        positive = sum(value for value in self.contributions if value > 0) or 1.0
        rows = self._ranked()
        return as_table(
            {
                "neurons": [self.units[row] for row in rows],
                "contribution": [self.contributions[row] for row in rows],
                "share": [self.contributions[row] / positive for row in rows],
                "top": [self.units[row] in self.top for row in rows],
            }
        )

    def _ranked(self) -> list[int]:
        return sorted(range(len(self.units)), key=lambda unit: -self.contributions[unit])

    def _caption(self) -> str:
        model = f"{self.model_name}, " if self.model_name else ""
        block = f"{self.block}, " if self.block not in ("encoder", "decoder") else ""
        name = "neurons" if len(self.units[0]) == 1 else "pairs of neurons"
        top = ", ".join(_named(unit) for unit in self.top[:8])
        more = f" and {len(self.top) - 8} more" if len(self.top) > 8 else ""
        return (
            f"{model}{block}layer {self.layer}, head {self.head}: {self.what}."
            f" {len(self.top)} of {len(self.units)} {name} make {CARRIED:.0%} of what lifts these"
            f" keys: {top}{more}."
        )

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

    def _notes(self) -> str:
        added = ""
        if abs(self.added) >= 0.005:
            added = (
                f"What the model adds to the scores lifts these keys by {self.added:.2f}, beside"
                f" {sum(self.contributions):.2f} by all neurons together. "
            )
        if self.assumed_pairs:
            added += (
                "That neurons n and n + half are turned together, as in Llama, is assumed; pass"
                " pairs= if it is not so. "
            )
        return added + NOT_SAID

    HEAD: ClassVar = ("attention", "mass on these keys", "as many at random")


def explain_head(
    trace: AttentionTrace,
    layer: int,
    head: int,
    pattern: str | None = None,
    *,
    cells: Any = None,
    block: str | None = None,
    pairs: Pairs = "auto",
    rotary_dim: int | None = None,
    window: int = 2,
) -> HeadExplanation:
    """Which neurons of a head make its attention, or the part of it that follows a pattern.

    >>> import torch
    >>> from bertviz import AttentionTrace
    >>> queries = torch.eye(3).roll(1, 1)[None]  # neuron n + 1 of query n: the next token
    >>> trace = AttentionTrace.from_arrays(["a", "b", "c"], queries=9 * queries,
    ...                                    keys=torch.eye(3)[None])
    >>> explain_head(trace, 0, 0, "next token").neurons
    (1, 2, 0)

    Args:
        trace: With queries and keys.
        layer: The model's own number.
        head: Likewise.
        pattern: A name that ``find_patterns`` knows; without it and ``cells``, contributions are
            weighted by the head's attention, and the check looks at each query's strongest key.
        cells: In place of a pattern, a matrix (query, key) of what counts, or (query, key) tuples.
        block: Which block of the trace; by default the first that has the layer and the head.
        pairs: How a rotary model turns its neurons: "halves" turns n with n + head_dim / 2 (Llama,
            Mistral, Qwen, GPT-NeoX), "interleaved" 2n with 2n + 1 (GPT-J, Cohere). A rotation
            spreads what one neuron held over both, so they are judged together. A trace knows
            whether a layer turns its vectors, not which neurons with which: "auto" takes "halves",
            by far the most common, for layers that do, and the summary says so. None lets every
            neuron stand alone.
        rotary_dim: How many neurons are turned, from the first on; all by default.
        window: How many tokens away "local window" reaches.

    Returns:
        The explanation; ``print`` it for a summary.

    Raises:
        ValueError: The trace holds weights alone, has no such layer, head or block, the pattern is
            unknown or exists nowhere in the text, or the cells are not of its shape.
        TypeError: Both a pattern and cells, or cells that are none.
    """
    import torch

    held, found = _layer(trace, layer, head, block)
    formula = found.explained
    assumed = pairs == "auto" and formula.rotary
    if pairs == "auto":
        pairs = "halves" if formula.rotary else None
    units = _units(formula.queries.shape[-1], pairs, rotary_dim)
    every_query, count = formula.queries, found.shape[0]
    every = slice(0, count)
    seen = found.visible()
    place = found.heads.index(head)
    may = torch.ones(found.shape, dtype=torch.bool)
    if seen is not None:
        may = seen[0 if len(seen) == 1 else place]
    weights = found.weights(head)[0].cpu()
    marked, what = _cells(held, weights, may, pattern, cells, window)

    text = text_of(held)
    padding = found.unseen_keys()[found.shape[1] - count :] if text.shared else None
    marked = marked & may
    exists = marked.any(1) & (may & ~marked).any(1)
    if padding is not None:
        exists &= ~padding
    if not bool(exists.any()):
        raise ValueError(
            f"{what} exists for no query of this text: expected cells that may be seen, beside"
            " others that may be seen too."
        )
    use = (
        weights if pattern is None and cells is None else marked / marked.sum(1, True).clamp_min(1)
    )
    use = (use * exists[:, None]).float()
    centred = use - use.sum(1, keepdim=True) * may / may.sum(1, keepdim=True).clamp_min(1)
    queries = formula.queries[place].float().cpu()
    keys = formula.keys[found.key_head(head)].float().cpu()
    number = int(exists.sum())
    each = formula.scaling * (queries * (centred @ keys)).sum(0) / number
    contributions = [float(each[list(unit)].sum()) for unit in units]
    bias = found.bias(head, every)
    added = 0.0
    if bias is not None:
        known = bias[0].cpu().expand(found.shape).masked_fill(~may, 0.0)
        added = float((centred * known).sum()) / number

    def mass(neurons: Sequence[int], keep: bool) -> float:
        """On the cells, with only some neurons or without them."""
        part = torch.full((queries.shape[-1],), not keep)
        part[list(neurons)] = keep
        masked = every_query * part.to(every_query)
        turned = dataclasses.replace(found, formula=dataclasses.replace(formula, queries=masked))
        on_cells = (turned.weights(head)[0].cpu() * marked).sum(1)
        return float(on_cells[exists].mean())

    top = _carrying(contributions)
    generator = torch.Generator().manual_seed(0)
    draws = [
        torch.randperm(len(units), generator=generator)[: len(top)] for _ in range(RANDOM_SETS)
    ]
    random = [[neuron for unit in draw.tolist() for neuron in units[unit]] for draw in draws]
    best = [neuron for unit in top for neuron in units[unit]]
    return HeadExplanation(
        model_name=trace.model_name,
        assumed_pairs=assumed,
        block=held.name,
        layer=layer,
        head=head,
        what=what,
        units=units,
        contributions=tuple(contributions),
        added=added,
        top=tuple(units[unit] for unit in top),
        queries=number,
        uniform=float((marked.sum(1) / may.sum(1).clamp_min(1))[exists].mean()),
        mass=float((weights * marked).sum(1)[exists].mean()),
        without_top=mass(best, keep=False),
        only_top=mass(best, keep=True),
        without_random=_spread([mass(some, keep=False) for some in random]),
        only_random=_spread([mass(some, keep=True) for some in random]),
    )


def _named(unit: tuple[int, ...]) -> str:
    return "+".join(map(str, unit))


def _spread(values: Sequence[float]) -> tuple[float, float, float]:
    return min(values), sum(values) / len(values), max(values)


def _carrying(contributions: Sequence[float]) -> list[int]:
    """The fewest units that make most of what is positive.

    >>> _carrying([1.0, 6.0, -3.0, 3.0])
    [1, 3]
    """
    positive = sum(value for value in contributions if value > 0)
    ranked = sorted(range(len(contributions)), key=lambda unit: -contributions[unit])
    carried, top = 0.0, []
    for unit in ranked:
        top.append(unit)
        carried += contributions[unit]
        if carried >= CARRIED * positive:
            break
    return top


def _units(head_dim: int, pairs: Pairs, rotary_dim: int | None) -> tuple[tuple[int, ...], ...]:
    """Neurons that are turned together.

    >>> _units(4, "halves", None), _units(5, "interleaved", 4)
    (((0, 2), (1, 3)), ((0, 1), (2, 3), (4,)))
    """
    if pairs is None:
        if rotary_dim is not None:
            raise ValueError(
                f"rotary_dim={rotary_dim} was given and nothing is turned: pass pairs='halves' or"
                " pairs='interleaved'."
            )
        return tuple((neuron,) for neuron in range(head_dim))
    if pairs not in ("halves", "interleaved"):
        raise ValueError(
            f"pairs={pairs!r} is unknown: expected 'halves' (Llama), 'interleaved' (GPT-J), 'auto'"
            " or None."
        )
    turned = head_dim if rotary_dim is None else rotary_dim
    if turned % 2 or not 0 < turned <= head_dim:
        raise ValueError(
            f"rotary_dim={turned} neurons cannot be turned in pairs: expected an even number up to"
            f" head_dim, {head_dim}."
        )
    half = turned // 2
    both = [(n, n + half) if pairs == "halves" else (2 * n, 2 * n + 1) for n in range(half)]
    return (*both, *((neuron,) for neuron in range(turned, head_dim)))


def _layer(
    trace: AttentionTrace, layer: int, head: int, block: str | None
) -> tuple[AttentionBlock, LayerAttention]:
    if block is not None and block not in trace.blocks:
        raise ValueError(f"block={block!r} is unknown: expected one of {', '.join(trace.blocks)}.")
    blocks = list(trace.blocks.values()) if block is None else [trace.blocks[block]]
    layers = [(held, found) for held in blocks for found in held.layers if found.index == layer]
    if not layers:
        numbers = sorted({found.index for held in blocks for found in held.layers})
        raise ValueError(
            f"layer={layer!r} is not in the trace: expected one of {', '.join(map(str, numbers))}."
        )
    for held, found in layers:
        if head in found.heads:
            return held, found
    raise ValueError(
        f"head={head!r} is not in layer {layer}: expected one of"
        f" {', '.join(map(str, layers[0][1].heads))}."
    )


def _cells(
    block: AttentionBlock,
    weights: Tensor,
    may: Tensor,
    pattern: str | None,
    cells: Any,
    window: int,
) -> tuple[Tensor, str]:
    """The cells to explain, and what they are called."""
    import torch

    if pattern is not None and cells is not None:
        raise TypeError("explain_head got pattern and cells: pass one of them.")
    if cells is not None:
        return as_matrix("cells", cells, (weights.shape[0], weights.shape[1])), "cells"
    if pattern is None:
        strongest = weights.masked_fill(~may, -1).argmax(1)
        return torch.nn.functional.one_hot(strongest, weights.shape[1]).bool(), "its strongest keys"
    known = {one.name: one for one in known_patterns(window)}
    if pattern not in known:
        raise ValueError(
            f"pattern={pattern!r} is unknown: expected one of {', '.join(known)}; pass cells= for"
            " one's own."
        )
    text = text_of(block)
    try:
        if known[pattern].one_text and not text.shared:
            raise NoCells("compares places of one text, and queries and keys are different tokens")
        found = known[pattern].cells(text, slice(0, weights.shape[0]))
    except NoCells as reason:
        raise ValueError(
            f"pattern={pattern!r} has no cells in this text: {reason}. Pass cells= instead."
        ) from None
    return found.expand(weights.shape), pattern
