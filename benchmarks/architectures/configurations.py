"""Tiny configurations of every architecture, and the model classes made from them."""

from __future__ import annotations

from typing import Any

# What makes a configuration tiny, by the names that configurations use.
NAMES: dict[int, str] = {
    32: """hidden_size d_model n_embd dim embed_dim hidden_dim embedding_size model_dim n_embed
        decoder_hidden_size encoder_hidden_size vision_hidden_size projection_dim width
        text_hidden_size cross_attention_hidden_size emb_dim output_hidden_size out_hidden_size
        qformer_hidden_size word_embed_proj_dim text_embed_dim output_size decoder_dim
        hidden_channels encoder_dim d_latents image_size img_size input_size
        max_source_positions""",
    4: """num_attention_heads n_head num_heads n_heads encoder_attention_heads
        decoder_attention_heads num_encoder_attention_heads num_decoder_attention_heads
        attention_heads vision_heads num_self_attention_heads decoder_num_heads
        num_cross_attention_heads encoder_num_attention_heads decoder_num_attention_heads heads
        encoder_num_heads num_experts num_local_experts n_routed_experts""",
    2: """num_key_value_heads num_kv_heads n_kv_heads multi_query_group_num
        encoder_num_key_value_heads decoder_num_key_value_heads num_hidden_layers n_layer
        num_layers n_layers encoder_layers decoder_layers num_encoder_layers num_decoder_layers
        depth layers num_blocks num_layer num_self_attends_per_block encoder_num_hidden_layers
        decoder_num_hidden_layers decoder_num_layers encoder_num_layers num_backbone_layers
        qformer_num_hidden_layers num_experts_per_tok""",
    64: """intermediate_size d_ff ffn_dim encoder_ffn_dim decoder_ffn_dim n_inner hidden_dim_ff
        dim_feedforward ffn_hidden_size feed_forward_size moe_intermediate_size
        shared_expert_intermediate_size decoder_intermediate_size encoder_intermediate_size
        inner_dim ffn_size mlp_dim shared_intermediate_size expert_ffn_hidden_size
        max_target_positions""",
    128: """vocab_size text_vocab_size audio_vocab_size max_position_embeddings n_positions
        max_seq_len max_sequence_length n_ctx""",
    8: """head_dim d_kv kv_channels attention_head_size d_head patch_size num_latents num_queries
        qk_rope_head_dim qk_nope_head_dim v_head_dim""",
    16: "num_mel_bins q_lora_rank kv_lora_rank",
}
SIZES = {name: size for size, names in NAMES.items() for name in names.split()}
# The last attempt keeps the widths: in some models they depend on each other.
DEPTHS = {name for name in SIZES if "layer" in name or name in ("depth", "num_blocks")}
# Configurations in which several settings have to agree.
RECIPES: dict[str, dict[str, Any]] = {
    "gpt_neo": {"attention_types": [[["global", "local"], 1]], "num_layers": 2},
    "autoformer": {"prediction_length": 6},
    "time_series_transformer": {"prediction_length": 6},
    "xmod": {"default_language": "en_XX"},
    "esm": {"vocab_size": 128, "pad_token_id": 1, "mask_token_id": 2},
}


def tiny(config_class: Any, level: int) -> Any:
    """A small configuration; the level decides which settings are reduced."""
    default = config_class()

    def smaller(config: Any) -> dict[str, Any]:
        changed = {}
        for name in list(vars(config)) + list(getattr(config, "attribute_map", {})):
            key = name.lstrip("_")
            try:
                value = getattr(config, key, None)
            except Exception:  # a property that has one value per layer
                continue
            known = isinstance(value, int) and not isinstance(value, bool) and key in SIZES
            if known and (level < 3 or key in DEPTHS):
                changed[key] = SIZES[key]
        if isinstance(vars(config).get("layer_types"), list):
            kinds = list(dict.fromkeys(config.layer_types))[:2] * 2
            changed["layer_types"] = kinds[:2] or None
        if level == 1:
            changed.pop("head_dim", None)
            changed.pop("patch_size", None)
        if level == 2:
            for key in list(changed):
                if SIZES.get(key) == 2 and "key_value" in key:
                    changed[key] = 4
        for name in ("pad_token_id", "bos_token_id", "eos_token_id", "decoder_start_token_id"):
            value = getattr(config, name, None)
            if isinstance(value, int) and value >= 128:
                changed[name] = 1
        return changed

    subs = getattr(config_class, "sub_configs", {}) or {}
    options = {**smaller(default), **RECIPES.get(default.model_type, {})}
    for name in subs:
        sub = getattr(default, name, None)
        if sub is None:
            continue
        if hasattr(sub, "to_dict"):
            options[name] = {**_plain(sub), **smaller(sub)}
    return config_class(**options)


def _plain(config: Any) -> dict[str, Any]:
    return {"model_type": config.model_type} if getattr(config, "model_type", "") else {}


def classes_of(config: Any) -> list[Any]:
    """The model classes for a configuration, the base model first."""
    from transformers.models.auto import modeling_auto

    found: list[Any] = []
    names = [n for n in vars(modeling_auto) if n.startswith("MODEL_") and n.endswith("MAPPING")]
    names.sort(key=lambda n: (n != "MODEL_MAPPING", "CAUSAL" not in n, n))
    for name in names:
        mapping = getattr(modeling_auto, name)
        try:
            value = mapping[type(config)]
        except (KeyError, ImportError, AttributeError, ValueError):
            continue
        found += value if isinstance(value, tuple | list) else [value]
    return list(dict.fromkeys(found))
