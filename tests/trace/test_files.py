"""A trace that was saved and loaded is the same trace."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file

from bertviz import AttentionTrace, HeadView, NeuronView, extract
from tests.models import batch_of


@pytest.mark.parametrize("architecture", ["bert", "t5", "gemma2", "gpt_oss", "clip", "llama"])
def test_everything_comes_back(
    architecture: str, build: Callable[..., Any], tmp_path: Path
) -> None:
    model = build(architecture).to(torch.bfloat16 if architecture == "llama" else torch.float32)
    batch = batch_of(architecture)
    trace = extract(model, inputs=batch, batch_index=0, verify=architecture == "bert")
    trace.save(tmp_path / "x.safetensors")
    back = AttentionTrace.load(tmp_path / "x.safetensors")
    assert list(tmp_path.iterdir()) == [tmp_path / "x.safetensors"]
    assert (back.model_name, back.dtype) == (trace.model_name, trace.dtype)
    assert back.exactness == trace.exactness
    assert list(back.blocks) == list(trace.blocks)
    for mine, theirs in zip(trace.blocks.values(), back.blocks.values(), strict=True):
        for field in dataclasses.fields(mine):
            if field.name != "layers":
                assert getattr(mine, field.name) == getattr(theirs, field.name)
        for a, b in zip(mine.layers, theirs.layers, strict=True):
            pairs = [(a, b), (a.formula, b.formula)]
            fields = [
                (getattr(one, field.name), getattr(other, field.name))
                for one, other in pairs
                for field in dataclasses.fields(one)
                if field.name != "formula"
            ]
            for x, y in fields:
                assert torch.equal(x, y) if isinstance(x, torch.Tensor) else x == y
                assert not isinstance(x, torch.Tensor) or x.dtype == y.dtype
            assert torch.equal(a.weights(), b.weights())
    assert NeuronView(back)._payload == NeuronView(trace)._payload


def test_shared_tensors_are_written_once(build: Callable[..., Any], tmp_path: Path) -> None:
    trace = extract(build("t5"), inputs=batch_of("t5"), batch_index=0)
    trace.save(tmp_path / "x.safetensors")
    layers = AttentionTrace.load(tmp_path / "x.safetensors").blocks["encoder"].layers
    assert layers[0].formula.position_bias is layers[1].formula.position_bias


def test_an_error_leaves_the_older_file(
    build: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trace = AttentionTrace.from_arrays(weights=torch.full((1, 2, 2), 0.5))
    path = tmp_path / "x.safetensors"
    trace.save(path)
    before = path.read_bytes()

    def fail(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("safetensors.torch.save_file", fail)
    with pytest.raises(KeyboardInterrupt):
        trace.save(path)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_bad_files(tmp_path: Path) -> None:
    trace = AttentionTrace.from_arrays(weights=torch.full((1, 2, 2), 0.5))
    with pytest.raises(ValueError, match=r"ends in '.pt': expected .safetensors; save as 'x.saf"):
        trace.save(tmp_path / "x.pt")
    with pytest.raises(FileNotFoundError):
        AttentionTrace.load(tmp_path / "none.safetensors")
    (tmp_path / "text.safetensors").write_text("hello")
    with pytest.raises(ValueError, match="is not a safetensors file"):
        AttentionTrace.load(tmp_path / "text.safetensors")
    save_file({"x": torch.ones(1)}, tmp_path / "other.safetensors")
    with pytest.raises(ValueError, match="holds tensors but not a trace"):
        AttentionTrace.load(tmp_path / "other.safetensors")


def test_views_of_a_loaded_trace_of_arrays(tmp_path: Path) -> None:
    trace = AttentionTrace.from_arrays(["a", "b"], torch.full((1, 2, 2), 0.5), sentence_b_start=1)
    trace.save(tmp_path / "x.safetensors")
    assert HeadView(AttentionTrace.load(tmp_path / "x.safetensors")).trace.num_layers == 1
