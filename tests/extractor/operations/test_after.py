"""Weights on their way to the values: whether they are still those of the softmax."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor

from bertviz.extractor.operations.after import Fate, Weights
from bertviz.extractor.operations.known import UNSEEN, Known
from bertviz.extractor.operations.products import Lost, Product
from bertviz.extractor.records import Record
from bertviz.trace import Formula
from tests.extractor.operations.own import HEADS, LENGTH

SHAPE = (1, HEADS, LENGTH, LENGTH)


def product(rows: int = LENGTH, columns: int = LENGTH) -> Product:
    layout = torch.empty(1, HEADS, rows, columns, device="meta")
    return Product(
        "a", torch.ones(1, HEADS, rows, 2), torch.ones(1, HEADS, columns, 2), False, layout
    )


def fated(again: Callable[[Tensor], bool] | None = None) -> tuple[Record, Fate]:
    record = Record("a", 2, (0, 1), (3, 5), Formula(torch.ones(2, 3, 1), torch.ones(2, 5, 1), 1.0))
    return record, Fate("a", record, again)


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_weights_are_found_again_in_any_arrangement(axis: int) -> None:
    result = torch.randn(2, 3, 5).movedim(-1, axis)
    given: list[Tensor] = []
    _, fate = fated(lambda x: given.append(x) or True)  # type: ignore[func-returns-value]
    weights = Weights.begin(fate, result, axis)
    assert weights.layout.stride(axis) == 1
    in_order = result.movedim(axis, -1)
    found = weights.as_given(result)
    assert found is not None
    assert torch.equal(found, in_order)
    turned = weights.viewed(weights.layout.permute(2, 0, 1))
    found = turned.as_given(result.permute(2, 0, 1))
    assert found is not None
    assert torch.equal(found, in_order)
    assert weights.as_given(result[:1]) is None
    other = torch.ones(5, 2)
    assert [weights.meets(other, i, result) for i in range(3)] == [i == axis for i in range(3)]
    assert not weights.meets(2.0, axis, result)
    part = weights.viewed(weights.layout.narrow(axis, 0, 4))
    assert not part.meets(other, axis, result)


def test_what_happened_on_the_way_decides_whether_they_are_shown() -> None:
    tensor = torch.randn(2, 3, 5)

    def used(again: bool | None, change: Callable[[Weights], Weights | None]) -> Record:
        record, fate = fated(None if again is None else lambda _: again)
        weights = change(Weights.begin(fate, tensor, 2))
        assert weights is not None
        weights.use(tensor)
        return record

    def after(name: str, result: Tensor, *more: Any, **named: Any) -> Any:
        return lambda w: w.after(name, result, (tensor, *more), named, tensor)

    assert used(None, lambda w: w).used
    assert used(False, after("mul", tensor.clone(), 1)).used, "nothing changed"
    changed = used(False, after("mul", tensor * 2, 2))
    assert not changed.used
    assert changed.changed == "its weights are changed between the softmax and the values (mul)"
    assert not used(None, after("mul", tensor * 2, 2)).used, "nothing to compare them with"
    assert used(True, after("mul", tensor * 2, 2)).used, "they are the same, compared once more"
    random = used(False, after("dropout", tensor * 2, 0.25))
    assert random.changed is not None
    assert "dropout (p=0.25)" in random.changed
    assert "p=0.75" in str(used(False, after("dropout", tensor * 2, p=0.75)).changed)
    assert "p=0.5" in str(used(False, after("dropout", tensor * 2)).changed)
    lost = used(True, after("sum", tensor.sum(-1)))
    assert not lost.used, "they are no longer one weight per query and key"
    assert "(sum)" in str(lost.changed)
    touched = used(False, after("mul", tensor, 2))
    assert "(mul)" in str(touched.changed), "in place"
    assert (
        Weights.begin(fated()[1], tensor, 2).after("argmax", tensor.argmax(-1), (), {}, tensor)
        is None
    )


def test_weights_that_were_used_once_stay_used() -> None:
    record, fate = fated()
    weights = Weights.begin(fate, torch.ones(2, 3, 5), 2)
    weights.miss()
    assert record.changed is not None
    assert "different axes" in record.changed
    weights.use(torch.ones(2, 3, 5))
    assert (record.used, record.changed) == (True, None)
    weights.miss()
    fate.touched = "add"
    weights.use(torch.ones(2, 3, 5))
    assert (record.used, record.changed) == (True, None)
    Weights.begin(Fate("a", None), torch.ones(2, 3, 5), 2).use(torch.ones(2, 3, 5))


def test_a_change_that_nobody_saw() -> None:
    known, tensor, record = Known(), torch.zeros(2, 3, 5), fated()[0]
    known.remember(tensor, product())
    assert isinstance(known.among((tensor,), {})[id(tensor)], Product)
    assert set(known.among(([tensor],), {})) == set(known.among((), {"x": tensor})) == {id(tensor)}
    tensor.view(-1)[0] = 1
    held = known.among((tensor,), {})[id(tensor)]
    assert isinstance(held, Lost)
    assert UNSEEN in held.reason
    known.remember(tensor, Weights.begin(Fate("a", record), tensor, 2))
    assert known.among((tensor,), {})[id(tensor)].changed is None
    tensor[0] += 1
    assert known.among((tensor,), {})[id(tensor)].changed == UNSEEN
    weights = Weights.begin(Fate("a", record), tensor, 2)
    known.remember(tensor, weights.after("mul", tensor * 2, (tensor, 2), {}, tensor))
    tensor[0] += 1
    assert known.among((tensor,), {})[id(tensor)].changed == "mul", "the first change is told"
    known.remember(tensor, None)
    assert known.among((tensor,), {}) == {}
    known.forget(3)
    with torch.inference_mode():
        uncounted = torch.zeros(2)
        known.remember(uncounted, product())
        assert id(uncounted) in known.among((uncounted,), {})
