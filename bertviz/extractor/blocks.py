"""What was noted → blocks: layers that read the same tokens, their names, numbers and padding."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import takewhile
from typing import Any

import torch
from torch import Tensor, nn

from bertviz.arrays import make_block
from bertviz.extractor.capture import Capture, Record, tower
from bertviz.extractor.inputs import has_two_stacks
from bertviz.extractor.patches import name_images, patch_names
from bertviz.trace import AttentionBlock, Kind


class Sides:
    """Tokens, sentences and padding of what a stack reads."""

    def __init__(
        self,
        model: nn.Module,
        tokenizer: Any,
        batch: Mapping[str, Any],
        encoding: Mapping[str, Any],
        capture: Capture,
        row: int,
        drop_padding: bool,
    ) -> None:
        self.model = model
        self.turning = any("rotary" in type(m).__name__.lower() for m in model.modules())
        self.tokenizer = tokenizer
        self.config = getattr(model, "config", None)
        self.batch = batch
        self.positions: dict[str, tuple[list[int], list[int]]] = {}  # per block, those shown
        self.two_stacks = has_two_stacks(model)
        stacks = {tower(record.path) for record in capture.records}
        self.readers = _readers(stacks, capture.readers)
        self.ids: dict[str, Tensor | None] = {
            "encoder": _row_of(batch.get("input_ids"), row),
            "decoder": _row_of(
                batch.get("decoder_input_ids")
                if batch.get("decoder_input_ids") is not None
                else capture.decoder_ids,
                row,
            ),
        }
        self.masks = {
            "encoder": _row_of(batch.get("attention_mask"), row) if drop_padding else None,
            "decoder": _row_of(batch.get("decoder_attention_mask"), row) if drop_padding else None,
            "other": _row_of(batch.get("encoder_attention_mask"), row) if drop_padding else None,
        }
        self._sentences = _sentence_ids(encoding, batch, row)

    def stack(self, path: str, kind: Kind, side: str) -> str:
        """Whose tokens stand on one side of a block: "other" is what has no names."""
        if self.two_stacks:
            read = kind == "encoder" or (kind == "cross" and side == "key")
            return "encoder" if read else "decoder"
        if path not in self.readers or (kind == "cross" and side == "key"):
            return "other"
        return "encoder"

    def kept(self, stack: str, length: int) -> list[int]:
        """Positions that are not padding."""
        mask = self.masks[stack]
        if mask is None or mask.ndim != 1 or mask.shape[0] != length or not bool(mask.any()):
            return list(range(length))
        return [i for i, seen in enumerate(mask.tolist()) if seen]

    def tokens(self, stack: str, length: int) -> tuple[str, ...]:
        """The tokenizer's own strings of all positions, or their numbers."""
        ids = self.ids.get(stack)
        if ids is None or ids.shape[0] != length:
            patches = patch_names(length, self.config, self.batch)
            return patches or tuple(map(str, range(length)))
        numbers = ids.tolist()
        strings = tuple(map(str, range(length)))
        if self.tokenizer is not None:
            strings = tuple(
                text if isinstance(text, str) else f"<{number}>"
                for text, number in zip(
                    map(_as_text, self.tokenizer.convert_ids_to_tokens(numbers)),
                    numbers,
                    strict=True,
                )
            )
        return name_images(strings, numbers, self.config, self.batch)

    def rotary(self, path: str) -> bool:
        """Whether an attention turns its queries and keys by their positions.

        The model has a module that makes the angles, and the attention has it too or is given them;
        some models leave single layers out, and GPT-J has a table in place of a module.
        """
        try:
            module = self.model.get_submodule(path)
        except AttributeError:
            return False
        if not getattr(module, "use_rope", True):
            return False
        if getattr(module, "rotary_dim", None):
            return True
        if any("rotary" in type(m).__name__.lower() for m in module.modules()):
            return True
        given = inspect.signature(module.forward).parameters
        return self.turning and not given.keys().isdisjoint(
            {"position_embeddings", "rotary_pos_emb", "cos"}
        )

    def sentences(self, stack: str, length: int) -> tuple[int, ...] | None:
        """The sentence of each position, if there are two."""
        ids = self._sentences if stack == "encoder" else None
        return ids if ids is not None and len(ids) == length else None


def _as_text(token: Any) -> Any:
    return token.decode("utf-8", "replace") if isinstance(token, bytes) else token


def _row_of(value: Any, row: int) -> Tensor | None:
    return value[row].cpu() if isinstance(value, Tensor) and value.ndim == 2 else None


def _sentence_ids(
    encoding: Mapping[str, Any], batch: Mapping[str, Any], row: int
) -> tuple[int, ...] | None:
    """The sentence of each token, 0 or 1, if there are two."""
    types = _row_of(batch.get("token_type_ids"), row)
    mask = _row_of(batch.get("attention_mask"), row)
    if types is not None and set(types.tolist()) == {0, 1}:
        # Padding is of type 0 also after the second sentence, so it says nothing.
        seen = [True] * len(types) if mask is None else [bool(x) for x in mask.tolist()]
        if len(seen) != len(types):
            return None
        return _filled([t if s else None for t, s in zip(types.tolist(), seen, strict=True)])
    sequence_ids = getattr(encoding, "sequence_ids", None)
    if sequence_ids is None or not getattr(encoding, "is_fast", False):
        return None
    return _filled(sequence_ids(row))


def _filled(sentences: Sequence[int | None]) -> tuple[int, ...] | None:
    """Special tokens belong to a sentence too: of those between the two, the first closes one.

    >>> _filled([None, 0, 0, None, None, 1, None])
    (0, 0, 0, 0, 1, 1, 1)
    """
    known = [place for place, number in enumerate(sentences) if number is not None]
    if {sentences[place] for place in known} != {0, 1}:
        return None
    filled = []
    for place, number in enumerate(sentences):
        if number is None:
            before = [k for k in known if k < place]
            after = [k for k in known if k > place]
            closes = before and (not after or place == before[-1] + 1)
            number = sentences[before[-1]] if closes else sentences[after[0]]
        filled.append(int(number or 0))
    return tuple(filled)


def _readers(towers: set[str], embeddings: Sequence[str]) -> set[str]:
    """The towers that read the text: those nearest to an embedding that did."""
    if not embeddings or len(towers) < 2:
        return towers

    def common(tower: str) -> int:
        ways = [zip(tower.split("."), path.split("."), strict=False) for path in embeddings]
        return max(sum(1 for _ in takewhile(lambda two: two[0] == two[1], way)) for way in ways)

    nearest = max(map(common, towers))
    return {tower for tower in towers if common(tower) == nearest}


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
    # An encoder-decoder has two stacks, and its blocks are told apart by their kind; other models
    # with several stacks (text and vision, say) by the stack.
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
    lengths = dict(zip(("query", "key"), records[0].shape, strict=True))
    stack = tower(records[0].path)
    stacks = {side: sides.stack(stack, kind, side) for side in lengths}
    kept = {side: sides.kept(stacks[side], length) for side, length in lengths.items()}
    rows, columns = kept["query"], kept["key"]
    sides.positions[name] = (rows, columns)
    whole = len(rows) == lengths["query"] and len(columns) == lengths["key"]
    shared: dict[int, Tensor] = {}

    def part(tensor: Tensor | None) -> Tensor | None:
        """A mask or bias without the padding; shared ones stay shared."""
        if tensor is None:
            return None
        if id(tensor) not in shared:
            small = tensor[:, rows] if tensor.shape[1] > 1 else tensor
            shared[id(tensor)] = small[..., columns] if small.shape[2] > 1 else small
        return shared[id(tensor)]

    def of_rows(sinks: Tensor | None) -> Tensor | None:
        return sinks if sinks is None or sinks.ndim == 1 else sinks[:, rows]

    layers = []
    for index, record in zip(_indices(records), records, strict=True):
        wanted = capture.keep.layers
        if record.queries is None or record.keys is None or (wanted and index not in wanted):
            continue
        layer = record.as_layer(index, rotary=not record.cross and sides.rotary(record.path))
        if not whole:
            layer = replace(
                layer,
                queries=record.queries[:, rows],
                keys=record.keys[:, columns],
                sinks=of_rows(record.sinks),
                mask=part(record.mask),
                position_bias=part(record.position_bias),
            )
        layers.append(layer)
    strings, sentences = {}, {}
    for side, length in lengths.items():
        every = sides.tokens(stacks[side], length)
        strings[side] = tuple(every[i] for i in kept[side])
        ids = sides.sentences(stacks[side], length)
        chosen = None if ids is None else tuple(ids[i] for i in kept[side])
        sentences[side] = chosen if chosen is not None and len(set(chosen)) == 2 else None
    return make_block(
        name,
        kind,
        strings["query"],
        strings["key"],
        layers,
        query_sentences=sentences["query"],
        key_sentences=sentences["key"],
        tokenizer=sides.tokenizer,
    )


def _is_causal(record: Record) -> bool:
    """Whether no key after a query is seen."""
    if record.causal:
        return True
    queries, keys = record.shape
    if queries < 2:
        return record.module_is_causal  # one token tells nothing
    for term in (record.mask, record.position_bias):
        if term is None or term.shape[1:] != (queries, keys):
            continue
        low = -1e4 if term.dtype == torch.bool else max(-1e4, torch.finfo(term.dtype).min / 2)
        hidden = ~term if term.dtype == torch.bool else term <= low
        later = torch.ones(queries, keys, dtype=torch.bool, device=term.device)
        if bool(hidden[:, later.triu(keys - queries + 1)].all()):
            return True
    return False


def _indices(records: Sequence[Record]) -> list[int]:
    """The model's own layer numbers, from the paths, or the order where paths have none.

    A path may hold other numbers (T5's ``block.3.layer.0``), and a model that shares one module
    among its layers (ALBERT) has one path for all.
    """
    numbers = [[int(p) for p in record.path.split(".") if p.isdecimal()] for record in records]
    if len(records) == 1:
        return [numbers[0][0] if numbers[0] else 0]
    for place in range(min(map(len, numbers))):
        column = [row[place] for row in numbers]
        if len(set(column)) == len(column):
            return column
        if len(set(column)) > 1:
            break
    return list(range(len(records)))
