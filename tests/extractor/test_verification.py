"""The exactness mark: what is shown was compared with the model, and would be refused if wrong."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import nn

from bertviz import NeuronView, NotReproduced, extract
from bertviz.extractor import interface, records
from bertviz.trace import LayerAttention
from tests.models import DECODERS, ENCODERS, TWO_STACKS, batch_of, state_of

TERMS = {
    "bert": [],
    "gpt2": ["mask"],
    "t5": ["bias", "mask"],
    "llama": ["grouped keys", "mask"],
    "gemma2": ["grouped keys", "mask", "sliding window", "softcap"],
    "gpt_oss": ["grouped keys", "mask", "sink", "sliding window"],
    "mistral": ["grouped keys", "mask", "sliding window"],
}


@pytest.mark.parametrize("padding", ["none", "left"])
@pytest.mark.parametrize("architecture", [*ENCODERS, *DECODERS, *TWO_STACKS, "vit", "clip"])
def test_what_is_captured_is_confirmed(
    architecture: str, padding: str, build: Callable[..., Any]
) -> None:
    model = build(architecture)
    batch = batch_of(architecture, padding)
    before = state_of(model)
    trace = extract(model, inputs=batch, batch_index=1, verify=True)
    assert state_of(model) == before
    found = trace.exactness
    assert found is not None
    assert found["max_difference"] <= 1e-5
    assert found["dtype"] == "float32"
    assert "eager kernel" in found["compared_with"], found["note"]
    assert set(found["layers"]) == set(trace.blocks)
    for name, block in trace.blocks.items():
        assert len(found["layers"][name]) == len(block.layers)
    if padding == "none" and architecture in TERMS:
        # In older versions of transformers, T5's mask is a part of its bias.
        merged = architecture == "t5" and "mask" not in found["terms"]
        assert found["terms"] == [x for x in TERMS[architecture] if not (merged and x == "mask")]


def test_a_trace_is_verified_later(build: Callable[..., Any]) -> None:
    model, batch = build("bert"), batch_of("bert", "right")
    trace = extract(model, inputs=batch, batch_index=1)
    assert trace.exactness is None
    again = trace.verify(model, batch, batch_index=1)
    assert again.exactness is not None
    assert again.exactness["max_difference"] <= 1e-5
    assert again.blocks is trace.blocks
    with pytest.raises(ValueError, match=r"not of this model and these inputs: block 'encoder'"):
        trace.verify(model, batch, batch_index=0)
    with torch.no_grad():
        model.encoder.layer[1].attention.self.query.weight.mul_(1.5)
    with pytest.raises(NotReproduced, match=r"differs from what the model computes now by"):
        trace.verify(model, batch, batch_index=1)


@pytest.mark.parametrize("name", ["scaling", "mask", "causal"])
def test_what_is_wrong_is_refused(
    name: str, build: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A term that is captured wrongly, as an architecture of tomorrow may have it."""
    right = records.Record.as_layer

    def wrong(self: records.Record, index: int = 0, rotary: bool = False) -> LayerAttention:
        layer = right(self, index, rotary)
        assert layer.scaling is not None
        changes = {"scaling": layer.scaling * 1.2, "mask": None, "causal": not layer.formula.causal}
        formula = dataclasses.replace(layer.formula, **{name: changes[name]})
        return dataclasses.replace(layer, formula=formula)

    monkeypatch.setattr(records.Record, "as_layer", wrong)
    architecture = "mistral" if name == "mask" else "bert"
    with pytest.raises(NotReproduced, match=r"layer 0 .* cannot be reproduced: .* differs from"):
        extract(build(architecture), inputs=batch_of(architecture), batch_index=0, verify=True)


def test_what_returns_nothing_comparable_is_refused(
    build: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(interface, "_check", lambda *_: None)
    with pytest.raises(NotReproduced, match="could not be checked"):
        extract(build("bert"), inputs=batch_of("bert"), batch_index=0, verify=True)


def test_generation_is_verified(build: Callable[..., Any]) -> None:
    options = {"max_new_tokens": 5, "min_new_tokens": 5, "do_sample": False}
    for architecture in ("gpt2", "mistral", "bart"):
        trace = extract(
            build(architecture),
            inputs={"input_ids": batch_of("bert")["input_ids"][:1]},
            generate=options,
            verify=True,
        )
        assert trace.exactness is not None
        assert trace.exactness["max_difference"] <= 1e-5
        assert "eager kernel" in trace.exactness["compared_with"], trace.exactness["note"]


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_half_precision_has_its_own_rounding(dtype: torch.dtype, build: Callable[..., Any]) -> None:
    model = build("llama").to(dtype)
    trace = extract(model, inputs=batch_of("llama"), batch_index=0, verify=True)
    assert trace.exactness is not None
    assert trace.exactness["dtype"] == str(dtype).removeprefix("torch.")
    assert 0 < trace.exactness["max_difference"] < 6e-2


def test_a_model_of_ones_own_is_verified() -> None:
    torch.manual_seed(0)
    model = nn.TransformerEncoder(
        nn.TransformerEncoderLayer(16, 4, 32, batch_first=True), 2, enable_nested_tensor=False
    )
    trace = extract(model, inputs={"src": torch.randn(1, 5, 16)}, verify=True)
    assert trace.exactness is not None
    assert trace.exactness["max_difference"] <= 1e-5
    assert trace.exactness["note"] == "the model offers no attention of its own"


def test_views_show_the_mark(build: Callable[..., Any]) -> None:
    trace = extract(build("bert"), inputs=batch_of("bert"), batch_index=0, verify=True)
    assert '"exactness":{"max_difference":' in NeuronView(trace).data
