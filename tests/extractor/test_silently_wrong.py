"""Nothing is silently wrong: what a model computed otherwise is found without `verify`."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import torch
import torch.nn.functional as F  # noqa: N812, its usual name
from torch import Tensor, nn

from bertviz import AttentionTrace, NothingCaptured, NotReproduced, extract
from bertviz.extractor import comparison
from bertviz.extractor.records import Record
from bertviz.extractor.sharing import Sharing
from bertviz.extractor.verification import _differences
from bertviz.trace import Formula, LayerAttention
from tests.extractor.operations.own import DIM, HEADS, LENGTH, Own
from tests.models import batch_of


class Masked(nn.Module):
    """Layers that share a mask's memory; each hides one more key in it."""

    def __init__(self, through: str) -> None:
        super().__init__()
        self.through = through
        self.layers = nn.ModuleList(nn.Linear(16, 32) for _ in range(3))
        self.register_buffer("mask", torch.zeros(1, 1, 6, 6))
        seen: list[Tensor] = []  # outside the model, because what runs is a copy of the model
        self.note, self.seen = lambda weights: seen.append(weights), lambda: seen

    def forward(self, x: Tensor) -> Tensor:
        self.mask.zero_()
        for place, layer in enumerate(self.layers):
            q, k = (t.unflatten(-1, (2, 8)).transpose(1, 2) for t in layer(x).chunk(2, -1))
            if self.through == "data":
                self.mask.data[..., place + 1] = -math.inf
            elif self.through == "numpy":
                self.mask.numpy()[..., place + 1] = -math.inf
            else:
                self.mask[..., place + 1] = -math.inf
            if self.through == "sdpa":
                eye = torch.eye(6).expand(1, 2, 6, 6)
                weights = F.scaled_dot_product_attention(q, k, eye, attn_mask=self.mask)
            else:
                weights = (q @ k.mT / math.sqrt(8) + self.mask).softmax(-1)
            self.note(weights[0].detach().clone())
        return x


@pytest.mark.parametrize("inference", [False, True])
@pytest.mark.parametrize("through", ["operations", "sdpa", "data", "numpy"])
def test_a_mask_that_is_changed_in_place_between_layers(through: str, inference: bool) -> None:
    torch.manual_seed(0)
    model = Masked(through).eval()
    with torch.inference_mode(inference):
        trace = extract(model, inputs={"x": torch.randn(1, 6, 16)})
    for layer, own in zip(trace.blocks["encoder"].layers, model.seen(), strict=True):
        torch.testing.assert_close(layer.weights(), own, atol=1e-6, rtol=0)


def test_memory_that_is_used_again_is_another_mask() -> None:
    sharing = Sharing(0, torch.device("cpu"))
    memory = torch.zeros(1, 1, 2, 2)
    first = sharing.copy(memory, 2)
    assert sharing.copy(memory, 2) is first
    assert sharing.copy(memory.view(1, 1, 2, 2), 2) is first, "another view of the same numbers"
    memory.untyped_storage().copy_(torch.full((4,), -1e9).untyped_storage())
    second = sharing.copy(memory, 2)
    assert first is not None
    assert second is not None
    assert (first.max(), second.max()) == (0, -1e9)
    memory.fill_(math.nan)
    assert sharing.copy(memory, 2) is sharing.copy(memory, 2), "NaN is found again"


@pytest.mark.parametrize("row", range(LENGTH))
def test_every_row_is_compared(row: int) -> None:
    def how(q: Tensor, k: Tensor) -> Tensor:
        scores = q @ k.mT
        scores.data[:, :, row] *= -1
        return scores.softmax(-1)

    with pytest.raises(NothingCaptured, match=r"differs from what the model computed by \d"):
        extract(Own(how), inputs={"x": torch.randn(1, LENGTH, HEADS * DIM)})


@pytest.mark.parametrize("key", [0, 3])
def test_every_key_and_head_is_compared(key: int) -> None:
    def how(q: Tensor, k: Tensor) -> Tensor:
        scores = q @ k.mT
        scores.data[:, key % HEADS, :, key] += 3
        return scores.softmax(-1)

    with pytest.raises(NothingCaptured, match="differs from what the model computed"):
        extract(Own(how), inputs={"x": torch.randn(1, LENGTH, HEADS * DIM)})


def test_of_a_long_text_a_sample_is_compared_with_its_ends() -> None:
    rows = comparison.sample(5000, 64)
    assert rows is not None
    assert len(set(rows)) == 64
    assert (rows[0], rows[-1]) == (0, 4999)
    assert rows == sorted(rows)
    assert comparison.sample(64, 64) is None


def formula(**changes: Any) -> Formula:
    torch.manual_seed(0)
    made = Formula(torch.randn(3, 4, 2), torch.randn(3, 5, 2), scaling=1.0)
    return replace(made, **changes)


def test_the_comparison_takes_the_largest_of_heads_rows_and_keys(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for at_once in (1, 1 << 20):
        monkeypatch.setattr(comparison, "AT_ONCE", at_once)
        for head in range(3):
            own = formula().weights([0, 1, 2])
            own[head, head, 4 - head] += 0.25
            record = Record("", 3, (0, 1, 2), (4, 5), formula())
            record.check_weights(own)
            assert record.difference == pytest.approx(0.25)
            values = torch.eye(5).expand(3, -1, -1)
            record.check_output(values * 2, own * 2, None)
            assert record.difference == pytest.approx(0.25)
            some = Record(
                "",
                3,
                (0, 2),
                (4, 5),
                formula(queries=formula().queries[[0, 2]], keys=formula().keys[[0, 2]]),
            )
            some.check_weights(own, [head])
            assert some.difference == pytest.approx(0.0 if head == 1 else 0.25, abs=1e-6)


def test_a_difference_that_is_not_a_number_is_infinite_except_for_padding() -> None:
    own = formula().weights([0, 1, 2])
    own[1, 2] = math.nan
    record = Record("", 3, (0, 1, 2), (4, 5), formula())
    record.check_weights(own)
    assert record.difference == math.inf
    mask = torch.ones(1, 4, 5, dtype=torch.bool)
    mask[:, 2] = False
    own = formula(mask=mask).weights([0, 1, 2])
    own[1, 2] = math.nan
    record = Record("", 3, (0, 1, 2), (4, 5), formula(mask=mask))
    record.check_weights(own)
    assert record.difference == 0
    layer = LayerAttention(0, "", (0, 1, 2), formula())
    theirs = formula().weights([0, 1, 2])[None]
    theirs[0, 0, 0, 0] = math.nan
    assert _differences([layer], [theirs], 0, range(4), range(5)) == [math.inf]


def test_a_bias_that_is_not_a_number_does_not_count_as_padding() -> None:
    def how(q: Tensor, k: Tensor) -> Tensor:
        scores = q @ k.mT + torch.full((LENGTH,), math.inf)
        return (scores - scores.amax(-1, keepdim=True)).softmax(-1)

    with pytest.raises(NothingCaptured, match="not a number"):
        extract(Own(how), inputs={"x": torch.randn(1, LENGTH, HEADS * DIM)})


@pytest.mark.parametrize("verify", [False, True])
@pytest.mark.parametrize("way", ["operations", "interface"])
def test_scores_that_overflow(way: str, verify: bool, build: Callable[..., Any]) -> None:
    if way == "operations":
        model: Any = Own(lambda q, k: ((q * 1e20) @ (k * 1e20).mT).softmax(-1))
        inputs = {"x": torch.randn(1, LENGTH, HEADS * DIM)}
        with pytest.raises(NothingCaptured, match=r"overflow float32|not a number"):
            extract(model, inputs=inputs, verify=verify)
        return
    model, batch = build("bert"), batch_of("bert")
    attention = model.encoder.layer[2].attention.self
    with torch.no_grad():
        attention.query.weight *= 1e20
        attention.key.weight *= 1e20
    if verify:
        with pytest.raises(NotReproduced, match=r"layer.2.attention.self: .* overflow float32"):
            extract(model, inputs=batch, batch_index=0, verify=True)
        return
    with pytest.warns(UserWarning, match="overflow float32"):
        trace = extract(model, inputs=batch, batch_index=0)
    assert [layer.index for layer in trace.blocks["encoder"].layers] == [0, 1]


def test_half_precision_that_overflows_in_the_model_alone(build: Callable[..., Any]) -> None:
    """Scores beyond 65,504: our float32 has numbers where the model has NaN."""
    model = Own(lambda q, k: ((q * 50).half() @ (k * 50).half().mT * 1e3).softmax(-1))
    with pytest.raises(NothingCaptured, match=r"not a number"):
        extract(model, inputs={"x": torch.randn(1, LENGTH, HEADS * DIM)})


@pytest.mark.parametrize("way", ["functional", "sdpa", "in training"])
def test_dropout_in_eval_mode_is_named(way: str) -> None:
    def how(q: Tensor, k: Tensor) -> Tensor:
        if way == "sdpa":
            return F.scaled_dot_product_attention(q, k, k, dropout_p=0.25)
        weights = F.dropout((q @ k.mT).softmax(-1), 0.25, training=way == "functional")
        return weights @ k

    model, inputs = Own(how).train(), {"x": torch.randn(1, LENGTH, HEADS * DIM)}
    if way == "in training":
        assert extract(model, inputs=inputs).skipped == {}
        return
    with pytest.raises(NothingCaptured, match=r"dropout \(p=0.25\), .* eval mode: pass p=0.0"):
        extract(model, inputs=inputs)


AFTER: dict[str, Callable[[Tensor], Tensor]] = {
    "a head": lambda w: w * (torch.arange(HEADS) > 0).view(-1, 1, 1),
    "in place": lambda w: (w[:, :, 2].zero_(), w)[1],
    "under torch's eyes": lambda w: (w.data[:, :, 2].mul_(0.5), w)[1],
    "numpy": lambda w: (w.numpy().__setitem__((0, 1, 2), 0), w)[1],
    "heads mixed": lambda w: torch.einsum("bhij,hg->bgij", w, torch.eye(HEADS).roll(1, 0)),
    "mean": lambda w: w.mean(1, keepdim=True).expand_as(w),
    "the largest": lambda w: w * (w == w.amax(-1, keepdim=True)),
    "a softmax of the softmax": lambda w: w.softmax(-1),
}


@pytest.mark.parametrize("way", AFTER)
def test_weights_that_are_changed_on_their_way_to_the_values(way: str) -> None:
    model = Own(lambda q, k: AFTER[way]((q @ k.mT).softmax(-1)) @ k)
    with pytest.raises(NothingCaptured, match=r"changed between the softmax and the values \("):
        extract(model, inputs={"x": torch.randn(1, LENGTH, HEADS * DIM)})


SAME: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "a mask of ones": lambda w, v: (w * torch.ones(HEADS, 1, 1)) @ v,
    "in place, by one": lambda w, v: w.mul_(1.0) @ v,
    "rearranged": lambda w, v: torch.bmm(w.flatten(0, 1), v.flatten(0, 1)),
    "einsum": lambda w, v: torch.einsum("bhij,bhjd->bihd", w, v),
    "values first": lambda w, v: v.mT @ w.mT,
    "not with matmul": lambda w, v: (w[..., None] * v[:, :, None]).sum(-2),
    "also averaged": lambda w, v: (w.mean(1) @ v[:, 0], w @ v)[1],
    "half": lambda w, v: w.half().float() @ v,
    "looked at": lambda w, v: (w.numpy().sum(), w @ v)[1],
    "by row": lambda w, v: torch.stack([w[:, :, i : i + 1] @ v for i in range(w.shape[2])]),
}


@pytest.mark.parametrize("way", SAME)
def test_weights_that_reach_the_values_as_they_are(way: str) -> None:
    own: list[Tensor] = []

    def how(q: Tensor, k: Tensor) -> Tensor:
        own.append((q @ k.mT).softmax(-1))
        return SAME[way](own[-1], k)

    trace = extract(Own(how), inputs={"x": torch.randn(1, LENGTH, HEADS * DIM)})
    assert trace.skipped == {}
    torch.testing.assert_close(trace.blocks["encoder"].layers[0].weights(), own[0][0].detach())


def test_weights_summed_over_queries_are_not_shown_as_over_keys() -> None:
    model = Own(lambda q, k: (q @ k.mT).softmax(-2) @ k)
    with pytest.raises(NothingCaptured, match="along different axes"):
        extract(model, inputs={"x": torch.randn(1, LENGTH, HEADS * DIM)})


def test_attention_of_other_making_is_told() -> None:
    """Additive attention has no product of queries and keys."""

    def additive(q: Tensor, k: Tensor) -> Tensor:
        return torch.tanh(q[:, :, :, None] + k[:, :, None]).sum(-1).softmax(-1) @ k

    def with_a_sink(q: Tensor, k: Tensor) -> Tensor:
        scores = torch.tanh(q[:, :, :, None] + k[:, :, None]).sum(-1)
        sink = torch.zeros(*scores.shape[:-1], 1)
        return torch.cat([scores, sink], -1).softmax(-1)[..., :-1] @ k

    def in_logarithms(q: Tensor, k: Tensor) -> Tensor:
        scores = torch.tanh(q[:, :, :, None] + k[:, :, None]).sum(-1)
        return F.log_softmax(scores, -1).exp() @ k

    def by_hand(q: Tensor, k: Tensor) -> Tensor:
        return (s := (q @ k.mT).exp()) / s.sum(-1, keepdim=True) @ k

    for how in (additive, with_a_sink, in_logarithms, by_hand):
        with pytest.raises(NothingCaptured, match=r"not understood\. 1 attention module"):
            extract(Own(how), inputs={"x": torch.randn(1, LENGTH, HEADS * DIM)})


@pytest.mark.parametrize("heads_mixed", ["einsum", "linear", "conv2d"])
def test_scores_changed_unseen_are_told_also_where_heads_are_mixed(heads_mixed: str) -> None:
    mix = torch.randn(HEADS, HEADS)

    def how(q: Tensor, k: Tensor) -> Tensor:
        scores = q @ k.mT
        scores.unbind(2)[3].mul_(2)
        if heads_mixed == "einsum":
            scores = torch.einsum("bhij,hg->bgij", scores, mix)
        elif heads_mixed == "linear":
            scores = nn.functional.linear(scores.permute(0, 2, 3, 1), mix).permute(0, 3, 1, 2)
        else:
            scores = nn.functional.conv2d(scores, mix[:, :, None, None])
        return scores.softmax(-1) @ k

    with pytest.raises(NothingCaptured, match="a change in place"):
        extract(Own(how), inputs={"x": torch.randn(1, LENGTH, HEADS * DIM)})


@pytest.mark.parametrize("texts", [1, 2, HEADS])
def test_as_many_texts_as_heads_is_said(texts: int, recwarn: pytest.WarningsRecorder) -> None:
    x = torch.randn(texts, LENGTH, HEADS * DIM)
    extract(Own(lambda q, k: (q @ k.mT).softmax(-1)), inputs={"x": x}, batch_index=0)
    said = [str(each.message) for each in recwarn if "as many heads" in str(each.message)]
    assert len(said) == (texts == HEADS)


def test_from_arrays_has_nothing_skipped() -> None:
    assert AttentionTrace.from_arrays(weights=[[[1.0]]]).skipped == {}
