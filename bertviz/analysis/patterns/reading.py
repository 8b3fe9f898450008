"""What ``find_patterns`` is given, one trace after the other: traces, or a model and texts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from bertviz.analysis.patterns.pattern import Unavailable
from bertviz.analysis.patterns.pooling import Predictive
from bertviz.errors import a_type
from bertviz.trace import AttentionTrace, check_attention

EXAMPLE = "find_patterns(model, tokenizer, ['One text.', ('A sentence.', 'Another.')])"


def traces_of(
    source: Any, tokenizer: Any, texts: Any, predictive_words: int, options: Mapping[str, Any]
) -> Iterator[tuple[AttentionTrace, Predictive]]:
    """Traces, each with which words predict which.

    Args:
        source: A trace, several, or a model.
        tokenizer: With a model: its tokenizer.
        texts: With a model: its texts.
        predictive_words: With a model: the longest text, in words, to look for predictive words in.
        options: With a model: further keywords of ``extract``.

    Raises:
        TypeError: The source is none of these.
        ValueError: There is no text.
    """
    if not hasattr(source, "forward"):
        if tokenizer is not None or texts is not None or options:
            given = "tokenizer" if tokenizer is not None else next(iter({"texts": 0, **options}))
            raise TypeError(
                f"find_patterns got {given} and no model: expected find_patterns(trace) or"
                " find_patterns(model, tokenizer, texts)."
            )
        for trace in _given_traces(source):
            check_attention(
                "find_patterns", trace, "pass the attention that the values were made from"
            )
            yield trace, None
        return

    from bertviz.extractor import extract

    for text, pair in _pairs(texts):
        trace = extract(source, tokenizer, text, pair, **options)
        yield trace, _predictive(source, tokenizer, text, pair, trace, predictive_words)


def _given_traces(source: Any) -> list[AttentionTrace]:
    if isinstance(source, AttentionTrace):
        return [source]
    traces = list(source) if isinstance(source, Iterable) and not isinstance(source, str) else []
    if not traces or not all(isinstance(trace, AttentionTrace) for trace in traces):
        raise TypeError(
            f"find_patterns got {a_type(source)} that holds no traces: expected an AttentionTrace,"
            " a list of traces, or a model, its tokenizer and texts."
        )
    return traces


def _predictive(*arguments: Any) -> Predictive:
    from bertviz.analysis.patterns.predictive import predictive

    try:
        return predictive(*arguments)
    except Unavailable as reason:
        return str(reason)


def _pairs(texts: Any) -> list[tuple[str, str | None]]:
    """Each text as (text, text_pair)."""
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
                f"texts holds {a_type(text)}: expected strings, or pairs of strings, as in"
                f" {EXAMPLE}."
            )
    if not found:
        raise ValueError(f"texts={texts!r} holds no text: expected at least one, as in {EXAMPLE}.")
    return found
