"""What ``find_patterns`` gives: a score of every pattern in every head, with its null."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

from bertviz.analysis.lookup import check_name
from bertviz.analysis.summary import Summary
from bertviz.analysis.tables import Table
from bertviz.trace import Frozen

SMALLEST = 0.1  # the least distance from its null at which a score gets a label


@dataclass(frozen=True)
class Score:
    """How much a head follows a pattern.

    Attributes:
        score: The score, 0 to 1.
        null: What it would be if the head did not care: the larger of the next two.
        uniform: The null under uniform attention.
        by_distance: The null from the head's mean attention by distance; None for patterns of
            positions.
        spread: Standard deviation of the scores of single texts; None if there is only one.
        queries: For how many queries of all texts the pattern exists.
        texts: In how many texts there are such queries.
    """

    score: float
    null: float
    uniform: float
    by_distance: float | None
    spread: float | None
    queries: int
    texts: int

    def is_sure(self, level: float) -> bool:
        """Whether it is so far above its null that the head gets the pattern's label.

        Args:
            level: The highest acceptable probability of a wrong label.
        """
        chance = math.sqrt(math.log(1 / level) / (2 * self.queries))
        return self.score - self.null >= max(SMALLEST, chance)


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


@dataclass(frozen=True, eq=False, repr=False)
class PatternScores(Summary, Table):
    """Scores of every pattern in every head, with their nulls; ``find_patterns`` makes them.

    ``rows()`` and ``to_pandas()`` give a row for every block, layer, head and pattern, with the
    columns pattern, block, layer, head, score, null, uniform_null, distance_null, spread, queries,
    label; and without special tokens and the first token renormalized_score, renormalized_null,
    kept. What does not exist is None.

    Attributes:
        scores: A ``HeadScore`` for every block, layer, head and pattern, in the order of
            ``patterns``.
        patterns: The names of the patterns.
        unavailable: Patterns without any score, and why.
        about: Which keys each pattern is made of.
        texts: How many texts were read.
        level: The highest acceptable probability of a wrong label.
        model_name: Class of the model, None for arrays.
    """

    scores: tuple[HeadScore, ...]
    patterns: tuple[str, ...]
    unavailable: Mapping[str, str]
    about: Mapping[str, str]
    texts: int
    level: float
    model_name: str | None

    def __post_init__(self) -> None:
        for name in ("unavailable", "about"):
            object.__setattr__(self, name, Frozen(getattr(self, name)))

    def best(
        self,
        pattern: str,
        count: int | None = None,
        *,
        block: str | None = None,
        renormalized: bool = False,
    ) -> list[BestHead]:
        """The heads that follow a pattern most.

        Args:
            pattern: The pattern's name.
            count: How many heads; all by default.
            block: The block's name; by default the first that has the pattern.
            renormalized: Whether to leave out special tokens and the first token.

        Returns:
            (layer, head, score, null) as named tuples, the highest score first; empty if the
            pattern exists nowhere (``unavailable`` says why).

        Raises:
            ValueError: There is no such pattern or block.
        """
        check_name("pattern", pattern, self.patterns)
        if block is not None:
            check_name("block", block, self._blocks)
        found: dict[str, list[BestHead]] = {}
        for row in self.scores:
            score = row.renormalized if renormalized else row.whole
            if row.pattern == pattern and score is not None:
                best = BestHead(row.layer, row.head, score.score, score.null)
                found.setdefault(row.block, []).append(best)
        heads = found.get(block, []) if block else next(iter(found.values()), [])
        return sorted(heads, key=lambda best: (-best.score, best.layer, best.head))[:count]

    def labels(
        self, block: str | None = None, *, renormalized: bool = False
    ) -> dict[tuple[int, int], tuple[str, ...]]:
        """The labels of each head, by the rule in ``bertviz.analysis.patterns``.

        Args:
            block: The block's name; the first by default.
            renormalized: Whether to leave out special tokens and the first token.

        Returns:
            (layer, head) → patterns, those highest above their null first; empty for heads that get
            no label.

        Raises:
            ValueError: There is no such block.
        """
        name = self._blocks[0] if block is None else block
        check_name("block", name, self._blocks)
        found: dict[tuple[int, int], list[tuple[float, str]]] = {}
        for row in self.scores:
            if row.block != name:
                continue
            labels = found.setdefault((row.layer, row.head), [])
            score = row.renormalized if renormalized else row.whole
            if score is not None and score.is_sure(self.level):
                labels.append((score.null - score.score, row.pattern))
        return {head: tuple(label for _, label in sorted(some)) for head, some in found.items()}

    def measures(self) -> list[dict[str, Any]]:
        """A number per head for every pattern that has any, as the model view takes them.

        Returns:
            Dicts with "name", "values": block → layer → head → score (None where it does not
            exist), and "null" in the same form.
        """
        found: dict[str, dict[str, Any]] = {}
        for row in self.scores:
            if row.pattern in self.unavailable:
                continue
            measure = found.setdefault(row.pattern, {"name": row.pattern, "values": {}, "null": {}})
            for name, value in (
                ("values", row.whole and row.whole.score),
                ("null", row.whole and row.whole.null),
            ):
                layers = measure[name].setdefault(row.block, {})
                layers.setdefault(row.layer, {})[row.head] = value
        return list(found.values())

    @property
    def _blocks(self) -> list[str]:
        return list(dict.fromkeys(row.block for row in self.scores))

    def _columns(self) -> dict[str, list[Any]]:
        columns: dict[str, list[Any]] = {}
        for row in self.scores:
            whole, rest = row.whole, row.renormalized
            line = {
                "pattern": row.pattern,
                "block": row.block,
                "layer": row.layer,
                "head": row.head,
                "score": whole and whole.score,
                "null": whole and whole.null,
                "uniform_null": whole and whole.uniform,
                "distance_null": whole and whole.by_distance,
                "spread": whole and whole.spread,
                "queries": whole.queries if whole else 0,
                "label": whole is not None and whole.is_sure(self.level),
                "renormalized_score": rest and rest.score,
                "renormalized_null": rest and rest.null,
                "kept": row.kept,
            }
            for name, value in line.items():
                columns.setdefault(name, []).append(value)
        return columns

    HEAD: ClassVar = (
        "pattern",
        "block",
        "best heads: (layer, head) score over null",
        "heads labelled",
    )

    def _lines(self) -> list[list[Any]]:
        """A line for each pattern and block that has it: its best heads."""
        sure: dict[tuple[str, str], int] = {}
        for row in self.scores:
            if row.whole is not None:
                place = (row.pattern, row.block)
                sure[place] = sure.get(place, 0) + row.whole.is_sure(self.level)
        lines = []
        for pattern in self.patterns:
            for block in self._blocks:
                if (pattern, block) not in sure:
                    continue
                heads = [
                    f"({best.layer}, {best.head}) {best.score:.2f} over {best.null:.2f}"
                    for best in self.best(pattern, 3, block=block)
                ]
                lines.append([pattern, block, "; ".join(heads), sure[pattern, block]])
        return lines

    def _caption(self) -> str:
        heads = len({(row.block, row.layer, row.head) for row in self.scores})
        texts = f"{self.texts} text{'s' if self.texts > 1 else ''}"
        model = f"{self.model_name}: " if self.model_name else ""
        return f"{model}patterns in {heads} heads, over {texts}"

    def _notes(self) -> str:
        missing = [f"{name}: {reason}." for name, reason in self.unavailable.items()]
        rule = (
            "A null is the score of a head that does not care; heads surely above it are labelled"
            f" (level {self.level:g} for each head and pattern)."
        )
        return " ".join([rule, *(["Not available: " + " ".join(missing)] if missing else [])])
