"""Every score and null is what plain loops say."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import pytest
import torch

from bertviz import AttentionTrace, extract, find_patterns
from tests.analysis.patterns.plain import PAIR, TEXT, check


@pytest.fixture
def few_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    """Long texts are read some rows at a time; here short ones are."""
    monkeypatch.setattr("bertviz.analysis.patterns.counting.AT_ONCE", 250)


SELF = ["bert", "mistral", "gpt_oss", "llama", "modernbert"]


@pytest.mark.parametrize("in_words", [False, True], ids=["tokens", "words"])
@pytest.mark.parametrize("architecture", SELF)
@pytest.mark.usefixtures("few_rows")
def test_as_plain_loops_say(
    build: Callable[[str], Any],
    word_tokenizer: Callable[..., Any],
    architecture: str,
    in_words: bool,
) -> None:
    trace = extract(build(architecture), word_tokenizer(), TEXT, PAIR)
    assert check(trace, in_words) > 100


@pytest.mark.parametrize("architecture", ["bart", "t5"])
def test_three_blocks_as_plain_loops_say(
    build: Callable[[str], Any], word_tokenizer: Callable[..., Any], architecture: str
) -> None:
    trace = extract(
        build(architecture), word_tokenizer(pair=""), "the store . at the store", "i , i"
    )
    assert list(trace.blocks) == ["encoder", "decoder", "cross"]
    assert check(trace) > 100


def test_one_pass_and_many_rows_agree(
    build: Callable[[str], Any], word_tokenizer: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    trace = extract(build("mistral"), word_tokenizer(), TEXT, PAIR)
    whole = find_patterns(trace)
    monkeypatch.setattr("bertviz.analysis.patterns.counting.AT_ONCE", 100)
    for one, other in zip(whole.scores, find_patterns(trace).scores, strict=True):
        assert (one.whole is None) == (other.whole is None)
        if one.whole is not None and other.whole is not None:
            assert one.whole.score == pytest.approx(other.whole.score, abs=1e-6)
            assert one.whole.null == pytest.approx(other.whole.null, abs=1e-6)


def test_masks_of_single_heads(word_tokenizer: Callable[..., Any]) -> None:
    torch.manual_seed(0)
    tokens = word_tokenizer().tokenize(f"[CLS] {TEXT} [SEP]")
    trace = AttentionTrace.from_arrays(
        tokens, queries=torch.randn(1, 2, len(tokens), 4), keys=torch.randn(1, 2, len(tokens), 4)
    )
    block = trace.blocks["encoder"]
    mask = torch.rand(2, len(tokens), len(tokens)) < 0.7
    mask |= torch.eye(len(tokens), dtype=torch.bool)
    layer = dataclasses.replace(
        block.layers[0], formula=dataclasses.replace(block.layers[0].formula, mask=mask)
    )
    block = dataclasses.replace(block, layers=(layer,))
    assert check(dataclasses.replace(trace, blocks={"encoder": block})) > 20


def test_weights_alone() -> None:
    weights = torch.rand(2, 6, 6).tril()
    weights /= weights.sum(-1, keepdim=True)
    trace = AttentionTrace.from_arrays(["a", "b", ".", "a", "b", "."], weights=weights[None])
    assert trace.blocks["decoder"].kind == "decoder"
    assert check(trace) > 20
    assert "next token" in find_patterns(trace).unavailable


@pytest.mark.parametrize("side", ["left", "right"])
@pytest.mark.parametrize("architecture", ["bert", "llama"])
def test_padding_that_was_kept_does_not_count(
    build: Callable[[str], Any], word_tokenizer: Callable[..., Any], side: str, architecture: str
) -> None:
    model, tokenizer = build(architecture), word_tokenizer(pair="", padding_side=side)
    batch = tokenizer(["the store . the store", "i bought " * 6], padding=True, return_tensors="pt")
    if architecture == "llama":
        del batch["token_type_ids"]
    kept = extract(model, tokenizer, inputs=batch, batch_index=0, drop_padding=False)
    block = next(iter(kept.blocks.values()))
    padding = {i for i, token in enumerate(block.query_tokens) if token == "[PAD]"}
    assert len(padding) == 7
    dropped = extract(model, tokenizer, inputs=batch, batch_index=0)
    for name in ("previous token", "same token elsewhere", "self", "bag of words"):
        one, other = (find_patterns(trace).best(name) for trace in (kept, dropped))
        assert [head[:2] for head in one] == [head[:2] for head in other]
        torch.testing.assert_close(
            torch.tensor([h[2:] for h in one]), torch.tensor([h[2:] for h in other])
        )
    if side == "right":
        check(kept, padding=padding)


# Largest differences measured here: 5.5e-4 in bfloat16 and 5.0e-5 in float16, 0.07 and 0.05 of eps.
@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16], ids=str)
def test_half_precision(
    build: Callable[[str], Any], word_tokenizer: Callable[..., Any], dtype: torch.dtype
) -> None:
    model, tokenizer = build("llama"), word_tokenizer()
    batch = dict(tokenizer(TEXT, PAIR, return_tensors="pt", padding=True))
    del batch["token_type_ids"]
    whole = find_patterns(extract(model, tokenizer, inputs=batch))
    trace = extract(model.to(dtype), tokenizer, inputs=batch)
    assert next(iter(trace.blocks.values())).layers[0].queries.dtype == dtype
    assert check(trace) > 100
    compared = 0
    for one, other in zip(whole.scores, find_patterns(trace).scores, strict=True):
        assert (one.whole is None) == (other.whole is None)
        if one.whole is not None and other.whole is not None:
            assert one.whole.uniform == other.whole.uniform
            assert one.whole.score == pytest.approx(
                other.whole.score, abs=torch.finfo(dtype).eps / 8
            )
            compared += 1
    assert compared == 120
