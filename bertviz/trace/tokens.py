"""One side of a block: the tokens that attend, or those attended to, and what is known about each.

Most of what a reader does with attention needs more than a list of strings: text that can be read,
the sentence a token belongs to, the word it is part of, whether it is a special token. All of that
is read off the tokenizer's strings once, here, and travels together: a part of the tokens is a
part of everything.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from bertviz.arguments import as_flag, as_items, as_numbers
from bertviz.errors import a_type, short
from bertviz.trace.readable import display_text, special_tokens, word_text, words_of

T = TypeVar("T")
Positions = slice | Sequence[int]


@dataclass(frozen=True)
class Tokens:
    """The tokens of one side.

    Attributes:
        strings: The tokenizer's own strings.
        text: The tokens as displayed.
        sentences: The number of the sentence each token belongs to, 0 or 1; None unless there are
            two.
        words: The number of the word each token is part of, from 0, in ascending order.
        special: Whether a token was added around the text, as [CLS] is.
        named: Whether the strings name tokens; else they are positions, as nobody knows the names.
    """

    strings: tuple[str, ...]
    text: tuple[str, ...]
    sentences: tuple[int, ...] | None
    words: tuple[int, ...]
    special: tuple[bool, ...]
    named: bool = True

    @classmethod
    def read(
        cls,
        strings: Iterable[str],
        tokenizer: Any = None,
        *,
        sentences: Sequence[int] | None = None,
        word_ids: Sequence[Hashable | None] | None = None,
        prettify: bool = True,
        named: bool = True,
    ) -> Tokens:
        """Read everything off the tokenizer's strings.

        Args:
            strings: The tokenizer's own strings.
            tokenizer: The tokenizer, if known; it identifies special tokens and byte-level
                vocabularies.
            sentences: The number of each token's sentence, if known; kept if there are two.
            word_ids: What a fast tokenizer says of each token's word, if known; None for special
                tokens.
            prettify: Whether ``text`` leaves out the tokenizer's own marks.
            named: Whether the strings name tokens and are not positions.

        >>> Tokens.read(["[CLS]", "straw", "##berries", "[SEP]"]).words
        (0, 1, 1, 2)
        """
        strings, prettify = strings_of("strings", strings), as_flag("prettify", prettify)
        special = special_tokens(strings, tokenizer)
        return cls(
            strings=strings,
            text=display_text(strings, tokenizer) if prettify else strings,
            sentences=_two(sentences),
            words=words_of(strings, special, tokenizer, word_ids),
            special=special,
            named=named,
        )

    def __len__(self) -> int:
        return len(self.strings)

    def __getitem__(self, positions: Positions) -> Tokens:
        """Some of the tokens, in the order given; words are numbered from 0 again.

        >>> Tokens.read(["a", "straw", "##berries", "b"])[1:3].words
        (0, 0)
        """
        positions = self._places(positions)
        return Tokens(
            strings=_at(self.strings, positions),
            text=_at(self.text, positions),
            sentences=None if self.sentences is None else _two(_at(self.sentences, positions)),
            words=_from_zero(_at(self.words, positions)),
            special=_at(self.special, positions),
            named=self.named,
        )

    def _places(self, positions: Positions) -> slice | list[int]:
        """The positions that are asked for, all of them there."""
        if isinstance(positions, slice):
            try:
                positions.indices(len(self))
            except Exception:
                raise TypeError(
                    f"positions={short(positions)} is a slice of something else: expected positions"
                    " of tokens, such as tokens[0:3]."
                ) from None
            return positions
        places = as_numbers("positions", positions, "positions of tokens")
        for place in places:
            if not -len(self) <= place < len(self):
                raise ValueError(
                    f"positions holds {place}, which is out of range: there are {len(self)} tokens,"
                    f" 0 to {len(self) - 1}."
                )
        return places

    @property
    def first_of_words(self) -> list[int]:
        """The position of each word's first token."""
        words = self.words
        return [i for i, word in enumerate(words) if not i or words[i - 1] != word]

    @property
    def word_text(self) -> tuple[str, ...]:
        """The display text of each word."""
        return word_text(self.text, self.words)

    def unprettified(self) -> Tokens:
        """A copy that displays the tokenizer's own strings."""
        return replace(self, text=self.strings)

    def in_words(self) -> Tokens:
        """Whole words in place of their subword tokens; their strings are their texts.

        >>> Tokens.read(["a", "straw", "##berries"]).in_words().strings
        ('a', 'strawberries')
        """
        first = self.first_of_words
        text = tuple(word.strip() or word for word in self.word_text)
        return Tokens(
            strings=text,
            text=text,
            sentences=None if self.sentences is None else _at(self.sentences, first),
            words=tuple(range(len(first))),
            special=_at(self.special, first),
            named=self.named,
        )


def strings_of(name: str, value: Any) -> tuple[str, ...]:
    """Tokens as plain strings, whatever kind of sequence they came in.

    Args:
        name: The argument's name.
        value: What was passed.

    Raises:
        TypeError: It is not a sequence of strings.

    >>> strings_of("tokens", ["a", 1])
    Traceback (most recent call last):
        ...
    TypeError: tokens[1] is an int: expected strings; make them with tokenizer.convert_ids_to_tokens(ids).
    """  # noqa: E501
    strings = []
    for index, token in enumerate(as_items(name, value, "expected a list of strings")):
        if not isinstance(token, str):
            raise TypeError(
                f"{name}[{index}] is {a_type(token)}: expected strings; make them with"
                " tokenizer.convert_ids_to_tokens(ids)."
            )
        strings.append(str.__str__(token))  # also of NumPy's strings, and of other subclasses
    return tuple(strings)


def _at(values: tuple[T, ...], positions: Positions) -> tuple[T, ...]:
    if isinstance(positions, slice):
        return values[positions]
    return tuple(values[position] for position in positions)


def _two(sentences: Sequence[int] | None) -> tuple[int, ...] | None:
    """Sentence numbers say nothing unless there are two."""
    return None if sentences is None or len(set(sentences)) != 2 else tuple(sentences)


def _from_zero(words: tuple[int, ...]) -> tuple[int, ...]:
    """Numbers without gaps; equal ones stay equal.

    >>> _from_zero((3, 3, 5))
    (0, 0, 1)
    """
    numbers = {word: number for number, word in enumerate(dict.fromkeys(words))}
    return tuple(numbers[word] for word in words)
