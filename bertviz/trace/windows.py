"""A part of a text, exact: what lies outside keeps its part of every softmax.

Cutting keys off would make the remaining weights larger than they are. Softmax knows of what is cut
off only the sum of its exponentials, so one score per row, their logarithm, stands for it.
"""

from __future__ import annotations

import dataclasses
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from bertviz.trace import AttentionBlock, AttentionTrace, LayerAttention

if TYPE_CHECKING:
    from torch import Tensor

Part = slice | list[int]
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


def picked(block: AttentionBlock, rows: list[int], columns: list[int]) -> AttentionBlock:
    """Some tokens of a block, wherever they stand; weights alone are cut.

    Args:
        block: Of a trace.
        rows: Positions of the queries, rising.
        columns: Of the keys, likewise.
    """
    return _part(block, rows, columns)


def _part(block: AttentionBlock, rows: Part, columns: Part) -> AttentionBlock:
    return dataclasses.replace(
        block,
        query_tokens=_of(block.query_tokens, rows),
        key_tokens=_of(block.key_tokens, columns),
        query_text=_of(block.query_text, rows),
        key_text=_of(block.key_text, columns),
        query_sentences=_two(block.query_sentences, rows),
        key_sentences=_two(block.key_sentences, columns),
        query_words=_from_zero(_of(block.query_words, rows)),
        key_words=_from_zero(_of(block.key_words, columns)),
        query_special=_of(block.query_special, rows),
        key_special=_of(block.key_special, columns),
        layers=tuple(_layer(layer, rows, columns) for layer in block.layers),
    )


def _of(values: tuple[Any, ...], part: Part) -> tuple[Any, ...]:
    return values[part] if isinstance(part, slice) else tuple(values[place] for place in part)


def _two(sentences: tuple[int, ...] | None, part: Part) -> tuple[int, ...] | None:
    chosen = None if sentences is None else _of(sentences, part)
    return chosen if chosen is not None and len(set(chosen)) == 2 else None


def _from_zero(words: tuple[int, ...]) -> tuple[int, ...]:
    """Numbers without gaps, equal ones staying equal.

    >>> _from_zero((3, 3, 5))
    (0, 0, 1)
    """
    numbers = {word: number for number, word in enumerate(dict.fromkeys(words))}
    return tuple(numbers[word] for word in words)


def _layer(layer: LayerAttention, rows: Part, columns: Part) -> LayerAttention:
    if layer.given_weights is not None and isinstance(rows, list):
        return dataclasses.replace(
            layer,
            queries=None if layer.queries is None else layer.queries[:, rows],
            keys=None if layer.keys is None else layer.keys[:, columns],
            given_weights=layer.given_weights[:, rows][:, :, columns],
            sinks=None,
            mask=None,
            position_bias=None,
        )
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

    causal, mask = layer.causal, layer.mask
    if causal and isinstance(rows, list):
        causal, mask = False, _as_mask(layer)
    # A causal mask of a window needs no change: it is lined up at the ends, which are the same.
    return dataclasses.replace(
        layer,
        queries=layer.queries[:, rows].clone(),
        keys=layer.keys[:, columns].clone(),
        causal=causal,
        mask=part(mask),
        position_bias=part(layer.position_bias),
        sinks=_outside(layer, rows, columns),
    )


def _as_mask(layer: LayerAttention) -> Tensor:
    """A causal layer's mask, written out."""
    import torch

    alone = dataclasses.replace(layer, position_bias=None).bias()
    assert alone is not None
    return alone if layer.mask is not None else alone > torch.finfo(torch.float32).min


def _outside(layer: LayerAttention, rows: Part, columns: Part) -> Tensor | None:
    """(heads, query): what the keys outside add to the softmax, with the layer's own sinks."""
    import torch

    queries, keys = layer.shape
    kept = range(keys)[columns] if isinstance(columns, slice) else columns
    if len(kept) == keys:
        return layer.sinks if layer.sinks is None or layer.sinks.ndim == 1 else layer.sinks[:, rows]
    wanted = list(range(queries)[rows]) if isinstance(rows, slice) else rows
    found = []
    for place, head in enumerate(layer.heads):
        parts = []
        for first in range(0, len(wanted), ROWS):
            some = wanted[first : first + ROWS]
            scores = layer.scores(head, some)[0]
            scores[:, columns] = -torch.inf
            if layer.sinks is not None:
                own = layer.sinks[place]
                own = own.expand(scores.shape[0]) if own.ndim == 0 else own[some]
                scores = torch.cat([scores, own.to(scores)[:, None]], -1)
            parts.append(torch.logsumexp(scores, -1))
        found.append(torch.cat(parts))
    return torch.stack(found)
