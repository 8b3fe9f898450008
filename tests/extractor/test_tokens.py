"""Tokens, sentences and words, as the model reads them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from bertviz.extractor import extract
from tests.models import A, B

PAIR = ["[CLS]", "i", "went", "to", "the", "store", ".", "[SEP]"]
PAIR += ["at", "the", "store", ",", "i", "bought", "fresh", "straw", "##berries", ".", "[SEP]"]


def test_a_pair_of_sentences(build: Callable[..., Any], word_tokenizer: Callable[..., Any]) -> None:
    block = extract(build("bert"), word_tokenizer(), A, B).blocks["encoder"]
    assert list(block.query_tokens) == PAIR
    assert block.key_tokens == block.query_tokens
    second = PAIR.index("at")
    assert block.query.sentences == tuple(int(i >= second) for i in range(len(PAIR)))


def test_a_pair_without_token_types(
    build: Callable[..., Any], word_tokenizer: Callable[..., Any]
) -> None:
    tokenizer = word_tokenizer(
        "[CLS] $A [SEP] [SEP] $B [SEP]", model_input_names=["input_ids", "attention_mask"]
    )
    block = extract(build("roberta"), tokenizer, A, B).blocks["encoder"]
    assert block.query.sentences is not None
    second = block.query_tokens.index("at")
    # Of the two separators in the middle the first closes a sentence, the second opens the next.
    assert block.query.sentences.index(1) == second - 1


def test_a_pair_that_is_padded(
    build: Callable[..., Any], word_tokenizer: Callable[..., Any]
) -> None:
    tokenizer = word_tokenizer()
    batch = tokenizer([A, A], [B, "The store."], padding=True, return_tensors="pt")
    block = extract(build("bert"), tokenizer, inputs=batch, batch_index=1).blocks["encoder"]
    assert "[PAD]" not in block.query_tokens
    assert block.query.sentences is not None
    assert block.query.sentences.index(1) == block.query_tokens.index("[SEP]") + 1


def test_the_decoder_reads_the_second_text_shifted(
    build: Callable[..., Any], word_tokenizer: Callable[..., Any]
) -> None:
    trace = extract(build("bart"), word_tokenizer(), A, B)
    assert list(trace.blocks) == ["encoder", "decoder", "cross"]
    cross = trace.blocks["cross"]
    assert cross.key_tokens == trace.blocks["encoder"].query_tokens
    assert cross.query_tokens == trace.blocks["decoder"].query_tokens
    assert cross.query_tokens[:3] == ("[CLS]", "[CLS]", "at"), "the start token, then the text"
    alone = extract(build("bart"), word_tokenizer(), A)
    assert alone.blocks["cross"].query_tokens == ("[CLS]",)


def test_without_a_tokenizer_positions_name_tokens(build: Callable[..., Any]) -> None:
    trace = extract(build("bert"), inputs={"input_ids": [2, 7, 8, 3]})
    assert trace.blocks["encoder"].query_tokens == ("0", "1", "2", "3")


def test_words_as_a_fast_tokenizer_says(build: Callable[..., Any]) -> None:
    """Its vocabulary marks neither spaces nor subword tokens, so its strings alone say nothing."""
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    letters = {letter: number for number, letter in enumerate("[strawbei.]")}
    vocabulary = {**letters, "st": 20, "be": 21}
    backend = Tokenizer(models.BPE(vocabulary, [("s", "t"), ("b", "e")]))
    backend.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=backend)
    block = extract(build("bert"), tokenizer, "straw be.", "is be").blocks["encoder"]
    assert block.query_tokens == ("st", "r", "a", "w", "be", ".", "i", "s", "be")
    assert block.query.words == (0, 0, 0, 0, 1, 2, 3, 3, 4)
