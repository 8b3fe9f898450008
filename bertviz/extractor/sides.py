"""Which tokens stand on each side of a block, by name, with their sentences and without padding."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import takewhile
from typing import Any, TypeVar

from torch import Tensor

from bertviz.extractor.capture import Capture
from bertviz.extractor.inputs import Reading
from bertviz.extractor.naming import Names, wrong_count
from bertviz.extractor.patches import name_images, patch_names
from bertviz.extractor.records import tower
from bertviz.trace import Kind, Tokens

T = TypeVar("T")


class Sides:
    """Tokens, sentences and padding of what a stack reads."""

    def __init__(
        self,
        reading: Reading,
        tokenizer: Any,
        capture: Capture,
        drop_padding: bool,
        names: Names | None = None,
    ) -> None:
        batch, row = reading.batch, reading.row
        self.tokenizer = tokenizer
        self.names = names or {}  # of tokens, by stack, where the user gave them
        # By stack: how many tokens such names could have named.
        self._lengths: dict[str, list[int]] = {stack: [] for stack in self.names}
        self.config = getattr(reading.model, "config", None)
        self.batch = batch
        self.positions: dict[str, tuple[list[int], list[int]]] = {}  # per block, those shown
        self.two_stacks = reading.two_stacks
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
        self._sentences = _sentence_ids(reading.encoding, batch, row)
        self._words = _word_ids(reading.encoding, row)

    def stack(self, path: str, kind: Kind, side: str) -> str:
        """The stack whose tokens are on one side of a block; "other" has no token names."""
        if self.two_stacks:
            read = kind == "encoder" or (kind == "cross" and side == "key")
            return "encoder" if read else "decoder"
        if path not in self.readers or (kind == "cross" and side == "key"):
            return "other"
        return "encoder"

    def kept(self, stack: str, length: int) -> list[int]:
        """Positions that are not padding."""
        mask = self.masks[stack]
        if mask is None or mask.shape[0] != length or not bool(mask.any()):
            return list(range(length))
        return [i for i, seen in enumerate(mask.tolist()) if seen]

    def _strings(self, stack: str, length: int) -> tuple[tuple[str, ...], bool]:
        """Strings for all positions, and whether they name tokens or are their numbers."""
        if stack in self.names:
            self._lengths[stack].append(length)
            if len(self.names[stack]) == length:
                return self.names[stack], True
        ids = self.ids.get(stack)
        if ids is None or ids.shape[0] != length:
            patches = patch_names(length, self.config, self.batch)
            return patches or tuple(map(str, range(length))), False
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
        named = self.tokenizer is not None
        return name_images(strings, numbers, self.config, self.batch), named

    def check_named(self) -> None:
        """Refuse names that named nothing, once all tokens were asked for."""
        for stack, lengths in self._lengths.items():
            count = len(self.names[stack])
            if count not in lengths:
                name = "tokens" if stack == "encoder" else f"tokens[{stack!r}]"
                raise wrong_count(name, count, max(lengths, default=0))

    def tokens(self, stack: str, length: int, kept: list[int]) -> Tokens:
        """The tokens at the positions that are kept."""
        strings, named = self._strings(stack, length)
        read = stack == "encoder"  # the tokenizer knows only the text it tokenized
        return Tokens.read(
            [strings[i] for i in kept],
            self.tokenizer,
            sentences=_kept(self._sentences if read else None, length, kept),
            word_ids=_kept(self._words if read else None, length, kept),
            named=named,
        )


def _kept(values: Sequence[T] | None, length: int, kept: list[int]) -> list[T] | None:
    """The values at the kept positions; None if they belong to other tokens."""
    if values is None or len(values) != length:
        return None
    return [values[i] for i in kept]


def _word_ids(encoding: Mapping[str, Any], row: int) -> list[tuple[Any, int] | None] | None:
    """Each token's sentence and word, as a fast tokenizer recorded them."""
    if not getattr(encoding, "is_fast", False):
        return None
    both = zip(encoding.sequence_ids(row), encoding.word_ids(row), strict=True)  # type: ignore[attr-defined]
    return [None if word is None else (sentence, word) for sentence, word in both]


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
        # Padding has type 0 even after the second sentence, so it says nothing.
        seen = [True] * len(types) if mask is None else mask.tolist()
        if len(seen) != len(types):
            return None
        return _filled([t if seen[place] else None for place, t in enumerate(types.tolist())])
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
