"""Kinds and numbers of layers: from what is masked, and from where the modules are."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from bertviz.extractor.blocks import _is_causal
from bertviz.extractor.records import Record
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
