"""Kinds and numbers of layers: from what is masked, and from where the modules are."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from bertviz.extractor.blocks import _indices, _is_causal
from bertviz.extractor.capture import Capture
from bertviz.extractor.inputs import Reading
from bertviz.extractor.records import Keep, Record
from bertviz.trace import Formula


def record(queries: int, keys: int, **known: Any) -> Record:
    formula = Formula(torch.ones(1, queries, 2), torch.ones(1, keys, 2), 1.0, **known)
    return Record("", 1, (0,), (queries, keys), formula)


def seen(*rows: str) -> Tensor:
    return torch.tensor([[[place == "1" for place in row] for row in rows]])


@pytest.mark.parametrize(
    ("mask", "causal"),
    [
        (seen("10", "11"), True),
        (seen("1110", "1111"), True),  # the last query sees all keys
        (seen("0010", "0111"), True),  # a window
        (seen("1111", "1111"), False),
        (seen("1011", "1111"), False),
        (seen("1110", "1111", "1111"), False),
        (seen("1100", "1111", "1111"), False),
        (seen("1100", "1110", "1111"), True),
    ],
)
@pytest.mark.parametrize("name", ["mask", "position_bias"])
def test_causality_with_more_keys_than_queries(mask: Tensor, causal: bool, name: str) -> None:
    if name == "position_bias":
        mask = torch.zeros(mask.shape).masked_fill(~mask, -1e9)
    assert _is_causal(record(*mask.shape[1:], **{name: mask})) is causal


def test_a_single_query_is_as_causal_as_its_module() -> None:
    one = record(1, 3)
    assert not _is_causal(one)
    one.module_is_causal = True
    assert _is_causal(one)
    assert not _is_causal(record(2, 3))
    assert _is_causal(record(2, 3, causal=True))


@pytest.mark.parametrize(
    ("paths", "numbers"),
    [
        (["h.0.attn", "h.1.attn", "h.4.attn"], [0, 1, 4]),
        (["block.0.layer.0", "block.1.layer.0"], [0, 1]),
        (["groups.0.layers.0", "groups.0.layers.3"], [0, 3]),
        (["stages.0.1", "stages.0.2", "stages.1.0"], [0, 1, 2]),
        (["shared", "shared"], [0, 1]),
        (["one", "h.3"], [0, 1]),
        (["h.3.attn"], [3]),
        (["groups.0.layers.3"], [3]),
        (["alone"], [0]),
    ],
)
def test_numbers_of_layers(paths: list[str], numbers: list[int]) -> None:
    model = nn.Module()
    model.groups = nn.ModuleList([nn.Module()])
    model.groups[0].layers = nn.ModuleList(nn.Linear(1, 1) for _ in range(4))
    capture = Capture(Reading.of(model, inputs={"x": torch.ones(1, 1)}), Keep())
    assert _indices(paths, capture) == numbers
