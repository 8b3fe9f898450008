"""``bertviz.neuron_view.get_attention``: the facts that BertViz's own tests check, and the rest."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers as t

from bertviz.neuron_view import format_delimiters, get_attention
from tests.campaigns.small_hub import bert_tokenizer, byte_pair_tokenizers, unigram_tokenizers
from tests.models import state_of

A = "The quickest brown fox jumped over the lazy dog"
B = "the quick brown fox jumped over the lazy dog"
TEXT = "Bert is a yellow muppet character"
SIZE = {
    "hidden_size": 16,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "intermediate_size": 16,
}
BERT = [t.BertModel, t.BertForSequenceClassification, t.BertForQuestionAnswering]


@pytest.fixture(scope="module")
def bert(tmp_path_factory: pytest.TempPathFactory) -> Any:
    return bert_tokenizer(tmp_path_factory.mktemp("vocabulary"))


@pytest.fixture(scope="module")
def roberta() -> tuple[Any, Any]:
    tokenizer = byte_pair_tokenizers()[1]
    config = t.RobertaConfig(vocab_size=len(tokenizer), pad_token_id=1, **SIZE)
    return t.RobertaModel(config), tokenizer


def a_bert(cls: Callable[[Any], Any], tokenizer: Any) -> Any:
    torch.manual_seed(0)
    return cls(t.BertConfig(vocab_size=len(tokenizer), **SIZE))


def check_rows(layers: list[Any]) -> None:
    """Every row of every layer and head sums to one."""
    for layer in layers:
        sums = torch.tensor(layer).sum(-1)
        torch.testing.assert_close(sums, torch.ones_like(sums), atol=1e-5, rtol=0)


def check_pair(data: dict[str, Any], a: list[str], b: list[str]) -> None:
    """The four parts have the tokens of their sides, and make up the whole."""
    sides = {"a": a, "b": b}
    assert data["all"]["left_text"] == data["all"]["right_text"] == [*a, *b]
    for part in ("aa", "ab", "ba", "bb"):
        assert data[part]["left_text"] == sides[part[0]]
        assert data[part]["right_text"] == sides[part[1]]
    check_rows(data["all"]["attn"])
    for layer, whole in enumerate(data["all"]["attn"]):
        aa, ab, ba, bb = (
            torch.tensor(data[part]["attn"][layer]) for part in ("aa", "ab", "ba", "bb")
        )
        rows = [torch.cat((aa, ab), -1), torch.cat((ba, bb), -1)]
        assert torch.equal(torch.cat(rows, -2), torch.tensor(whole))


@pytest.mark.parametrize("cls", BERT)
def test_bert(cls: Callable[[Any], Any], bert: Any) -> None:
    model = a_bert(cls, bert)
    one = ["[CLS]", *A.lower().split(), "[SEP]"]
    data = get_attention(model, "bert", bert, A, B, include_queries_and_keys=False)
    check_pair(data, one, [*B.split(), "[SEP]"])
    assert set(data["all"]) == {"attn", "left_text", "right_text"}
    for nothing in (None, ""):
        alone = get_attention(model, "bert", bert, A, nothing, include_queries_and_keys=False)
        assert list(alone) == ["all"]
        assert alone["all"]["left_text"] == alone["all"]["right_text"] == one
        check_rows(alone["all"]["attn"])


def test_the_numbers_are_the_models_own(bert: Any) -> None:
    model = a_bert(t.BertModel, bert)
    data = get_attention(model, "bert", bert, A, B)
    model.set_attn_implementation("eager")
    with torch.no_grad():
        own = model.eval()(**bert(A, B, return_tensors="pt"), output_attentions=True).attentions
    for layer, weights in zip(data["all"]["attn"], own, strict=True):
        torch.testing.assert_close(torch.tensor(layer), weights[0], atol=1e-5, rtol=0)


def test_roberta(roberta: tuple[Any, Any]) -> None:
    model, tokenizer = roberta
    data = get_attention(model, "roberta", tokenizer, A, B)
    words = [f" {word}" for word in A.split()]
    one = ["[CLS]", words[0].strip(), *words[1:], "[SEP]"]
    two = ["[SEP]", "the", *(f" {word}" for word in B.split()[1:]), "[SEP]"]
    check_pair(data, one, two)
    alone = get_attention(model, "roberta", tokenizer, A)
    assert alone["all"]["left_text"] == one


def test_gpt2() -> None:
    tokenizer = byte_pair_tokenizers()[0]
    config = t.GPT2Config(vocab_size=len(tokenizer), n_embd=16, n_layer=2, n_head=4)
    data = get_attention(t.GPT2Model(config), "gpt2", tokenizer, TEXT)["all"]
    words = TEXT.split()
    assert data["left_text"] == data["right_text"] == [words[0], *(f" {x}" for x in words[1:])]
    check_rows(data["attn"])
    for row, numbers in enumerate(data["attn"][0][0]):
        assert all((number != 0) == (column <= row) for column, number in enumerate(numbers))


def test_xlnet() -> None:
    tokenizer = unigram_tokenizers()[0]
    config = t.XLNetConfig(vocab_size=len(tokenizer), d_model=16, n_layer=2, n_head=4, d_inner=16)
    model = t.XLNetModel(config)
    data = get_attention(model, "xlnet", tokenizer, TEXT, include_queries_and_keys=False)["all"]
    assert data["left_text"] == [*(f" {word}" for word in TEXT.split()), "[SEP]", "[CLS]"]
    check_rows(data["attn"])


@pytest.mark.parametrize("pair", [False, True])
def test_queries_and_keys(bert: Any, pair: bool) -> None:
    model = a_bert(t.BertModel, bert)
    data = get_attention(model, "bert", bert, A, B if pair else None, include_queries_and_keys=True)
    kinds = {"all", "aa", "ab", "ba", "bb"} if pair else {"all"}
    assert set(data) == kinds
    for part in data.values():
        for layer in range(2):
            queries, keys = (torch.tensor(part[name][layer]) for name in ("queries", "keys"))
            assert queries.shape == (4, len(part["left_text"]), 4)
            assert keys.shape == (4, len(part["right_text"]), 4)
    queries, keys = (torch.tensor(data["all"][name][1]) for name in ("queries", "keys"))
    weights = torch.softmax(queries @ keys.transpose(-1, -2) / 2, -1)
    torch.testing.assert_close(weights, torch.tensor(data["all"]["attn"][1]), atol=1e-5, rtol=0)


def test_shared_keys_are_given_to_every_head() -> None:
    tokenizer = byte_pair_tokenizers()[0]
    size = {**SIZE, "num_key_value_heads": 2, "vocab_size": len(tokenizer)}
    model = t.LlamaModel(t.LlamaConfig(**size))
    data = get_attention(model, "gpt2", tokenizer, TEXT, include_queries_and_keys=True)["all"]
    keys = torch.tensor(data["keys"][0])
    assert keys.shape == (4, 6, 4)
    assert torch.equal(keys[0], keys[1])
    assert not torch.equal(keys[1], keys[2])


def test_the_model_is_given_back(bert: Any) -> None:
    model = a_bert(t.BertModel, bert).train()
    before = state_of(model)
    get_attention(model, "bert", bert, A, B, include_queries_and_keys=True)
    assert state_of(model) == before


MISTAKES: list[tuple[dict[str, Any], type[Exception], str]] = [
    ({"model_type": "llama"}, ValueError, r"model_type='llama' .* extract\(model, tokenizer"),
    ({"model_type": None}, TypeError, "model_type is a NoneType"),
    ({"model_type": None}, ValueError, "model_type is a NoneType"),
    ({"sentence_a": ""}, ValueError, "sentence_a is ''"),
    ({"sentence_a": None}, ValueError, "sentence_a is None"),
    ({"sentence_a": 5}, TypeError, "sentence_a is an int"),
    ({"sentence_b": 5}, TypeError, "sentence_b is an int"),
    ({"sentence_b": ["a"]}, TypeError, "sentence_b is a list"),
    ({"model_type": "gpt2", "sentence_b": B}, ValueError, "sentence_b was given .* 'gpt2'"),
    ({"model_type": "xlnet", "sentence_b": B}, NotImplementedError, "sentence_b was given"),
    ({"tokenizer": byte_pair_tokenizers()[0]}, ValueError, "tokenizer has no cls_token, which"),
    ({"tokenizer": "bert-base-uncased"}, TypeError, "tokenizer is a str"),
    ({"model": "bert-base-uncased"}, TypeError, "model is a str"),
]


@pytest.mark.parametrize(("wrong", "error", "message"), MISTAKES)
def test_mistakes_are_named(
    bert: Any, wrong: dict[str, Any], error: type[Exception], message: str
) -> None:
    right = {
        "model": a_bert(t.BertModel, bert),
        "model_type": "bert",
        "tokenizer": bert,
        "sentence_a": A,
    }
    with pytest.raises(error, match=message):
        get_attention(**{**right, **wrong})


def test_a_model_of_two_stacks_is_refused(build: Callable[[str], Any], bert: Any) -> None:
    with pytest.raises(ValueError, match="model has 3 stacks of attention"):
        get_attention(build("t5"), "bert", bert, "the cat")


def test_delimiters(tmp_path: Path) -> None:
    tokenizer = byte_pair_tokenizers()[1]
    assert format_delimiters(["<s>", "a", "</s>"], tokenizer) == ["[CLS]", "a", "[SEP]"]
