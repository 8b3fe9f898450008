"""Records → blocks: layers that read the same tokens, with their names and numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from bertviz.extractor.capture import Capture
from bertviz.extractor.records import Record, numbers_in, tower
from bertviz.extractor.rotary import rotates
from bertviz.extractor.sides import Sides
from bertviz.extractor.skips import Skip
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
        kind: Kind = "encoder"
        if record.cross:
            kind = "cross"
        elif _is_causal(record) or (tower(record.path) in with_cross and _decodes(record, sides)):
            kind = "decoder"
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
    for index, record in zip(_numbers(records, capture), records, strict=True):
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


def _decodes(record: Record, sides: Sides) -> bool:
    """Whether a stack with cross-attention is a decoder, though nothing is masked in it.

    DETR's decoder reads all of its queries at once. But so does an encoder that cross-attends to
    images, such as a Q-Former: only what the model calls itself tells them apart.
    """
    return sides.two_stacks or "decoder" in tower(record.path).lower()


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


def _numbers(records: Sequence[Record], capture: Capture) -> list[int]:
    """The model's own layer numbers; attentions that were skipped keep theirs."""
    stack, cross, shape = tower(records[0].path), records[0].cross, records[0].shape
    missing = [
        skip
        for skip in capture.skipped
        if tower(skip.path) == stack
        and skip.cross == cross
        and skip.shape in (None, shape)
        and not skip.apart
    ]
    everything: list[Record | Skip] = [*records, *_besides(records, _once(missing))]
    seen = sorted(everything, key=lambda each: each.place)
    numbers = dict(zip(seen, _indices([each.path for each in seen], capture), strict=True))
    return [numbers[record] for record in records]


def _once(skips: Sequence[Skip]) -> list[Skip]:
    """Without the later steps of a generation, and the further parts of an attention."""
    return list({(skip.path, skip.order): skip for skip in reversed(skips)}.values())


def _besides(records: Sequence[Record], skips: Sequence[Skip]) -> list[Skip]:
    """One skip per path that has no record, unless one path is that of several layers (ALBERT)."""
    paths = [record.path for record in records]
    if len(set(paths)) < len(paths) or len({*paths, *(skip.path for skip in skips)}) == 1:
        return list(skips)
    first = {skip.path: skip for skip in reversed(skips)}
    return [skip for path, skip in first.items() if path not in paths]


def _indices(paths: Sequence[str], capture: Capture) -> list[int]:
    """Layer numbers from the paths of all attentions, or their order where paths have none.

    A path may hold other numbers (T5's ``block.3.layer.0``), and a model that shares one module
    among its layers (ALBERT) has one path for all.
    """
    numbers = [numbers_in(path) for path in paths]
    if len(paths) == 1:
        return [_of_the_longest_list(paths[0], capture)]
    for place in range(min(map(len, numbers))):
        column = [row[place] for row in numbers]
        if len(set(column)) == len(column):
            return column
        if len(set(column)) > 1:
            break
    return list(range(len(paths)))


def _of_the_longest_list(path: str, capture: Capture) -> int:
    """The first number in a path that counts more than one module; 0 if there is none."""
    parts = path.split(".")
    for place, part in enumerate(parts):
        if part.isdecimal():
            holder = capture.module(".".join(parts[:place]))
            if holder is None or sum(1 for _ in holder.children()) > 1:
                return int(part)
    return 0
