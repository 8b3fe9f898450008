"""Heads known to follow a pattern are found, and none in noise."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import torch

from bertviz import PatternScores, find_patterns
from bertviz.demo import SENTENCE_A, SENTENCE_B, load_demo_model
from tests.analysis import hand_set
from tests.analysis.patterns.plain import NAMES


@pytest.fixture(scope="module")
def recovered() -> PatternScores:
    model, tokenizer, _ = hand_set.hand_set()
    return find_patterns(model, tokenizer, hand_set.TEXTS)


def test_layer_norm_does_nothing_to_hand_set_vectors() -> None:
    model, tokenizer, _ = hand_set.hand_set()
    batch = tokenizer(*hand_set.TEXTS[0], return_tensors="pt")
    table = model.bert.embeddings
    raw = (
        table.word_embeddings(batch["input_ids"])
        + table.position_embeddings.weight[: batch["input_ids"].shape[1]]
        + table.token_type_embeddings(batch["token_type_ids"])
    )
    with torch.no_grad():
        states = model.bert(**batch, output_hidden_states=True).hidden_states
    torch.testing.assert_close(states[0], raw, atol=1e-5, rtol=0)
    for name in ("token", "place"):  # and nearly nothing after what two heads have written
        where = hand_set.at(name)
        torch.testing.assert_close(states[1][..., where], raw[..., where], atol=2e-3, rtol=0)


@pytest.mark.parametrize("name", NAMES)
def test_every_pattern_is_recovered(recovered: PatternScores, name: str) -> None:
    where = hand_set.WHERE[name]
    found = next(best for best in recovered.best(name) if best[:2] == where)
    assert found.score > 0.95
    assert found.score - found.null > 0.3
    assert name in recovered.labels()[where]
    assert found.score >= recovered.best(name)[0].score - 0.001


def test_heads_of_noise_have_no_label(recovered: PatternScores) -> None:
    for (layer, head), labels in recovered.labels().items():
        if layer == 1 and head != hand_set.INDUCTION:
            assert labels == ()


def random_models(std: float | None) -> Iterator[tuple[Any, Any]]:
    from transformers import BertConfig, BertModel

    for seed in range(10):
        torch.manual_seed(seed)
        config = BertConfig(
            vocab_size=len(hand_set.TOKENS),
            hidden_size=192,
            num_hidden_layers=2,
            num_attention_heads=12,
            intermediate_size=64,
            max_position_embeddings=32,
        )
        model = BertModel(config).eval()
        if std is not None:
            for parameter in model.parameters():
                if parameter.ndim > 1:
                    torch.nn.init.normal_(parameter, std=std)
        yield model, hand_set.tokenizer()


def labelled(std: float | None) -> tuple[int, list[str]]:
    """Over ten random models: how many scores there are, and which got a label."""
    count, labels = 0, []
    for model, tokenizer in random_models(std):
        scores = find_patterns(model, tokenizer, hand_set.TEXTS)
        count += sum(row.whole is not None for row in scores.scores)
        labels += [label for some in scores.labels().values() for label in some]
    return count, labels


def test_random_models_have_no_labels() -> None:
    count, labels = labelled(None)
    assert count == 10 * 24 * 12
    assert labels == []


def test_pointed_random_models_have_fewer_labels_than_the_level() -> None:
    # Weights so large that nearly all attention lies on one key. What is found is heads that prefer
    # one token whatever the query: of those "first token" and "delimiters" are true.
    count, labels = labelled(0.3)
    assert len(labels) <= 0.01 * count
    assert set(labels) <= {"first token", "delimiters"}


@pytest.fixture(scope="module")
def demo() -> tuple[Any, Any]:
    return load_demo_model()


def test_known_heads_of_the_demo_model(demo: tuple[Any, Any]) -> None:
    scores = find_patterns(*demo, (SENTENCE_A, SENTENCE_B))
    layer, head, score, null = scores.best("previous token")[0]
    assert (layer, head) == (0, 2)
    assert score > 0.98
    assert null == pytest.approx(1 / 19)
    layer, head, score, null = scores.best("next token")[0]
    assert (layer, head) == (1, 8)
    assert score == pytest.approx(0.65, abs=0.02)
    assert scores.best("bag of words")[0][:2] == (0, 3)
    first = [head[:2] for head in scores.best("first token")[:6]]
    assert (2, 7) in first
    assert (4, 5) in first
    assert scores.best("same token in the other sentence")[0][:2] == (2, 9)
    assert scores.best("same token in the other sentence")[0].score == pytest.approx(0.17, abs=0.01)
    assert "previous token" in scores.labels()[0, 2]
    assert "next token" in scores.labels()[1, 8]


def test_the_other_sentence_with_repeated_nouns(demo: tuple[Any, Any]) -> None:
    pairs = [
        ("The cat sat on the mat.", "The cat lay on the rug."),
        ("The dog chased the ball in the garden.", "The ball rolled away, and the dog was sad."),
        ("The king gave the crown to the queen.", "The queen put the crown on her head."),
    ]
    scores = find_patterns(*demo, pairs)
    layer, head, score, null = scores.best("same token in the other sentence")[0]
    assert (layer, head) == (2, 9)
    assert score - null > 0.1
