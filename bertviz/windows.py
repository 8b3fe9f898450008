"""A part of a long text, exact: what lies outside keeps its part of every softmax.

Cutting keys off would make the remaining weights larger than they are. Softmax knows of what is cut
off only the sum of its exponentials, so one score per row, their logarithm, stands for it.
"""

from __future__ import annotations

import dataclasses
from types import MappingProxyType
from typing import TYPE_CHECKING

from bertviz.trace import AttentionBlock, AttentionTrace, LayerAttention

if TYPE_CHECKING:
    from torch import Tensor

ROWS = 512  # computed at a time, for one head


def window(trace: AttentionTrace, start: int, stop: int) -> AttentionTrace:
    """See ``AttentionTrace.window``."""
    longest = max(len(block.query_tokens) for block in trace.blocks.values())
    if not 0 <= start < stop <= longest:
        raise ValueError(
            f"start={start}, stop={stop} is no part of {longest} tokens: expected"
            f" 0 <= start < stop <= {longest}."
        )
    blocks = {}
    for name, block in trace.blocks.items():
        if start >= len(block.query_tokens):
            continue
        rows = slice(start, min(stop, len(block.query_tokens)))
        columns = slice(None) if block.kind == "cross" else rows
        blocks[name] = _part(block, rows, columns)
    return dataclasses.replace(trace, blocks=MappingProxyType(blocks))


def _part(block: AttentionBlock, rows: slice, columns: slice) -> AttentionBlock:
    return dataclasses.replace(
        block,
        query_tokens=block.query_tokens[rows],
        key_tokens=block.key_tokens[columns],
        query_text=block.query_text[rows],
        key_text=block.key_text[columns],
        query_sentences=_two(block.query_sentences, rows),
        key_sentences=_two(block.key_sentences, columns),
        query_words=_from_zero(block.query_words[rows]),
        key_words=_from_zero(block.key_words[columns]),
        query_special=block.query_special[rows],
        key_special=block.key_special[columns],
        layers=tuple(_layer(layer, rows, columns) for layer in block.layers),
    )


def _two(sentences: tuple[int, ...] | None, part: slice) -> tuple[int, ...] | None:
    chosen = None if sentences is None else sentences[part]
    return chosen if chosen is not None and len(set(chosen)) == 2 else None


def _from_zero(words: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(word - words[0] for word in words)


def _layer(layer: LayerAttention, rows: slice, columns: slice) -> LayerAttention:
    if layer.given_weights is not None or layer.queries is None or layer.keys is None:
        raise ValueError(
            f"Layer {layer.index} holds weights, of which a part is a slice: pass"
            " weights[..., start:stop, start:stop]. A window is made of queries and keys."
        )

    def part(term: Tensor | None) -> Tensor | None:
        if term is None:
            return None
        term = term[:, rows] if term.shape[1] > 1 else term
        return term[..., columns] if term.shape[2] > 1 else term

    # A causal mask needs no change: it is lined up at the ends, which are the same.
    return dataclasses.replace(
        layer,
        queries=layer.queries[:, rows].clone(),
        keys=layer.keys[:, columns].clone(),
        mask=part(layer.mask),
        position_bias=part(layer.position_bias),
        sinks=_outside(layer, rows, columns),
    )


def _outside(layer: LayerAttention, rows: slice, columns: slice) -> Tensor | None:
    """(heads, query): what the keys outside add to the softmax, with the layer's own sinks."""
    import torch

    if columns == slice(None) or columns == slice(0, layer.shape[1]):
        return layer.sinks if layer.sinks is None or layer.sinks.ndim == 1 else layer.sinks[:, rows]
    found = []
    for place, head in enumerate(layer.heads):
        parts = []
        for first in range(rows.start, rows.stop, ROWS):
            some = slice(first, min(first + ROWS, rows.stop))
            scores = layer.scores(head, some)[0]
            scores[:, columns] = -torch.inf
            if layer.sinks is not None:
                own = layer.sinks[place]
                own = own.expand(scores.shape[0]) if own.ndim == 0 else own[some]
                scores = torch.cat([scores, own.to(scores)[:, None]], -1)
            parts.append(torch.logsumexp(scores, -1))
        found.append(torch.cat(parts))
    return torch.stack(found)
