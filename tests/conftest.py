"""Tiny models with seeded random weights, and tokenizers made on the fly: no test needs a hub."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest

WORDS = "i went to the store . at , bought fresh straw ##berries"
VOCABULARY = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *WORDS.split()]


def _models() -> dict[str, Callable[[], Any]]:
    import transformers as t

    size = {
        "hidden_size": 32,
        "num_hidden_layers": 3,
        "num_attention_heads": 4,
        "intermediate_size": 37,
        "vocab_size": 99,
    }
    grouped = {**size, "num_key_value_heads": 2, "pad_token_id": 0}
    special = {"pad_token_id": 0, "bos_token_id": 2, "eos_token_id": 3}
    seq2seq = {
        "d_model": 32,
        "encoder_layers": 2,
        "decoder_layers": 3,
        "encoder_attention_heads": 4,
        "decoder_attention_heads": 2,
        "encoder_ffn_dim": 37,
        "decoder_ffn_dim": 37,
        "vocab_size": 99,
        "max_position_embeddings": 32,
        **special,
        "decoder_start_token_id": 2,
        "forced_eos_token_id": None,
    }
    t5 = {
        "d_model": 32,
        "d_kv": 8,
        "num_layers": 3,  # generate() gives both stacks a cache of as many layers
        "num_decoder_layers": 3,
        "num_heads": 4,
        "d_ff": 37,
        "vocab_size": 99,
        "decoder_start_token_id": 0,
    }
    patches = {key: value for key, value in size.items() if key != "vocab_size"}
    patches |= {"image_size": 16, "patch_size": 4}
    heads2 = {**size, "position_embedding_type": "absolute", "max_position_embeddings": 32}
    return {
        "albert": lambda: t.AlbertModel(t.AlbertConfig(**heads2, embedding_size=16)),
        "bart": lambda: t.BartForConditionalGeneration(t.BartConfig(**seq2seq)),
        "bert": lambda: t.BertModel(t.BertConfig(**heads2)),
        "clip": lambda: t.CLIPModel(
            t.CLIPConfig(text_config={**size, **special}, vision_config=patches)
        ),
        "distilbert": lambda: t.DistilBertModel(
            t.DistilBertConfig(dim=32, n_layers=3, n_heads=4, hidden_dim=37, vocab_size=99)
        ),
        "electra": lambda: t.ElectraModel(t.ElectraConfig(**heads2, embedding_size=16)),
        "gemma2": lambda: t.Gemma2ForCausalLM(
            t.Gemma2Config(
                **grouped, head_dim=8, sliding_window=3, attn_logit_softcapping=2.0, **_eos()
            )
        ),
        "gpt2": lambda: t.GPT2LMHeadModel(
            t.GPT2Config(n_embd=32, n_layer=3, n_head=4, vocab_size=99, n_positions=32, **_eos())
        ),
        "gpt_oss": lambda: t.GptOssForCausalLM(
            t.GptOssConfig(
                **{**grouped, **_eos(), "intermediate_size": 48},  # experts' rows in 16 bytes
                head_dim=8,
                num_local_experts=2,
                num_experts_per_tok=1,
                sliding_window=3,
            )
        ),
        "llama": lambda: t.LlamaForCausalLM(t.LlamaConfig(**grouped, max_position_embeddings=32)),
        "marian": lambda: t.MarianMTModel(t.MarianConfig(**seq2seq)),
        "mistral": lambda: t.MistralForCausalLM(t.MistralConfig(**grouped, sliding_window=3)),
        "modernbert": lambda: t.ModernBertModel(
            t.ModernBertConfig(
                **{**size, **special}, cls_token_id=2, sep_token_id=3, local_attention=4
            )
        ),
        "qwen3": lambda: t.Qwen3ForCausalLM(t.Qwen3Config(**grouped, head_dim=8)),
        "roberta": lambda: t.RobertaModel(
            t.RobertaConfig(**{**size, "max_position_embeddings": 34}, pad_token_id=1)
        ),
        "t5": lambda: t.T5ForConditionalGeneration(t.T5Config(**t5)),
        "vit": lambda: t.ViTModel(t.ViTConfig(**patches)),
    }


def _eos() -> dict[str, int]:
    return {"bos_token_id": 2, "eos_token_id": 3}


@pytest.fixture(scope="session")
def build() -> Callable[[str], Any]:
    """Make a model of one architecture, in eval mode, with weights that make sharp attention."""
    import torch
    import transformers

    torch.set_num_threads(1)
    transformers.logging.set_verbosity_error()
    makers = _models()

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
