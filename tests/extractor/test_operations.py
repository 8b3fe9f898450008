"""Attention that is seen in torch operations, whoever wrote the model."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import torch
import torch.nn.functional as F  # noqa: N812, its usual name
from torch import Tensor, nn

from bertviz import NothingCaptured, extract
from bertviz.extractor.operations import table
from tests.models import TOLERANCE, state_of

HEADS, DIM, LENGTH = 4, 8, 6


def models() -> dict[str, Callable[[], Any]]:
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


@pytest.mark.parametrize("verify", [False, True])
@pytest.mark.parametrize("row", [0, 1])
@pytest.mark.parametrize("architecture", models())
def test_architectures_without_the_interface(architecture: str, row: int, verify: bool) -> None:
    torch.manual_seed(0)
    maker = models()[architecture]
    model = maker().eval()
    for parameter in model.parameters():
        nn.init.normal_(parameter, std=0.2)
    ids = torch.randint(5, 99, (2, 9))
    mask = torch.ones_like(ids)
    mask[1, 6:] = 0
    batch = {"input_ids": ids, "attention_mask": mask}
    before = state_of(model)
    trace = extract(model, inputs=batch, batch_index=row, drop_padding=False, verify=verify)
    assert state_of(model) == before
    eager = type(model)._from_config(model.config, attn_implementation="eager").eval()
    eager.load_state_dict(model.state_dict())
    with torch.no_grad():
        own = eager(**batch, output_attentions=True).attentions
    [block] = trace.blocks.values()
    assert block.kind == (
        "decoder" if "a" in architecture[:2] or architecture in DECODERS else "encoder"
    )
    assert [layer.index for layer in block.layers] == [0, 1]
    for layer, reference in zip(block.layers, own, strict=True):
        assert isinstance(model.get_submodule(layer.name), nn.Module)
        difference = (layer.weights() - reference[row]).abs().amax((0, 2))
        assert float(difference[mask[row].bool()].max()) <= TOLERANCE
    if architecture.startswith("falcon"):
        assert block.layers[0].num_key_value_heads == 1


DECODERS = ("bloom", "falcon", "falcon alibi", "gptj", "mpt", "openai-gpt")


# --- models of one's own ---------------------------------------------------------------------


class Own(nn.Module):
    """One attention; ``how`` says what it makes of (batch, heads, tokens, d) queries and keys."""

    def __init__(self, how: Callable[[Tensor, Tensor], Tensor], key_heads: int = HEADS) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.how = how
        self.key_heads = key_heads
        self.query = nn.Linear(HEADS * DIM, HEADS * DIM)
        self.key = nn.Linear(HEADS * DIM, key_heads * DIM)
        self.weights: Tensor | None = None

    def forward(self, x: Tensor) -> Tensor:
        q = self.query(x).unflatten(-1, (HEADS, DIM)).transpose(1, 2) * 3
        k = self.key(x).unflatten(-1, (self.key_heads, DIM)).transpose(1, 2)
        self.weights = self.how(q, k)
        return x


LOWER = torch.ones(LENGTH, LENGTH, dtype=torch.bool).tril()
BIAS = torch.randn(HEADS, LENGTH, LENGTH, generator=torch.Generator().manual_seed(3))


def flat(x: Tensor) -> Tensor:
    return x.reshape(-1, *x.shape[2:])


def in_place(q: Tensor, k: Tensor) -> Tensor:
    scores = q @ k.transpose(-2, -1)
    scores /= math.sqrt(DIM)
    scores += BIAS
    scores.masked_fill_(~LOWER, float("-inf"))
    return scores.softmax(-1)


def heads_among_rows(q: Tensor, k: Tensor) -> Tensor:
    """Multi-query, as in GPT-BigCode: (batch, query · heads, d) against one key head."""
    rows = q.transpose(1, 2).reshape(len(q), -1, DIM)
    scores = torch.bmm(rows, k[:, 0].transpose(1, 2)).view(len(q), LENGTH, HEADS, LENGTH)
    return scores.softmax(-1).transpose(1, 2)


def baddbmm_in_place(q: Tensor, k: Tensor) -> Tensor:
    scores = BIAS.repeat(len(q), 1, 1)
    scores.baddbmm_(flat(q), flat(k).mT, beta=0.5, alpha=0.3)
    return scores.softmax(-1).view(len(q), HEADS, LENGTH, LENGTH)


def arranged_in_place(q: Tensor, k: Tensor) -> Tensor:
    """A bias is added before, so its own layout must not turn with the scores."""
    scores = (k @ q.mT) * 0.3 + BIAS.mT
    return scores.transpose_(-1, -2).softmax(-1)


def into_memory_of_its_own(q: Tensor, k: Tensor) -> Tensor:
    scores = torch.empty(len(q), HEADS, LENGTH, LENGTH)
    torch.matmul(q, k.mT, out=scores)
    torch.add(scores, BIAS, alpha=0.5, out=scores)
    return torch.softmax(scores, -1)


def arguments_by_name(q: Tensor, k: Tensor) -> Tensor:
    scores = torch.matmul(input=q, other=k.mT)
    scores = torch.add(input=BIAS, other=scores, alpha=0.5)
    scores = torch.masked_fill(input=scores, mask=~LOWER, value=-1e9)
    return torch.softmax(input=scores, dim=-1)


WAYS: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "plain": lambda q, k: F.softmax(q @ k.transpose(-1, -2) / math.sqrt(DIM), dim=-1),
    "mT": lambda q, k: (q @ k.mT * 0.5).softmax(-1),
    "scaled before": lambda q, k: ((q * 0.2) @ k.mT).softmax(-1),
    "bmm": lambda q, k: F.softmax(torch.bmm(flat(q), flat(k).transpose(1, 2)), -1).view(
        len(q), HEADS, LENGTH, LENGTH
    ),
    "baddbmm": lambda q, k: torch.softmax(
        torch.baddbmm(BIAS.repeat(len(q), 1, 1), flat(q), flat(k).mT, beta=0.5, alpha=0.3), -1
    ).view(len(q), HEADS, LENGTH, LENGTH),
    "einsum": lambda q, k: torch.einsum("bhid,bhjd->bhij", q, k).softmax(-1),
    "einsum of other axes": lambda q, k: (
        torch.einsum("ibhd,jbhd->ijbh", q.permute(2, 0, 1, 3), k.permute(2, 0, 1, 3))
        .permute(2, 3, 0, 1)
        .softmax(-1)
    ),
    "keys times queries": lambda q, k: (k @ q.mT * 0.3).transpose(-1, -2).softmax(-1),
    "softmax over columns": lambda q, k: (k @ q.mT * 0.3).softmax(-2).transpose(-1, -2),
    "masked_fill": lambda q, k: (q @ k.mT).masked_fill(~LOWER, -1e9).softmax(-1),
    "where": lambda q, k: torch.where(LOWER, q @ k.mT, torch.tensor(-1e9)).softmax(-1),
    "Tensor.where": lambda q, k: (q @ k.mT).where(LOWER, torch.tensor(-1e9)).softmax(-1),
    "bias and mask, merged axes": lambda q, k: F.softmax(
        (
            (torch.bmm(flat(q), flat(k).mT).view(len(q), HEADS, LENGTH, LENGTH) + BIAS)
            + torch.zeros(1, 1, LENGTH, LENGTH).masked_fill(~LOWER, torch.finfo(torch.float32).min)
        ).view(-1, LENGTH, LENGTH),
        dim=-1,
    ).view(len(q), HEADS, LENGTH, LENGTH),
    "scaled after the bias": lambda q, k: ((q @ k.mT + BIAS) * 0.2).softmax(-1),
    "subtracted": lambda q, k: (q @ k.mT - BIAS).softmax(-1),
    "softcap": lambda q, k: (torch.tanh(q @ k.mT * 0.3 / 2) * 2 + BIAS).softmax(-1),
    "stable": lambda q, k: (
        lambda scores: (scores - scores.max(-1, keepdim=True).values).softmax(-1)
    )(q @ k.mT),
    "temperature of each head": lambda q, k: (
        q @ k.mT * torch.arange(1.0, 5).view(1, HEADS, 1, 1)
    ).softmax(-1),
    "zeros and lows": lambda q, k: (q @ k.mT * LOWER.float() - 1e4 * (1 - LOWER.float())).softmax(
        -1
    ),
    "in place": in_place,
    "baddbmm in place": baddbmm_in_place,
    "arranged in place": arranged_in_place,
    "into memory of its own": into_memory_of_its_own,
    "arguments by name": arguments_by_name,
    "in half precision and back": lambda q, k: (q @ k.mT).float().softmax(-1, torch.float32),
    "clamped": lambda q, k: (q @ k.mT).clamp(min=-50000, max=50000).softmax(-1),
    "one key head": lambda q, k: (q @ k[:, :1].mT).softmax(-1),
    "heads among rows": heads_among_rows,
    "repeated": lambda q, k: (q @ k[:, :2].repeat_interleave(2, 1).mT).softmax(-1),
    "groups": lambda q, k: (q.unflatten(1, (2, 2)) @ k[:, :2, None].mT).flatten(1, 2).softmax(-1),
}
KEY_HEADS = {"one key head": 1, "heads among rows": 1, "repeated": 2, "groups": 2}


@pytest.mark.parametrize("batch", [1, 3])
@pytest.mark.parametrize("way", WAYS)
def test_ways_to_write_attention(way: str, batch: int) -> None:
    model = Own(WAYS[way])
    x = torch.randn(batch, LENGTH, HEADS * DIM)
    index = batch - 1
    trace = extract(model, inputs={"x": x}, batch_index=index, verify=True)
    [block] = trace.blocks.values()
    [layer] = block.layers
    assert model.weights is not None
    torch.testing.assert_close(layer.weights(), model.weights[index].detach(), atol=2e-6, rtol=0)
    assert layer.num_key_value_heads == KEY_HEADS.get(way, HEADS)
    assert layer.queries is not None
    assert layer.queries.shape == (HEADS, LENGTH, DIM)
    if way == "softcap":
        assert layer.formula.softcap == pytest.approx(2.0)
        assert layer.scaling == pytest.approx(0.3)
    if way == "plain":
        assert layer.scaling == pytest.approx(1 / math.sqrt(DIM))
        assert layer.formula.mask is None
        assert layer.formula.position_bias is None


NOT_ATTENTION: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "a product with a parameter": lambda q, k: (q @ nn.Parameter(k)).softmax(-1),
    "no product": lambda q, k: (q + k).softmax(-1),
    "not over keys or queries": lambda q, k: (q @ k.mT).softmax(1),
    "squared": lambda q, k: ((q @ k.mT) ** 2).softmax(-1),
    "the largest alone": lambda q, k: (
        lambda scores: torch.zeros_like(scores).scatter(
            -1, scores.topk(2, -1).indices, scores.topk(2, -1).values
        )
    )(q @ k.mT).softmax(-1),
    "added to the bias itself": lambda q, k: (
        BIAS.repeat(len(q), 1, 1, 1).add_(q @ k.mT).softmax(-1)
    ),
    "written over": lambda q, k: (
        lambda scores: (scores[..., 0].fill_(3.0), scores.softmax(-1))[1]
    )(q @ k.mT),
}


@pytest.mark.parametrize("way", NOT_ATTENTION)
def test_what_is_not_understood_is_not_shown(way: str) -> None:
    class Parameterized(Own):
        def __init__(self) -> None:
            super().__init__(NOT_ATTENTION[way])
            self.codes = nn.Parameter(torch.randn(DIM, 5))

        def forward(self, x: Tensor) -> Tensor:
            if way == "a product with a parameter":
                return (self.query(x).unflatten(-1, (HEADS, DIM)) @ self.codes).softmax(-1)
            return super().forward(x)

    with pytest.raises(NothingCaptured, match=r"seen: [1-9] softmax"):
        extract(Parameterized(), inputs={"x": torch.randn(2, LENGTH, HEADS * DIM)}, batch_index=1)


@pytest.mark.parametrize("way", ["in place", "baddbmm in place"])
@pytest.mark.parametrize("culprit", ["rules.note", "products.Product.plus", "table.Call.begin"])
def test_an_operation_is_done_once_whatever_a_rule_raises(
    way: str, culprit: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any) -> None:
        raise ZeroDivisionError("a bug of ours")

    model, x = Own(WAYS[way]), torch.randn(1, LENGTH, HEADS * DIM)
    model(x)
    own = model.weights
    monkeypatch.setattr(f"bertviz.extractor.operations.{culprit}", fail)
    with pytest.raises(NothingCaptured, match="a bug of ours"):
        extract(model, inputs={"x": x})
    torch.testing.assert_close(model.weights, own, atol=0, rtol=0)


def test_what_is_kept_before_an_operation_may_fail(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any, **__: Any) -> Any:
        raise MemoryError("no room for a copy")

    rule = replace(table._rules["baddbmm_"], before=fail)
    monkeypatch.setitem(table._found, Tensor.baddbmm_, rule)
    model, x = Own(baddbmm_in_place), torch.randn(1, LENGTH, HEADS * DIM)
    with pytest.raises(NothingCaptured, match=r"baddbmm_, no room for a copy"):
        extract(model, inputs={"x": x})
    assert model.weights is not None, "it ran to its end"


def test_what_goes_wrong_in_following_never_reaches_the_model(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fail(*_: Any) -> None:
        raise ZeroDivisionError("a bug of ours")

    model = Own(WAYS["plain"])
    x = torch.randn(1, LENGTH, HEADS * DIM)
    monkeypatch.setattr("bertviz.extractor.operations.products.Product.scaled", fail)
    with pytest.raises(NothingCaptured, match="a bug of ours"):
        extract(model, inputs={"x": x})
    assert model.weights is not None, "it ran to its end"
    model.how = lambda q, k: (q @ k).softmax(-1)  # the model's own mistake
    with pytest.raises(RuntimeError, match=r"shape|size"):
        extract(model, inputs={"x": x})


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
