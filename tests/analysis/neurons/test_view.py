"""The neuron view begins with an explanation."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

from bertviz import AttentionTrace, NeuronView, explain_head, extract
from bertviz.demo import SENTENCE_A, SENTENCE_B, load_demo_model


@pytest.fixture(scope="module")
def demo_trace() -> AttentionTrace:
    return extract(*load_demo_model(), SENTENCE_A, SENTENCE_B)


def test_the_neuron_view_begins_with_an_explanation(demo_trace: AttentionTrace) -> None:
    explanation = explain_head(demo_trace, 0, 2, "previous token")
    sent = NeuronView(demo_trace, explanation=explanation)._payload
    assert sent["state"] == {"block": "encoder", "layer": 0, "heads": [2]}
    assert sent["explanation"] == {
        "block": "encoder",
        "layer": 0,
        "head": 2,
        "what": "previous token",
        "contributions": list(explanation.contributions),
    }


def test_pairs_share_what_they_contribute(build: Callable[[str], Any]) -> None:
    trace = extract(build("llama"), inputs={"input_ids": torch.arange(5, 13)[None]})
    explanation = explain_head(trace, 0, 1)
    values = NeuronView(trace, explanation=explanation)._payload["explanation"]["contributions"]
    half = len(values) // 2
    assert values[:half] == values[half:]
    np.testing.assert_allclose(sum(values), sum(explanation.contributions), rtol=1e-6)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"layer": 1}, ValueError, "layer=1 is not what the explanation is of, layer 0"),
        ({"head": 3}, ValueError, "head=3 is not what the explanation is of, head 2"),
        ({"explanation": [1.0]}, TypeError, "explanation is a list: expected what explain_head"),
    ],
)
def test_an_explanation_of_something_else(
    demo_trace: AttentionTrace, options: dict[str, Any], error: type[Exception], message: str
) -> None:
    given = {"explanation": explain_head(demo_trace, 0, 2), **options}
    with pytest.raises(error, match=message):
        NeuronView(demo_trace, **given)


def test_an_explanation_of_another_model(
    demo_trace: AttentionTrace, build: Callable[[str], Any]
) -> None:
    other = extract(build("bert"), inputs={"input_ids": torch.arange(5, 13)[None]})
    with pytest.raises(ValueError, match="with 32 neurons in block 'encoder', which this trace"):
        NeuronView(other, explanation=explain_head(demo_trace, 0, 2))
