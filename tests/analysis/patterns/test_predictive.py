"""Predictive words are those that the masked language model needs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch

from bertviz import extract, find_patterns
from bertviz.analysis.patterns.predictive import probabilities
from tests.analysis import hand_set
from tests.analysis.patterns.plain import TEXT


def test_probabilities_are_those_of_the_masked_model() -> None:
    model, tokenizer, _ = hand_set.hand_set()
    text, pair = hand_set.TEXTS[3]
    trace = extract(model, tokenizer, text, pair)
    block = trace.blocks["encoder"]
    found = probabilities(model, tokenizer, text, pair, trace, 40)["encoder"]
    batch = tokenizer(text, pair, return_tensors="pt")
    straw, cat = block.query_tokens.index("straw"), block.query_tokens.index("cat")
    for also in (block.query.words[straw], block.query.words[cat]):
        masked = batch["input_ids"].clone()
        for place, word in enumerate(block.query.words):
            if word in (block.query.words[straw], also):
                masked[0, place] = tokenizer.mask_token_id
        with torch.no_grad():
            logits = model(**{**batch, "input_ids": masked}).logits[0].softmax(-1)
        both = [logits[straw + i, batch["input_ids"][0, straw + i]] for i in (0, 1)]
        expected = float(both[0] * both[1])
        assert float(found[block.query.words[straw], also]) == pytest.approx(expected, rel=1e-4)
    assert bool(found[0].isnan().all())  # [CLS]


def test_predictive_words_as_words() -> None:
    model, tokenizer, _ = hand_set.hand_set()
    layer, head, score, null = find_patterns(model, tokenizer, hand_set.TEXTS, words=True).best(
        "predictive words"
    )[0]
    assert (layer, head) == hand_set.WHERE["predictive words"]
    assert score > 0.95
    assert null < 0.2


def test_the_model_is_as_before() -> None:
    model, tokenizer, _ = hand_set.hand_set()
    model.train()
    model.bert.encoder.layer[0].eval()
    flags = [module.training for module in model.modules()]
    state = torch.get_rng_state()
    find_patterns(model, tokenizer, hand_set.TEXTS[3])
    assert [module.training for module in model.modules()] == flags
    assert torch.equal(torch.get_rng_state(), state)


def test_why_predictive_words_are_unavailable(
    build: Callable[[str], Any], word_tokenizer: Callable[..., Any]
) -> None:
    model, tokenizer, _ = hand_set.hand_set()

    def reason(*args: Any, **options: Any) -> str:
        return find_patterns(*args, **options).unavailable["predictive words"]

    assert "find_patterns(model, tokenizer, texts)" in reason(extract(model, tokenizer, "the cat"))
    assert "BertModel does not predict" in reason(build("bert"), word_tokenizer(), TEXT)
    long = reason(model, tokenizer, "the cat sat", predictive_words=2)
    assert "3 words, which takes 6 forward passes: pass predictive_words=3" in long
    tokenizer.mask_token = None
    assert "no mask token" in reason(model, tokenizer, "the cat sat")
