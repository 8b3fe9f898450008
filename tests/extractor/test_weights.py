"""What extract gives equals what the model itself computes, for every architecture."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest
import torch
from torch import nn

from bertviz.extractor import extract
from bertviz.trace import AttentionTrace
from tests.models import DECODERS, ENCODERS, TOLERANCE, TWO_STACKS, batch_of


def largest_difference(
    model: nn.Module, trace: AttentionTrace, own: Mapping[str, Any], row: int, kept: list[int]
) -> float:
    """To the model's own attention; shapes, paths and numbers are checked on the way."""
    worst = 0.0
    for name, layers in own.items():
        block = next(iter(trace.blocks.values())) if name == "self" else trace.blocks[name]
        assert [layer.index for layer in block.layers] == list(range(len(layers)))
        for layer, reference in zip(block.layers, layers, strict=True):
            assert isinstance(model.get_submodule(layer.name), nn.Module)
            reference = reference[row].float()
            if name in ("self", "encoder", "text_model.encoder"):
                reference = reference[:, kept][:, :, kept]
            elif name == "cross":
                reference = reference[:, :, kept]
            weights = layer.weights()
            assert weights.shape == reference.shape
            assert weights.shape[1:] == (len(block.query_tokens), len(block.key_tokens))
            worst = max(worst, float((weights - reference).abs().max()))
    return worst


@pytest.mark.parametrize("padding", ["none", "right", "left"])
@pytest.mark.parametrize("architecture", [*ENCODERS, *DECODERS, *TWO_STACKS])
def test_weights_are_the_models_own(
    architecture: str, padding: str, build: Callable[..., Any], own_attention: Callable[..., Any]
) -> None:
    model = build(architecture)
    assert model.config._attn_implementation == "sdpa" or architecture in (
        "gpt_oss",
        "gemma2",
        "t5",
    )
    batch = batch_of(architecture, padding)
    own = own_attention(model, **batch)
    for row in range(2):
        trace = extract(model, inputs=batch, batch_index=row)
        kept = [i for i, seen in enumerate(batch["attention_mask"][row].tolist()) if seen]
        assert largest_difference(model, trace, own, row, kept) <= TOLERANCE


@pytest.mark.parametrize("architecture", ["vit", "clip"])
def test_towers_and_patches(
    architecture: str, build: Callable[..., Any], own_attention: Callable[..., Any]
) -> None:
    model = build(architecture)
    batch = batch_of(architecture)
    trace = extract(model, inputs=batch, batch_index=1)
    own = own_attention(model, **batch)
    kept = list(range(17 if architecture == "vit" else 9))  # 4 × 4 patches and the class
    assert largest_difference(model, trace, own, 1, kept) <= TOLERANCE
    towers = (
        ["encoder"] if architecture == "vit" else ["text_model.encoder", "vision_model.encoder"]
    )
    assert sorted(trace.blocks) == towers


@pytest.mark.parametrize("architecture", ["bert", "llama", "t5"])
def test_eager_kernel_gives_the_same_numbers_bit_for_bit(
    architecture: str, build: Callable[..., Any], own_attention: Callable[..., Any]
) -> None:
    model = build(architecture)
    model.set_attn_implementation("eager")
    batch = batch_of(architecture)
    trace = extract(model, inputs=batch, batch_index=0)
    own = own_attention(model, **batch)
    assert largest_difference(model, trace, own, 0, list(range(9))) <= 1e-6


@pytest.mark.parametrize("padding", ["right", "left"])
def test_padding_is_dropped_or_kept(padding: str, build: Callable[..., Any]) -> None:
    model = build("bert")
    batch = batch_of("bert", padding)
    dropped = extract(model, inputs=batch, batch_index=1).blocks["encoder"]
    whole = extract(model, inputs=batch, batch_index=1, drop_padding=False).blocks["encoder"]
    kept = list(range(6)) if padding == "right" else list(range(3, 9))
    assert dropped.query_tokens == tuple(map(str, kept)), "positions keep their numbers"
    assert len(whole.query_tokens) == 9
    for small, large in zip(dropped.layers, whole.layers, strict=True):
        padded = [i for i in range(9) if i not in kept]
        weights = large.weights()
        assert weights[:, kept][:, :, padded].max() == 0
        torch.testing.assert_close(weights[:, kept][:, :, kept], small.weights())


def test_what_a_model_loaded_from_a_folder_gives(
    build: Callable[..., Any], own_attention: Callable[..., Any], tmp_path: Any
) -> None:
    from transformers import AutoModel

    build("bert").save_pretrained(tmp_path)
    model = AutoModel.from_pretrained(tmp_path).eval()
    batch = batch_of("bert")
    trace = extract(model, inputs=batch, batch_index=0)
    own = own_attention(model, **batch)
    assert largest_difference(model, trace, own, 0, list(range(9))) <= TOLERANCE
    assert trace.model_name == "BertModel"
