"""One number of ``find_patterns``: how much a head follows a pattern, and what that is worth."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

SMALLEST = 0.1  # the least distance from its null at which a score gets a label
HALF = 0.5  # the overlap from which distance and content cannot be told apart


@dataclass(frozen=True)
class Score:
    """How much a head follows a pattern.

    Attributes:
        score: The score, 0 to 1.
        null: What it would be if the head did not care: the larger of the next two.
        uniform: The null under uniform attention.
        by_distance: The null from the head's mean attention by distance, in the other texts where
            there are several; None for patterns of positions.
        overlap: Which share of the pairs behind ``by_distance`` is the pattern's own, 0 to 1; None
            for patterns of positions.
        spread: Standard deviation of the scores of single texts; None if there is only one.
        queries: For how many queries of all texts the pattern exists.
        texts: In how many texts there are such queries.
    """

    score: float
    null: float
    uniform: float
    by_distance: float | None
    overlap: float | None
    spread: float | None
    queries: int
    texts: int

    def _exceeds(self, null: float, level: float) -> bool:
        chance = math.sqrt(-math.log(level) / (2 * self.queries))
        return self.score - null >= max(SMALLEST, chance)

    def is_sure(self, level: float) -> bool:
        """Whether it is so far above its null that the head gets the pattern's label.

        Args:
            level: The highest acceptable probability of a wrong label.
        """
        return self._exceeds(self.null, level)

    def is_undecided(self, level: float) -> bool:
        """Whether only distance stands against the label, where it proves nothing.

        The score is surely above the uniform null but not above the distance null, and at least
        half of the pairs behind that null are the pattern's own: a head that follows the pattern
        and one that looks a fixed number of tokens back would have this score.

        Args:
            level: The highest acceptable probability of a wrong label.
        """
        confounded = self.overlap is not None and self.overlap >= HALF
        return confounded and self._exceeds(self.uniform, level) and not self.is_sure(level)


@dataclass(frozen=True)
class HeadScore:
    """The scores of a pattern in a head.

    Attributes:
        pattern: The pattern's name.
        block: The block of the trace.
        layer: The model's own number of the layer.
        head: The model's own number of the head.
        whole: The score; None if the pattern exists nowhere in the texts.
        renormalized: The score without special tokens and the first token; None if the pattern
            exists nowhere without them.
        kept: The mean mass that is left for ``renormalized``; None where that is None.
    """

    pattern: str
    block: str
    layer: int
    head: int
    whole: Score | None
    renormalized: Score | None
    kept: float | None


class BestHead(NamedTuple):
    """A head that follows a pattern.

    Attributes:
        layer: The model's own number of the layer.
        head: The model's own number of the head.
        score: The score, 0 to 1.
        null: What the score would be if the head did not care.
    """

    layer: int
    head: int
    score: float
    null: float


def label_of(score: Score | None, level: float) -> bool | None:
    """Whether a head gets a label; None where these texts cannot tell."""
    if score is None:
        return False
    return None if score.is_undecided(level) else score.is_sure(level)
