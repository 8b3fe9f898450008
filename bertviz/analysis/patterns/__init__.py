"""Which patterns the heads of a model follow, and how surely.

The problem. *Deconstructing BERT* (Jesse Vig, 2018) found six patterns by eye: attention to the
next word, the previous word, identical words, the same words in the other sentence, words that
predict a word, and delimiters. A model has hundreds of heads; nobody should have to look for them
by hand, and nobody should be fooled by a pattern that is not there.

**A score** is the attention mass on a pattern's cells C(q) of a query q, averaged over the queries
for which the pattern exists, of all texts:

    score = mean over q of Σ_{k ∈ C(q)} w(q, k)

A pattern exists for a query if one of its cells may be seen (is not masked) and one that is not its
cell may be seen too: a query that can see nothing else says nothing. Padding that was kept does not
count, neither as key nor as query. In patterns of content special tokens are no queries: they are
no words.

"bag of words" also asks for evenness: mass × entropy of the weights within the cells / ln(number of
cells). "induction" is the prefix-matching score of Olsson et al., "In-context Learning and
Induction Heads" (2022), on the text as it is, not on repeated random tokens; attention by position
and to delimiters is measured as in Clark et al., "What Does BERT Look At?" (2019).

**The null** of a score is what it would be if the head did not care:

    uniform      mean over q of |C(q)| / |A(q)|, A(q) being the cells that may be seen; for "bag of
                 words" as well, as uniform attention is perfectly even
    by distance  mean over q of Σ_{k ∈ C(q)} m(k - q), m(d) being the head's mean attention over all
                 cells at distance d of the same text; for patterns of content and one's own, which
                 a head may seem to follow because it looks so many tokens back. m includes the
                 pattern's own cells, so this null is a little too strict, most in short texts.

``null`` is the larger of them.

**Renormalised**, everything is computed again without special tokens (as queries and keys) and
without the first token as key, rows divided by what they have left, ``kept``. A head that puts 95 %
of its weight on [CLS] is then judged by the rest.

**A label** is given to a head if its score lies above the null by at least
max(0.1, √(ln(1/level) / 2n)), n being the queries for which the pattern exists. If the rows of a
head were independent and fell on the cells as often as its null says, a label would be given with a
probability of at most ``level``, for each head and pattern (Hoeffding's inequality, 1963). Rows of
a real head are not independent: a head that prefers one token, whatever the query, is right or
wrong with all of them at once. Then "first token" or "delimiters" say what the head does, not that
it learned to. (Tests hold this: ten BERTs as they are initialised get no label; ten whose weights
are so large that every head looks at one token get 0.6 % of all possible ones at a level of 1 %,
and these two alone.) A head can have several labels or none.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, overload

from bertviz.analysis.patterns.cells import (
    PREDICTIVE,
    NoCells,
    Own,
    Pattern,
    Text,
    known_patterns,
    own_pattern,
    text_of,
)
from bertviz.analysis.patterns.counting import Sums, counted
from bertviz.analysis.summary import Summary
from bertviz.analysis.tables import as_table
from bertviz.trace import AttentionTrace, Frozen

if TYPE_CHECKING:
    from torch import Tensor
    from torch.nn import Module

    Texts = str | tuple[str, str] | Iterable[str | tuple[str, str]]

LEVEL = 0.01
SMALLEST = 0.1  # what a score is above its null at least, for a label


@dataclass(frozen=True)
class Score:
    """How much a head follows a pattern.

    Attributes:
        score: 0 to 1.
        null: What it would be if the head did not care: the larger of the next two.
        uniform: Under uniform attention.
        by_distance: From the head's mean attention by distance; None for patterns of places.
        spread: Standard deviation of the texts' own scores; None of one text.
        queries: How many there are for which the pattern exists, in all texts.
        texts: In how many texts there are some.
    """

    score: float
    null: float
    uniform: float
    by_distance: float | None
    spread: float | None
    queries: int
    texts: int


@dataclass(frozen=True)
class HeadScore:
    """A pattern in a head.

    Attributes:
        pattern: Its name.
        block: The block of the trace.
        layer: The model's own number.
        head: Likewise.
        whole: The score; None if the pattern exists nowhere in the texts.
        renormalised: Without special tokens and the first token; None likewise.
        kept: The mean mass that ``renormalised`` has left; None likewise.
    """

    pattern: str
    block: str
    layer: int
    head: int
    whole: Score | None
    renormalised: Score | None
    kept: float | None


@dataclass(frozen=True, eq=False, repr=False)
class PatternScores(Summary):
    """Scores of every pattern in every head, with their nulls; see ``find_patterns``.

    Attributes:
        scores: For every block, layer and head, in the order of ``patterns``.
        patterns: Their names.
        unavailable: Patterns without any score, and why.
        about: What each pattern's cells are.
        texts: How many texts were read.
        level: Of the labels' false positives.
        model_name: Class of the model, None for arrays.
    """

    scores: tuple[HeadScore, ...]
    patterns: tuple[str, ...]
    unavailable: Mapping[str, str]
    about: Mapping[str, str]
    texts: int
    level: float
    model_name: str | None

    def best(
        self,
        pattern: str,
        count: int | None = None,
        *,
        block: str | None = None,
        renormalised: bool = False,
    ) -> list[tuple[int, int, float, float]]:
        """The heads that follow a pattern most.

        Args:
            pattern: Its name.
            count: How many heads; all by default.
            block: Of which block; by default the first that has the pattern.
            renormalised: Without special tokens and the first token.

        Returns:
            (layer, head, score, null), the highest score first; empty if the pattern exists nowhere
            (``unavailable`` says why).

        Raises:
            ValueError: There is no such pattern or block.
        """
        found = []
        for row in self._of(pattern, block, renormalised):
            score = row.renormalised if renormalised else row.whole
            assert score is not None
            found.append((row.layer, row.head, score.score, score.null))
        return sorted(found, key=lambda head: (-head[2], head[0], head[1]))[:count]

    def labels(
        self, block: str | None = None, *, renormalised: bool = False
    ) -> dict[tuple[int, int], tuple[str, ...]]:
        """What each head can be called.

        Args:
            block: Of which block; the first by default.
            renormalised: Without special tokens and the first token.

        Returns:
            (layer, head) → patterns, those highest above their null first; none for heads that
            follow no pattern surely enough. The rule stands in the module's docstring.

        Raises:
            ValueError: There is no such block.
        """
        name = self._block(block)
        found: dict[tuple[int, int], list[tuple[float, str]]] = {}
        for row in self.scores:
            if row.block != name:
                continue
            labels = found.setdefault((row.layer, row.head), [])
            score = row.renormalised if renormalised else row.whole
            if score is not None and self._is_sure(score):
                labels.append((score.null - score.score, row.pattern))
        return {head: tuple(label for _, label in sorted(some)) for head, some in found.items()}

    def table(self) -> Any:
        """All numbers, a row for every block, layer, head and pattern.

        Returns:
            A pandas DataFrame where pandas is installed, else a list of dicts. The columns:
            pattern, block, layer, head, score, null, uniform_null, distance_null, spread, queries,
            label; and without special tokens and the first token renormalised_score,
            renormalised_null, kept. What does not exist is None.
        """
        columns: dict[str, list[Any]] = {}
        for row in self.scores:
            whole, rest = row.whole, row.renormalised
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
                "label": whole is not None and self._is_sure(whole),
                "renormalised_score": rest and rest.score,
                "renormalised_null": rest and rest.null,
                "kept": row.kept,
            }
            for name, value in line.items():
                columns.setdefault(name, []).append(value)
        return as_table(columns)

    def measures(self) -> list[dict[str, Any]]:
        """A number per head for every pattern that has any, as the model view takes them.

        Returns:
            Dicts with "name", "values": block → layer → head → score (None where it does not
            exist), and "null", likewise.
        """
        found: dict[str, dict[str, Any]] = {}
        for row in self.scores:
            if row.pattern in self.unavailable:
                continue
            measure = found.setdefault(row.pattern, {"name": row.pattern, "values": {}, "null": {}})
            for name in ("values", "null"):
                layers = measure[name].setdefault(row.block, {})
                value = row.whole and (row.whole.score if name == "values" else row.whole.null)
                layers.setdefault(row.layer, {})[row.head] = value
        return list(found.values())

    def _is_sure(self, score: Score) -> bool:
        surely = math.sqrt(math.log(1 / self.level) / (2 * score.queries))
        return score.score - score.null >= max(SMALLEST, surely)

    def _of(self, pattern: str, block: str | None, renormalised: bool) -> list[HeadScore]:
        """The rows of a pattern that have a score, of one block."""
        if pattern not in self.patterns:
            raise ValueError(
                f"pattern={pattern!r} is unknown: expected one of {', '.join(self.patterns)}."
            )
        wanted = None if block is None else self._block(block)
        rows = [
            row
            for row in self.scores
            if row.pattern == pattern and (row.renormalised if renormalised else row.whole)
        ]
        blocks = [row.block for row in rows]
        wanted = wanted or (blocks[0] if blocks else None)
        return [row for row in rows if row.block == wanted]

    def _block(self, block: str | None) -> str:
        names = list(dict.fromkeys(row.block for row in self.scores))
        if block is None:
            return names[0]
        if block not in names:
            raise ValueError(f"block={block!r} is unknown: expected one of {', '.join(names)}.")
        return block

    def _lines(self) -> list[list[Any]]:
        """A row for each pattern and block that has it: its best heads."""
        rows = []
        for pattern in self.patterns:
            for block in dict.fromkeys(row.block for row in self.scores):
                best = self.best(pattern, block=block)
                if not best:
                    continue
                sure = sum(
                    row.block == block
                    and row.pattern == pattern
                    and row.whole is not None
                    and self._is_sure(row.whole)
                    for row in self.scores
                )
                heads = [
                    f"({layer}, {head}) {s:.2f} over {n:.2f}" for layer, head, s, n in best[:3]
                ]
                rows.append([pattern, block, "; ".join(heads), sure])
        return rows

    def _caption(self) -> str:
        heads = len({(row.block, row.layer, row.head) for row in self.scores})
        texts = f"{self.texts} text{'s' if self.texts > 1 else ''}"
        model = f"{self.model_name}: " if self.model_name else ""
        return f"{model}patterns in {heads} heads, over {texts}"

    def _notes(self) -> str:
        missing = [f"{name}: {reason}." for name, reason in self.unavailable.items()]
        rule = (
            "A null is the score of a head that does not care; labelled are heads surely above it"
            f" (level {self.level:g} for each head and pattern)."
        )
        return " ".join([rule, *(["Not available: " + " ".join(missing)] if missing else [])])

    HEAD: ClassVar = (
        "pattern",
        "block",
        "best heads: (layer, head) score over null",
        "heads labelled",
    )


@overload
def find_patterns(
    source: AttentionTrace | Iterable[AttentionTrace],
    *,
    patterns: Mapping[str, Own] | None = None,
    words: bool = False,
    window: int = 2,
    level: float = LEVEL,
) -> PatternScores: ...
@overload
def find_patterns(
    source: Module,
    tokenizer: Any,
    texts: Texts,
    *,
    patterns: Mapping[str, Own] | None = None,
    words: bool = False,
    window: int = 2,
    level: float = LEVEL,
    predictive_words: int = 40,
    **options: Any,
) -> PatternScores: ...
def find_patterns(
    source: Any,
    tokenizer: Any = None,
    texts: Any = None,
    *,
    patterns: Mapping[str, Own] | None = None,
    words: bool = False,
    window: int = 2,
    level: float = LEVEL,
    predictive_words: int = 40,
    **options: Any,
) -> PatternScores:
    """Score every head of a model for the patterns that attention is known to follow.

    >>> from bertviz import AttentionTrace
    >>> weights = [[0.1, 0.8, 0.1], [0.1, 0.1, 0.8], [0.4, 0.3, 0.3]]
    >>> scores = find_patterns(AttentionTrace.from_arrays(["a", "b", "c"], weights=[weights]))
    >>> [round(value, 2) for value in scores.best("next token")[0]]  # layer, head, score, null
    [0, 0, 0.8, 0.33]

    The patterns are "next token", "previous token", "same token", "same token elsewhere", "same
    token in the other sentence", "same word" (its other pieces), "predictive words", "delimiters",
    "first token", "bag of words", "self", "local window" and "induction". Scores, nulls and labels
    are explained in the docstring of ``bertviz.analysis.patterns``.

    Args:
        source: A trace, several of one model, or a model.
        tokenizer: With a model: its tokenizer.
        texts: With a model: a text, a pair of sentences as a tuple (text, text_pair), or a list of
            these.
        patterns: More patterns, by name: a function of the tokens (as displayed) that gives a
            matrix (query, key) of what counts, or (query, key) tuples; in cross-attention a
            function of query tokens and key tokens.
        words: Whole words in place of their pieces: weights summed over the keys of a word, and
            averaged over its queries.
        window: How many tokens away "local window" reaches.
        level: At most how often a label is wrong; see the module's docstring for what that means.
        predictive_words: With a model that predicts masked words, up to how many words of a text
            "predictive words" is found for; it takes a forward for every pair of words.
        **options: With a model: further keywords of ``extract``, such as ``layers``.

    Returns:
        The scores.

    Raises:
        TypeError: Something else was passed, or an own pattern is no function.
        ValueError: No text, traces that do not go together, a pattern's name that is taken, cells
            of another shape, or numbers out of range.
    """
    if not isinstance(window, int) or window < 1:
        raise ValueError(f"window={window!r} is no distance: expected a whole number from 1.")
    if not 0 < level < 1:
        raise ValueError(f"level={level!r} is no probability: expected one between 0 and 1.")
    wanted = known_patterns(window)
    for name, function in (patterns or {}).items():
        if name in {pattern.name for pattern in wanted}:
            raise ValueError(
                f"patterns holds {name!r}, which there is already: give yours another name."
            )
        wanted.append(own_pattern(name, function))

    sums = _Texts(wanted, words)
    for trace, predictive in _read(source, tokenizer, texts, predictive_words, options):
        sums.add(trace, predictive)
    return sums.scores(level)


def _read(
    source: Any, tokenizer: Any, texts: Any, predictive_words: int, options: Mapping[str, Any]
) -> Iterator[tuple[AttentionTrace, Any]]:
    """Traces, each with what tells the predictive words of its text, or the reason why not."""
    if isinstance(source, AttentionTrace):
        source = [source]
    if not hasattr(source, "forward"):
        if tokenizer is not None or texts is not None or options:
            given = "tokenizer" if tokenizer is not None else next(iter({"texts": 0, **options}))
            raise TypeError(
                f"find_patterns got {given} and no model: expected find_patterns(trace) or"
                " find_patterns(model, tokenizer, texts)."
            )
        traces = (
            list(source) if isinstance(source, Iterable) and not isinstance(source, str) else []
        )
        if not traces or not all(isinstance(trace, AttentionTrace) for trace in traces):
            raise TypeError(
                f"find_patterns got a {type(source).__name__} that holds no traces: expected an"
                " AttentionTrace, a list of them, or a model, its tokenizer and texts."
            )
        for trace in traces:
            yield trace, None
        return

    from bertviz.analysis.patterns.predictive import predictive
    from bertviz.extractor import extract

    for text, pair in _pairs(texts):
        trace = extract(source, tokenizer, text, pair, **options)
        found: Any
        try:
            found = predictive(source, tokenizer, text, pair, trace, predictive_words)
        except NoCells as reason:
            found = str(reason)
        yield trace, found


def _pairs(texts: Any) -> list[tuple[str, str | None]]:
    example = "find_patterns(model, tokenizer, ['One text.', ('A sentence.', 'Another.')])"
    if isinstance(texts, str) or (
        isinstance(texts, tuple) and len(texts) == 2 and all(isinstance(x, str) for x in texts)
    ):
        texts = [texts]
    found: list[tuple[str, str | None]] = []
    for text in texts if isinstance(texts, Iterable) else ():
        if isinstance(text, str):
            found.append((text, None))
        elif isinstance(text, tuple | list) and len(text) == 2:
            found.append((text[0], text[1]))
        else:
            raise TypeError(
                f"texts holds a {type(text).__name__}: expected strings, or pairs of strings:"
                f" {example}."
            )
    if not found:
        raise ValueError(f"texts={texts!r} holds no text: expected at least one, as in {example}.")
    return found


class _Texts:
    """The sums of one text after the other."""

    def __init__(self, patterns: Sequence[Pattern], in_words: bool) -> None:
        self.patterns = patterns
        self.in_words = in_words
        self.reasons: dict[str, str] = {}
        self.first: AttentionTrace | None = None
        self.count = 0
        self.found: dict[tuple[str, int], list[Sums]] = {}  # by block and layer, one per text

    def add(self, trace: AttentionTrace, predictive: Any = None) -> None:
        """Read one text.

        Args:
            trace: Of it.
            predictive: Which words are predictive of which, (word, word) for each block that has
                them; or the reason why that is not known.
        """
        self.count += 1
        if self.first is None:
            self.first = trace
        _check_alike(self.first, trace)
        for block in trace.blocks.values():
            text = text_of(block, self.in_words)
            patterns = [
                _of_words(pattern, predictive, block.name)
                if pattern.name == PREDICTIVE and predictive is not None
                else pattern
                for pattern in self.patterns
            ]
            for index, sums in counted(block, text, patterns, self.reasons).items():
                self.found.setdefault((block.name, index), []).append(sums)

    def scores(self, level: float) -> PatternScores:
        """What comes of it."""
        rows: list[HeadScore] = []
        first = self.first
        assert first is not None
        for block in first.blocks.values():
            for layer in block.layers:
                texts = self.found[block.name, layer.index]
                for place, head in enumerate(layer.heads):
                    for column, pattern in enumerate(self.patterns):
                        rest = column + len(self.patterns)
                        kept = [text.kept[place] for text in texts if text.count[place][rest]]
                        rows.append(
                            HeadScore(
                                pattern=pattern.name,
                                block=block.name,
                                layer=layer.index,
                                head=head,
                                whole=_score(texts, place, column, pattern),
                                renormalised=_score(texts, place, rest, pattern),
                                kept=statistics.fmean(kept) if kept else None,
                            )
                        )
        there = {row.pattern for row in rows if row.whole is not None}
        names = tuple(pattern.name for pattern in self.patterns)
        return PatternScores(
            scores=tuple(rows),
            patterns=names,
            unavailable=Frozen(
                {
                    name: self.reasons.get(name, "no query of the texts has such a key")
                    for name in names
                    if name not in there
                }
            ),
            about=Frozen({pattern.name: pattern.about for pattern in self.patterns}),
            texts=self.count,
            level=level,
            model_name=first.model_name,
        )


def _score(texts: Sequence[Sums], head: int, column: int, pattern: Pattern) -> Score | None:
    with_it = [text for text in texts if text.count[head][column]]
    if not with_it:
        return None
    queries = sum(text.count[head][column] for text in with_it)

    def mean(name: str) -> float:
        return float(sum(getattr(text, name)[head][column] for text in with_it) / queries)

    own = [text.mass[head][column] / text.count[head][column] for text in with_it]
    uniform = mean("uniform")
    by_distance = mean("by_distance") if pattern.content else None
    return Score(
        score=mean("mass"),
        null=max(uniform, by_distance or 0.0),
        uniform=uniform,
        by_distance=by_distance,
        spread=statistics.stdev(own) if len(own) > 1 else None,
        queries=int(queries),
        texts=len(with_it),
    )


def _check_alike(first: AttentionTrace, other: AttentionTrace) -> None:
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


def _of_words(pattern: Pattern, predictive: Any, block: str) -> Pattern:
    """The pattern of predictive words, for a text for which they are known."""

    def cells(text: Text, rows: slice) -> Tensor:
        if isinstance(predictive, str):
            raise NoCells(predictive)
        if block not in predictive:
            raise NoCells("no block reads the text that words were masked in")
        found: Tensor = predictive[block][text.query.words[rows]][:, text.key.words]
        return found

    return Pattern(pattern.name, pattern.about, cells, content=True, one_text=True)
