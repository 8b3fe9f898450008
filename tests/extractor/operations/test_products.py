"""What one operation makes of followed scores, and over which axis another sums them up."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest
import torch
import torch.nn.functional as F  # noqa: N812, its usual name
from torch import Tensor

from bertviz import NothingCaptured, extract
from bertviz.extractor.operations.after import Fate, Weights, factor
from bertviz.extractor.operations.contraction import summed
from bertviz.extractor.operations.known import UNSEEN, Known
from bertviz.extractor.operations.products import Lost, Product
from bertviz.extractor.operations.rules import _bounded
from bertviz.extractor.records import Record
from bertviz.trace import Formula
from bertviz.trace.masks import MASKED
from tests.extractor.operations.own import BIAS, DIM, HEADS, LENGTH, LOWER, Own
from tests.extractor.operations.test_spellings import understood

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

A, B = torch.ones(4, 5), torch.ones(5, 3)
SUMS: list[tuple[str, tuple[Any, ...], Tensor, Any]] = [
    ("matmul", (A, B), A, (1, B)),
    ("matmul", (A, B), B, (0, A)),
    ("rmatmul", (B, A), A, (1, B)),
    ("rmatmul", (B, A), B, (0, A)),
    ("mv", (A, B[:, 0]), A, (1, B[:, 0])),
    ("baddbmm", (torch.ones(1), A, B), A, (1, B)),
    ("addmm", (torch.ones(1), A, B), B, (0, A)),
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
    ("einsum", ("...j,jk->...k", A, B), A, None),
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


# --- weights on their way to the values -------------------------------------------------------


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
    known.remember(tensor, None)
    assert known.among((tensor,), {}) == {}
    known.forget(3)
    with torch.inference_mode():
        uncounted = torch.zeros(2)
        known.remember(uncounted, product())
        assert id(uncounted) in known.among((uncounted,), {})


# --- rules with factors, and products of single heads -----------------------------------------

FACTORS: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "add": lambda q, k: torch.add(q @ k.mT, BIAS, alpha=0.3),
    "add to": lambda q, k: torch.add(BIAS, q @ k.mT, alpha=0.3),
    "add in place": lambda q, k: (q @ k.mT).add_(BIAS, alpha=-2),
    "subtract": lambda q, k: torch.sub(q @ k.mT, BIAS, alpha=0.3),
    "subtract from": lambda q, k: torch.sub(BIAS, q @ k.mT, alpha=0.3),
    "subtract by its long name": lambda q, k: torch.subtract(BIAS, q @ k.mT, alpha=0.3),
    "rsub": lambda q, k: torch.rsub(q @ k.mT, BIAS, alpha=0.3),
    "number minus scores": lambda q, k: 1 - q @ k.mT,
    "bias minus scores": lambda q, k: BIAS - q @ k.mT,
    "number times scores": lambda q, k: 0.3 * (q @ k.mT),
    "divided in place": lambda q, k: (q @ k.mT).div_(3.0),
    "baddbmm": lambda q, k: torch.baddbmm(BIAS, q[0], k[0].mT, alpha=0.3, beta=0.7)[None],
    "baddbmm of nothing": lambda q, k: torch.baddbmm(BIAS, q[0], k[0].mT, beta=0, alpha=0.3)[None],
    "masked where": lambda q, k: torch.where(~LOWER, torch.tensor(-1e9), q @ k.mT),
    "einsum of swapped letters": lambda q, k: torch.einsum("bhid,bhjd->bhji", k, q),
    "einsum with spaces": lambda q, k: torch.einsum("b h i d, b h j d -> b h i j", q, k),
    "einsum of a list": lambda q, k: torch.einsum("bhid,bhjd->bhij", [q, k]),
    "__rmatmul__": lambda q, k: k.mT.__rmatmul__(q),
    "minimum of a far number": lambda q, k: torch.minimum(q @ k.mT, torch.tensor(5e4)),
}


@pytest.mark.parametrize("way", FACTORS)
def test_factors_of_what_is_added(way: str) -> None:
    assert understood(lambda q, k: FACTORS[way](q * 0.5, k).softmax(-1))


@pytest.mark.parametrize("way", ["mm", "inner", "matmul"])
def test_a_product_of_one_head(way: str) -> None:
    def how(q: Tensor, k: Tensor) -> Tensor:
        q, k = q[0, 0], k[0, 0]
        scores = {"mm": torch.mm, "inner": torch.inner, "matmul": torch.matmul}[way]
        return F.softmax(scores(q, k if way == "inner" else k.mT) * 0.3, -1)[None, None]

    assert understood(how)


@pytest.mark.parametrize("kind", ["one query", "one key", "one head", "one query of one head"])
def test_attention_of_few(kind: str) -> None:
    def how(q: Tensor, k: Tensor) -> Tensor:
        q = q[:, :, -1:] if "query" in kind else q
        k = k[:, :, :1] if "key" in kind else k
        if "head" in kind:
            q, k = q[:, :1], k[:, :1]
        return (q @ k.mT * 0.5).softmax(-1)

    assert understood(how)


def test_products_that_meet_values_without_a_softmax_are_no_attention() -> None:
    """Linear attention; the softmax of a later classifier is none either."""

    class Linear(Own):
        def forward(self, x: Tensor) -> Tensor:
            q, k = self.query(x), self.key(x)
            mixed = (q @ k.mT) @ x
            attended = (q @ k.mT).softmax(-1) @ x
            return (mixed + attended).mean(1).softmax(-1)

    trace = extract(Linear(lambda q, k: q), inputs={"x": torch.randn(1, LENGTH, HEADS * DIM)})
    assert trace.skipped == {}
    assert [len(block.layers) for block in trace.blocks.values()] == [1]


@pytest.mark.parametrize("mix", ["einsum", "conv2d"])
def test_scores_that_are_mixed_between_heads_are_told(mix: str) -> None:
    weight = torch.randn(HEADS, HEADS)

    def how(q: Tensor, k: Tensor) -> Tensor:
        scores = q @ k.mT
        if mix == "einsum":
            return torch.einsum("bhij,hg->bgij", scores, weight).softmax(-1)
        return F.conv2d(scores, weight[:, :, None, None]).softmax(-1)

    with pytest.raises(NothingCaptured, match=f"its scores go through '{mix}', which is not"):
        extract(Own(how), inputs={"x": torch.randn(1, LENGTH, HEADS * DIM)})


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (RuntimeError("DefaultCPUAllocator: not enough memory: you tried"), "not enough memory"),
        (RuntimeError("shape mismatch"), r"its scores have the shape \(1, 4, 6, 6\)"),
        (IndexError("no such axis"), r"its scores have the shape \(1, 4, 6, 6\)"),
        (ValueError("a reason"), "self: a reason|: a reason"),
    ],
)
def test_why_scores_could_not_be_read(
    error: Exception, reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any) -> None:
        raise error

    monkeypatch.setattr("bertviz.extractor.operations.reading._read", fail)
    model = Own(lambda q, k: (q @ k.mT).softmax(-1))
    with pytest.raises(NothingCaptured, match=reason):
        extract(model, inputs={"x": torch.randn(1, LENGTH, HEADS * DIM)})


REFUSED: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "rounded": lambda q, k: torch.div(q @ k.mT, 0.5, rounding_mode="floor"),
    "clamped within reach": lambda q, k: (q @ k.mT).clamp(min=-1),
    "other bits": lambda q, k: (q @ k.mT).view(torch.int32).view(torch.float32) ** 3,
    "summed over two letters": lambda q, k: torch.einsum("bhid,ghjd->bhij", q, k) ** 2,
    "two caps": lambda q, k: (q @ k.mT).tanh().tanh(),
    "a negative cap": lambda q, k: (q @ k.mT).tanh() * -2,
}


@pytest.mark.parametrize("way", REFUSED)
def test_what_no_rule_explains(way: str) -> None:
    assert understood(lambda q, k: REFUSED[way](q, k).softmax(-1)) is False


def test_own_weights_are_of_the_right_size() -> None:
    model = Own(lambda q, k: (q @ k.mT).softmax(-1))
    model(torch.randn(1, LENGTH, HEADS * DIM))
    assert model.weights is not None
    assert model.weights.shape == SHAPE
