"""A trace that was saved and loaded is the same trace."""

from __future__ import annotations

import dataclasses
import json
import math
import os
import re
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from bertviz import AttentionTrace, HeadView, NeuronView, extract
from bertviz.trace.files import KEY
from bertviz.trace.stored import restored, written
from tests.campaigns.hostile import File
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


def test_a_loaded_trace_is_held_in_memory(tmp_path: Path) -> None:
    path = tmp_path / "x.safetensors"
    weights = torch.rand(4, 3, 3).softmax(-1)
    AttentionTrace.from_arrays(weights=weights).save(path)
    layer = AttentionTrace.load(path).blocks["encoder"].layers[0]
    data = path.read_bytes()
    with path.open("r+b") as file:
        file.write(bytes(len(data)))
    assert torch.equal(layer.weights(), weights)
    with path.open("r+b") as file:
        file.truncate(0)
    assert torch.equal(layer.weights(), weights)


SPOILED: list[tuple[str, Any, str]] = [
    ("scaling", "x", "layers[0].formula.scaling is 'x', a str: expected a number"),
    ("scaling", math.nan, "its JSON holds NaN, which is not a number"),
    ("scaling", 10**400, "formula.scaling is 10000"),
    ("scaling", 1e300, "so large that q·k overflows"),
    ("softcap", -1, "blocks[0].layers[0].formula: softcap=-1.0 is too small"),
    ("key_heads", [7, 0, 0, 0], "key_heads=[7, 0, 0, 0] does not fit"),
    ("mask", 3, "formula.mask is 3, an int: expected the name of a tensor"),
    ("mask", {"tensor": "none"}, "which the file does not hold"),
    ("mask", {"tensor": "encoder.0.queries"}, "mask has shape (4, 3, 6): expected"),
    ("more", 3, "has 'more', which is unknown"),
]


@pytest.mark.parametrize(("name", "value", "message"), SPOILED)
def test_what_was_changed_is_named(name: str, value: Any, message: str, tmp_path: Path) -> None:
    path = tmp_path / "x.safetensors"
    AttentionTrace.from_arrays(
        queries=torch.randn(1, 4, 3, 6), keys=torch.randn(1, 2, 3, 6), scaling=0.5
    ).save(path)
    file = File(path.read_bytes())
    file.about["blocks"][0]["layers"][0]["formula"][name] = value
    path.write_bytes(file.put_together())
    with pytest.raises(ValueError, match=re.escape(message)) as error:
        AttentionTrace.load(path)
    assert f"path={str(path)!r} holds no trace that can be used: " in str(error.value)


@pytest.mark.parametrize("text", ["[" * 100_000, '{"a":' * 9000 + "1" + "}" * 9000, "[]", "3", ""])
def test_json_that_is_no_trace_is_named(text: str, tmp_path: Path) -> None:
    save_file({"x": torch.ones(1)}, tmp_path / "x.safetensors", metadata={KEY: text})
    with pytest.raises(ValueError, match=r"path='.*' holds no trace that can be used: its JSON "):
        AttentionTrace.load(tmp_path / "x.safetensors")


def test_a_trace_that_could_not_be_loaded_is_not_saved(tmp_path: Path) -> None:
    path = tmp_path / "x.safetensors"
    trace = AttentionTrace.from_arrays(queries=torch.randn(1, 2, 3), keys=torch.randn(1, 2, 3))
    trace.save(path)
    before = path.read_bytes()
    [block] = trace.blocks.values()
    formula = dataclasses.replace(block.layers[0].explained, mask=torch.full((1, 1, 1), 3.1e38))
    layers = (dataclasses.replace(block.layers[0], formula=formula),)
    wrong = dataclasses.replace(
        trace, blocks={block.name: dataclasses.replace(block, layers=layers)}
    )
    with pytest.raises(
        ValueError, match=r"cannot be saved.*layer 0: mask holds numbers that overflow"
    ):
        wrong.save(path)
    assert path.read_bytes() == before


def test_a_block_may_have_any_name(tmp_path: Path) -> None:
    """Half a surrogate pair is no UTF-8, and what it is written as may be a name, too."""
    path = tmp_path / "x.safetensors"
    weights = torch.rand(2, 1, 2, 2).softmax(-1)
    traces = [AttentionTrace.from_arrays(weights=each) for each in weights]
    names = ["\ud800", "\\ud800"]
    blocks = {
        name: dataclasses.replace(trace.blocks["encoder"], name=name)
        for name, trace in zip(names, traces, strict=True)
    }
    AttentionTrace(blocks=blocks).save(path)
    back = AttentionTrace.load(path).blocks
    assert list(back) == names
    for name, expected in zip(names, weights, strict=True):
        assert torch.equal(back[name].layers[0].weights(), expected)


def test_the_table_knows_every_field(build: Callable[..., Any]) -> None:
    trace = extract(build("t5"), inputs=batch_of("t5"), batch_index=0, verify=True)
    about, tensors = written(trace)
    assert {*about} == {field.name for field in dataclasses.fields(AttentionTrace)}
    back = restored(json.loads(json.dumps(about)), tensors)
    assert written(back)[0] == about


def test_the_file_is_what_the_library_reads(tmp_path: Path) -> None:
    path = tmp_path / "x.safetensors"
    weights = torch.rand(2, 3, 3).softmax(-1).to(torch.bfloat16)
    AttentionTrace.from_arrays(weights=weights).save(path)
    [tensor] = load_file(path).values()
    assert torch.equal(tensor, weights)


def test_torchs_default_device_does_not_matter(tmp_path: Path) -> None:
    path = tmp_path / "x.safetensors"
    AttentionTrace.from_arrays(weights=torch.full((1, 2, 2), 0.5)).save(path)
    with torch.device("meta"):
        assert AttentionTrace.load(path).blocks["encoder"].layers[0].weights().sum() == 2


def test_a_pipe_is_read_and_a_device_is_not(tmp_path: Path) -> None:
    AttentionTrace.from_arrays(weights=torch.full((1, 2, 2), 0.5)).save(tmp_path / "x.safetensors")
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    data = (tmp_path / "x.safetensors").read_bytes()
    writer = threading.Thread(target=lambda: pipe.write_bytes(data))
    writer.start()
    assert AttentionTrace.load(pipe).num_layers == 1
    writer.join()
    with pytest.raises(ValueError, match=r"path='/dev/zero' is not .*\(it is a device"):
        AttentionTrace.load("/dev/zero")


def test_views_of_a_loaded_trace_of_arrays(tmp_path: Path) -> None:
    trace = AttentionTrace.from_arrays(["a", "b"], torch.full((1, 2, 2), 0.5), sentence_b_start=1)
    trace.save(tmp_path / "x.safetensors")
    assert HeadView(AttentionTrace.load(tmp_path / "x.safetensors")).trace.num_layers == 1
