"""A folder that stands for a model hub: old code names models, and tiny ones load.

``from_pretrained("bert-base-uncased")`` also reads a folder of that name, so code written for
BertViz runs unchanged in here, through the real loading and the real tokenizers. The models have
12 layers of 12 heads, since old code says ``layer=2, head=11``.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

TEXT = (
    "The cat sat on the mat lay rug I went to store quickest brown fox jumped over lazy dog quick"
    " Bert is a yellow muppet character translate English German house wonderful time flies like"
    " an arrow read good novel rabbit quickly hopped turtle slowly crawled"
)
WORDS = TEXT.split()
LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.,:'"
SIZE = {
    "hidden_size": 24,
    "num_hidden_layers": 12,
    "num_attention_heads": 12,
    "intermediate_size": 24,
}
SPECIAL = {"pad_token_id": 1, "bos_token_id": 0, "eos_token_id": 2}


def make(folder: Path) -> None:
    """Write every model that the snippets name, with its tokenizer."""
    import torch
    import transformers as t

    t.logging.disable_progress_bar()
    bert, byte_pairs, pieces = bert_tokenizer(folder), byte_pair_tokenizers(), unigram_tokenizers()
    gpt2, roberta = byte_pairs
    xlnet, t5 = pieces
    stacks = {
        "d_model": 24,
        "encoder_layers": 6,
        "decoder_layers": 6,
        "encoder_attention_heads": 12,
        "decoder_attention_heads": 12,
        "encoder_ffn_dim": 24,
        "decoder_ffn_dim": 24,
        "decoder_start_token_id": 2,
    }
    models: dict[str, tuple[Any, Callable[[int], Any]]] = {
        "bert-base-uncased": (bert, lambda n: t.BertModel(t.BertConfig(vocab_size=n, **SIZE))),
        "microsoft/xtremedistil-l12-h384-uncased": (
            bert,
            lambda n: t.BertModel(t.BertConfig(vocab_size=n, **SIZE)),
        ),
        "distilbert-base-uncased": (
            bert,
            lambda n: t.DistilBertModel(
                t.DistilBertConfig(vocab_size=n, dim=24, n_layers=6, n_heads=12, hidden_dim=24)
            ),
        ),
        "albert-base-v2": (
            bert,
            lambda n: t.AlbertModel(t.AlbertConfig(vocab_size=n, embedding_size=16, **SIZE)),
        ),
        "gpt2": (
            gpt2,
            lambda n: t.GPT2LMHeadModel(
                t.GPT2Config(vocab_size=n, n_embd=24, n_layer=12, n_head=12, **eos(gpt2))
            ),
        ),
        "roberta-base": (
            roberta,
            lambda n: t.RobertaModel(t.RobertaConfig(vocab_size=n, **SIZE, **SPECIAL)),
        ),
        "xlnet-base-cased": (
            xlnet,
            lambda n: t.XLNetModel(
                t.XLNetConfig(vocab_size=n, d_model=24, n_layer=12, n_head=12, d_inner=24)
            ),
        ),
        "facebook/bart-base": (
            roberta,
            lambda n: t.BartForConditionalGeneration(
                t.BartConfig(vocab_size=n, forced_eos_token_id=None, **stacks, **SPECIAL)
            ),
        ),
        "google-t5/t5-small": (
            t5,
            lambda n: t.T5ForConditionalGeneration(
                t.T5Config(
                    vocab_size=n,
                    d_model=24,
                    d_kv=2,
                    num_layers=6,
                    num_heads=12,
                    d_ff=24,
                    decoder_start_token_id=0,
                )
            ),
        ),
    }
    for name, (tokenizer, build) in models.items():
        torch.manual_seed(0)
        build(len(tokenizer)).save_pretrained(folder / name)
        tokenizer.save_pretrained(folder / name)


def bert_tokenizer(folder: Path) -> Any:
    """WordPiece, lower case."""
    from transformers import BertTokenizer

    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    words = dict.fromkeys(word.lower() for word in WORDS)
    parts = [*LETTERS, *(f"##{letter}" for letter in LETTERS if letter.isalpha())]
    vocabulary = folder / "vocab.txt"
    vocabulary.write_text("\n".join([*special, *words, *parts]), encoding="utf-8")
    return BertTokenizer(str(vocabulary))


def byte_pair_tokenizers() -> tuple[Any, Any]:
    """GPT-2's and RoBERTa's, with the same merges."""
    from tokenizers import pre_tokenizers
    from transformers import GPT2Tokenizer, RobertaTokenizer

    known = dict.fromkeys(sorted(pre_tokenizers.ByteLevel.alphabet()))
    merges = []
    for word in dict.fromkeys([*(f"Ġ{word}" for word in WORDS), *WORDS]):
        whole = word[0]
        for letter in word[1:]:
            if whole + letter not in known:
                merges.append((whole, letter))
                known[whole + letter] = None
            whole += letter
    special = ["<s>", "<pad>", "</s>", "<unk>"]
    ids = {token: number for number, token in enumerate([*known, "<|endoftext|>"])}
    others = {token: number for number, token in enumerate([*special, *known, "<mask>"])}
    return GPT2Tokenizer(vocab=ids, merges=merges), RobertaTokenizer(vocab=others, merges=merges)


def unigram_tokenizers() -> tuple[Any, Any]:
    """XLNet's and T5's."""
    from transformers import T5Tokenizer, XLNetTokenizer

    pieces = [(f"▁{word}", -2.0) for word in dict.fromkeys(WORDS)]
    pieces += [(letter, -9.0) for letter in "▁" + LETTERS]
    special = ["<unk>", "<s>", "</s>", "<cls>", "<sep>", "<pad>", "<mask>"]
    xlnet = XLNetTokenizer(vocab=[*((name, 0.0) for name in special), *pieces])
    special = ["<pad>", "</s>", "<unk>"]
    return xlnet, T5Tokenizer(vocab=[*((name, 0.0) for name in special), *pieces], extra_ids=0)


def eos(tokenizer: Any) -> dict[str, int]:
    return {"bos_token_id": tokenizer.bos_token_id, "eos_token_id": tokenizer.eos_token_id}
