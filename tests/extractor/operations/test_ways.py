"""Attention seen in torch operations, however it is written."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from bertviz import NothingCaptured, extract
from tests.extractor.operations.own import BIAS, DIM, HEADS, LENGTH, Own
from tests.extractor.operations.ways import KEY_HEADS, WAYS


@pytest.mark.parametrize("batch", [1, 3])
@pytest.mark.parametrize("way", WAYS)
def test_ways_to_write_attention(way: str, batch: int) -> None:
    model = Own(WAYS[way])
    x = torch.randn(batch, LENGTH, HEADS * DIM)
    index = batch - 1
    trace = extract(model, inputs={"x": x}, batch_index=index, verify=True)
    [block] = trace.blocks.values()
    [layer] = block.layers
    assert model.weights is not None
    torch.testing.assert_close(layer.weights(), model.weights[index].detach(), atol=2e-6, rtol=0)
    assert layer.num_key_value_heads == KEY_HEADS.get(way, HEADS)
    assert layer.queries is not None
    assert layer.queries.shape == (HEADS, LENGTH, DIM)
    if way == "softcap":
        assert layer.formula.softcap == pytest.approx(2.0)
        assert layer.scaling == pytest.approx(0.3)
    if way == "plain":
        assert layer.scaling == pytest.approx(1 / math.sqrt(DIM))
        assert layer.formula.mask is None
        assert layer.formula.position_bias is None


NOT_ATTENTION: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "a product with a parameter": lambda q, k: (q @ nn.Parameter(k)).softmax(-1),
    "no product": lambda q, k: (q + k).softmax(-1),
    "not over keys or queries": lambda q, k: (q @ k.mT).softmax(1),
    "squared": lambda q, k: ((q @ k.mT) ** 2).softmax(-1),
    "the largest alone": lambda q, k: (
        lambda scores: torch.zeros_like(scores).scatter(
            -1, scores.topk(2, -1).indices, scores.topk(2, -1).values
        )
    )(q @ k.mT).softmax(-1),
    "added to the bias itself": lambda q, k: (
        BIAS.repeat(len(q), 1, 1, 1).add_(q @ k.mT).softmax(-1)
    ),
    "written over": lambda q, k: (
        lambda scores: (scores[..., 0].fill_(3.0), scores.softmax(-1))[1]
    )(q @ k.mT),
}


@pytest.mark.parametrize("way", NOT_ATTENTION)
def test_what_is_not_understood_is_not_shown(way: str) -> None:
    class Parameterized(Own):
        def __init__(self) -> None:
            super().__init__(NOT_ATTENTION[way])
            self.codes = nn.Parameter(torch.randn(DIM, 5))

        def forward(self, x: Tensor) -> Tensor:
            if way == "a product with a parameter":
                return (self.query(x).unflatten(-1, (HEADS, DIM)) @ self.codes).softmax(-1)
            return super().forward(x)

    with pytest.raises(NothingCaptured, match=r"seen: [1-9] softmax"):
        extract(Parameterized(), inputs={"x": torch.randn(2, LENGTH, HEADS * DIM)}, batch_index=1)
