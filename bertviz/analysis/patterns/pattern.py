"""A pattern: a set of query–key pairs with a name.

The problem. "Attends to the previous token" is a set of pairs (query, key), and so is every pattern
that a reader names. What a head does with them is counted elsewhere; a pattern only says which
pairs they are, a few rows at a time, since the whole matrix of a long text is never held.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bertviz.analysis.patterns.text import Text

if TYPE_CHECKING:
    from torch import Tensor

Pairs = Callable[[Text, slice], "Tensor"]


class Unavailable(Exception):  # noqa: N818, it is an answer and not an error
    """A text or a block cannot have a pattern; the message is the reason, for readers."""


@dataclass(frozen=True)
class Pattern:
    """A set of query–key pairs with a name.

    Attributes:
        name: As users write it.
        about: Which keys it is made of, for readers.
        pairs: (text, rows) → bool (rows, key). Masked pairs are taken away later.
        content: Whether it depends on the tokens and not only on their positions; distance could
            then explain the score, so it gets a second null.
        even: Whether the score also says how evenly the weight is spread over the pairs.
        one_text: Whether it compares positions of queries and keys, which have to be the same
            tokens.
        names: Whether it needs the names of tokens; positions that stand in for names say nothing
            about content.
    """

    name: str
    about: str
    pairs: Pairs
    content: bool = False
    even: bool = False
    one_text: bool = False
    names: bool = False

    def pairs_in(self, text: Text, rows: slice) -> Tensor:
        """Its pairs in some rows of a text, bool (rows, key), masked ones included.

        Raises:
            Unavailable: The text cannot have the pattern.
        """
        if self.one_text and not text.shared:
            raise Unavailable(
                "compares positions in one text, but queries and keys are different tokens"
            )
        if self.names and not text.named:
            raise Unavailable(
                "needs the names of tokens, and these are positions: without a tokenizer,"
                " extract(..., tokens=[...]) names them"
            )
        return self.pairs(text, rows)
