"""The scores of several texts as one: sums over the queries of all of them."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from bertviz.analysis.patterns.counting import Sums, counted
from bertviz.analysis.patterns.known import PREDICTIVE
from bertviz.analysis.patterns.pattern import Pattern, Unavailable
from bertviz.analysis.patterns.scores import HeadScore, PatternScores, Score
from bertviz.analysis.patterns.text import Text
from bertviz.trace import AttentionTrace
from bertviz.trace.settings import plainly

if TYPE_CHECKING:
    from torch import Tensor

# For each block that reads the text, (word, word) bool: which words predict which; or the reason
# why that is not known; None without a model.
Predictive = Mapping[str, "Tensor"] | str | None


class Pool:
    """Collects the sums of one text after another."""

    def __init__(self, patterns: Sequence[Pattern], in_words: bool) -> None:
        self.patterns = patterns
        self.in_words = in_words
        self.reasons: dict[str, str] = {}
        self.first: AttentionTrace | None = None
        self.count = 0
        self.found: dict[tuple[str, int], list[Sums]] = {}  # by block and layer, one per text

    @plainly()
    def add(self, trace: AttentionTrace, predictive: Predictive = None) -> None:
        """Read one text.

        Args:
            trace: The text's trace.
            predictive: Which of its words predict which.

        Raises:
            ValueError: The trace has different heads from those before.
        """
        self.count += 1
        if self.first is None:
            self.first = trace
        _check_same_heads(self.first, trace)
        for block in trace.blocks.values():
            text = Text.of(block, self.in_words)
            patterns = [
                _of_words(pattern, predictive, block.name)
                if pattern.name == PREDICTIVE and predictive is not None
                else pattern
                for pattern in self.patterns
            ]
            for index, sums in counted(block, text, patterns, self.reasons).items():
                self.found.setdefault((block.name, index), []).append(sums)

    def scores(self, level: float) -> PatternScores:
        """The scores of all texts so far."""
        first = self.first
        assert first is not None
        rows = [
            self._head_score(column, block.name, layer.index, place, head)
            for block in first.blocks.values()
            for layer in block.layers
            for place, head in enumerate(layer.heads)
            for column in range(len(self.patterns))
        ]
        there = {row.pattern for row in rows if row.whole is not None}
        names = tuple(pattern.name for pattern in self.patterns)
        nowhere = "no query of the texts has such a key"
        return PatternScores(
            scores=tuple(rows),
            patterns=names,
            unavailable={
                name: self.reasons.get(name, nowhere) for name in names if name not in there
            },
            about={pattern.name: pattern.about for pattern in self.patterns},
            texts=self.count,
            level=level,
            model_name=first.model_name,
        )

    def _head_score(self, column: int, block: str, layer: int, place: int, head: int) -> HeadScore:
        pattern, texts = self.patterns[column], self.found[block, layer]
        rest = column + len(self.patterns)
        kept = [text.kept[place] for text in texts if text.count[place][rest]]
        return HeadScore(
            pattern=pattern.name,
            block=block,
            layer=layer,
            head=head,
            whole=_score(texts, place, column, pattern),
            renormalized=_score(texts, place, rest, pattern),
            kept=statistics.fmean(kept) if kept else None,
        )


def _score(texts: Sequence[Sums], head: int, column: int, pattern: Pattern) -> Score | None:
    with_it = [text for text in texts if text.count[head][column]]
    if not with_it:
        return None
    queries = sum(text.count[head][column] for text in with_it)

    def mean(name: str) -> float:
        return float(sum(getattr(text, name)[head][column] for text in with_it) / queries)

    single = [text.mass[head][column] / text.count[head][column] for text in with_it]
    uniform = mean("uniform")
    by_distance = mean("by_distance") if pattern.content else None
    return Score(
        score=mean("mass"),
        null=max(uniform, by_distance or 0.0),
        uniform=uniform,
        by_distance=by_distance,
        spread=statistics.stdev(single) if len(single) > 1 else None,
        queries=int(queries),
        texts=len(with_it),
    )


def _check_same_heads(first: AttentionTrace, other: AttentionTrace) -> None:
    def heads(trace: AttentionTrace) -> dict[str, list[tuple[int, tuple[int, ...]]]]:
        return {
            name: [(layer.index, layer.heads) for layer in block.layers]
            for name, block in trace.blocks.items()
        }

    if heads(first) != heads(other):
        raise ValueError(
            f"The traces are not of one model: one is {first!r}, another {other!r}. Expected the"
            " same blocks, layers and heads in all; call find_patterns for each model."
        )


def _of_words(pattern: Pattern, predictive: Mapping[str, Tensor] | str, block: str) -> Pattern:
    """The pattern of predictive words, for a text for which they are known."""

    def pairs(text: Text, rows: slice) -> Tensor:
        if isinstance(predictive, str):
            raise Unavailable(predictive)
        if block not in predictive:
            raise Unavailable("no block reads the text in which words were masked")
        found: Tensor = predictive[block][text.query.words[rows]][:, text.key.words]
        return found

    return Pattern(pattern.name, pattern.about, pairs, content=True, one_text=True)
