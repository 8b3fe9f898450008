"""What enters the softmax is kept, once, and the kind of a block comes from what it reads."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch

from bertviz.extractor import extract
from tests.models import batch_of, texts


def test_grouped_keys_are_kept_once(build: Callable[..., Any]) -> None:
    layer = extract(build("llama"), inputs={"input_ids": texts(rows=1)}).blocks["decoder"].layers[0]
    assert (layer.num_heads, layer.num_key_value_heads) == (4, 2)
    assert layer.keys is not None
    assert layer.keys.shape == (2, 9, 8)


def test_what_enters_the_softmax_is_kept(build: Callable[..., Any]) -> None:
    gemma = extract(build("gemma2"), inputs={"input_ids": texts(rows=1)}).blocks["decoder"]
    assert {layer.formula.softcap for layer in gemma.layers} == {2.0}
    seen = (gemma.layers[0].weights()[0] > 0).sum(-1).tolist()
    assert seen == [1, 2, 3, 3, 3, 3, 3, 3, 3], "a sliding window of three"
    oss = extract(build("gpt_oss"), inputs={"input_ids": texts(rows=1)}).blocks["decoder"]
    assert oss.layers[0].formula.sinks is not None
    assert (oss.layers[0].weights().sum(-1) < 0.9999).any(), "a sink takes its part"
    t5 = extract(build("t5"), inputs=batch_of("t5"), batch_index=0).blocks["encoder"]
    assert t5.layers[0].scaling == 1.0
    assert t5.layers[0].formula.position_bias is not None
    assert t5.layers[0].formula.position_bias is t5.layers[1].formula.position_bias, (
        "shared, kept once"
    )


def test_kinds_come_from_what_is_read(build: Callable[..., Any]) -> None:
    def kinds(architecture: str) -> list[str]:
        trace = extract(build(architecture), inputs=batch_of(architecture), batch_index=0)
        return [block.kind for block in trace.blocks.values()]

    assert kinds("bert") == ["encoder"]
    assert kinds("gpt2") == ["decoder"]
    assert kinds("t5") == ["encoder", "decoder", "cross"]


def test_a_fused_projection_is_not_kept_whole(build: Callable[..., Any]) -> None:
    trace = extract(build("gpt2"), inputs={"input_ids": texts(rows=1)})
    for layer in trace.blocks["decoder"].layers:
        for tensor in (layer.queries, layer.keys):
            assert tensor is not None
            assert tensor.untyped_storage().nbytes() == tensor.numel() * tensor.element_size()
    mask = extract(build("bert"), inputs=batch_of("bert", "right"), batch_index=1)
    held = {id(layer.formula.mask) for layer in mask.blocks["encoder"].layers}
    assert len(held) == 1, "layers share their mask"


@pytest.mark.parametrize(
    ("architecture", "rotary"),
    [("bert", False), ("gpt2", False), ("t5", False), ("vit", False), ("gpt_oss", True)]
    + [(name, True) for name in ("llama", "gemma2", "mistral", "qwen3", "modernbert")],
)
def test_rotary_models_are_told(
    build: Callable[[str], Any], architecture: str, rotary: bool
) -> None:
    model = build(architecture)
    trace = extract(model, inputs=batch_of(architecture), batch_index=0)
    layers = [layer for block in trace.blocks.values() for layer in block.layers]
    assert {layer.formula.rotary for layer in layers} == {rotary}


def test_a_table_of_angles_and_layers_without_are_told() -> None:
    import transformers as t

    size = {"vocab_size": 99, "n_embd": 32, "n_layer": 2, "n_head": 4, "rotary_dim": 4}
    table = t.GPTJModel(t.GPTJConfig(**size)).eval()
    ids = torch.tensor([[5, 6, 7]])
    layers = extract(table, inputs={"input_ids": ids}).blocks["decoder"].layers
    assert [layer.formula.rotary for layer in layers] == [True, True]
    some = t.SmolLM3Model(
        t.SmolLM3Config(
            hidden_size=32,
            intermediate_size=37,
            num_hidden_layers=4,
            num_attention_heads=4,
            num_key_value_heads=2,
            vocab_size=99,
            no_rope_layers=[1, 1, 1, 0],
            pad_token_id=0,
        )
    ).eval()
    layers = extract(some, inputs={"input_ids": ids}).blocks["decoder"].layers
    assert [layer.formula.rotary for layer in layers] == [True, True, True, False]
