"""Tiny models of many architectures, what they read, and what must be unchanged afterwards."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

ENCODERS = ["albert", "bert", "distilbert", "electra", "modernbert", "roberta"]
DECODERS = ["gemma2", "gpt2", "gpt_oss", "llama", "mistral", "qwen3"]
TWO_STACKS = ["bart", "marian", "t5"]
A = "I went to the store."
B = "At the store, I bought fresh strawberries."
# Of the model's own kernel from eager, both in float32: T5 multiplies large scores.
TOLERANCE = 1e-5


def texts(length: int = 9, rows: int = 2) -> Tensor:
    torch.manual_seed(1)
    return torch.randint(5, 99, (rows, length))


def batch_of(architecture: str, padding: str = "none") -> dict[str, Tensor]:
    """Two texts; the second is three tokens shorter where there is padding."""
    batch: dict[str, Tensor] = {}
    if architecture != "vit":
        ids = texts()
        mask = torch.ones_like(ids)
        if padding == "right":
            mask[1, 6:] = 0
        elif padding == "left":
            mask[1, :3] = 0
        batch = {"input_ids": ids, "attention_mask": mask}
    if architecture in TWO_STACKS:
        batch["decoder_input_ids"] = texts(5)
    if architecture in ("vit", "clip"):
        batch["pixel_values"] = torch.randn(2, 3, 16, 16)
    return batch


def architectures() -> dict[str, Callable[[], Any]]:
    """How to make each of them."""
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
        # Older versions run it on sdpa, which drops its softcap.
        "gemma2": lambda: t.Gemma2ForCausalLM._from_config(
            t.Gemma2Config(
                **grouped, head_dim=8, sliding_window=3, attn_logit_softcapping=2.0, **_eos()
            ),
            attn_implementation="eager",
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


def architectures_by_operations() -> dict[str, Callable[[], Any]]:
    """How to make those whose attention is seen in torch operations, not at the interface."""
    import transformers as t

    size = {
        "hidden_size": 32,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "intermediate_size": 37,
        "vocab_size": 99,
    }
    gpt = {"n_embd": 32, "n_layer": 2, "n_head": 4, "vocab_size": 99, "n_positions": 32}
    return {
        "bloom": lambda: t.BloomModel(
            t.BloomConfig(hidden_size=32, n_layer=2, n_head=4, vocab_size=99)
        ),
        "deberta": lambda: t.DebertaV2Model(
            t.DebertaV2Config(**size, relative_attention=True, pos_att_type=["p2c", "c2p"])
        ),
        "falcon": lambda: t.FalconModel(t.FalconConfig(**size)),
        # On sdpa it scales its biases differently, so both runs are on the eager kernel.
        "falcon alibi": lambda: t.FalconModel._from_config(
            t.FalconConfig(**size, alibi=True), attn_implementation="eager"
        ),
        "gptj": lambda: t.GPTJModel(t.GPTJConfig(**gpt, rotary_dim=4)),
        "mpnet": lambda: t.MPNetModel(t.MPNetConfig(**size)),
        "mpt": lambda: t.MptModel(t.MptConfig(d_model=32, n_heads=4, n_layers=2, vocab_size=99)),
        "openai-gpt": lambda: t.OpenAIGPTModel(t.OpenAIGPTConfig(**gpt)),
        "xlm": lambda: t.XLMModel(t.XLMConfig(emb_dim=32, n_layers=2, n_heads=4, n_words=99)),
        "xlnet": lambda: t.XLNetModel(
            t.XLNetConfig(d_model=32, n_layer=2, n_head=4, d_inner=37, vocab_size=99)
        ),
    }


def _eos() -> dict[str, int]:
    return {"bos_token_id": 2, "eos_token_id": 3}


def state_of(model: nn.Module) -> dict[str, Any]:
    """All that could be changed by somebody who borrows a model."""
    hooks = ("_forward_hooks", "_forward_pre_hooks", "_backward_hooks", "_backward_pre_hooks")
    return {
        "parameters": {k: (id(v), v._version, v.grad) for k, v in model.named_parameters()},
        "buffers": {k: (id(v), v._version) for k, v in model.named_buffers()},
        "training": {name: module.training for name, module in model.named_modules()},
        "hooks": {
            name: [len(getattr(module, hook)) for hook in hooks]
            for name, module in model.named_modules()
        },
        "attributes": {name: sorted(vars(module)) for name, module in model.named_modules()},
        "forward": {name: "forward" in vars(module) for name, module in model.named_modules()},
        "config": copy.deepcopy(getattr(model, "config", None)).to_dict(),
        "implementation": model.config._attn_implementation,
        "random": torch.random.get_rng_state().tolist(),
        "grad": torch.is_grad_enabled(),
    }
