"""Collects the sums of one text after another."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from bertviz.analysis.patterns.arguments import told
from bertviz.analysis.patterns.counting import counted
from bertviz.analysis.patterns.known import PREDICTIVE
from bertviz.analysis.patterns.pattern import Pattern, Unavailable
from bertviz.analysis.patterns.scores import PatternScores, Skipped
from bertviz.analysis.patterns.sums import Sums
from bertviz.analysis.patterns.text import Text
from bertviz.trace import AttentionTrace
from bertviz.trace.settings import plainly

if TYPE_CHECKING:
    from torch import Tensor

# For each block that reads the text, (word, word) bool: which words predict which; or the reason
# why that is not known; None without a model.
Predictive = Mapping[str, "Tensor"] | str | None


class Pool:
    """Texts of one model, read one after another."""

    def __init__(self, patterns: Sequence[Pattern], in_words: bool, level: float) -> None:
        self.patterns = patterns
        self.in_words = in_words
        self.level = level
        self.reasons: dict[str, str] = {}
        self.first: AttentionTrace | None = None
        self.texts: list[Mapping[str, Sums]] = []
        self.skipped: list[Skipped] = []

    @plainly()
    def add(self, trace: AttentionTrace, predictive: Predictive = None) -> None:
        """Read one text, in full or not at all.

        Args:
            trace: The text's trace.
            predictive: Which of its words predict which.

        Raises:
            ValueError: The trace has different heads from those before.
        """
        if self.first is not None:
            _check_same_heads(self.first, trace)
        reasons: dict[str, str] = {}
        found = {}
        for block in trace.blocks.values():
            text = Text.of(block, self.in_words)
            patterns = [
                _of_words(pattern, predictive, block.name)
                if pattern.name == PREDICTIVE and predictive is not None
                else pattern
                for pattern in self.patterns
            ]
            found[block.name] = counted(block, text, patterns, reasons)
        self.first = self.first or trace
        self.reasons = {**reasons, **self.reasons}
        self.texts.append(found)

    def skip(self, error: Exception) -> None:
        """Note a text that could not be read."""
        place = len(self.texts) + len(self.skipped)
        self.skipped.append(Skipped(place, told(error)))

    def scores(self) -> PatternScores:
        """The scores of all texts so far, at least one."""
        assert self.first is not None
        return PatternScores(
            patterns=tuple(pattern.name for pattern in self.patterns),
            about={pattern.name: pattern.about for pattern in self.patterns},
            content=tuple(pattern.name for pattern in self.patterns if pattern.content),
            words=self.in_words,
            level=self.level,
            model_name=self.first.model_name,
            heads=_heads(self.first),
            sums=tuple(self.texts),
            reasons=self.reasons,
            skipped=tuple(self.skipped),
        )


def _heads(trace: AttentionTrace) -> dict[str, tuple[tuple[int, tuple[int, ...]], ...]]:
    return {
        name: tuple((layer.index, tuple(layer.heads)) for layer in block.layers)
        for name, block in trace.blocks.items()
    }


def _check_same_heads(first: AttentionTrace, other: AttentionTrace) -> None:
    if _heads(first) != _heads(other):
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
