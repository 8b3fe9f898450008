"""The model is borrowed: afterwards it is as before, and the trace is independent of it."""

from __future__ import annotations

import gc
import threading
import weakref
from collections.abc import Callable
from typing import Any

import pytest
import torch

from bertviz.extractor import extract
from bertviz.trace import AttentionTrace
from tests.models import batch_of, state_of, texts


@pytest.mark.parametrize("architecture", ["bert", "llama", "t5"])
def test_the_model_is_as_before(architecture: str, build: Callable[..., Any]) -> None:
    model = build(architecture).train()
    model.get_submodule(next(n for n, m in model.named_modules() if "layer" in n)).eval()
    batch = batch_of(architecture)
    before = state_of(model)
    extract(model, inputs=batch, batch_index=0)
    assert state_of(model) == before
    assert {k: v.tolist() for k, v in batch.items()} == {
        k: v.tolist() for k, v in batch_of(architecture).items()
    }


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt, SystemExit])
def test_an_exception_in_the_middle_leaves_nothing_behind(
    error: type[BaseException], build: Callable[..., Any]
) -> None:
    model = build("bert").train()
    before_hook = model.encoder.layer[1].register_forward_hook(_raise(error))
    batch = {"input_ids": texts(rows=1)}
    before = state_of(model)
    with pytest.raises(error, match="in the middle"):
        extract(model, inputs=batch)
    assert state_of(model) == before
    before_hook.remove()
    assert len(extract(model, inputs={"input_ids": texts(rows=1)}).blocks["encoder"].layers) == 3


def _raise(error: type[BaseException]) -> Callable[..., None]:
    def hook(*_: object) -> None:
        raise error("in the middle")

    return hook


def test_dropout_is_not_in_the_weights(build: Callable[..., Any]) -> None:
    model = build("bert").train()
    weights = [
        extract(model, inputs={"input_ids": texts(rows=1)}).blocks["encoder"].layers[0].weights()
        for _ in range(2)
    ]
    assert torch.equal(*weights)
    torch.testing.assert_close(weights[0].sum(-1), torch.ones(4, 9))


def test_a_trace_stays_when_the_model_changes(build: Callable[..., Any]) -> None:
    for architecture in ("bert", "gpt_oss", "t5"):
        model = build(architecture)
        trace = extract(model, inputs=batch_of(architecture), batch_index=0)
        layers = [layer for block in trace.blocks.values() for layer in block.layers]
        before = [layer.weights() for layer in layers]
        with torch.no_grad():
            for tensor in (*model.parameters(), *model.buffers()):
                if tensor.is_floating_point():
                    tensor.fill_(0.7)
        assert all(torch.equal(a.weights(), b) for a, b in zip(layers, before, strict=True))


def test_a_trace_does_not_keep_the_model_alive(build: Callable[..., Any]) -> None:
    model = build("bert")
    seen = weakref.ref(model)
    trace = extract(model, inputs={"input_ids": texts(rows=1)})
    del model
    gc.collect()
    assert seen() is None
    assert trace.num_layers == 3


def test_gradients_of_the_users_own_forward_still_flow(build: Callable[..., Any]) -> None:
    model = build("bert")
    out = model(input_ids=texts(rows=1)).last_hidden_state
    extract(model, inputs={"input_ids": texts(rows=1)})
    out.sum().backward()
    assert all(p.grad is not None for n, p in model.named_parameters() if "pooler" not in n)


def test_another_thread_is_not_concerned(build: Callable[..., Any]) -> None:
    model, other = build("bert"), build("gpt2")
    started, finished = threading.Event(), threading.Event()

    def wait(*_: object) -> None:
        started.set()
        assert finished.wait(60)

    handle = model.encoder.layer[1].register_forward_pre_hook(wait)
    found: list[AttentionTrace] = []
    thread = threading.Thread(
        target=lambda: found.append(extract(model, inputs={"input_ids": texts(rows=1)}))
    )
    thread.start()
    assert started.wait(60)
    with torch.no_grad():
        other(input_ids=texts(rows=1))
        model.embeddings(input_ids=texts(rows=1))
    mine = extract(other, inputs={"input_ids": texts(rows=1)})
    finished.set()
    thread.join()
    handle.remove()
    assert list(found[0].blocks) == ["encoder"]
    assert len(found[0].blocks["encoder"].layers) == 3
    assert list(mine.blocks) == ["decoder"]
