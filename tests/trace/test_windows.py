"""A window of a long text has the weights of the whole."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

from bertviz import AttentionTrace, HeadView, NeuronView, extract
from tests.helpers import decoded
from tests.models import batch_of


@pytest.mark.parametrize(
    "architecture", ["bert", "gpt2", "llama", "gpt_oss", "gemma2", "mistral", "t5", "bart"]
)
@pytest.mark.parametrize(("start", "stop"), [(2, 5), (0, 3), (4, 9), (0, 9), (3, 4)])
def test_weights_are_those_of_the_whole(
    architecture: str, start: int, stop: int, build: Callable[..., Any]
) -> None:
    trace = extract(build(architecture), inputs=batch_of(architecture, "left"), batch_index=0)
    part = trace.window(start, stop)
    for name, block in part.blocks.items():
        whole = trace.blocks[name]
        assert block.query_tokens == whole.query_tokens[start:stop]
        for small, large in zip(block.layers, whole.layers, strict=True):
            expected = large.weights()[:, start:stop]
            if block.kind != "cross":
                expected = expected[..., start:stop]
            torch.testing.assert_close(small.weights(), expected, atol=1e-6, rtol=0)
    views = NeuronView(part), HeadView(part)
    [[[found, *_], *_], *_] = decoded(views[0]._payload)
    first = next(iter(part.blocks.values())).layers[0].weights(0)[0]
    torch.testing.assert_close(torch.tensor(found["weights"]), first, atol=2e-6, rtol=0)


def test_some_rows_are_those_of_all(build: Callable[..., Any]) -> None:
    for architecture in ("gpt2", "gpt_oss", "t5"):
        trace = extract(build(architecture), inputs=batch_of(architecture), batch_index=0)
        for block in trace.blocks.values():
            layer, rows = block.layers[0], slice(1, 4)
            torch.testing.assert_close(layer.weights(None, rows), layer.weights()[:, rows])
            torch.testing.assert_close(layer.scores([1], rows), layer.scores([1])[:, rows])


def test_a_part_of_a_text_that_is_too_long_for_weights() -> None:
    """All weights of 2 x 12 heads at 16,384 tokens would take 25 GB."""
    generator = torch.Generator().manual_seed(0)
    vectors = torch.randn(2, 12, 16_384, 8, generator=generator)
    trace = AttentionTrace.from_arrays(queries=vectors, keys=vectors, kind="decoder")
    part = trace.window(9_000, 9_040)
    weights = part.blocks["decoder"].layers[1].weights(5)[0]
    scores = vectors[1, 5, 9_039] @ vectors[1, 5, :9_040].T / 8**0.5
    torch.testing.assert_close(weights[39], scores.softmax(-1)[9_000:], atol=1e-6, rtol=1e-4)
    assert len(HeadView(part, layer=1).data) < 1_000_000


def test_bad_windows() -> None:
    trace = AttentionTrace.from_arrays(weights=torch.full((1, 3, 3), 1 / 3))
    for start, stop in ((-1, 2), (2, 2), (0, 4)):
        with pytest.raises(
            ValueError, match=r"is not a part of 3 tokens: expected 0 <= start < stop"
        ):
            trace.window(start, stop)
    with pytest.raises(ValueError, match=r"Layer 0 holds weights, of which a part is a slice"):
        trace.window(0, 2)


@pytest.mark.parametrize("value", ["1", 1.0, None, True, [1], torch.tensor(0.5)])
def test_positions_of_a_window_are_integers(value: Any) -> None:
    vectors = torch.ones(1, 2, 4, 3)
    trace = AttentionTrace.from_arrays(queries=vectors, keys=vectors)
    with pytest.raises(TypeError, match=r"start=.*: expected an integer"):
        trace.window(value, 3)
    with pytest.raises(TypeError, match=r"stop=.*: expected an integer"):
        trace.window(0, value)
    assert len(trace.window(np.int64(1), torch.tensor(3)).blocks["encoder"].query) == 2  # type: ignore[arg-type]
