"""An error while operations are followed never reaches the model."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor

from bertviz import NothingCaptured, extract
from bertviz.extractor.operations import table
from tests.extractor.operations.own import DIM, HEADS, LENGTH, Own
from tests.extractor.operations.ways import WAYS, baddbmm_in_place


@pytest.mark.parametrize("way", ["in place", "baddbmm in place"])
@pytest.mark.parametrize("culprit", ["rules.note", "products.Product.plus", "table.Call.begin"])
def test_an_operation_is_done_once_whatever_a_rule_raises(
    way: str, culprit: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any) -> None:
        raise ZeroDivisionError("a bug of ours")

    model, x = Own(WAYS[way]), torch.randn(1, LENGTH, HEADS * DIM)
    model(x)
    own = model.weights
    monkeypatch.setattr(f"bertviz.extractor.operations.{culprit}", fail)
    with pytest.raises(NothingCaptured, match="a bug of ours"):
        extract(model, inputs={"x": x})
    torch.testing.assert_close(model.weights, own, atol=0, rtol=0)


def test_what_is_kept_before_an_operation_may_fail(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any, **__: Any) -> Any:
        raise MemoryError("no room for a copy")

    rule = replace(table._rules["baddbmm_"], before=fail)
    monkeypatch.setitem(table._found, Tensor.baddbmm_, rule)
    model, x = Own(baddbmm_in_place), torch.randn(1, LENGTH, HEADS * DIM)
    with pytest.raises(NothingCaptured, match=r"baddbmm_, no room for a copy"):
        extract(model, inputs={"x": x})
    assert model.weights is not None, "it ran to its end"


def test_what_goes_wrong_in_following_never_reaches_the_model(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fail(*_: Any) -> None:
        raise ZeroDivisionError("a bug of ours")

    model = Own(WAYS["plain"])
    x = torch.randn(1, LENGTH, HEADS * DIM)
    monkeypatch.setattr("bertviz.extractor.operations.products.Product.scaled", fail)
    with pytest.raises(NothingCaptured, match="a bug of ours"):
        extract(model, inputs={"x": x})
    assert model.weights is not None, "it ran to its end"
    model.how = lambda q, k: (q @ k).softmax(-1)  # the model's own mistake
    with pytest.raises(RuntimeError, match=r"shape|size"):
        extract(model, inputs={"x": x})
