"""The thirteen patterns that attention is known to follow. Add new patterns here.

A pattern is an entry in ``known_patterns``: its name, a sentence for readers, and a function from a
text and some of its rows to a bool matrix (rows, key). Counting, nulls, labels, tables, the model
view and ``explain_head`` take it from there. A function raises ``Unavailable`` where a text cannot
have the pattern.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bertviz.analysis.patterns.arguments import as_count
from bertviz.analysis.patterns.pattern import Pairs, Pattern, Unavailable
from bertviz.analysis.patterns.text import Text

if TYPE_CHECKING:
    from torch import Tensor

PREDICTIVE = "predictive words"
LARGEST_WINDOW = 1_000_000


def known_patterns(window: int = 2) -> list[Pattern]:
    """The patterns, in the order of tables.

    Args:
        window: How many tokens "local window" reaches in each direction.
    """
    return [
        Pattern("next token", "the token after", _at_distance(1), one_text=True),
        Pattern("previous token", "the token before", _at_distance(-1), one_text=True),
        Pattern(
            "same token", "the same token, itself included", _same_token, content=True, names=True
        ),
        Pattern(
            "same token elsewhere",
            "the same token at another position",
            _same_token_elsewhere,
            content=True,
            one_text=True,
            names=True,
        ),
        Pattern(
            "same token in the other sentence",
            "the same token in the other sentence",
            _same_token_in_the_other_sentence,
            content=True,
            one_text=True,
            names=True,
        ),
        Pattern(
            "same word",
            "other subword tokens of the same word",
            _same_word,
            content=True,
            one_text=True,
            names=True,
        ),
        Pattern(
            PREDICTIVE,
            "words without which the model gives this one at most half the probability",
            _predictive,
            content=True,
            one_text=True,
            names=True,
        ),
        Pattern(
            "delimiters",
            "punctuation and special tokens, but not the first token",
            _delimiters,
            names=True,
        ),
        Pattern("first token", "the first token, where many heads put spare weight", _first_token),
        Pattern(
            "bag of words",
            "all words of the same sentence, evenly",
            _bag_of_words,
            even=True,
            names=True,
        ),
        Pattern("self", "itself", _at_distance(0), one_text=True),
        Pattern("local window", f"tokens up to {window} away", _within(window), one_text=True),
        Pattern(
            "induction",
            "the token after an earlier occurrence of this one",
            _induction,
            content=True,
            one_text=True,
            names=True,
        ),
    ]


def check_window(window: object) -> int:
    """How many tokens "local window" reaches, as an int.

    Raises:
        TypeError: It is not a number.
        ValueError: It is less than 1, or more than any text has tokens, or not an integer.
    """
    return as_count("window", window, most=LARGEST_WINDOW)


def _at_distance(tokens: int) -> Pairs:
    return lambda text, rows: text.distance(rows) == tokens


def _within(window: int) -> Pairs:
    return lambda text, rows: text.distance(rows).abs() <= window


def _same_token(text: Text, rows: slice) -> Tensor:
    # Special tokens are not words: the two [SEP] of a pair are not a repeated token.
    same: Tensor = text.query.ids[rows, None] == text.key.ids
    return same & ~text.query.special[rows, None]


def _same_token_elsewhere(text: Text, rows: slice) -> Tensor:
    return _same_token(text, rows) & (text.distance(rows) != 0)


def _same_token_in_the_other_sentence(text: Text, rows: slice) -> Tensor:
    sentences = text.key.sentences
    if sentences is None:
        raise Unavailable("needs two sentences, as in (text, text_pair)")
    return _same_token(text, rows) & (sentences[text.positions[rows], None] != sentences)


def _same_word(text: Text, rows: slice) -> Tensor:
    if text.in_words:
        raise Unavailable("the subword tokens of each word were merged (words=True)")
    # The queries may be the last of the keys, and then number their words from 0 again.
    words = text.key.words
    same: Tensor = words[text.positions[rows], None] == words
    return same & (text.distance(rows) != 0)


def _predictive(text: Text, rows: slice) -> Tensor:
    # With a model, ``predictive.py`` asks it and replaces this function.
    raise Unavailable("needs a masked language model: find_patterns(model, tokenizer, texts)")


def _delimiters(text: Text, rows: slice) -> Tensor:
    return text.key.delimiters.expand(len(text.query.places[rows]), -1)


def _first_token(text: Text, rows: slice) -> Tensor:
    return (text.key.places == 0).expand(len(text.query.places[rows]), -1)


def _bag_of_words(text: Text, rows: slice) -> Tensor:
    words = ~text.key.special & ~text.key.delimiters & ~text.query.special[rows, None]
    sentences = text.key.sentences
    if sentences is None or not text.shared:
        return words
    return words & (sentences[text.positions[rows], None] == sentences)


def _induction(text: Text, rows: slice) -> Tensor:
    import torch

    before = torch.full_like(text.key.ids, -1)
    before[1:] = text.key.ids[:-1]
    after_the_same = text.query.ids[rows, None] == before
    return after_the_same & (text.distance(rows) < 0) & ~text.query.special[rows, None]
