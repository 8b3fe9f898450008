"""By how much a capture may differ from the model's own numbers, and what is compared."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterator
from typing import Any

import pytest
import torch
from torch import Tensor

from bertviz.extractor import comparison
from bertviz.trace import Formula

CPU, CUDA = torch.device("cpu"), torch.device("cuda")
NEW = hasattr(torch.backends.mkldnn, "matmul")  # torch 2.9 gave every backend a precision
without_new = pytest.mark.skipif(not NEW, reason="settings of torch 2.9")


@contextlib.contextmanager
def legacy(precision: str) -> Iterator[None]:
    torch.set_float32_matmul_precision(precision)
    try:
        yield
    finally:
        torch.set_float32_matmul_precision("highest")


@contextlib.contextmanager
def new(backend: Any, precision: str) -> Iterator[None]:
    before = backend.fp32_precision
    backend.fp32_precision = precision
    try:
        yield
    finally:
        backend.fp32_precision = before


def test_products_in_half_precision_are_what_they_are() -> None:
    assert comparison.multiplied_in(torch.float32, CPU) == torch.float32
    for dtype in (torch.float64, torch.float16, torch.bfloat16):
        with legacy("medium"):
            assert comparison.multiplied_in(dtype, CPU) == dtype, "only float32 is rounded"
    with torch.autocast("cpu", torch.float16):
        assert comparison.multiplied_in(torch.float32, CPU) == torch.float16
        assert comparison.multiplied_in(torch.float32, torch.device("meta")) == torch.float32
        assert comparison.multiplied_in(torch.float64, CPU) == torch.float64


@pytest.mark.parametrize("precision", ["high", "medium"])
def test_the_precision_that_torch_has_always_had(precision: str) -> None:
    with legacy(precision):
        assert comparison.multiplied_in(torch.float32, CPU) == torch.bfloat16
        assert comparison.multiplied_in(torch.float32, CUDA) == torch.bfloat16
    assert comparison.multiplied_in(torch.float32, CUDA) == torch.float32


@without_new
@pytest.mark.parametrize("precision", ["tf32", "bf16"])
def test_the_precision_of_each_backend(precision: str) -> None:
    """Reading torch's setting of old raises once one of these was made."""
    with new(torch.backends.mkldnn.matmul, precision):
        assert comparison.multiplied_in(torch.float32, CPU) == torch.bfloat16
        assert comparison.multiplied_in(torch.float32, CUDA) == torch.float32
    with new(torch.backends.cuda.matmul, "tf32"):
        assert comparison.multiplied_in(torch.float32, CPU) == torch.float32
        assert comparison.multiplied_in(torch.float32, CUDA) == torch.bfloat16
    with new(torch.backends.mkldnn.matmul, "ieee"):
        assert comparison.multiplied_in(torch.float32, CPU) == torch.float32


def test_what_rounding_explains() -> None:
    tolerated = comparison.tolerated
    assert tolerated(torch.float32, 20.0) < 2e-4
    assert tolerated(torch.float16, 0.0) == 1e-2
    assert tolerated(torch.bfloat16, 0.0) == 6e-2
    assert tolerated(torch.float8_e5m2, 0.0) == 1e-4, "nothing is known of other types"
    assert tolerated(torch.bfloat16, 4.0) == pytest.approx(6e-2 + 4 * 2**-7)
    assert tolerated(torch.bfloat16, math.inf) == tolerated(torch.bfloat16, math.nan) == 0.16


@pytest.mark.parametrize(
    ("count", "most"), [(3, 2), (10, 1), (10, 3), (10, 9), (10, 10), (1000, 64)]
)
def test_a_sample_has_both_ends_and_no_row_twice(count: int, most: int) -> None:
    rows = comparison.sample(count, most)
    if count <= most:
        assert rows is None
        return
    assert rows is not None
    assert (rows[0], rows[-1]) == (0, count - 1)
    assert rows == sorted(rows)
    assert len(rows) == len(set(rows)) == max(most, 3), "one between the ends, however few"
    assert rows == comparison.sample(count, most), "the same every time"


def formula(heads: int = 3, rows: int = 4, keys: int = 4, **more: Any) -> Formula:
    torch.manual_seed(0)
    return Formula(torch.randn(heads, rows, 2), torch.randn(heads, keys, 2), 1.0, **more)


@pytest.mark.parametrize("at_once", [1, 16, 1 << 21])
def test_the_largest_difference_of_any_head_row_and_sign(
    at_once: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(comparison, "AT_ONCE", at_once)
    given = formula()
    for head, row, off in ((0, 0, 0.5), (2, 3, -0.5), (1, 2, 0.25)):
        seen: list[tuple[int, int]] = []

        def compare(
            places: list[int], part: Any, ours: Tensor, at: Any = (head, row, off), seen: Any = seen
        ) -> Tensor:
            rows = list(range(4))[part]
            seen.extend((place, row) for place in places for row in rows)
            torch.testing.assert_close(ours, given.weights(places)[:, part])
            wrong = torch.zeros_like(ours)
            if at[0] in places and at[1] in rows:
                wrong[places.index(at[0]), rows.index(at[1]), 1] = at[2]
            return wrong

        assert comparison.largest(given, None, compare) == abs(off)
        assert sorted(seen) == [(head, row) for head in range(3) for row in range(4)]


def test_an_attention_is_compared_in_parts_as_large_as_allowed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    given = formula(5, 4, keys=6)
    sizes: list[int] = []

    def compare(places: list[int], part: slice | list[int], weights: Tensor) -> Tensor:
        assert weights.shape[1] == len(range(4)[part] if isinstance(part, slice) else part)
        assert weights.shape[0] == len(places)
        sizes.append(len(places))
        return weights * 0 + torch.tensor([float(place) for place in places])[:, None, None]

    for at_once, rows, expected in (
        (48, None, [2, 2, 1]),
        (48, [1, 2], [4, 1]),
        (1, None, [1] * 5),
        (120, None, [5]),
    ):
        monkeypatch.setattr(comparison, "AT_ONCE", at_once)
        sizes.clear()
        assert comparison.largest(given, rows, compare) == 4
        assert sizes == expected


def test_of_some_rows_those_are_compared() -> None:
    given = formula()

    def compare(places: list[int], part: Any, ours: Tensor) -> Tensor:
        assert part == [1, 3]
        torch.testing.assert_close(ours, given.weights(places)[:, [1, 3]])
        return ours - 1

    lowest = given.weights([0, 1, 2])[:, [1, 3]].amin()
    torch.testing.assert_close(comparison.largest(given, [1, 3], compare), 1 - lowest)


def test_rows_that_see_nothing_are_left_out_and_what_is_no_number_is_not() -> None:
    mask = torch.ones(1, 4, 4, dtype=torch.bool)
    mask[0, 1] = False

    def compare(at: int, value: float) -> Any:
        def wrong(places: list[int], part: Any, ours: Tensor) -> Tensor:
            found = torch.zeros_like(ours)
            found[-1, at, 0] = value
            return found

        return wrong

    given = formula(mask=mask)
    assert comparison.largest(given, None, compare(1, 0.7)) == 0
    assert comparison.largest(given, None, compare(2, 0.7)) == pytest.approx(0.7)
    assert comparison.largest(given, None, compare(2, math.nan)) == math.inf
    assert comparison.largest(given, None, compare(1, math.nan)) == 0


def test_scores_that_overflow_are_told() -> None:
    assert not comparison.overflows(formula())
    wrong = formula()
    queries = wrong.queries.clone()
    queries[1, 2, 0] = math.inf
    assert comparison.overflows(Formula(queries, wrong.keys, 1.0))
    hidden = torch.ones(1, 4, 4, dtype=torch.bool)
    hidden[0, 2] = False
    assert not comparison.overflows(Formula(queries, wrong.keys, 1.0, mask=hidden))


def test_no_product_is_beyond_the_reach_of_queries_and_keys() -> None:
    queries, keys = torch.tensor([[[3.0, 4.0], [1.0, 0.0]]]), torch.tensor([[[0.0, 2.0]]])
    assert comparison.reach(queries, keys) == 10
    queries, keys = torch.randn(2, 3, 4) * 10, torch.randn(2, 5, 4)
    assert (queries @ keys.mT).abs().max() <= comparison.reach(queries, keys) * (1 + 1e-6)
    large = torch.full((1, 1, 4), 3e4, dtype=torch.float16)
    assert comparison.reach(large, large) == pytest.approx(4 * 9e8, rel=1e-3), "in float32"
    assert math.isnan(comparison.reach(queries * math.nan, keys))


def test_of_two_types_the_one_that_rounds_more() -> None:
    types = [torch.float64, torch.float32, torch.float16, torch.bfloat16]
    for i, one in enumerate(types):
        for j, other in enumerate(types):
            assert comparison.coarser(one, other) == types[max(i, j)]
