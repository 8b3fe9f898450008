"""From a head to its explanation: contributions, and the softmax without the top neurons."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from bertviz.analysis.lookup import block_with_layer, check_trace
from bertviz.analysis.neurons.explanation import HeadExplanation
from bertviz.analysis.neurons.marking import Marked, marked
from bertviz.analysis.neurons.units import Pairs, Unit, carrying, neurons_of, units_of
from bertviz.arguments import as_index
from bertviz.trace import AttentionTrace, LayerAttention, check_attention
from bertviz.trace.settings import plainly

if TYPE_CHECKING:
    from torch import Tensor

RANDOM_SETS = 20


@plainly()
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
    """Which neurons produce a head's attention, or the part of it that follows a pattern.

    >>> import torch
    >>> from bertviz import AttentionTrace
    >>> queries = torch.eye(3).roll(1, 1)[None]  # neuron n + 1 of query n: the next token
    >>> trace = AttentionTrace.from_arrays(["a", "b", "c"], queries=9 * queries,
    ...                                    keys=torch.eye(3)[None])
    >>> explain_head(trace, 0, 0, "next token").neurons
    (1, 2, 0)

    Args:
        trace: A trace with queries and keys.
        layer: The model's own number of the layer.
        head: The model's own number of the head.
        pattern: A name that ``find_patterns`` knows; without it and ``cells``, contributions are
            weighted by the head's attention, and the check looks at each query's strongest key.
        cells: In place of a pattern, the query–key pairs that count: a matrix (query, key), or
            (query, key) tuples.
        block: The block's name; by default the first that has the layer and the head.
        pairs: How a rotary model pairs its neurons: "halves" rotates n with n + head_dim / 2
            (Llama, Mistral, Qwen, GPT-NeoX), "interleaved" 2n with 2n + 1 (GPT-J, Cohere). A
            rotation spreads what one neuron held over both, so they are judged together. A trace
            knows whether a layer rotates its vectors, but not which neurons go together: "auto"
            takes "halves", by far the most common, for layers that do, and the summary says so.
            With None each neuron stands alone.
        rotary_dim: How many neurons are rotated, from the first on; all by default.
        window: How many tokens "local window" reaches in each direction.

    Returns:
        The explanation; ``print`` it for a summary.

    Raises:
        ValueError: The trace holds only weights, has no such layer, head or block, the pattern is
            unknown or exists nowhere in the text, or the matrix has another shape.
        TypeError: An argument is of the wrong type, both a pattern and cells were passed, or cells
            are not query–key pairs.
    """
    check_trace("trace", trace)
    check_attention(
        "explain_head", trace, "pass a trace that extract(model, tokenizer, text) gives"
    )
    held, found = block_with_layer(trace.blocks, layer, head, block)
    formula = found.explained
    units = units_of(formula, pairs, rotary_dim)
    what = marked(held, found, head, pattern, cells, window)
    contributions, added = _contributions(found, head, what, units)
    top = carrying(contributions)
    best = neurons_of([units[unit] for unit in top])
    random = [neurons_of(some) for some in _drawn(units, len(top))]

    def mass(neurons: Sequence[int], keep: bool) -> float:
        return what.mass(_weights_with(found, head, neurons, keep))

    return HeadExplanation(
        model_name=trace.model_name,
        block=held.name,
        layer=found.index,
        head=as_index("head", head, "head"),
        what=what.what,
        assumed_pairs=pairs == "auto" and formula.rotary,
        units=units,
        contributions=contributions,
        added=added,
        top=tuple(units[unit] for unit in top),
        queries=what.queries,
        uniform=what.uniform,
        mass=what.mass(what.weights),
        without_top=mass(best, keep=False),
        only_top=mass(best, keep=True),
        without_random=_spread([mass(some, keep=False) for some in random]),
        only_random=_spread([mass(some, keep=True) for some in random]),
    )


def _contributions(
    layer: LayerAttention, head: int, what: Marked, units: Sequence[Unit]
) -> tuple[tuple[float, ...], float]:
    """How far each unit lifts the keys in question, and how far the model's bias does."""
    formula = layer.explained
    queries = formula.queries[layer.places(head)[0]].float().cpu()
    keys = formula.keys[layer.key_head(head)].float().cpu()
    each = formula.scaling * (queries * (what.lifts @ keys)).sum(0) / what.queries
    added = 0.0
    bias = layer.bias(head)
    if bias is not None:
        unmasked = bias[0].cpu().expand(layer.shape).masked_fill(~what.unmasked, 0.0)
        added = float((what.lifts * unmasked).sum()) / what.queries
    return tuple(float(each[list(unit)].sum()) for unit in units), added


def _weights_with(layer: LayerAttention, head: int, neurons: Sequence[int], keep: bool) -> Tensor:
    """(query, key): the softmax with only some neurons, or without them."""
    import torch

    formula = layer.explained
    part = torch.full((formula.queries.shape[-1],), not keep, dtype=torch.bool, device="cpu")
    part[list(neurons)] = keep
    changed = replace(formula, queries=formula.queries * part.to(formula.queries))
    return changed.weights(layer.places(head))[0].cpu()


def _drawn(units: Sequence[Unit], count: int) -> Iterator[list[Unit]]:
    """Random sets of ``count`` units, the same every time."""
    import torch

    generator = torch.Generator("cpu").manual_seed(0)
    for _ in range(RANDOM_SETS):
        draw = torch.randperm(len(units), generator=generator, device="cpu")[:count]
        yield [units[unit] for unit in draw.tolist()]


def _spread(values: Sequence[float]) -> tuple[float, float, float]:
    return min(values), sum(values) / len(values), max(values)
