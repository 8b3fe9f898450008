"""Several texts are one score, with a spread."""

from __future__ import annotations

import statistics
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from bertviz import AttentionTrace, PatternScores, extract, find_patterns
from tests.analysis.patterns.plain import CONTENT, PAIR, TEXT, plain, pooled_null


def test_texts_are_pooled_and_spread(
    build: Callable[[str], Any], word_tokenizer: Callable[..., Any]
) -> None:
    model, tokenizer = build("bert"), word_tokenizer()
    texts = [TEXT, (TEXT, PAIR), "the the the"]
    alone = [find_patterns(model, tokenizer, text) for text in texts]
    both = find_patterns(model, tokenizer, texts)
    assert both.texts == 3
    seen = 0
    for row, *own in zip(both.scores, *(scores.scores for scores in alone), strict=True):
        found = [one.whole for one in own if one.whole is not None]
        if not found:
            assert row.whole is None
            continue
        assert row.whole is not None
        queries = sum(one.queries for one in found)
        assert (row.whole.queries, row.whole.texts) == (queries, len(found))
        for name in ("score", "uniform"):
            mean = sum(getattr(one, name) * one.queries for one in found) / queries
            assert getattr(row.whole, name) == pytest.approx(mean)
        if len(found) > 1:
            assert row.whole.spread == pytest.approx(statistics.stdev(one.score for one in found))
            seen += 1
    assert seen > 50
    traces = [extract(model, tokenizer, TEXT), extract(model, tokenizer, TEXT, PAIR)]
    assert find_patterns(traces).best("self")[0] == pytest.approx(
        find_patterns(model, tokenizer, texts[:2]).best("self")[0]
    )


@pytest.mark.parametrize("in_words", [False, True], ids=["tokens", "words"])
@pytest.mark.parametrize("architecture", ["bert", "llama", "bart"])
def test_the_distance_null_comes_from_the_other_texts(
    build: Callable[[str], Any],
    word_tokenizer: Callable[..., Any],
    architecture: str,
    in_words: bool,
) -> None:
    model, tokenizer = build(architecture), word_tokenizer(pair="")
    texts = ["the store , the store", "i bought the the strawberries . i went", "the the the"]
    traces = [extract(model, tokenizer, text, progress=False) for text in texts]
    scores = find_patterns(traces, words=in_words)
    compared = 0
    for row in scores.scores:
        if row.pattern not in CONTENT or (in_words and row.pattern == "same word"):
            continue
        whole = []
        for trace in traces:
            block = trace.blocks[row.block]
            whole.append(plain(block, block.layer(row.layer), row.head, in_words, set()))
        rest = [text.renormalized()[0] for text in whole]
        for found, given in ((row.whole, whole), (row.renormalized, rest)):
            expected = pooled_null(given, row.pattern)
            assert (found is None) == (expected is None)
            if found is not None:
                assert found.by_distance == pytest.approx(expected, abs=2e-5)
                compared += 1
    assert compared > 30


def together(scores: PatternScores) -> Any:
    return scores.rows(), scores.unavailable, scores.texts, scores.skipped, str(scores)


def test_results_add_up_to_the_same_as_together(
    build: Callable[[str], Any], word_tokenizer: Callable[..., Any], tmp_path: Path
) -> None:
    model, tokenizer = build("bert"), word_tokenizer()
    texts: list[Any] = [TEXT, (TEXT, PAIR), "the the the", "  ", "i went", 3, TEXT + " " + PAIR]
    whole = find_patterns(model, tokenizer, texts, on_error="skip")
    assert [skipped.place for skipped in whole.skipped] == [3, 5]
    for cut in range(1, 6):
        parts = [
            find_patterns(model, tokenizer, some, on_error="skip")
            for some in (texts[:cut], texts[cut:])
        ]
        parts[0].save(tmp_path / "part.safetensors")
        parts[0] = PatternScores.load(tmp_path / "part.safetensors")
        assert together(parts[0] + parts[1]) == together(whole)
    twice = whole + whole
    twice.save(tmp_path / "twice.safetensors")
    assert together(PatternScores.load(tmp_path / "twice.safetensors")) == together(twice)
    singles = [find_patterns(model, tokenizer, [text]) for text in texts if text not in ("  ", 3)]
    assert sum(singles).rows() == whole.rows()  # type: ignore[attr-defined]


def test_results_of_another_kind_do_not_add_up(
    build: Callable[[str], Any], word_tokenizer: Callable[..., Any]
) -> None:
    one = find_patterns(extract(build("bert"), word_tokenizer(), TEXT))
    for options, what in (
        ({"level": 0.05}, "level"),
        ({"window": 3}, "about"),
        ({"words": True}, "words"),
        ({"patterns": {"x": lambda tokens: []}}, "patterns"),
    ):
        other = find_patterns(extract(build("bert"), word_tokenizer(), TEXT), **options)  # type: ignore[call-overload]
        with pytest.raises(ValueError, match=f"their {what} differ"):
            one + other
    other = find_patterns(extract(build("bert"), word_tokenizer(), TEXT, layers=[0]))
    with pytest.raises(ValueError, match="their heads differ"):
        one + other
    with pytest.raises(TypeError, match="got an int"):
        one + 1  # type: ignore[operator]


def test_a_pair_is_a_tuple(build: Callable[[str], Any], word_tokenizer: Callable[..., Any]) -> None:
    model, tokenizer = build("bert"), word_tokenizer()
    pair, two = "same token in the other sentence", [TEXT, PAIR]
    assert find_patterns(model, tokenizer, (TEXT, PAIR)).texts == 1
    assert pair not in find_patterns(model, tokenizer, (TEXT, PAIR)).unavailable
    apart = find_patterns(model, tokenizer, two)
    assert apart.texts == 2
    assert "two sentences" in apart.unavailable[pair]


def test_distance_zero_is_a_token_itself_only_in_self_attention() -> None:
    weights = torch.eye(40)[None, None] * 0.9 + 0.1 / 40
    tokens = list(map(str, range(40)))
    own = find_patterns(AttentionTrace.from_arrays(tokens, weights=weights))
    cross = find_patterns(
        AttentionTrace.from_arrays(
            weights=weights, query_tokens=tokens, key_tokens=tokens, kind="cross"
        )
    )
    # A head that looks at itself finds the same token in any text; in cross-attention, the place
    # of the same token in another text is an accident of this one.
    assert own.undecided() == {(0, 0): ()}
    assert cross.undecided() == {(0, 0): ("same token",)}
