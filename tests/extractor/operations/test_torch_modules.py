"""Attention in torch's own modules and functions, and in a model written by hand."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
import torch.nn.functional as F  # noqa: N812, its usual name
from torch import Tensor, nn

from bertviz import extract


@pytest.mark.parametrize("kind", ["encoder", "decoder", "both"])
def test_torch_transformers(kind: str) -> None:
    torch.manual_seed(0)
    x, y = torch.randn(2, 5, 16), torch.randn(2, 4, 16)
    padding = torch.tensor([[False] * 5, [False, False, False, True, True]])
    causal = nn.Transformer.generate_square_subsequent_mask(4)
    options: Any = {"d_model": 16, "nhead": 4, "dim_feedforward": 32, "batch_first": True}
    if kind == "encoder":
        model: nn.Module = nn.TransformerEncoder(nn.TransformerEncoderLayer(**options), 2)
        inputs = {"src": x, "src_key_padding_mask": padding}
    elif kind == "decoder":
        model = nn.TransformerDecoder(nn.TransformerDecoderLayer(**options), 2)
        inputs = {"tgt": y, "memory": x, "tgt_mask": causal, "memory_key_padding_mask": padding}
    else:
        model = nn.Transformer(num_encoder_layers=2, num_decoder_layers=2, **options)
        inputs = {"src": x, "tgt": y, "tgt_mask": causal, "src_key_padding_mask": padding}
    trace = extract(model, inputs=inputs, batch_index=1, verify=True)
    names = {"encoder": ["encoder"], "decoder": ["decoder", "cross"]}
    assert list(trace.blocks) == names.get(kind, ["encoder", "decoder", "cross"])
    assert all(len(block.layers) == 2 for block in trace.blocks.values())
    if kind != "decoder":
        weights = trace.blocks["encoder"].layers[1].weights()
        assert weights[:, :, 3:].max() == 0, "padding is not seen"
    if kind != "encoder":
        assert trace.blocks["decoder"].layers[0].weights().triu(1).max() == 0
        assert trace.blocks["cross"].layers[0].shape == (4, 5)
        assert trace.blocks["cross"].layers[0].name.endswith("layers.0.multihead_attn")


def test_torch_transformers_count_texts_in_the_second_axis() -> None:
    torch.manual_seed(0)
    layer = nn.TransformerEncoderLayer(16, 4, 32)  # batch_first is False by default
    model = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False).eval()
    x = torch.randn(5, 3, 16)
    trace = extract(model, inputs={"src": x}, batch_index=2, verify=True)
    alone = extract(model, inputs={"src": x[:, 2:]})
    for one, other in zip(
        trace.blocks["encoder"].layers, alone.blocks["encoder"].layers, strict=True
    ):
        assert one.shape == (5, 5)
        torch.testing.assert_close(one.weights(), other.weights())
    with pytest.raises(ValueError, match="a batch of 3 texts"):
        extract(model, inputs={"src": x})


@pytest.mark.parametrize("extra", ["nothing", "bias", "zero", "separate"])
def test_multihead_attention_with_everything(extra: str) -> None:
    torch.manual_seed(0)
    options: dict[str, Any] = {
        "nothing": {},
        "bias": {"add_bias_kv": True},
        "zero": {"add_zero_attn": True},
        "separate": {"kdim": 12, "vdim": 12},
    }[extra]
    model = nn.MultiheadAttention(16, 4, batch_first=True, **options)
    x = torch.randn(1, 5, 16)
    other = torch.randn(1, 3, 12) if extra == "separate" else x
    inputs = {"query": x, "key": other, "value": other}
    trace = extract(model, inputs=inputs, verify=True)
    [block] = trace.blocks.values()
    own = model.eval()(**inputs, average_attn_weights=False)[1][0]
    torch.testing.assert_close(block.layers[0].weights(), own, atol=1e-6, rtol=0)
    assert block.kind == ("cross" if extra == "separate" else "encoder")


@pytest.mark.parametrize("extra", [{"add_bias_kv": True}, {"add_zero_attn": True}])
@pytest.mark.parametrize("kind", ["bool", "float", "padding", "hint"])
def test_masks_do_not_hide_the_keys_that_multihead_attention_adds(
    kind: str, extra: dict[str, Any]
) -> None:
    torch.manual_seed(0)
    model = nn.MultiheadAttention(16, 4, batch_first=True, **extra).eval()
    x, later = torch.randn(1, 5, 16), torch.ones(5, 5, dtype=torch.bool).triu(1)
    inputs: dict[str, Any] = {"query": x, "key": x, "value": x}
    if kind == "hint":  # believing it, the kernel hides the last keys, those that were added too
        given = inputs | {"attn_mask": later, "is_causal": True, "need_weights": False}
        weights = extract(model, inputs=given).blocks["decoder"].layers[0].weights()
        assert weights.shape == (4, 5, 6)
        assert weights.triu(1).max() == 0
        return
    inputs |= {
        "bool": {"attn_mask": later},
        "float": {"attn_mask": torch.zeros(5, 5).masked_fill(later, -1e9)},
        "padding": {"key_padding_mask": torch.tensor([[False, False, True, False, True]])},
    }[kind]
    [block] = extract(model, inputs=inputs, verify=True).blocks.values()
    own = model(**inputs, average_attn_weights=False)[1][0]
    assert own[..., 5].min() > 0, "the added key is seen"
    torch.testing.assert_close(block.layers[0].weights(), own.detach(), atol=1e-6, rtol=0)


@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("heads", [True, False])
def test_scaled_dot_product_attention(causal: bool, heads: bool) -> None:
    class Block(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.qkv = nn.Linear(16, 48)

        def forward(self, x: Tensor) -> Tensor:
            q, k, v = self.qkv(x).split(16, -1)
            if heads:
                q, k, v = (t.unflatten(-1, (4, 4)).transpose(1, 2) for t in (q, k, v))
            return F.scaled_dot_product_attention(q, k, v, is_causal=causal, scale=0.7)

    torch.manual_seed(0)
    model = nn.Sequential(Block())
    trace = extract(model, inputs={"input": torch.randn(2, 5, 16)}, batch_index=1, verify=True)
    [block] = trace.blocks.values()
    assert block.kind == ("decoder" if causal else "encoder")
    assert block.layers[0].num_heads == (4 if heads else 1)
    assert block.layers[0].scaling == 0.7
    assert block.layers[0].name == "0"


def test_a_model_written_by_hand() -> None:
    """In the way of nanoGPT: a class of one's own, a buffer as its mask, blocks in a list."""

    class Attention(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.c_attn = nn.Linear(16, 48)
            self.register_buffer("bias", torch.tril(torch.ones(8, 8)).view(1, 1, 8, 8))

        def forward(self, x: Tensor) -> Tensor:
            size, length, width = x.size()
            q, k, v = self.c_attn(x).split(width, dim=2)
            q, k, v = (t.view(size, length, 4, width // 4).transpose(1, 2) for t in (q, k, v))
            att = (q @ k.transpose(-2, -1)) * (1.0 / math.sqrt(k.size(-1)))
            att = att.masked_fill(self.bias[:, :, :length, :length] == 0, float("-inf"))
            return (F.softmax(att, dim=-1) @ v).transpose(1, 2).reshape(size, length, width)

    class Gpt(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.wte = nn.Embedding(50, 16)
            self.h = nn.ModuleList(Attention() for _ in range(3))

        def forward(self, idx: Tensor) -> Tensor:
            x = self.wte(idx)
            for block in self.h:
                x = x + block(x)
            return x

    torch.manual_seed(0)
    model = Gpt()
    trace = extract(model, inputs={"idx": torch.randint(0, 50, (1, 6))}, verify=True)
    [block] = trace.blocks.values()
    assert (block.kind, [layer.name for layer in block.layers]) == (
        "decoder",
        ["h.0", "h.1", "h.2"],
    )
    assert trace.model_name == "Gpt"
    for layer in block.layers:
        weights = layer.weights()
        assert weights.triu(1).max() == 0
        torch.testing.assert_close(weights.sum(-1), torch.ones(4, 6))
