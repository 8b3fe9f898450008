"""Which cells of an attention matrix a pattern is made of, and which a query may see at all.

The problem. "Attends to the previous token" is a set of cells (query, key); so is every pattern
that a reader names. What a head does with them is counted elsewhere; here is only where they lie,
for a text as its tokens or its words, and for rows of a matrix, since of a long text no whole
matrix is ever held.

A query is position i of the keys, where queries and keys are the same tokens (with fewer queries
than keys they are the last ones, as in a causal model that goes on writing). Patterns that compare
places need that; in cross-attention there is none of them.
"""

from __future__ import annotations

import inspect
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch import Tensor

    from bertviz.trace import AttentionBlock, Tokens

Own = Callable[..., Any]


class NoCells(Exception):  # noqa: N818, it is an answer and no error
    """A pattern that a text or a block cannot have; the message is the reason, for readers."""


@dataclass(frozen=True, eq=False)
class Text:
    """What patterns look at: both sides of a block, as tokens or as words.

    Attributes:
        query: The side that attends.
        key: The side attended to.
        shared: Whether they are the same tokens.
        in_words: Whether whole words stand for their pieces.
    """

    query: Side
    key: Side
    shared: bool
    in_words: bool

    @property
    def positions(self) -> Tensor:
        """(query): where each query stands among the keys."""
        return self.key.places[len(self.key.places) - len(self.query.places) :]


@dataclass(frozen=True, eq=False)
class Side:
    """One side, token by token; the tensors are integers or bools.

    Attributes:
        text: For display.
        strings: What is compared: the tokenizer's own strings; of words, their texts.
        places: 0, 1, 2, ...
        ids: Equal where the strings are.
        words: Number of the word that each is a piece of.
        sentences: Number of the sentence, if there are two.
        special: Whether it stands around the text.
        delimiters: Whether it ends or parts something; see ``delimiters``.
    """

    text: tuple[str, ...]
    strings: tuple[str, ...]
    places: Tensor
    ids: Tensor
    words: Tensor
    sentences: Tensor | None
    special: Tensor
    delimiters: Tensor


def text_of(block: AttentionBlock, in_words: bool = False) -> Text:
    """Both sides of a block.

    Args:
        block: Of a trace.
        in_words: Whether pieces of a word are to be one.
    """
    known: dict[str, int] = {}
    query, key = (
        _side(side.in_words() if in_words else side, known) for side in (block.query, block.key)
    )
    return Text(query, key, block.shares_tokens, in_words)


def _side(tokens: Tokens, known: dict[str, int]) -> Side:
    import torch

    ids = [known.setdefault(string, len(known)) for string in tokens.strings]
    sentences = tokens.sentences
    return Side(
        text=tokens.text,
        strings=tokens.strings,
        places=torch.arange(len(tokens)),
        ids=torch.tensor(ids),
        words=torch.tensor(tokens.words),
        sentences=None if sentences is None else torch.tensor(sentences),
        special=torch.tensor(tokens.special),
        delimiters=torch.tensor(delimiters(tokens.text, tokens.special)),
    )


def delimiters(text: Sequence[str], special: Sequence[bool]) -> list[bool]:
    """Which tokens end or part something: punctuation, and special tokens but the first token.

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


# --- the patterns -----------------------------------------------------------------------------


@dataclass(frozen=True)
class Pattern:
    """A set of cells with a name.

    Attributes:
        name: As users write it.
        about: What its cells are, for readers.
        cells: (text, rows) → bool (rows, key). What a mask hides is taken away later.
        content: Whether the tokens decide, and not the places alone; then distance could explain
            it, and scores have a second null.
        even: Whether what counts is also how evenly the weight lies on the cells.
        one_text: Whether it compares places of queries and keys, which have to be the same tokens.
    """

    name: str
    about: str
    cells: Callable[[Text, slice], Tensor]
    content: bool = False
    even: bool = False
    one_text: bool = False


def _distance(text: Text, rows: slice) -> Tensor:
    """(rows, key): key minus query."""
    return text.key.places - text.positions[rows, None]


def _apart(by: int) -> Callable[[Text, slice], Tensor]:
    return lambda text, rows: _distance(text, rows) == by


def _near(window: int) -> Callable[[Text, slice], Tensor]:
    return lambda text, rows: _distance(text, rows).abs() <= window


def _same_token(text: Text, rows: slice) -> Tensor:
    # Special tokens are no words: the two [SEP] of a pair are not a token that comes again.
    same: Tensor = text.query.ids[rows, None] == text.key.ids
    return same & ~text.query.special[rows, None]


def _elsewhere(text: Text, rows: slice) -> Tensor:
    return _same_token(text, rows) & (_distance(text, rows) != 0)


def _other_sentence(text: Text, rows: slice) -> Tensor:
    query, key = text.query.sentences, text.key.sentences
    if query is None or key is None:
        raise NoCells("needs two sentences, as in (text, text_pair)")
    return _same_token(text, rows) & (query[rows, None] != key)


def _same_word(text: Text, rows: slice) -> Tensor:
    if text.in_words:
        raise NoCells("the pieces of words were merged (words=True)")
    same: Tensor = text.query.words[rows, None] == text.key.words
    return same & (_distance(text, rows) != 0)


def _delimiters(text: Text, rows: slice) -> Tensor:
    return text.key.delimiters.expand(len(text.query.places[rows]), -1)


def _first(text: Text, rows: slice) -> Tensor:
    return (text.key.places == 0).expand(len(text.query.places[rows]), -1)


def _bag(text: Text, rows: slice) -> Tensor:
    words = ~text.key.special & ~text.key.delimiters & ~text.query.special[rows, None]
    query, key = text.query.sentences, text.key.sentences
    if query is None or key is None or not text.shared:
        return words
    return words & (query[rows, None] == key)


def _induction(text: Text, rows: slice) -> Tensor:
    import torch

    before = torch.full_like(text.key.ids, -1)
    before[1:] = text.key.ids[:-1]
    after_the_same = text.query.ids[rows, None] == before
    return after_the_same & (_distance(text, rows) < 0) & ~text.query.special[rows, None]


PREDICTIVE = "predictive words"


def _predictive(text: Text, rows: slice) -> Tensor:
    raise NoCells(
        "needs a model that predicts masked words: find_patterns(model, tokenizer, texts)"
    )


def known_patterns(window: int = 2) -> list[Pattern]:
    """The patterns, in the order of tables.

    Args:
        window: How many tokens away a "local window" reaches, to both sides.
    """
    return [
        Pattern("next token", "the token after", _apart(1), one_text=True),
        Pattern("previous token", "the token before", _apart(-1), one_text=True),
        Pattern("same token", "the same token, itself included", _same_token, content=True),
        Pattern(
            "same token elsewhere",
            "the same token at another place",
            _elsewhere,
            content=True,
            one_text=True,
        ),
        Pattern(
            "same token in the other sentence",
            "the same token in the other sentence",
            _other_sentence,
            content=True,
            one_text=True,
        ),
        Pattern(
            "same word", "other pieces of the same word", _same_word, content=True, one_text=True
        ),
        Pattern(
            PREDICTIVE,
            "words without which the model believes at most half as much in this one",
            _predictive,
            content=True,
            one_text=True,
        ),
        Pattern(
            "delimiters", "punctuation and special tokens, but not the first token", _delimiters
        ),
        Pattern("first token", "the first token, where many heads put what is left", _first),
        Pattern("bag of words", "all words of the own sentence, evenly", _bag, even=True),
        Pattern("self", "itself", _apart(0), one_text=True),
        Pattern("local window", f"tokens up to {window} away", _near(window), one_text=True),
        Pattern(
            "induction",
            "the token that came after an earlier one like this",
            _induction,
            content=True,
            one_text=True,
        ),
    ]


def own_pattern(name: str, function: Own) -> Pattern:
    """A user's pattern: a function of tokens, or of query tokens and key tokens.

    Args:
        name: Its name, for errors.
        function: Gives a matrix (query, key), or the cells as (query, key) tuples.

    Raises:
        TypeError: It is no function of one or two arguments.
    """
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        raise TypeError(
            f"patterns[{name!r}] is a {type(function).__name__}: expected a function of the tokens"
            " that gives a matrix (query, key), such as lambda tokens: [[key == 'not' for key in"
            " tokens] for query in tokens]."
        ) from None
    needed = [p for p in parameters if p.default is p.empty and p.kind is not p.VAR_KEYWORD]
    if len(needed) not in (1, 2):
        raise TypeError(
            f"patterns[{name!r}] takes {len(needed)} arguments: expected one, the tokens, or two,"
            " query tokens and key tokens."
        )
    one = len(needed) == 1

    def cells(text: Text, rows: slice) -> Tensor:
        sides = (text.query.text, text.key.text)
        if one and not text.shared:
            raise NoCells("takes one list of tokens, but queries and keys are different ones here")
        found = function(text.key.text) if one else function(*sides)
        shape = (len(text.key.text) if one else len(sides[0]), len(sides[1]))
        matrix = as_matrix(f"patterns[{name!r}]", found, shape)
        return matrix[shape[0] - len(sides[0]) :][rows]

    return Pattern(name, "one's own", cells, content=True)


def as_matrix(name: str, value: Any, shape: tuple[int, int]) -> Tensor:
    """Cells as a bool matrix.

    >>> as_matrix("cells", [(0, 1)], (2, 2))
    tensor([[False,  True],
            [False, False]])

    Args:
        name: Where they come from, for errors.
        value: A matrix of bools, or of zeros and ones: nested lists, NumPy, torch; or an iterable
            of (query, key) tuples.
        shape: (query, key), as it has to be.

    Raises:
        TypeError: Something else.
        ValueError: Of another shape, outside of it, or with other values.
    """
    import torch

    wanted = f"a matrix of {shape[0]} x {shape[1]} bools (query, key), or (query, key) tuples"
    if isinstance(value, Iterable) and not hasattr(value, "shape"):
        value = list(value)
        if all(isinstance(cell, tuple) and len(cell) == 2 for cell in value):
            matrix = torch.zeros(shape, dtype=torch.bool)
            for query, key in value:
                if not (0 <= query < shape[0] and 0 <= key < shape[1]):
                    raise ValueError(
                        f"{name} holds the cell {(query, key)}, of {shape[0]} queries and"
                        f" {shape[1]} keys: expected positions from 0."
                    )
                matrix[query, key] = True
            return matrix
    try:
        found = torch.as_tensor(value)
    except (TypeError, ValueError, RuntimeError):
        raise TypeError(
            f"{name} gives a {type(value).__name__} that is no matrix: expected {wanted}."
        ) from None
    if tuple(found.shape) != shape:
        raise ValueError(f"{name} has shape {tuple(found.shape)}: expected {wanted}.")
    if not bool(((found == 0) | (found == 1)).all()):
        raise ValueError(f"{name} holds numbers that are neither 0 nor 1: expected {wanted}.")
    return found.cpu().bool()
