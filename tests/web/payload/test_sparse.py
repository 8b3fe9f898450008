"""What arrives in the page is what was captured, as listed weights and hidden mass."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from bertviz.trace import AttentionTrace
from bertviz.web import payload
from bertviz.web.payload import sparse
from tests.helpers import Difference, decoded
from tests.web.payload.traces import WITHIN, weights_trace


@pytest.mark.parametrize("view", ["head", "model"])
@pytest.mark.parametrize(
    ("tokens", "query", "sharpness"),
    [
        (5, None, 1.0),
        (64, None, 3.0),
        (65, None, 3.0),
        (300, None, 6.0),
        (70, 9, 2.0),
        (300, None, 0),
    ],
)
def test_listed_and_hidden_are_the_row(
    tokens: int, query: int | None, sharpness: float, view: Any
) -> None:
    trace = weights_trace(tokens, sharpness, query=query)
    [block] = trace.blocks.values()
    [layers] = decoded(payload.build(trace, view))
    for layer, found in zip(block.layers, layers, strict=True):
        true = layer.weights().flatten(0, 1).double()
        listed = torch.tensor(found["dense"], dtype=torch.float64)
        hidden = torch.tensor(found["hidden"], dtype=torch.float64)
        shown = listed > 0
        if shown.any():
            assert float((listed - true)[shown].abs().max()) <= WITHIN
        torch.testing.assert_close(listed.sum(-1) + hidden, true.sum(-1), atol=1e-3, rtol=0)
        # Nothing that an 8-bit screen could show is left out.
        assert float(true[~shown].max() if (~shown).any() else 0) <= 1 / 255 + WITHIN


def test_a_short_text_hides_nothing() -> None:
    [layers] = decoded(payload.build(weights_trace(20, 2.0), "head"))
    assert max(max(layer["hidden"]) for layer in layers) < 2e-5


def test_an_evenly_spread_head_is_hidden_mass_and_not_lost() -> None:
    trace = AttentionTrace.from_arrays(weights=torch.full((1, 512, 512), 1 / 512))
    [[layer]] = decoded(payload.build(trace, "head"))
    assert layer["hidden"] == pytest.approx([1.0] * 512)


def test_every_matrix_is_shipped_once_and_filters_ship_less() -> None:
    trace = weights_trace(40, 2.0)
    whole = payload.build(trace, "head")
    assert len(whole["chunks"]) == 2
    part = payload.build(trace, "head", include_layers=[1], include_heads=[2])
    [layer] = part["blocks"][0]["layers"]
    assert (layer["index"], layer["heads"]) == (1, [2])
    assert len(part["chunks"]) == 1
    [[found]] = decoded(part)
    true = trace.blocks["encoder"].layers[1].weights(2)[0]
    torch.testing.assert_close(torch.tensor(found["dense"]), true, atol=WITHIN, rtol=0)


def test_rounding_does_not_add_up() -> None:
    rng = np.random.default_rng(0)
    rows = rng.dirichlet(np.full(400, 2.0), size=50).astype(np.float32)
    hidden, counts, deltas, values = sparse.list_weights(rows, fine=False)
    assert counts.sum() == len(deltas) == len(values)
    listed = np.add.reduceat(values, np.concatenate(([0], np.cumsum(counts)[:-1])))
    np.testing.assert_allclose(listed / sparse.LONG_STEPS + hidden, 1, atol=1e-3)
    assert (values > 0).all()


def test_many_heads_are_listed_coarsely(monkeypatch: pytest.MonkeyPatch) -> None:
    trace = weights_trace(20, 2.0)  # 2 layers of 3 heads
    monkeypatch.setattr(sparse, "FINE_WEIGHTS", 2 * 3 * 20 * 20 - 1)
    data = payload.build(trace, "model")
    steps = {layer["weights"]["steps"] for layer in data["blocks"][0]["layers"]}
    assert steps == {sparse.LONG_STEPS}
    [layers] = decoded(data)
    for layer, found in zip(trace.blocks["encoder"].layers, layers, strict=True):
        true = layer.weights().reshape(-1, 20).numpy()
        dense = np.array(found["dense"])
        listed = dense > 0
        assert np.abs(dense - true)[listed].max() < WITHIN
        np.testing.assert_allclose(dense.sum(-1) + found["hidden"], 1, atol=1e-5)
    # Some of the heads are few enough.
    fine = payload.build(trace, "model", include_heads=[0])
    assert fine["blocks"][0]["layers"][0]["weights"]["steps"] == sparse.SHORT_STEPS


@pytest.mark.parametrize("tokens", [12, 90])
def test_differences_are_two_sets_of_weights(tokens: int) -> None:
    a, b = weights_trace(tokens, 1.0), weights_trace(tokens, 3.0)
    data = payload.build(b, "head", comparison=Difference(a, b), include_heads=[0, 2])
    assert data["difference"] is True
    [layers] = decoded(data)
    for index, found in enumerate(layers):
        true = Difference(a, b).weights(index, [0, 2]).reshape(-1, tokens).numpy()
        more, less = np.array(found["dense"]).reshape(2, -1, tokens)
        hidden = np.array(found["hidden"]).reshape(2, -1)
        assert not (more * less).any(), "a difference has one sign"
        listed = (more + less) > 0
        assert np.abs(more - less - true)[listed].max() < WITHIN
        for part, unlisted, sign in ((more, hidden[0], 1), (less, hidden[1], -1)):
            whole = np.clip(sign * true, 0, 1).sum(-1)
            np.testing.assert_allclose(part.sum(-1) + unlisted, whole, atol=1e-3)


def test_the_last_position_that_two_bytes_hold() -> None:
    weights = np.zeros((1, 1, 1, sparse.MOST_KEYS), np.float32)
    weights[..., [3, 65535]] = 0.25, 0.75
    tokens = [str(place) for place in range(sparse.MOST_KEYS)]
    trace = AttentionTrace.from_arrays(weights=weights, query_tokens=["a"], key_tokens=tokens)
    [[found]] = decoded(payload.build(trace, "head"))
    assert np.flatnonzero(found["dense"][0]).tolist() == [3, 65535]
    np.testing.assert_allclose(found["dense"][0][65535], 0.75, atol=WITHIN)


@pytest.mark.parametrize("view", ["head", "model", "neuron"])
def test_more_keys_than_a_page_has_numbers_for_are_refused(view: Any) -> None:
    keys = torch.zeros(1, 1, sparse.MOST_KEYS + 1, 2)
    trace = AttentionTrace.from_arrays(queries=torch.ones(1, 1, 1, 2), keys=keys, kind="cross")
    with pytest.raises(ValueError, match=r"has 65,537 key tokens: .* up to 65,536\. .*window"):
        payload.build(trace, view)
