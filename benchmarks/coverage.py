"""Does extract return every architecture's own attention? `python benchmarks/coverage.py`.

For every model type in the installed transformers, a tiny model is built from its configuration
with random weights and run twice: as it is, under `extract`, and on the eager kernel with
`output_attentions=True`. A type counts as

    matched      every attention that the model returns is in the trace, within 1e-5, from the
                 module at that path, in the right block
    weights      the weights match, but a path or a block does not
    partly       some weights are missing or differ
    nothing      nothing was captured
    error        extract raised an error other than NothingCaptured
    no reference the model returns no attention, or not as (batch, heads, query, key)
    not built    the model refused the tiny configuration, or took too long

Each type runs in a process of its own. Prints one line per type that does not match, and totals.
`--json FILE` saves all results; only the types named after the options are run, if there are any.
"""

from __future__ import annotations

import argparse
import collections
import contextlib
import copy
import inspect
import json
import multiprocessing
import os
import resource
import traceback
import warnings
from concurrent.futures import ThreadPoolExecutor
from typing import Any

SECONDS = 60
MEMORY = 8 << 30
TOLERANCE = 1e-5

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
TOKENS = 12
BATCH = 2


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


VARIANTS = ("plain", "with an image", "a video", "one channel of sound", "spectrogram")


def inputs_of(model: Any, variant: str = "plain") -> dict[str, Any]:
    """Random inputs for the arguments of forward."""
    import torch

    parameters = inspect.signature(model.forward).parameters
    config = model.config
    vision = getattr(config, "vision_config", None) or config
    generator = torch.Generator().manual_seed(0)
    ids = torch.randint(5, 99, (BATCH, TOKENS), generator=generator)
    batch: dict[str, Any] = {}
    if "input_ids" in parameters:
        batch["input_ids"] = ids
        if "attention_mask" in parameters:
            batch["attention_mask"] = torch.ones_like(ids)
        if "bbox" in parameters:
            batch["bbox"] = torch.zeros(BATCH, TOKENS, 4, dtype=torch.long)
    encoder_decoder = getattr(config, "is_encoder_decoder", False)
    if "decoder_input_ids" in parameters and encoder_decoder:
        batch["decoder_input_ids"] = ids[:, :7]
    size = getattr(vision, "image_size", None) or getattr(config, "image_size", None) or 32
    size = size if isinstance(size, int) else max(size) if isinstance(size, list | tuple) else 32
    channels = getattr(vision, "num_channels", None) or 3
    if "pixel_values" in parameters and model.main_input_name != "input_ids":
        batch = {"pixel_values": torch.randn(BATCH, channels, size, size, generator=generator)}
    elif "pixel_values" in parameters and type(model).__name__.startswith(("CLIP", "Siglip")):
        batch["pixel_values"] = torch.randn(BATCH, channels, size, size, generator=generator)
    if "input_features" in parameters and "input_ids" not in parameters:
        mel = getattr(config, "num_mel_bins", None) or getattr(config, "feature_size", None) or 80
        length = 2 * (getattr(config, "max_source_positions", None) or 32)
        shape = (BATCH, mel, length) if "whisper" in config.model_type else (BATCH, length, mel)
        batch["input_features"] = torch.randn(shape, generator=generator)
        if "decoder_input_ids" in parameters:
            batch["decoder_input_ids"] = ids[:, :7]
    if "input_values" in parameters and "input_ids" not in parameters:
        batch["input_values"] = torch.randn(BATCH, 4000, generator=generator)
    image = torch.randn(BATCH, channels, size, size, generator=generator)
    if variant == "with an image" and "pixel_values" in parameters:
        batch["pixel_values"] = image
    elif variant == "a video":
        name = "pixel_values_videos" if "pixel_values_videos" in parameters else "pixel_values"
        frames = getattr(config, "num_frames", None) or 4
        batch = {name: image[:, None].expand(-1, frames, -1, -1, -1).clone()}
    elif variant == "one channel of sound":
        batch["input_values"] = torch.randn(BATCH, 1, 4000, generator=generator)
    elif variant == "spectrogram":
        mel = getattr(config, "num_mel_bins", None) or 80
        length = getattr(config, "max_length", None) or 128
        name = "input_values" if "input_values" in parameters else "input_features"
        batch[name] = torch.randn(BATCH, length, mel, generator=generator)
    return batch


def runnable(model: Any) -> dict[str, Any]:
    """Inputs that the model accepts; if there are none, raises its error for the plainest ones."""
    import torch

    first: Exception | None = None
    for variant in VARIANTS:
        try:
            batch = inputs_of(model, variant)
            with torch.no_grad():
                model(**batch)
            return batch
        except Exception as error:
            first = first or error
    assert first is not None
    raise first


def attentions_of(output: Any) -> dict[str, list[Any]]:
    """The attentions that a model returned, by field name."""
    found: dict[str, list[Any]] = {}
    for name, value in output.items():
        if name.endswith("attentions") and isinstance(value, list | tuple) and value:
            layers = [layer for layer in value if layer is not None]
            if layers:
                found[name] = layers
        elif hasattr(value, "items") and hasattr(value, "to_tuple"):
            inner = attentions_of(value)
            found.update({f"{name}.{key}": layers for key, layers in inner.items()})
    return found


def compared(model: Any, trace: Any, reference: dict[str, list[Any]]) -> tuple[str, str, float]:
    """The verdict on one model, the reason, and the largest difference among what matched."""
    layers = [(b, layer) for b in trace.blocks.values() for layer in b.layers]
    weights = [layer.weights() for _, layer in layers]
    worst, missing, misplaced = 0.0, [], []
    for name, own in reference.items():
        for number, theirs in enumerate(own):
            theirs = theirs[0].float()
            same = [i for i, ours in enumerate(weights) if ours.shape == theirs.shape]
            distance = {i: float((weights[i] - theirs).abs().max()) for i in same}
            best = min(distance, key=distance.__getitem__, default=None)
            if best is None or not distance[best] <= TOLERANCE:
                shapes = sorted({tuple(w.shape) for w in weights})
                missing.append(
                    f"{name}[{number}] {tuple(theirs.shape)}: "
                    + (f"off by {distance[best]:.1e}" if best is not None else f"have {shapes}")
                )
                continue
            worst = max(worst, distance[best])
            block, layer = layers[best]
            kind = "cross" if "cross" in name else "decoder" if "decoder" in name else None
            kind = "encoder" if name.split(".")[-1].startswith("encoder") else kind
            if (block.kind == "cross") != (kind == "cross") or (
                kind == "encoder" and block.kind != kind
            ):
                misplaced.append(f"{name}[{number}] is in block {block.name}")
            if not layer.name or not hasattr(model.get_submodule(layer.name), "forward"):
                misplaced.append(f"{name}[{number}] has no path")
    if missing:
        some = sum(map(len, reference.values())) > len(missing)
        return ("partly" if some else "differs"), "; ".join(missing[:3]), worst
    if misplaced:
        return "weights", "; ".join(misplaced[:3]), worst
    return "matched", "", worst


def state_of(model: Any) -> Any:
    """Everything about a model that must not change."""
    import torch

    return (
        {k: v._version for k, v in (*model.named_parameters(), *model.named_buffers())},
        {n: m.training for n, m in model.named_modules()},
        {n: len(m._forward_hooks) + len(m._forward_pre_hooks) for n, m in model.named_modules()},
        model.config.to_dict().__repr__(),
        torch.random.get_rng_state().tolist(),
    )


def judged(model_type: str) -> dict[str, Any]:
    """Judge one model type in this process."""
    import torch
    import transformers
    from transformers.models.auto.configuration_auto import CONFIG_MAPPING

    from bertviz.extractor import NothingCaptured, extract

    torch.set_num_threads(1)
    transformers.logging.set_verbosity_error()
    warnings.simplefilter("ignore")
    result: dict[str, Any] = {"type": model_type, "verdict": "not built", "why": ""}
    first = ""
    for level in (0, 1, 2, 3):
        try:
            config = tiny(CONFIG_MAPPING[model_type], level)
            classes = classes_of(config)
        except Exception as error:
            first = first or f"config: {type(error).__name__}: {error}"
            continue
        for model_class in classes[:4]:
            try:
                torch.manual_seed(0)
                config = tiny(CONFIG_MAPPING[model_type], level)
                model = model_class(config).eval()
                for parameter in model.parameters():
                    if parameter.ndim > 1:
                        torch.nn.init.normal_(parameter, std=0.1)
                batch = runnable(model)
            except Exception as error:
                first = first or f"{model_class.__name__}: {type(error).__name__}: {error}"
                continue
            result["class"] = model_class.__name__
            result["verdict"] = "no reference"
            before = state_of(model)
            try:
                trace = extract(model, inputs=batch, batch_index=0, drop_padding=False)
            except NothingCaptured as error:
                trace, why = None, str(error)
            except Exception as error:
                text = "".join(traceback.format_exception(error)[-3:])
                return result | {"verdict": "error", "why": f"{type(error).__name__}: {text}"}
            after = state_of(model)
            if before != after:
                what = [i for i, (a, b) in enumerate(zip(before, after, strict=True)) if a != b]
                return result | {"verdict": "side effect", "why": str(what)}
            reference: dict[str, list[Any]] = {}
            try:
                # Some models choose their kernel when created, so the reference is created again.
                eager = model_class._from_config(
                    copy.deepcopy(config), attn_implementation="eager"
                ).eval()
                eager.load_state_dict(model.state_dict())
                with torch.no_grad():
                    output = eager(**batch, output_attentions=True, return_dict=True)
                reference = attentions_of(output)
            except Exception as error:
                result["why"] = f"output_attentions: {type(error).__name__}: {error}"[:300]
            if not reference:
                result["captured"] = (
                    0 if trace is None else sum(len(b.layers) for b in trace.blocks.values())
                )
                if trace is None:
                    result["why"] += why
                continue  # a different head of the model may return attention
            rows = {
                name: layers
                for name, layers in reference.items()
                if all(
                    isinstance(x, torch.Tensor)
                    and x.ndim == 4
                    and x.shape[0] == BATCH
                    and bool(((x.float().sum(-1) < 1.01) & (x >= -1e-6).all(-1)).all())
                    for x in layers
                )
            }
            if not rows:
                shapes = {
                    n: tuple(x[0].shape) for n, x in reference.items() if hasattr(x[0], "shape")
                }
                return result | {"why": f"not (batch, heads, query, key) weights: {shapes}"}
            if trace is None:
                return result | {"verdict": "nothing", "why": why}
            verdict, why, worst = compared(model, trace, rows)
            return result | {"verdict": verdict, "why": why, "difference": worst}
    if result["verdict"] == "not built":
        result["why"] = first[:300]
    return result


def _child(model_type: str, pipe: Any) -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    with open(os.devnull, "w") as quiet, contextlib.redirect_stderr(quiet):
        try:
            pipe.send(judged(model_type))
        except BaseException as error:
            pipe.send({"type": model_type, "verdict": "not built", "why": repr(error)[:300]})


def isolated(model_type: str) -> dict[str, Any]:
    """Judge one model type in a process of its own."""
    context = multiprocessing.get_context("fork")
    ours, theirs = context.Pipe()
    process = context.Process(target=_child, args=(model_type, theirs))
    process.start()
    result = {"type": model_type, "verdict": "not built", "why": f"over {SECONDS} s"}
    try:
        if ours.poll(SECONDS):
            result = ours.recv()
    except EOFError:
        result["why"] = "its process died"
    process.kill()
    process.join()
    return result


def main() -> None:
    """Judge every type and print those that do not match."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("types", nargs="*")
    parser.add_argument("--json", metavar="FILE")
    options = parser.parse_args()
    os.environ["HF_HUB_OFFLINE"] = "1"
    import torch  # before the child processes are forked, so that they share it
    import transformers  # noqa: F401
    from transformers.models.auto.configuration_auto import CONFIG_MAPPING

    import bertviz.extractor  # noqa: F401

    torch.set_num_threads(1)
    types = options.types or sorted(CONFIG_MAPPING)
    with ThreadPoolExecutor(2) as pool:
        results = []
        for result in pool.map(isolated, types):
            results.append(result)
            if options.types or result["verdict"] not in ("matched", "not built", "no reference"):
                print(f"{result['type']:28} {result['verdict']:12} {result['why']}", flush=True)
            if options.json:
                with open(options.json, "w") as file:
                    json.dump(results, file, indent=1)
    counts = collections.Counter(result["verdict"] for result in results)
    judged_types = [r for r in results if r["verdict"] not in ("not built", "no reference")]
    print(dict(counts))
    if judged_types:
        worst = max((r.get("difference", 0) for r in judged_types), default=0)
        share = counts["matched"] / len(judged_types)
        print(f"{share:.1%} of {len(judged_types)} matched; largest difference {worst:.1e}")


if __name__ == "__main__":
    main()
