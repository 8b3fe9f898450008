"""Tiny models with seeded random weights, and tokenizers made on the fly: no test needs a hub."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.models import architectures

WORDS = "i went to the store . at , bought fresh straw ##berries"
VOCABULARY = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *WORDS.split()]


@pytest.fixture(scope="session")
def build() -> Callable[[str], Any]:
    """Make a model of one architecture, in eval mode, with weights that make sharp attention."""
    import torch
    import transformers

    torch.set_num_threads(1)
    transformers.logging.set_verbosity_error()
    makers = architectures()

    def make(architecture: str) -> Any:
        torch.manual_seed(0)
        model = makers[architecture]()
        for parameter in model.parameters():
            torch.nn.init.normal_(parameter, std=0.3)
        return model.eval()

    return make


@pytest.fixture(scope="session")
def own_attention() -> Callable[..., Mapping[str, Any]]:
    """What a model itself returns under eager, on the same weights: a list per block."""
    import copy

    import torch

    def run(model: Any, **batch: Any) -> Mapping[str, Any]:
        eager = copy.deepcopy(model).eval()
        eager.set_attn_implementation("eager")
        with torch.no_grad():
            out = eager(**batch, output_attentions=True)
        if "encoder_attentions" in out:
            return {name: out[f"{name}_attentions"] for name in ("encoder", "decoder", "cross")}
        if "text_model_output" in out:
            towers = ("text_model", "vision_model")
            return {f"{name}.encoder": out[f"{name}_output"].attentions for name in towers}
        return {"self": out.attentions}

    return run


@pytest.fixture(scope="session")
def word_tokenizer() -> Callable[..., Any]:
    """Make a fast WordPiece tokenizer; ``pair`` is its template for two sentences."""

    def make(pair: str = "[CLS] $A [SEP] $B:1 [SEP]:1", **options: Any) -> Any:
        from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
        from transformers import PreTrainedTokenizerFast

        numbers = {word: number for number, word in enumerate(VOCABULARY)}
        backend = Tokenizer(models.WordPiece(numbers, unk_token="[UNK]"))
        backend.normalizer = normalizers.BertNormalizer()
        backend.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
        if pair:
            backend.post_processor = processors.TemplateProcessing(
                single="[CLS] $A [SEP]",
                pair=pair,
                special_tokens=[(name, numbers[name]) for name in ("[CLS]", "[SEP]")],
            )
        options.setdefault("model_input_names", ["input_ids", "token_type_ids", "attention_mask"])
        return PreTrainedTokenizerFast(
            tokenizer_object=backend,
            unk_token="[UNK]",
            pad_token="[PAD]",
            cls_token="[CLS]",
            sep_token="[SEP]",
            mask_token="[MASK]",
            **options,
        )

    return make


@pytest.fixture(scope="session")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which ``from_pretrained("bert-base-uncased")`` and the like load tiny models."""
    from tests.campaigns import small_hub

    folder = tmp_path_factory.mktemp("hub")
    small_hub.make(folder)
    return folder
