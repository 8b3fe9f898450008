"""What a record keeps of an attention: this text's, of these heads, by value and once."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from torch import Tensor

from bertviz.extractor.recording import Recorder, _key_rows
from bertviz.extractor.records import CPU, Keep, Record, narrowed, unrepeated
from bertviz.extractor.sharing import Sharing
from bertviz.trace import Formula


def numbers(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def recorder(generating: bool = False, **keep: Any) -> Recorder:
    return Recorder(Keep(**keep), Sharing(0, CPU), generating)


def whole(queries: Tensor, keys: Tensor, key_heads: Any = None, **terms: Any) -> Tensor:
    """The weights of all heads."""
    formula = Formula(queries, keys, 0.5, key_heads=key_heads, **terms)
    return formula.weights(list(range(queries.shape[0])))


HEADS = [None, {0}, {3}, {1, 2}, {0, 3}, {2, 3, 5}, {0, 1, 2, 3, 4, 5}, {1, 4}, {9}]


@pytest.mark.parametrize("heads", HEADS)
@pytest.mark.parametrize("key_heads", [1, 2, 3, 6, (0, 1, 0, 1, 0, 1), (1, 1, 0, 2, 2, 0)])
def test_any_heads_keep_their_own_terms(heads: Any, key_heads: Any) -> None:
    """Keys, masks, biases and sinks of a choice of heads are those heads' own."""
    own = key_heads if isinstance(key_heads, tuple) else None
    queries = numbers(6, 4, 3)
    keys = numbers(key_heads if own is None else max(own) + 1, 5, 3, seed=1)
    terms = {
        "mask": numbers(6, 4, 5, seed=2) > -0.8,
        "position_bias": numbers(6, 1, 5, seed=3),
        "sinks": numbers(6, 4, seed=4),
    }
    made = recorder(heads=None if heads is None else frozenset(heads)).record(
        "a.0", False, 0, queries, keys, scaling=0.5, key_heads=own, **terms
    )
    kept = sorted(range(6) if heads is None else heads & set(range(6)))
    assert (made.heads, made.count, made.shape) == (tuple(kept), 6, (4, 5))
    if kept:
        found = made.formula.weights(list(range(len(kept))))
        torch.testing.assert_close(found, whole(queries, keys, own, **terms)[kept])
        rows = {head * keys.shape[0] // 6 if own is None else own[head] for head in kept}
        assert made.formula.keys.shape[0] == len(rows), "keys that no head uses are not kept"


def test_what_is_not_told_of_an_attention_is_not_assumed() -> None:
    made = recorder().record("a.0", False, 3, numbers(2, 1, 3), numbers(2, 5, 3), scaling=0.5)
    assert (made.module_is_causal, made.strict, made.cross) == (False, False, False)
    assert (made.order, made.offset, made.dtype) == (3, 0, "float32")
    formula = made.formula
    assert (formula.mask, formula.position_bias, formula.sinks, formula.softcap) == (None,) * 4
    assert not formula.causal


def test_a_term_for_all_heads_stays_shared() -> None:
    mask, bias = torch.ones(1, 4, 5, dtype=torch.bool), numbers(1, 1, 5)
    made = recorder(heads=frozenset({1})).record(
        "a", False, 0, numbers(2, 4, 3), numbers(2, 5, 3), scaling=1, mask=mask, position_bias=bias
    )
    assert made.formula.mask is mask
    assert made.formula.position_bias is bias


def test_repeated_keys_are_kept_once_only_where_all_of_them_repeat() -> None:
    keys = numbers(3, 4, 2)
    assert torch.equal(unrepeated(keys.repeat_interleave(2, 0)), keys)
    assert torch.equal(unrepeated(keys.repeat_interleave(3, 0)), keys)
    same = numbers(1, 4, 2).expand(4, -1, -1)
    assert unrepeated(same).shape == (1, 4, 2)
    for other in (keys, torch.cat([keys[:1], keys]), torch.cat([keys[:1], keys[:1], keys[1:]])):
        assert torch.equal(unrepeated(other), other)
    alternating = torch.cat([keys, keys])
    assert torch.equal(unrepeated(alternating), alternating)
    late = keys.repeat_interleave(2, 0)
    late[5, 3, 1] += 1
    assert torch.equal(unrepeated(late), late)


def test_repeats_of_any_axis_are_dropped() -> None:
    mask = numbers(2, 1, 4)
    assert narrowed(mask.expand(2, 3, 4)).shape == (2, 1, 4)
    assert narrowed(numbers(1).expand(2, 3)).shape == (1, 1)
    assert narrowed(numbers(2, 3)).shape == (2, 3)
    assert narrowed(numbers(5, 3).t()).shape == (3, 5)


def test_rows_of_keys_in_use() -> None:
    assert _key_rows((0, 1), (3, 1), 2, 4) == ([1, 3], (1, 0))
    assert _key_rows((0, 1, 2, 3), None, 4, 4) == ([0, 1, 2, 3], None)
    assert _key_rows((1, 3), None, 4, 2) == ([0, 1], None)
    assert _key_rows((), None, 4, 2) == ([], None)


@pytest.mark.parametrize(
    ("path", "order", "wanted"),
    [("h.2.attn", 0, True), ("h.1.attn", 2, True), ("h.1.attn", 1, False), ("attn", 0, False)],
)
def test_layers_are_wanted_by_their_number_or_place(path: str, order: int, wanted: bool) -> None:
    made = recorder(layers=frozenset({2})).record(
        path, False, order, numbers(2, 4, 3), numbers(2, 5, 3), scaling=1.0
    )
    assert made.heads == ((0, 1) if wanted else ())
    assert (made.near is not None) is wanted
    assert made.formula.queries.numel() == (24 if wanted else 0)


@pytest.mark.parametrize("generating", [True, False])
def test_what_is_kept_elsewhere_is_compared_where_the_model_is(generating: bool) -> None:
    """A device without numbers: nothing could come back from there."""
    away = torch.device("meta")
    sharing = Sharing(0, away)
    made = Recorder(Keep(heads=frozenset({1, 3}), device=away), sharing, generating)
    queries, keys, mask = numbers(4, 3, 2), numbers(2, 5, 2, seed=1), numbers(1, 1, 3, 5, seed=2)
    if generating:
        keys = keys[:, :3]
    bias = numbers(1, 1, 1, 5, seed=3)
    terms = {"mask": sharing.copy(mask, keys.shape[1]), "causal": False}
    terms["position_bias"] = sharing.copy(bias, keys.shape[1])
    record = made.record("a", False, 0, queries, keys, scaling=0.5, **terms)
    for tensor in (record.formula.queries, record.formula.keys, record.formula.mask):
        assert tensor is not None
        assert tensor.device == away
    own = {"mask": mask[0, ..., : keys.shape[1]], "position_bias": bias[0, ..., : keys.shape[1]]}
    expected = whole(queries, keys, **own)[[1, 3]]
    torch.testing.assert_close(record.on_its_device().weights([0, 1]), expected)


def test_what_is_kept_is_a_copy_of_its_own() -> None:
    fused = numbers(2, 4, 9)
    queries, keys, sinks = fused[..., :3], fused[..., 3:6], numbers(2)
    made = recorder().record("a", False, 0, queries, keys, scaling=1.0, sinks=sinks)
    before = made.formula.weights([0, 1])
    fused.zero_(), sinks.zero_()
    assert torch.equal(made.formula.weights([0, 1]), before)
    for tensor in (made.formula.queries, made.formula.keys):
        assert tensor.untyped_storage().nbytes() == tensor.numel() * 4


@pytest.mark.parametrize("cache", ["growing", "empty slots", "last three", "two at once"])
def test_new_keys_of_every_step(cache: str) -> None:
    """Joined, they are each token's key once; the offset is the token of a step's first key."""
    steps = [3, 2, 1, 2] if cache == "two at once" else [3, 1, 1, 1]
    keys, end = numbers(2, sum(steps), 3), 0
    made = recorder(generating=True)
    found = []
    for count in steps:
        end += count
        seen = keys[:, :end]
        if cache == "empty slots":
            seen = torch.cat([seen, torch.zeros(2, 12 - end, 3)], 1)
        first = max(0, end - 3) if cache == "last three" else 0
        seen = seen[:, first:]
        record = made.record("a", False, 0, numbers(2, count, 3), seen, scaling=1.0)
        found.append(record.formula.keys)
        assert record.offset == first
        assert record.shape == (count, seen.shape[1])
        near = record.on_its_device()
        assert torch.equal(near.keys, seen), "what is compared has all keys that the step used"
        assert made._new_keys(("b", False, 0), 1, seen)[1] in (0, 1 - seen.shape[1])
        made._read.pop(("b", False, 0))
    assert torch.equal(torch.cat(found, 1), keys)


def test_keys_of_an_encoder_are_kept_with_the_first_step() -> None:
    made, keys = recorder(generating=True), numbers(2, 5, 3)
    sizes = [
        made.record("a", True, 0, numbers(2, 1, 3), keys, scaling=1.0).formula.keys.shape[1]
        for _ in range(3)
    ]
    assert sizes == [5, 0, 0]


def test_grouped_keys_are_compared_head_by_head_while_generating() -> None:
    made, queries, keys = (
        recorder(True, heads=frozenset({1, 3})),
        numbers(4, 2, 3),
        numbers(2, 2, 3),
    )
    record = made.record("a", False, 0, queries, keys, scaling=0.5)
    torch.testing.assert_close(record.on_its_device().weights([0, 1]), whole(queries, keys)[[1, 3]])


# --- how far a record is from the model's own numbers -----------------------------------------


@pytest.mark.parametrize("rows", [None, [0, 2], [3]])
@pytest.mark.parametrize("heads", [(0, 1, 2, 3), (1, 2), (3,)])
@pytest.mark.parametrize("value_heads", [1, 2, 4])
def test_the_output_of_every_head_and_row_is_compared(
    rows: list[int] | None, heads: tuple[int, ...], value_heads: int
) -> None:
    queries, keys, values = numbers(4, 4, 3), numbers(4, 5, 3, seed=1), numbers(value_heads, 5, 2)
    output = whole(queries, keys) @ values.repeat_interleave(4 // value_heads, 0)

    def difference(wrong: tuple[int, int] | None) -> float | None:
        given = output.clone()
        if wrong is not None:
            given[wrong] += 0.5
        record = Record("", 4, heads, (4, 5), Formula(queries[[*heads]], keys[[*heads]], 0.5))
        record.check_output(values, given, rows)
        return record.difference

    assert difference(None) == pytest.approx(0, abs=1e-6)
    scale = float(values.abs().max())
    for head in range(4):
        for row in range(4):
            compared = head in heads and (rows is None or row in rows)
            expected = 0.5 / scale if compared else 0.0
            assert difference((head, row)) == pytest.approx(expected, abs=1e-5)


def test_values_of_zero_and_keys_that_are_not_used() -> None:
    record = Record("", 2, (0, 1), (4, 5), Formula(numbers(2, 4, 3), numbers(2, 5, 3), 0.5))
    record.check_output(torch.zeros(2, 5, 3), torch.zeros(2, 4, 3), None)
    assert record.difference == 0
    values = torch.cat([torch.eye(5), numbers(2, 5)]).expand(2, -1, -1)  # two keys too many
    record.check_output(values, record.formula.weights([0, 1]), None)
    assert record.difference == pytest.approx(0, abs=1e-6)


def test_the_largest_difference_is_remembered() -> None:
    record = Record("", 1, (0,), (2, 2), Formula(numbers(1, 2, 3), numbers(1, 2, 3), 0.5))
    right = record.formula.weights([0])
    record.check_weights(right + 0.25)
    record.check_weights(right)
    assert record.difference == pytest.approx(0.25)
    none = Record("", 1, (), (2, 2), Formula(numbers(0, 2, 3), numbers(0, 2, 3), 0.5))
    none.check_weights(right)
    assert none.difference is None


def judged(difference: float | None, *, checked: bool = False, **changes: Any) -> str | None:
    changes = {"size": 1.0, "heads": (0,), **changes}
    size, heads = changes.pop("size"), changes.pop("heads")
    queries = torch.full((1, 2, 1), math.sqrt(size))
    formula = Formula(queries, queries, 0.5)
    record = Record("", 1, heads, (2, 2), formula, difference=difference, **changes)
    record.near = lambda formula: formula
    record.judge(checked)
    assert (record.near is None) is bool(heads)
    return record.problem


def test_what_can_be_shown_depends_on_the_difference() -> None:
    assert judged(None) is None
    assert judged(0.9e-4) is None
    assert judged(1.1e-4) == "what was captured differs from what the model computed by 1.1e-04"
    assert judged(math.inf) == "what it computed is not a number (NaN)"
    assert judged(0.5, heads=()) is None, "not wanted"
    assert judged(0.05, multiplied_in=torch.bfloat16) is None
    assert judged(0.07, multiplied_in=torch.bfloat16) is not None
    assert judged(0.5, checked=True) is None, "it is reported by verify"
    assert judged(0.5, checked=True, strict=True) is not None
    # Rounding moves large scores more: 10,000 times the last digit of float32, halved by scaling.
    assert judged(6e-4, size=1e4) is None
    assert judged(8e-4, size=1e4) is not None


def test_an_overflow_is_a_problem_and_large_numbers_are_not() -> None:
    assert judged(None, size=1e30) is None
    formula = Formula(torch.full((1, 2, 1), 1e25), torch.full((1, 2, 1), 1e25), 0.5)
    record = Record("", 1, (0,), (2, 2), formula, near=lambda formula: formula)
    record.judge(True)
    assert record.problem is not None
    assert "overflow float32" in record.problem
