"""A text as patterns see it: both sides of a block, in tokens or in words, as tensors.

A query is position i of the keys, where queries and keys are the same tokens (with fewer queries
than keys they are the last ones, as in a causal model that continues a text). Patterns that compare
positions need that; cross-attention has none of them.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

    from bertviz.trace import AttentionBlock, Tokens


@dataclass(frozen=True, eq=False)
class Text:
    """What patterns look at: both sides of a block, as tokens or as words.

    Attributes:
        query: The tokens that attend.
        key: The tokens attended to.
        shared: Whether they are the same tokens.
        in_words: Whether whole words stand for their subword tokens.
        named: Whether the tokens have names on both sides, not only positions.
    """

    query: Side
    key: Side
    shared: bool
    in_words: bool
    named: bool

    @classmethod
    def of(cls, block: AttentionBlock, in_words: bool = False) -> Text:
        """Both sides of a block.

        Args:
            block: A block of a trace.
            in_words: Whether the subword tokens of a word are merged.
        """
        known: dict[str, int] = {}
        query, key = (
            Side.of(side.in_words() if in_words else side, known)
            for side in (block.query, block.key)
        )
        named = block.query.named and block.key.named
        return cls(query, key, block.shares_tokens, in_words, named)

    @property
    def shape(self) -> tuple[int, int]:
        """(query, key): how many there are."""
        return len(self.query.text), len(self.key.text)

    @property
    def positions(self) -> Tensor:
        """(query): the position of each query among the keys."""
        return self.key.places[len(self.key.places) - len(self.query.places) :]

    @property
    def farthest(self) -> int:
        """The lowest distance, key minus query, that any query could have."""
        queries, keys = self.shape
        return 1 - (keys if self.shared else queries)

    def distance(self, rows: slice) -> Tensor:
        """(rows, key): the key's position minus the query's."""
        return self.key.places - self.positions[rows, None]


@dataclass(frozen=True, eq=False)
class Side:
    """One side, token by token; the tensors are integers or bools.

    Attributes:
        text: For display.
        places: The positions 0, 1, 2, ...
        ids: Equal where the tokenizer's strings are equal; for words, where their texts are.
        words: The number of the word each token is part of.
        sentences: The number of the sentence, if there are two.
        special: Whether a token was added around the text.
        delimiters: Whether a token ends or separates something; see ``delimiters``.
    """

    text: tuple[str, ...]
    places: Tensor
    ids: Tensor
    words: Tensor
    sentences: Tensor | None
    special: Tensor
    delimiters: Tensor

    @classmethod
    def of(cls, tokens: Tokens, known: dict[str, int]) -> Side:
        """One side of a block.

        Args:
            tokens: The tokens, or words, of that side.
            known: The id of each string so far, shared by both sides; new strings are added.
        """
        import torch

        whole = partial(torch.tensor, dtype=torch.int64, device="cpu")
        flags = partial(torch.tensor, dtype=torch.bool, device="cpu")
        ids = [known.setdefault(string, len(known)) for string in tokens.strings]
        sentences = tokens.sentences
        return cls(
            text=tokens.text,
            places=torch.arange(len(tokens), dtype=torch.int64, device="cpu"),
            ids=whole(ids),
            words=whole(tokens.words),
            sentences=None if sentences is None else whole(sentences),
            special=flags(tokens.special),
            delimiters=flags(delimiters(tokens.text, tokens.special)),
        )


def delimiters(text: Sequence[str], special: Sequence[bool]) -> list[bool]:
    """Which tokens end or separate something: punctuation, and special tokens but the first.

    What opens a text ([CLS], <s>) ends nothing; as a place where heads put their weight it is the
    pattern "first token".

    >>> delimiters(["[CLS]", "go", ",", "##s", "[SEP]"], [True, False, False, False, True])
    [False, False, True, False, True]
    """
    both = enumerate(zip(text, special, strict=True))
    return [
        place > 0 if is_special else _is_punctuation(token) for place, (token, is_special) in both
    ]


def _is_punctuation(token: str) -> bool:
    marks = token.strip().removeprefix("##")
    return bool(marks) and all(unicodedata.category(mark).startswith("P") for mark in marks)
