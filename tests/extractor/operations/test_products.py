"""What one operation makes of followed scores, and over which axis another sums them up."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from torch import Tensor

from bertviz.extractor.operations.after import factor
from bertviz.extractor.operations.contraction import summed
from bertviz.extractor.operations.products import Lost, Product
from bertviz.extractor.operations.rules import _bounded
from bertviz.trace.masks import MASKED
from tests.extractor.operations.own import BIAS, HEADS, LENGTH, LOWER

SHAPE = (1, HEADS, LENGTH, LENGTH)


def product(rows: int = LENGTH, columns: int = LENGTH) -> Product:
    layout = torch.empty(1, HEADS, rows, columns, device="meta")
    return Product(
        "a", torch.ones(1, HEADS, rows, 2), torch.ones(1, HEADS, columns, 2), False, layout
    )


def test_a_factor_scales_what_was_added_before_but_no_mask() -> None:
    made = product().plus(torch.full((LENGTH,), 2.0)).filled(~LOWER, -1e9)  # type: ignore[union-attr]
    assert made is not None
    scaled = made.scaled(3.0)
    assert scaled.factor == 3
    assert scaled.terms[0].tensor.unique().tolist() == [6]
    assert scaled.terms[1].tensor.dtype == torch.bool
    assert made.factor == 1
    assert made.terms[0].tensor.unique().tolist() == [2], "what was before stays"
    assert scaled.times(4).factor == 12  # type: ignore[union-attr]
    for number in (torch.tensor(0.5), 2):
        made = product().times(number)
        assert made is not None
        assert type(made.factor) is float
    assert scaled.times(torch.tensor([4.0]), inverse=True).factor == 0.75  # type: ignore[union-attr]


@pytest.mark.parametrize("inverse", [False, True])
def test_a_factor_of_each_head_goes_into_the_queries(inverse: bool) -> None:
    temperature = torch.tensor([1.0, 2.0, 4.0, 8.0]).view(HEADS, 1, 1)
    made = product().times(temperature, inverse)
    assert made is not None
    first = made.rows[0, :, 0, 0].tolist()
    assert first == ([1, 0.5, 0.25, 0.125] if inverse else [1, 2, 4, 8])
    biased = product().plus(BIAS)
    assert biased is not None
    assert biased.times(temperature) is None, "a bias would have to be scaled too"
    capped = product().capped()
    assert capped is not None
    assert capped.times(temperature) is None
    turned = product().viewed(product().layout.mT)
    assert turned.times(temperature) is None
    assert product().times(torch.rand(HEADS, LENGTH, 1)) is None, "it differs between tokens"
    assert product().times(torch.rand(1, LENGTH)) is None
    assert product().times(torch.rand(2, HEADS, 1, 1)) is None, "it would make the scores larger"


def test_zeros_and_ones_are_a_mask() -> None:
    made = product().times(LOWER.float())
    assert made is not None
    [term] = made.terms
    assert term.masks
    assert torch.equal(term.tensor, (~LOWER).expand(SHAPE))
    assert product().times(LOWER.float(), inverse=True) is None
    assert product().times(LOWER.float() * 2) is None
    assert made.factor == 1


def test_what_can_be_added() -> None:
    assert product().plus(3) is not None
    assert product().plus(3).terms == ()  # type: ignore[union-attr]
    assert product().plus("3") is None
    assert product().plus(LOWER) is None, "a bool is no number to add"
    assert product().plus(torch.ones(2, *SHAPE)) is None, "it would make the scores larger"
    [term] = product().plus(BIAS, 0.5).terms  # type: ignore[union-attr]
    assert torch.equal(term.tensor, (BIAS * 0.5).expand(SHAPE))
    assert not term.masks


@pytest.mark.parametrize(
    ("value", "masks"),
    [
        *((-math.inf, True), (MASKED, True), (-9999, False), (0, False), (None, False)),
        *((torch.tensor(-1e9), True), (torch.tensor([-1e9] * 5 + [0.0]), False)),
    ],
)
def test_a_low_value_masks(value: Any, masks: bool) -> None:
    made = product().filled(~LOWER, value)
    assert (made is not None) is masks
    if made is not None:
        assert torch.equal(made.terms[0].tensor, (~LOWER).expand(SHAPE))
        numbers = product().filled((~LOWER).int() * 2, value)
        assert numbers is not None
        assert torch.equal(numbers.terms[0].tensor, made.terms[0].tensor)
    assert product().filled(True, value) is None
    assert product().filled(torch.ones(2, *SHAPE), -1e9) is None


def test_bounds_that_no_score_reaches() -> None:
    for bounds in ((-1e4,), (1e4,), (-5e4, 5e4), (None, 1e9), (torch.full((LENGTH,), -1e5),)):
        assert _bounded(product(), *bounds) is not None
    for bounds in ((), (None,), (9999,), (-1e5, 0), ("a",), (torch.tensor([1e5] * 5 + [1.0]),)):
        assert _bounded(product(), *bounds) is None
    assert _bounded(product(), min=-1e5) is not None
    assert _bounded(product(), -1e5, max=1) is None
    assert _bounded(product(), torch.full((2, *SHAPE), 1e5)) is None


def test_a_softcap_begins_once_and_before_a_bias() -> None:
    made = product().scaled(0.5).capped()
    assert made is not None
    assert (made.inner, made.factor) == (0.5, 1.0)
    assert made.capped() is None
    assert product().plus(BIAS).capped() is None  # type: ignore[union-attr]


def test_which_axis_runs_over_heads() -> None:
    held = product(3, 5)
    tensor = torch.ones(1, HEADS, 3, 5)
    assert [held.over_heads(axis, tensor) for axis in range(4)] == [True, True, False, False]
    lost = Lost("a", "", sizes=(3, 5))
    assert [lost.over_heads(axis, tensor) for axis in range(4)] == [True, True, False, False]
    assert not Lost("a", "").over_heads(0, tensor)


def test_whether_every_score_is_there() -> None:
    assert product().whole
    layout = product().layout
    assert not product().viewed(layout[:, :2]).whole
    assert not product().viewed(layout[:, :, 1:]).whole
    assert product().viewed(layout.mT).whole


@pytest.mark.parametrize("order", [(0, 1, 2, 3), (2, 0, 1, 3), (0, 2, 1, 3), (3, 1, 0, 2)])
def test_keys_times_queries_are_the_same_scores(order: tuple[int, ...]) -> None:
    """The exchanged layout says, of every score, where it is in queries times keys."""
    rows, columns = torch.randn(1, HEADS, 3, 2), torch.randn(1, HEADS, 5, 2)
    keys_first = (columns @ rows.mT).permute(order)
    layout = torch.empty(1, HEADS, 5, 3, device="meta").permute(order)
    made = (
        Product("a", columns, rows, True, layout).plus(
            torch.ones(SHAPE[1], 5, 3).permute(*(place - 1 for place in order if place))
        )
        if order[0] == 0
        else Product("a", columns, rows, True, layout)
    )
    assert made is not None
    turned = made.exchanged()
    assert turned.rows is rows
    assert turned.columns is columns
    flat = (rows @ columns.mT).contiguous()
    found = flat.as_strided(turned.layout.shape, turned.layout.stride())
    torch.testing.assert_close(found, keys_first)
    for term in turned.terms:
        assert term.layout.stride() == turned.layout.stride()


# --- over which axis --------------------------------------------------------------------------

A, B, C = torch.ones(4, 5), torch.ones(5, 3), torch.ones(4, 3)
SUMS: list[tuple[str, tuple[Any, ...], Tensor, Any]] = [
    ("matmul", (A, B), A, (1, B)),
    ("matmul", (A, B), B, (0, A)),
    ("rmatmul", (B, A), A, (1, B)),
    ("rmatmul", (B, A), B, (0, A)),
    ("mv", (A, B[:, 0]), A, (1, B[:, 0])),
    ("baddbmm", (torch.ones(1), A, B), A, (1, B)),
    ("addmm", (torch.ones(1), A, B), B, (0, A)),
    ("addmm", (C, A, B), C, None),
    ("matmul", (A,), A, None),
    ("linear", (A, B), A, (1, B)),
    ("linear", (A, B), B, None),
    ("linear", (A,), A, None),
    ("conv2d", (torch.ones(1, 2, 3, 4), B), B, None),
    ("einsum", ("ij,jk->ik", A, B), A, (1, B)),
    ("einsum", ("ij,jk->ik", A, B), B, (0, A)),
    ("einsum", ("i j, j k -> i k", [A, B]), B, (0, A)),
    ("einsum", ("ij,jk->k", A, B), A, None),
    ("einsum", ("ij,jk", A, B), A, None),
    ("einsum", ("ij,j", A, B[:, 0]), A, None),
    ("einsum", ("...j,jk->...k", A, B), A, (1, B)),
    ("einsum", ("ij,jk,kl->il", A, B, B), A, None),
    ("einsum", (A, [0, 1], B, [1, 2]), A, None),
    ("einsum", ("ij->i", A), A, None),
    ("add", (A, A), A, None),
]


@pytest.mark.parametrize("place", range(len(SUMS)))
def test_the_axis_that_is_summed_over(place: int) -> None:
    name, args, tensor, expected = SUMS[place]
    found = summed(name, args, {}, tensor)
    if expected is None:
        assert found is None
        return
    assert found is not None
    assert found[0] == expected[0]
    assert torch.equal(found[1], expected[1])
    assert factor(name, args, {}, tensor, None) is not None


def test_a_convolution_sums_over_its_channels_and_names_are_places() -> None:
    image, kernel = torch.ones(1, 2, 3, 4), torch.ones(2, 2, 1, 1)
    assert summed("conv2d", (image, kernel), {}, image) == (1, kernel)
    found = summed("matmul", (A,), {"other": B}, A)
    assert found is not None
    assert found[1] is B


def test_a_product_that_broadcasts_sums_up_later() -> None:
    weights, values = torch.ones(4, 5, 1), torch.ones(5, 3)
    result = weights * values
    assert factor("mul", (weights, values), {}, weights, result) == (None, values)
    assert factor("multiply", (values,), {"other": weights}, weights, result) == (None, values)
    assert factor("mul", (weights, weights), {}, weights, weights) is None
    assert factor("mul", (weights, torch.ones(4, 5, 1)), {}, weights, weights) is None
    assert factor("mul", (weights, 2), {}, weights, result) is None
    assert factor("add", (weights, values), {}, weights, result) is None


def test_what_a_product_is_added_to_and_its_options_are_no_factors() -> None:
    weights, values, bias = torch.ones(2, 4, 5), torch.ones(2, 5, 3), torch.ones(2, 4, 3)
    for named in ({}, {"beta": 0}, {"beta": 1, "alpha": 2}):
        found = summed("baddbmm", (bias, weights, values), named, weights)
        assert found is not None
        assert (found[0], found[1] is values) == (2, True)
    assert summed("baddbmm", (weights, bias, values), {}, weights) is None
