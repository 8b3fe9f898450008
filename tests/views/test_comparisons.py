"""Views of a comparison show differences in place of weights."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import bertviz
from bertviz import AttentionTrace, HeadView, ModelView, NeuronView
from tests.helpers import Difference, a_model_view, a_neuron_view
from tests.views.texts import TOKENS, state


def test_a_comparison_in_the_head_and_the_model_view(trace: AttentionTrace) -> None:
    torch.manual_seed(1)
    other = AttentionTrace.from_arrays(
        tokens=TOKENS, queries=torch.randn(3, 4, 3, 8), keys=torch.randn(3, 4, 3, 8)
    )
    comparison = Difference(trace, other)
    head = HeadView(comparison, layer=1, heads=[2])
    assert head._payload["difference"]
    assert state(head) == {"block": "encoder", "layer": 1, "heads": [2]}
    model = bertviz.model_view(comparison, html_action="return")
    assert [measure["name"] for measure in model._payload["measures"]] == ["difference"]
    assert model._payload["neurons"] == "left out", "neurons are one trace's"
    found = [row["weight"] for row in head.rows()]
    np.testing.assert_allclose(found, comparison.weights(1, [2]).ravel(), atol=1e-6)
    # One's own measures come in place of the comparison's.
    mine = ModelView(comparison, measures={"mine": {(0, 0): 1}})
    assert [measure["name"] for measure in mine._payload["measures"]] == ["mine"]


def test_what_does_not_go_with_a_comparison(trace: AttentionTrace) -> None:
    comparison = Difference(trace, trace)
    with pytest.raises(TypeError, match=r"neuron_view shows one trace; pass neuron_view\(x.a"):
        NeuronView(comparison)
    with pytest.raises(TypeError, match=r"neuron_view shows one trace; pass neuron_view\(x.a"):
        a_neuron_view(comparison)
    with pytest.raises(TypeError, match="takes no tokens with a trace"):
        a_model_view(comparison, tokens=TOKENS)
    with pytest.raises(ValueError, match="layer=3 is out of range"):
        HeadView(comparison, layer=3)
