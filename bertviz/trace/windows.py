"""Part of a text, exactly: tokens outside it keep their share of every softmax.

Cutting keys off would make the remaining weights larger than they are. Softmax depends on what is
cut off only through the sum of its exponentials, so one score per row, their logarithm, stands for
it.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from bertviz.arguments import as_index
from bertviz.trace.attention_trace import AttentionTrace
from bertviz.trace.block import AttentionBlock
from bertviz.trace.formula import Cut, Formula
from bertviz.trace.layer import LayerAttention
from bertviz.trace.settings import plainly

if TYPE_CHECKING:
    from torch import Tensor

Part = slice | list[int]
ROWS = 512  # computed at a time, for one head


@plainly()
def window(trace: AttentionTrace, start: int, stop: int) -> AttentionTrace:
    """The part of a trace between two positions; implements ``AttentionTrace.window``."""
    start, stop = as_index("start", start), as_index("stop", stop)
    longest = max(len(block.query) for block in trace.blocks.values())
    if not 0 <= start < stop <= longest:
        raise ValueError(
            f"start={start}, stop={stop} is not a part of {longest} tokens: expected"
            f" 0 <= start < stop <= {longest}."
        )
    blocks = {}
    for name, block in trace.blocks.items():
        if start >= len(block.query):
            continue
        end = min(stop, len(block.query))
        rows: Part = slice(start, end)
        if trace.kind != "attention":  # no softmax depends on what is cut off
            rows = list(range(start, end))
        columns: Part = slice(None) if block.kind == "cross" else rows
        blocks[name] = _part(block, rows, columns)
    return replace(trace, blocks=blocks)


@plainly()
def pick(block: AttentionBlock, rows: list[int], columns: list[int]) -> AttentionBlock:
    """Some tokens of a block, wherever they are; given weights are cut.

    Args:
        block: A block of a trace.
        rows: Positions of the queries, ascending.
        columns: Positions of the keys, ascending.
    """
    return _part(block, rows, columns)


def _part(block: AttentionBlock, rows: Part, columns: Part) -> AttentionBlock:
    cut = Cut(rows, columns)
    return replace(
        block,
        query=block.query[rows],
        key=block.key[columns],
        layers=tuple(_layer(layer, cut) for layer in block.layers),
    )


def _layer(layer: LayerAttention, cut: Cut) -> LayerAttention:
    formula = layer.formula
    if formula is not None and formula.causal and isinstance(cut.rows, list):
        formula = replace(formula, causal=False, mask=_written_out(formula))
    if layer.given_weights is not None and isinstance(cut.rows, list):
        return replace(
            layer,
            formula=None if formula is None else formula.cut(cut),
            given_weights=layer.given_weights[:, cut.rows][:, :, cut.columns],
            # Scattered rows and columns of a causal matrix need not be causal; zeros stay zero.
            given_causal=False,
        )
    if layer.given_weights is not None or formula is None:
        raise ValueError(
            f"Layer {layer.index} holds weights, of which a part is a slice: pass"
            " weights[..., start:stop, start:stop]. A window is made of queries and keys."
        )
    # A causal mask of a window needs no change: it is aligned at the ends, which are the same.
    part = formula.cut(cut)
    outside = _outside(layer, cut)
    queries, keys = part.queries.clone(), part.keys.clone()
    return replace(layer, formula=replace(part, queries=queries, keys=keys, sinks=outside))


def _written_out(formula: Formula) -> Tensor:
    """A causal layer's mask as a tensor."""
    import torch

    bias = replace(formula, position_bias=None).bias(list(range(formula.num_heads)))
    assert bias is not None
    return bias if formula.mask is not None else bias > torch.finfo(torch.float32).min


def _outside(layer: LayerAttention, cut: Cut) -> Tensor | None:
    """(heads, query): what the keys outside add to the softmax, with the layer's own sinks."""
    import torch

    queries, keys = layer.shape
    rows, columns, sinks = cut.rows, cut.columns, layer.explained.sinks
    kept = range(keys)[columns] if isinstance(columns, slice) else columns
    if len(kept) == keys:
        return cut.sinks(sinks)
    wanted = list(range(queries)[rows]) if isinstance(rows, slice) else rows
    found = []
    for place, head in enumerate(layer.heads):
        parts = []
        for first in range(0, len(wanted), ROWS):
            some = wanted[first : first + ROWS]
            scores = layer.scores(head, some)[0]
            scores[:, columns] = -torch.inf
            if sinks is not None:
                own = sinks[place]
                own = own.expand(scores.shape[0]) if own.ndim == 0 else own[some]
                scores = torch.cat([scores, own.to(scores)[:, None]], -1)
            parts.append(torch.logsumexp(scores, -1))
        found.append(torch.cat(parts))
    return torch.stack(found)
