"""Records → blocks: layers that read the same tokens, with their names and numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from bertviz.extractor.capture import Capture
from bertviz.extractor.records import Record, numbers_in, tower
from bertviz.extractor.rotary import rotates
from bertviz.extractor.sides import Sides
from bertviz.trace import AttentionBlock, Kind
from bertviz.trace.formula import Cut
from bertviz.trace.masks import hidden_by, is_causal
from bertviz.trace.settings import plainly


@plainly()
def make_blocks(capture: Capture, sides: Sides) -> dict[str, AttentionBlock]:
    """Group the records by what they read, and name the groups."""
    with_cross = {tower(record.path) for record in capture.records if record.cross}
    groups: dict[tuple[str, Kind, int, int], list[Record]] = {}
    for record in capture.records:
        kind: Kind
        if record.cross:
            kind = "cross"
        elif tower(record.path) in with_cross or _is_causal(record):
            kind = "decoder"
        else:
            kind = "encoder"
        groups.setdefault((tower(record.path), kind, *record.shape), []).append(record)

    order: list[Kind] = ["encoder", "decoder", "cross"]
    kinds = [key[1] for key in groups]
    # An encoder-decoder has two stacks, and its blocks differ in kind; the blocks of other models
    # with several stacks (text and vision, say) are named after the stack.
    unrelated = len({key[0] for key in groups}) > 1 and not with_cross
    blocks: dict[str, AttentionBlock] = {}
    for key in sorted(groups, key=lambda key: order.index(key[1])):
        stack, kind, queries, keys = key
        name: str = kind
        if unrelated or kinds.count(kind) > 1:
            name = stack.rpartition(".")[0] or stack or kind
            if name in blocks or sum(k[0] == stack for k in groups) > 1:
                name = f"{name} {kind} {queries}x{keys}"
        block = _block(name, kind, groups[key], sides, capture)
        if block.layers:
            blocks[name] = block
    return blocks


def _block(
    name: str, kind: Kind, records: Sequence[Record], sides: Sides, capture: Capture
) -> AttentionBlock:
    stack = tower(records[0].path)
    stacks = [sides.stack(stack, kind, side) for side in ("query", "key")]
    lengths = records[0].shape
    rows, columns = (sides.kept(*side) for side in zip(stacks, lengths, strict=True))
    sides.positions[name] = (rows, columns)
    whole = (len(rows), len(columns)) == lengths
    cut = Cut(rows, columns)
    layers = []
    for index, record in zip(_indices(records), records, strict=True):
        wanted = capture.keep.layers
        if not record.heads or (wanted and index not in wanted):
            continue
        rotary = not record.cross and rotates(capture.model, record.path)
        layer = record.as_layer(index, rotary)
        layers.append(layer if whole else replace(layer, formula=layer.explained.cut(cut)))
    return AttentionBlock(
        name=name,
        kind=kind,
        query=sides.tokens(stacks[0], lengths[0], rows),
        key=sides.tokens(stacks[1], lengths[1], columns),
        layers=tuple(layers),
    )


def _is_causal(record: Record) -> bool:
    """Whether every key after its query is masked."""
    formula = record.formula
    if formula.causal:
        return True
    if record.shape[0] < 2:
        return record.module_is_causal  # one token says nothing
    terms = (formula.mask, formula.position_bias)
    return any(
        term is not None and term.shape[1:] == record.shape and is_causal(hidden_by(term))
        for term in terms
    )


def _indices(records: Sequence[Record]) -> list[int]:
    """The model's own layer numbers, from the paths, or the order where paths have none.

    A path may hold other numbers (T5's ``block.3.layer.0``), and a model that shares one module
    among its layers (ALBERT) has one path for all.
    """
    numbers = [numbers_in(record.path) for record in records]
    if len(records) == 1:
        return [numbers[0][0] if numbers[0] else 0]
    for place in range(min(map(len, numbers))):
        column = [row[place] for row in numbers]
        if len(set(column)) == len(column):
            return column
        if len(set(column)) > 1:
            break
    return list(range(len(records)))
