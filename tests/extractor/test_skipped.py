"""Nothing vanishes silently: what could not be captured is named, and layers keep their numbers."""

from __future__ import annotations

import copy
import pickle
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.nn.functional as F  # noqa: N812, its usual name
from torch import Tensor, nn

from bertviz import AttentionTrace, HeadView, NothingCaptured, NotReproduced, extract
from bertviz.extractor import interface
from bertviz.extractor.provenance import Provenance
from bertviz.extractor.recording import Recorder
from tests.extractor.test_real_life import same
from tests.models import architectures, architectures_by_operations, batch_of, state_of, texts

PATH = "encoder.layer.1.attention.self"


@pytest.fixture
def no_room(monkeypatch: pytest.MonkeyPatch) -> None:
    """Recording the second layer runs out of memory."""
    right = Recorder.record

    def record(self: Recorder, path: str, *args: Any, **kwargs: Any) -> Any:
        if ".1." in path:
            raise torch.OutOfMemoryError("tried to allocate 20 GiB")
        return right(self, path, *args, **kwargs)

    monkeypatch.setattr(Recorder, "record", record)


def test_a_layer_that_could_not_be_recorded_is_named(
    build: Callable[..., Any], no_room: None
) -> None:
    model, batch = build("bert"), batch_of("bert")
    before = state_of(model)
    with pytest.warns(UserWarning, match=rf"1 attention module was not captured. {PATH}: tried to"):
        trace = extract(model, inputs=batch, batch_index=0)
    assert state_of(model) == before
    assert trace.skipped == {PATH: "tried to allocate 20 GiB (out of memory)"}
    assert [layer.index for layer in trace.blocks["encoder"].layers] == [0, 2]
    assert repr(trace).endswith("2 layers, 9 x 9 tokens; 1 not captured)")
    with pytest.raises(NotReproduced, match=rf"{PATH}: tried to allocate .* Without verify"):
        extract(model, inputs=batch, batch_index=0, verify=True)
    with pytest.raises(NothingCaptured, match=rf"layers holds 1, which could not .* {PATH}: tried"):
        extract(model, inputs=batch, batch_index=0, layers=[1])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert extract(model, inputs=batch, batch_index=0, layers=[2]).skipped == {}


def test_what_was_skipped_travels_with_the_trace(
    build: Callable[..., Any], no_room: None, tmp_path: Path
) -> None:
    with pytest.warns(UserWarning, match="not captured"):
        trace = extract(build("bert"), inputs=batch_of("bert"), batch_index=0)
    trace.save(tmp_path / "x.safetensors")
    for other in (
        AttentionTrace.load(tmp_path / "x.safetensors"),
        trace.window(2, 5),
        pickle.loads(pickle.dumps(trace)),
        copy.deepcopy(trace),
    ):
        assert other.skipped == trace.skipped
        assert [layer.index for layer in other.blocks["encoder"].layers] == [0, 2]
    assert '"skipped":{"encoder.layer.1' in HeadView(trace).data
    with pytest.raises(TypeError, match="cannot be changed"):
        trace.skipped["x"] = "y"  # type: ignore[index]


@pytest.mark.parametrize("name", ["bert", "albert", "bart"])
def test_the_others_keep_their_numbers(
    name: str, build: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where paths have no numbers (ALBERT has one module for all), and in both stacks."""
    model, batch = build(name), batch_of(name)
    whole = extract(model, inputs=batch, batch_index=0)
    right, calls = Recorder.record, [0]

    def record(self: Recorder, *args: Any, **kwargs: Any) -> Any:
        calls[0] += 1
        if calls[0] in (1, 3):
            raise ValueError("odd")
        return right(self, *args, **kwargs)

    monkeypatch.setattr(Recorder, "record", record)
    with pytest.warns(UserWarning, match=r"odd \(ValueError\)"):
        trace = extract(model, inputs=batch, batch_index=0)
    count = 0
    for kind, block in trace.blocks.items():
        for layer in block.layers:
            expected = whole.blocks[kind].layer(layer.index)
            assert layer.name == expected.name
            torch.testing.assert_close(layer.weights(), expected.weights())
            count += 1
    assert count == sum(len(block.layers) for block in whole.blocks.values()) - 2


@pytest.mark.parametrize("where", ["_of_heads", "_note", "_check"])
def test_what_fails_at_the_interface_never_reaches_the_model(
    where: str, build: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    model, batch = build("gpt_oss"), batch_of("gpt_oss")
    expected = model(**batch).logits

    def fail(*_: Any, **__: Any) -> Any:
        raise ZeroDivisionError("a bug of ours")

    monkeypatch.setattr(interface, where, fail)
    outputs: list[Tensor] = []
    handle = model.lm_head.register_forward_hook(lambda *given: outputs.append(given[2]))
    if where == "_check":  # what cannot be compared is shown
        assert not extract(model, inputs=batch, batch_index=0).skipped
    else:
        with pytest.raises(NothingCaptured, match=r"layers.0.self_attn: a bug of ours"):
            extract(model, inputs=batch, batch_index=0)
    handle.remove()
    assert torch.equal(outputs[0], expected)


def test_what_fails_around_the_model_never_reaches_it(
    build: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any) -> Any:
        raise ZeroDivisionError("a bug of ours")

    monkeypatch.setattr(Provenance, "given", fail)
    monkeypatch.setattr(Provenance, "pass_on", fail)
    trace = extract(build("bert"), inputs=batch_of("bert"), batch_index=0)
    assert len(trace.blocks["encoder"].layers) == 3


def test_a_step_of_a_generation_that_fails_leaves_no_gap(
    build: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    model, inputs = build("gpt2"), {"input_ids": texts(rows=1)}
    options = {"max_new_tokens": 4, "min_new_tokens": 4, "do_sample": False}
    whole = extract(model, inputs=inputs, generate=options)
    right, calls = Recorder.record, [0]

    def record(self: Recorder, path: str, *args: Any, **kwargs: Any) -> Any:
        calls[0] += ".1." in path
        if ".1." in path and calls[0] == 3:
            raise MemoryError
        return right(self, path, *args, **kwargs)

    monkeypatch.setattr(Recorder, "record", record)
    with pytest.warns(UserWarning, match=r"transformer.h.1.attn: out of memory"):
        trace = extract(model, inputs=inputs, generate=options)
    layers = trace.blocks["decoder"].layers
    assert [layer.index for layer in layers] == [0, 2]
    for layer in layers:
        expected = whole.blocks["decoder"].layer(layer.index)
        torch.testing.assert_close(layer.weights(), expected.weights())


@pytest.mark.parametrize("name", [*architectures(), *architectures_by_operations()])
def test_nothing_is_told_of_models_that_are_captured_in_full(
    name: str, build: Callable[..., Any]
) -> None:
    if name in architectures():
        model, batch = build(name), batch_of(name, "right")
    else:
        torch.manual_seed(0)
        model, batch = architectures_by_operations()[name]().eval(), batch_of("bert", "right")
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        trace = extract(model, inputs=batch, batch_index=1)
    assert trace.skipped == {}
    same(trace, extract(model, inputs=batch, batch_index=1, verify=True))


class OverLayers(nn.Module):
    """Each layer reads what the layers below it gave, weighted at each token by itself."""

    class Layer(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.depth = Depth()
            self.attention = nn.MultiheadAttention(16, 2, batch_first=True)

        def forward(self, states: list[Tensor]) -> Tensor:
            x = self.depth(states)
            return x + self.attention(x, x, x)[0]

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.ModuleList(self.Layer() for _ in range(3))

    def forward(self, x: Tensor) -> Tensor:
        states = [x]
        for layer in self.layers:
            states.append(layer(states))
        return states[-1]


class Depth(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.query = nn.Parameter(torch.ones(16))

    def forward(self, states: list[Tensor]) -> Tensor:
        stacked = torch.stack(states, -2)
        query = self.query.expand(*stacked.shape[:-2], 1, -1)
        return F.scaled_dot_product_attention(query, stacked, stacked).squeeze(-2)


def test_attention_over_layers_is_told_and_is_no_layer() -> None:
    torch.manual_seed(0)
    model, inputs = OverLayers().eval(), {"x": torch.randn(2, 6, 16)}
    with pytest.warns(UserWarning, match=r"3 attention modules .* layers.0.depth: all that stands"):
        trace = extract(model, inputs=inputs, batch_index=0, verify=True)
    assert list(trace.skipped) == [f"layers.{index}.depth" for index in range(3)]
    assert list(trace.blocks) == ["encoder"]
    layers = trace.blocks["encoder"].layers
    assert [(layer.index, layer.name) for layer in layers] == [
        (index, f"layers.{index}.attention") for index in range(3)
    ]
    assert trace.exactness is not None
    assert trace.exactness["max_difference"] < 1e-6


def test_heads_that_ask_the_same_are_heads() -> None:
    class Pool(nn.Module):
        """One learned query, projected for each head: here they happen to be equal."""

        def forward(self, x: Tensor) -> Tensor:
            keys = x.unflatten(-1, (2, 8)).transpose(1, 2)
            return F.scaled_dot_product_attention(torch.ones(len(x), 2, 1, 8), keys, keys)

    trace = extract(Pool(), inputs={"x": torch.randn(2, 6, 16)}, batch_index=0, verify=True)
    assert not trace.skipped
    assert next(iter(trace.blocks.values())).layers[0].num_heads == 2


def test_softmaxes_that_are_not_attention_are_not_told() -> None:
    class Model(nn.Module):
        """Attention and linear attention, pooling, a router among experts and a classifier."""

        def __init__(self) -> None:
            super().__init__()
            self.linear, self.out = nn.Linear(16, 48), nn.Linear(16, 16)
            self.attention = nn.MultiheadAttention(16, 2, batch_first=True)
            self.pool, self.route, self.classify = (nn.Linear(16, n) for n in (1, 3, 5))
            self.experts = nn.ModuleList(nn.Linear(16, 16) for _ in range(3))

        def forward(self, x: Tensor) -> Tensor:
            x = x + self.attention(x, x, x)[0]
            q, k, v = (t.unflatten(-1, (2, 8)).transpose(1, 2) for t in self.linear(x).chunk(3, -1))
            decayed = (q @ k.mT * 0.9 ** torch.arange(36).view(6, 6)).tril() @ v
            x = x + self.out(
                (decayed / (decayed**2).mean(-1, True).sqrt()).transpose(1, 2).flatten(2)
            )
            shares = self.route(x).softmax(-1)
            x = sum(shares[..., i, None] * e(x) for i, e in enumerate(self.experts))
            pooled = (self.pool(x).softmax(1).transpose(1, 2) @ x)[:, 0]
            return self.classify(pooled).softmax(-1)

    torch.manual_seed(0)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        trace = extract(Model(), inputs={"x": torch.randn(1, 6, 16)})
    assert trace.skipped == {}


def test_an_attention_is_skipped_once_however_many_values_its_weights_meet() -> None:
    """Each would take a number of its own, and the layers after it would be numbered wrongly."""

    class Twice(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            weights = torch.tanh(x[:, :, :, None] + x[:, :, None]).sum(-1).softmax(-1)  # additive
            x = weights @ x + weights @ (x + 1)
            return (x @ x.mT).softmax(-1) @ x

    with pytest.warns(UserWarning, match="1 attention module was not captured"):
        trace = extract(Twice(), inputs={"x": torch.randn(1, 2, 4, 3)})
    assert [layer.index for layer in trace.blocks["encoder"].layers] == [1]
