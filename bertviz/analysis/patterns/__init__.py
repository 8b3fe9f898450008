"""Which patterns the heads of a model follow, and how certain that is.

The problem. *Deconstructing BERT* (Jesse Vig, 2018) found six patterns by eye: attention to the
next word, the previous word, identical words, the same words in the other sentence, words that
predict a word, and delimiters. A model has hundreds of heads; nobody should have to look for them
by hand, and nobody should be fooled by a pattern that is not there.

**A score** is the attention mass on a pattern's keys C(q) of a query q, averaged over all queries,
of all texts, for which the pattern exists:

    score = mean over q of Σ_{k ∈ C(q)} w(q, k)

A pattern exists for a query if at least one of its keys is unmasked, and at least one other key is
unmasked too: a query that can see nothing else says nothing. Padding that was kept does not count,
neither as key nor as query. In patterns of content special tokens do not count as queries, since
they are not words.

"bag of words" also asks for evenness: mass × entropy of the weights within C(q) / ln |C(q)|.
"induction" is the prefix-matching score of Olsson et al., "In-context Learning and Induction Heads"
(2022), on the text as it is, not on repeated random tokens; attention by position and to delimiters
is measured as in Clark et al., "What Does BERT Look At?" (2019).

**The null** of a score is what it would be if the head did not care:

    uniform      mean over q of |C(q)| / |A(q)|, A(q) being the unmasked keys; also for "bag of
                 words", as uniform attention is perfectly even
    by distance  mean over q of Σ_{k ∈ C(q)} m(k - q); for patterns of content and your own, which a
                 head may seem to follow because it looks a fixed number of tokens back

m(d) is the head's mean attention over all unmasked query–key pairs at distance d of the *other*
texts; where they have none, and with a single text, of the text itself. There m includes the
pattern's own pairs, so the null is a little too strict, most of all in short texts. ``nulls.py``
has the formula. ``null`` is the larger of the two.

**Undecided.** In random tokens that are repeated with one period, the key of "induction" lies one
period back in every query, and a head that follows the pattern has the same score as one that looks
that far back. A head whose score lies surely above the uniform null but not above the distance null
is undecided, not unlabelled, if at least half of the pairs behind that null are the pattern's own.
Sequences with several periods decide it.

**Renormalized**, everything is computed again without special tokens (as queries and keys) and
without the first token as key, each row divided by the mass it has left, ``kept``. A head that puts
95 % of its weight on [CLS] is then judged by the rest.

**A label** is given to a head if its score lies above the null by at least
max(0.1, √(ln(1/level) / 2n)), n being the queries for which the pattern exists. If the rows of a
head were independent and followed the pattern as often as its null says, a label would be given
with a probability of at most ``level``, for each head and pattern (Hoeffding's inequality, 1963).
Rows of a real head are not independent: a head that prefers one token, whatever the query, is right
or wrong with all of them at once. Then "first token" or "delimiters" say what the head does, not
that it learned to. (Tests hold this: ten BERTs as they are initialized get no label; ten whose
weights are so large that every head looks at one token get 0.6 % of all possible labels at a level
of 1 %, and only these two.) A head can have several labels or none.

**Where to look**: ``known.py`` has the patterns (add new ones there), ``own.py`` a user's own,
``counting.py`` the sums of a text, ``nulls.py`` the distance null, ``scores.py`` the result.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Literal, overload

from bertviz.analysis.patterns.arguments import as_count, as_level
from bertviz.analysis.patterns.known import check_window, known_patterns
from bertviz.analysis.patterns.own import Own, own_patterns
from bertviz.analysis.patterns.pooling import Pool
from bertviz.analysis.patterns.reading import Items, items_of, raise_located
from bertviz.analysis.patterns.score import BestHead, HeadScore, Score
from bertviz.analysis.patterns.scores import PatternScores, Skipped
from bertviz.arguments import as_choice, as_flag
from bertviz.progress import bar
from bertviz.trace import AttentionTrace

if TYPE_CHECKING:
    from torch.nn import Module

    Texts = str | tuple[str, str] | Iterable[str | tuple[str, str]]

__all__ = ["BestHead", "HeadScore", "PatternScores", "Score", "Skipped", "find_patterns"]

LEVEL = 0.01
OnError = Literal["raise", "skip"]


@overload
def find_patterns(
    source: AttentionTrace | Iterable[AttentionTrace],
    *,
    patterns: Mapping[str, Own] | None = None,
    words: bool = False,
    window: int = 2,
    level: float = LEVEL,
    on_error: OnError = "raise",
    progress: bool = True,
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
    on_error: OnError = "raise",
    progress: bool = True,
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
    on_error: OnError = "raise",
    progress: bool = True,
    predictive_words: int = 40,
    **options: Any,
) -> PatternScores:
    """Score every head of a model for the patterns that attention is known to follow.

    >>> from bertviz import AttentionTrace
    >>> weights = [[0.1, 0.8, 0.1], [0.1, 0.1, 0.8], [0.4, 0.3, 0.3]]
    >>> scores = find_patterns(AttentionTrace.from_arrays(["a", "b", "c"], weights=[weights]))
    >>> scores.best("next token")
    [BestHead(layer=0, head=0, score=0.8..., null=0.33...)]

    The patterns are "next token", "previous token", "same token", "same token elsewhere", "same
    token in the other sentence", "same word" (its other subword tokens), "predictive words",
    "delimiters", "first token", "bag of words", "self", "local window" and "induction". The
    docstring of ``bertviz.analysis.patterns`` explains scores, nulls and labels.

    Many texts take a while. All are checked before the first is read. If reading one fails all the
    same, or you interrupt it, the exception has an attribute ``partial``: the ``PatternScores`` of
    the texts read so far (in a notebook ``sys.last_value.partial``). Results add up, ``first +
    second``, and can be saved.

    Args:
        source: A trace, several of one model (a generator that extracts one after the other will
            do), or a model.
        tokenizer: With a model: its tokenizer.
        texts: With a model: a text, a pair of sentences as a tuple (text, text_pair), or a list of
            these.
        patterns: More patterns, by name: a function of the tokens (as displayed) that returns a
            matrix (query, key) of the pairs that count, or (query, key) tuples; in cross-attention
            a function of query tokens and key tokens.
        words: Whether whole words stand in place of their subword tokens: weights summed over the
            keys of a word, and averaged over its queries.
        window: How many tokens "local window" reaches in each direction, at most 1,000,000.
        level: The highest acceptable probability of a wrong label; the docstring of
            ``bertviz.analysis.patterns`` says what that means.
        on_error: What to do with a text that cannot be read: "raise" its error, or "skip" it; then
            ``skipped`` of the result says which and why.
        progress: Whether to show a bar when it takes longer than a few seconds.
        predictive_words: With a masked language model: the longest text, in words, in which to look
            for "predictive words"; that takes a forward pass for every pair of words.
        **options: With a model: further keywords of ``extract``, such as ``layers``.

    Returns:
        The scores.

    Raises:
        TypeError: The source is something else, an argument of the wrong type, or a pattern of your
            own is not a function.
        ValueError: No text, traces of different models, weights that are not attention, a pattern's
            name that is taken, a pattern of your own that fails or returns something else, or
            numbers out of range. If it is about one of several texts, the message begins with its
            place, "texts[61]".
    """
    wanted = known_patterns(check_window(window))
    wanted += own_patterns(patterns, [pattern.name for pattern in wanted])
    pool = Pool(wanted, as_flag("words", words), as_level(level))
    skips = as_choice("on_error", on_error, ("raise", "skip")) == "skip"
    progress = as_flag("progress", progress)
    most_words = as_count("predictive_words", predictive_words, least=0)
    items = items_of(source, tokenizer, texts, most_words, options, skips=skips, progress=progress)
    try:
        _read_all(pool, items, skips, progress)
    except BaseException as error:
        if pool.texts:
            with contextlib.suppress(Exception):  # an exception that takes no attributes
                error.partial = pool.scores()  # type: ignore[attr-defined]
        raise
    return pool.scores()


def _read_all(pool: Pool, items: Items, skips: bool, progress: bool) -> None:
    """Read every text, or skip it."""
    several = items.total != 1
    with bar(progress and several, "finding patterns", "texts", items.total) as step:
        for item in items.each:
            try:
                pool.add(*item.read())
            except Exception as error:
                if not skips or not item.name:
                    kept = "; what was read before is this error's .partial" if pool.texts else ""
                    more = f"Pass on_error='skip' to go on without it{kept}."
                    raise_located(error, item.name, more)
                pool.skip(error)
            if step is not None:
                step()
    if not pool.texts:
        first = pool.skipped[0]
        raise ValueError(
            f"None of the {len(pool.skipped)} texts could be read. The first: {first.reason}"
        )
