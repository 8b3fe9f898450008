"""What ``find_patterns`` gives: a score of every pattern in every head, with its null."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, ClassVar, NamedTuple

from bertviz.analysis.lookup import check_name
from bertviz.analysis.patterns import summary
from bertviz.analysis.patterns.arguments import as_count
from bertviz.analysis.patterns.score import BestHead, HeadScore, label_of
from bertviz.analysis.patterns.scoring import Heads, head_scores
from bertviz.analysis.patterns.sums import Sums
from bertviz.analysis.summary import Summary
from bertviz.analysis.tables import Table
from bertviz.arguments import as_flag
from bertviz.errors import a_type
from bertviz.trace import Frozen

NOWHERE = "no query of the texts has such a key"


# The measure that has each head's label; a pattern of that name takes its place.
LABELS = "strongest pattern"


class Skipped(NamedTuple):
    """A text that could not be read.

    Attributes:
        place: Its place among all texts that were passed, from 0.
        reason: Why.
    """

    place: int
    reason: str


@dataclass(frozen=True, eq=False, repr=False)
class PatternScores(Summary, Table):
    """Scores of every pattern in every head, with their nulls; ``find_patterns`` makes them.

    ``rows()`` and ``to_pandas()`` give a row for every block, layer, head and pattern, with the
    columns pattern, block, layer, head, score, null, uniform_null, distance_null, overlap, spread,
    queries, label; and without special tokens and the first token renormalized_score,
    renormalized_null, kept. What does not exist is None; so is the label of an undecided head.

    Two results add up, ``first + second``, to what ``find_patterns`` would have given for all texts
    together; ``sum(results)`` adds many.

    Attributes:
        patterns: The names of the patterns.
        about: Which keys each pattern is made of.
        content: The patterns that have a distance null.
        words: Whether whole words stand in place of their subword tokens.
        level: The highest acceptable probability of a wrong label.
        model_name: Class of the model, None for arrays.
        heads: By block, the model's own number of each layer, with those of its heads.
        sums: What was summed over each text, by block; everything else is computed from it. It
            takes 8 bytes for each head, distance and text.
        reasons: By pattern, why a text could not have it.
        skipped: Texts that were not read, and why (``on_error="skip"``).
    """

    patterns: tuple[str, ...]
    about: Mapping[str, str]
    content: tuple[str, ...]
    words: bool
    level: float
    model_name: str | None
    heads: Heads
    sums: tuple[Mapping[str, Sums], ...]
    reasons: Mapping[str, str] = field(default_factory=dict)
    skipped: tuple[Skipped, ...] = ()

    def __post_init__(self) -> None:
        for name in ("about", "heads", "reasons"):
            object.__setattr__(self, name, Frozen(getattr(self, name)))
        object.__setattr__(self, "sums", tuple(map(Frozen, self.sums)))

    @property
    def texts(self) -> int:
        """How many texts were read."""
        return len(self.sums)

    @cached_property
    def scores(self) -> tuple[HeadScore, ...]:
        """The scores for every block, layer, head and pattern, in the order of ``patterns``."""
        return head_scores(self.patterns, self.content, self.heads, self.sums)

    @cached_property
    def unavailable(self) -> Mapping[str, str]:
        """Patterns without any score, and why."""
        there = {row.pattern for row in self.scores if row.whole is not None}
        return Frozen(
            {name: self.reasons.get(name, NOWHERE) for name in self.patterns if name not in there}
        )

    def __add__(self, other: object) -> PatternScores:
        if not isinstance(other, PatternScores):
            raise TypeError(
                f"+ adds what find_patterns gave for other texts, got {a_type(other)}: expected"
                " another PatternScores."
            )
        for name in ("heads", "patterns", "about", "content", "words", "level"):
            ours, theirs = getattr(self, name), getattr(other, name)
            if ours != theirs:
                raise ValueError(
                    f"+ adds results of one model, with the same patterns and options, but their"
                    f" {name} differ: expected the same source and arguments, but for the texts."
                )
        before = self.texts + len(self.skipped)
        moved = (Skipped(before + place, reason) for place, reason in other.skipped)
        return replace(
            self,
            sums=self.sums + other.sums,
            reasons={**other.reasons, **self.reasons},
            skipped=(*self.skipped, *moved),
        )

    def __radd__(self, other: object) -> PatternScores:
        # sum() starts with 0.
        return self if type(other) is int and other == 0 else self.__add__(other)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the result to a ``.safetensors`` file, from which ``PatternScores.load`` reads it.

        It can be added to others afterwards. The functions of your own patterns are not written,
        only their names and what they found.

        Args:
            path: The file; it ends in ``.safetensors``.

        Raises:
            TypeError: The path is not one.
            ValueError: It ends in something else.
            OSError: The file cannot be written; an existing one is as it was.
        """
        from bertviz.analysis.patterns.files import save

        save(self, path)

    @staticmethod
    def load(path: str | os.PathLike[str]) -> PatternScores:
        """Read a result from a file that ``save`` wrote.

        Args:
            path: The file.

        Raises:
            TypeError: The path is not one.
            ValueError: The file holds something else.
            OSError: The file cannot be read.
        """
        from bertviz.analysis.patterns.files import load

        return load(path)

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
            TypeError: A number or flag is of the wrong type.
            ValueError: There is no such pattern or block.
        """
        check_name("pattern", pattern, self.patterns)
        count = None if count is None else as_count("count", count, least=0)
        renormalized = as_flag("renormalized", renormalized)
        if block is not None:
            check_name("block", block, self.heads)
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
        return self._chosen("is_sure", block, renormalized)

    def undecided(
        self, block: str | None = None, *, renormalized: bool = False
    ) -> dict[tuple[int, int], tuple[str, ...]]:
        """The patterns of each head that these texts can neither show nor rule out.

        The head's score is high, but the pattern's keys lie at the same distances throughout, as in
        random tokens repeated with one period: a head that looks a fixed number of tokens back
        would have the same score. Texts with other distances (periods) decide it.

        Args:
            block: The block's name; the first by default.
            renormalized: Whether to leave out special tokens and the first token.

        Returns:
            (layer, head) → patterns; empty for heads without any.

        Raises:
            ValueError: There is no such block.
        """
        return self._chosen("is_undecided", block, renormalized)

    def _chosen(
        self, rule: str, block: str | None, renormalized: bool
    ) -> dict[tuple[int, int], tuple[str, ...]]:
        name = next(iter(self.heads)) if block is None else block
        check_name("block", name, self.heads)
        renormalized = as_flag("renormalized", renormalized)
        found: dict[tuple[int, int], list[tuple[float, str]]] = {}
        for row in self.scores:
            if row.block != name:
                continue
            some = found.setdefault((row.layer, row.head), [])
            score = row.renormalized if renormalized else row.whole
            if score is not None and getattr(score, rule)(self.level):
                some.append((score.null - score.score, row.pattern))
        return {head: tuple(label for _, label in sorted(some)) for head, some in found.items()}

    def measures(self) -> list[dict[str, Any]]:
        """A number per head for every pattern that has any, as the model view takes them.

        Returns:
            Dicts with "name", "values": block → layer → head → score (None where it does not
            exist), and "null" in the same form. The first is of each head's first label, which is
            in "labels"; heads without a label have none there.
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
        return [*self._labeled(found), *found.values()]

    def _labeled(self, found: Mapping[str, dict[str, Any]]) -> list[dict[str, Any]]:
        """The measure of the heads' first labels; none where no head has one."""
        parts: dict[str, Any] = {"values": {}, "null": {}, "labels": {}}
        for block in self.heads:
            for (layer, head), (label, *_) in (
                (place, names) for place, names in self.labels(block).items() if names
            ):
                for part, values in parts.items():
                    own = label if part == "labels" else found[label][part][block][layer][head]
                    values.setdefault(block, {}).setdefault(layer, {})[head] = own
        return [{"name": LABELS, **parts}] if parts["labels"] and LABELS not in found else []

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
                "overlap": whole and whole.overlap,
                "spread": whole and whole.spread,
                "queries": whole.queries if whole else 0,
                "label": label_of(whole, self.level),
                "renormalized_score": rest and rest.score,
                "renormalized_null": rest and rest.null,
                "kept": row.kept,
            }
            for name, value in line.items():
                columns.setdefault(name, []).append(value)
        return columns

    HEAD: ClassVar = summary.HEAD

    def _lines(self) -> list[list[Any]]:
        return summary.lines(self)

    def _caption(self) -> str:
        return summary.caption(self)

    def _notes(self) -> str:
        return summary.notes(self)
