"""Views of large traces: what takes long is told before, what is very large is asked for."""

from __future__ import annotations

import warnings
from typing import Any

import pytest
import torch

from bertviz import AttentionTrace, HeadView, ModelView, NeuronView
from bertviz.views import costs, rows

TOKENS = [f"t{i}" for i in range(16)]
QUERIES = torch.randn(3, 2, 16, 8, generator=torch.Generator().manual_seed(0))
TRACE = AttentionTrace.from_arrays(TOKENS, queries=QUERIES, keys=QUERIES)
WEIGHTS = 3 * 2 * 16 * 16


@pytest.mark.parametrize("cls", [HeadView, ModelView])
def test_a_view_that_takes_long_says_what_to_pass(monkeypatch: Any, cls: type) -> None:
    monkeypatch.setattr(costs, "MANY", WEIGHTS)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        cls(TRACE)
        monkeypatch.setattr(costs, "MANY", WEIGHTS - 1)
        cls(TRACE, include_layers=range(3))
        cls(TRACE, include_heads=[0, 1])
    with pytest.warns(UserWarning, match=r"weights of 3 layers, .* Pass include_layers=\[0\]"):
        cls(TRACE)
    with pytest.warns(UserWarning, match=r"Pass include_layers=\[2\]"):
        HeadView(TRACE, layer=2)
    one = AttentionTrace.from_arrays(TOKENS, queries=QUERIES[:1], keys=QUERIES[:1])
    monkeypatch.setattr(costs, "MANY", 0)
    with pytest.warns(UserWarning, match="weights of a layer, .* Pass include_heads, or a shorter"):
        cls(one)


def test_a_very_large_neuron_view_is_made_only_if_asked_for(monkeypatch: Any) -> None:
    size = 2 * QUERIES.numel() * 2 * 1.2
    monkeypatch.setattr(costs, "LARGE_BYTES", size - 1)
    with pytest.raises(ValueError, match=r"include_layers=None: .* Pass include_layers=\[1\]"):
        NeuronView(TRACE, layer=1)
    NeuronView(TRACE, layer=1, include_layers=[1])
    NeuronView(TRACE, include_layers=range(3))
    monkeypatch.setattr(costs, "LARGE_BYTES", size)
    NeuronView(TRACE)


def test_the_size_of_a_neuron_view_is_about_as_told() -> None:
    queries = torch.randn(2, 2, 2, 2048, 64, generator=torch.Generator().manual_seed(0))
    trace = AttentionTrace.from_arrays(queries=queries[0], keys=queries[1])
    shipped = [(layer, [0, 1]) for layer in trace.blocks["encoder"].layers]
    size = sum(map(len, NeuronView(trace)._payload["chunks"]))
    assert size == pytest.approx(costs._bytes(shipped), rel=0.1)


def test_more_rows_than_fit_into_memory_are_refused(monkeypatch: Any) -> None:
    monkeypatch.setattr(rows, "MOST_ROWS", 2 * 16 * 16)
    view = HeadView(TRACE)
    assert len(view.rows()) == 2 * 16 * 16
    monkeypatch.setattr(rows, "MOST_ROWS", 2 * 16 * 16 - 1)
    for call in (view.rows, view.to_pandas):
        with pytest.raises(ValueError, match=r"give 512 rows, .*: pass top=20, query= or key="):
            call()
    assert len(view.rows(top=3)) == 2 * 16 * 3
    assert len(view.rows(query=1, top=20)) == len(view.to_pandas(query=1, top=20)) == 2 * 16
    assert len(view.rows(key=1)) == 2 * 16
    with pytest.raises(ValueError, match="give 1,536 rows"):
        ModelView(TRACE).rows()
