"""The exactness mark: what is shown was compared with the model, and would be refused if wrong."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import nn

from bertviz import NeuronView, NotReproduced, extract
from bertviz.extractor import interface, verification
from bertviz.extractor.recording import Recorder
from bertviz.extractor.records import Record
from bertviz.extractor.verification import _differences, _offered, terms_of
from bertviz.trace import AttentionBlock, AttentionTrace, Formula, LayerAttention, Tokens
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
    right = Recorder.record

    def wrong(self: Recorder, *args: Any, **kwargs: Any) -> Record:
        record = right(self, *args, **kwargs)
        formula = record.formula
        changes = {"scaling": formula.scaling * 1.2, "mask": None, "causal": not formula.causal}
        record.formula = dataclasses.replace(formula, **{name: changes[name]})
        return record

    monkeypatch.setattr(Recorder, "record", wrong)
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


# --- the eager run, number by number ----------------------------------------------------------


def layer(index: int = 0, heads: tuple[int, ...] = (0, 1), **terms: Any) -> LayerAttention:
    torch.manual_seed(index)
    count = len(heads)
    formula = Formula(torch.randn(count, 3, 2), torch.randn(count, 4, 2), 0.5, **terms)
    return LayerAttention(index, f"h.{index}", heads, formula)


def own_of(layers: list[LayerAttention], heads: int = 2) -> list[torch.Tensor]:
    """(texts, heads, query, key) of each layer, the layers' own weights in the second text."""
    found = []
    for each in layers:
        weights = torch.full((2, heads, 3, 4), 9.0)
        weights[1, list(each.heads)] = each.weights()
        found.append(weights)
    return found


def test_every_layer_head_and_row_of_the_eager_run_is_compared() -> None:
    layers = [layer(0), layer(1)]
    assert _differences(layers, own_of(layers), 1, range(3), range(4)) == [0, 0]
    for place in range(2):
        for head in range(2):
            for row in range(3):
                own = own_of(layers)
                own[place][1, head, row, row] -= 0.25
                found = _differences(layers, own, 1, range(3), range(4))
                assert found == pytest.approx([0.25 * (place == 0), 0.25 * (place == 1)])


def test_the_numbers_of_layers_and_heads_are_the_models_own() -> None:
    some = [layer(2, heads=(1, 3))]
    every = own_of([layer(0, heads=(0, 1, 2, 3)), layer(1, heads=(0, 1, 2, 3))], 4)
    assert _differences(some, [*every, *own_of(some, 4)], 1, range(3), range(4)) == [0]
    # A model that returns only some layers returns them in order.
    assert _differences(some, own_of(some, 4), 1, range(3), range(4)) == [0]
    assert _differences([layer(5), layer(6)], own_of([layer(5)]), 1, range(3), range(4)) is None


def test_positions_that_were_dropped_are_dropped_from_the_eager_run() -> None:
    whole = torch.full((1, 2, 5, 6), 9.0)
    one = layer()
    for row, place in enumerate((0, 2, 4)):
        whole[0, :, place, [0, 2, 4, 5]] = one.weights()[:, row]
    assert _differences([one], [whole], 0, [0, 2, 4], [0, 2, 4, 5]) == [0]


@pytest.mark.parametrize("shape", [(1, 2, 3, 4), (2, 1, 3, 4), (2, 2, 2, 4), (2, 2, 3, 3)])
def test_what_has_another_shape_is_no_attention_of_these_layers(shape: tuple[int, ...]) -> None:
    assert _differences([layer()], [torch.zeros(shape)], 1, range(3), range(4)) is None


def test_rows_that_see_nothing_are_not_compared() -> None:
    mask = torch.ones(1, 3, 4, dtype=torch.bool)
    mask[:, 1] = False
    one = layer(mask=mask)
    own = own_of([one])
    own[0][1, :, 1] = 0.0
    assert _differences([one], own, 1, range(3), range(4)) == [0]


def test_attentions_are_found_wherever_they_are_in_an_output() -> None:
    four, three = torch.zeros(1, 2, 3, 3), torch.zeros(1, 3, 3)
    inner = {"cross_attentions": (four,), "hidden_states": (four,)}
    output = {"attentions": (four, None, three), "decoder": inner, "encoder_attentions": (), "x": 1}
    found = _offered(output)
    assert [len(layers) for layers in found] == [1, 1]
    assert all(layers[0] is four for layers in found)
    assert _offered((four,)) == []


def test_what_enters_the_scores_is_told_of_all_layers() -> None:
    def terms(*layers: LayerAttention) -> list[str]:
        query, key = Tokens.read([*"abc"]), Tokens.read([*"abcd"])
        return terms_of(
            AttentionTrace(blocks={"a": AttentionBlock("a", "encoder", query, key, layers)})
        )

    window = torch.tensor([[[1, 1, 0, 0], [0, 1, 1, 0], [0, 0, 1, 1]]]).bool()
    assert terms(layer()) == []
    assert terms(layer(causal=True)) == ["mask"]
    assert terms(layer(), layer(1, mask=torch.ones(1, 3, 4))) == ["mask"]
    assert terms(layer(mask=window)) == ["mask", "sliding window"]
    assert terms(layer(mask=window.flip(1))) == ["mask"], "the first visible key moves back"
    assert terms(layer(mask=window[:, 1:2])) == ["mask"], "the same for all queries"
    many = layer(position_bias=torch.ones(1, 3, 4), softcap=2.0, sinks=torch.ones(2))
    assert terms(many) == ["bias", "sink", "softcap"]
    grouped = Formula(torch.randn(2, 3, 2), torch.randn(1, 4, 2), 0.5)
    assert terms(LayerAttention(0, "h", (0, 1), grouped)) == ["grouped keys"]


@pytest.mark.parametrize("off", [0.9e-4, 1.1e-4])
def test_the_largest_difference_of_any_layer_decides(
    off: float, build: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of every layer in the same run, and of the eager run where that is not too far."""
    right = Record.judge

    def judge(self: Record, checked: bool) -> None:
        if self.difference is not None:
            self.difference = off if "layer.1." in self.path else 1e-7
        right(self, checked)

    monkeypatch.setattr(Record, "judge", judge)

    def found() -> Any:
        return extract(build("bert"), inputs=batch_of("bert"), batch_index=1, verify=True).exactness

    if off > 1e-4:
        with pytest.raises(NotReproduced, match=r"layer 1 .* by 1\.1e-04, where rounding"):
            found()
        return
    report = found()
    assert report["max_difference"] == off
    assert report["layers"]["encoder"][1] == off
    assert report["layers"]["encoder"][0] < off
    assert report["note"] is None
    for eager, worst, told in ((0.95e-4, 0.95e-4, False), (0.5, off, True)):
        monkeypatch.setattr(
            verification, "eager_differences", lambda *_, e=eager: ({"encoder": [e, 0.0, 0.0]}, "")
        )
        report = found()
        assert report["max_difference"] == worst
        assert (report["note"] is not None) is told
        assert ("eager kernel" in report["compared_with"]) is not told
        assert report["layers"]["encoder"][0] == (1e-7 if told else eager)
        assert report["layers"]["encoder"][1] == off


def test_an_eager_run_that_cannot_be_made_says_why(
    build: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    def note() -> str:
        trace = extract(build("bert"), inputs=batch_of("bert"), batch_index=0, verify=True)
        assert trace.exactness is not None
        assert trace.exactness["compared_with"] == "what each attention returned in the same run"
        return str(trace.exactness["note"])

    # Three layers of four heads, each nine by nine float32 numbers.
    monkeypatch.setattr(verification, "MOST_EAGER_BYTES", 3 * 4 * 81 * 4 - 1)
    assert note() == "the text is too long for the model's eager kernel"
    monkeypatch.setattr(verification, "MOST_EAGER_BYTES", 3 * 4 * 81 * 4)
    monkeypatch.setattr(verification, "_set_eager", lambda _: 1 / 0)
    assert note() == "the model's eager run failed: ZeroDivisionError: division by zero"
    monkeypatch.setattr(verification, "_set_eager", lambda _: None)
    monkeypatch.setattr(verification, "_offered", lambda _: [])
    assert note() == "the model returns no attention as one row per query and head"
    bert = type(build("bert"))
    monkeypatch.setattr(bert, "_can_set_attn_implementation", classmethod(lambda cls: False))
    assert "it has no eager run" in note()


def test_layers_that_are_not_wanted_need_no_comparison(build: Callable[..., Any]) -> None:
    trace = extract(build("bert"), inputs=batch_of("bert"), batch_index=0, layers={1}, verify=True)
    assert trace.exactness is not None
    assert len(trace.exactness["layers"]["encoder"]) == 1
    assert "eager kernel" in trace.exactness["compared_with"]
