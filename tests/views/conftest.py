"""A small BERT with its tokenizer, what it returns, and a trace of arrays."""

from __future__ import annotations

import pytest
import torch
from transformers import BertConfig, BertModel, BertTokenizer

from bertviz import AttentionTrace
from tests.views.texts import TOKENS, VOCABULARY, A, B


@pytest.fixture(scope="module")
def trace() -> AttentionTrace:
    """Three layers of four heads, with queries and keys."""
    torch.manual_seed(0)
    return AttentionTrace.from_arrays(
        tokens=TOKENS, queries=torch.randn(3, 4, 3, 8), keys=torch.randn(3, 4, 3, 8)
    )


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory: pytest.TempPathFactory) -> BertTokenizer:
    vocabulary = tmp_path_factory.mktemp("vocabulary") / "vocab.txt"
    vocabulary.write_text("\n".join(VOCABULARY.split()))
    return BertTokenizer(str(vocabulary))


@pytest.fixture(scope="module")
def model() -> BertModel:
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=17,
        hidden_size=32,
        num_hidden_layers=3,
        num_attention_heads=4,
        intermediate_size=32,
    )
    return BertModel(config).eval()


@pytest.fixture(scope="module")
def attention(model: BertModel, tokenizer: BertTokenizer) -> tuple[torch.Tensor, ...]:
    """What the model itself returns under eager, batch dimension included."""
    before = model.config._attn_implementation
    model.set_attn_implementation("eager")
    with torch.no_grad():
        output = model(**tokenizer(A, B, return_tensors="pt"), output_attentions=True)
    model.set_attn_implementation(before)
    found: tuple[torch.Tensor, ...] = output.attentions
    return found
