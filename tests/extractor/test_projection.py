"""Every row of scores is compared with its formula by one number, which any change of it moves."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from bertviz import NothingCaptured, extract
from bertviz.extractor import comparison
from bertviz.extractor.operations import reading
from bertviz.extractor.projection import BLOCK, STAND_IN, unexplained
from bertviz.trace import Formula

HEADS, QUERIES, KEYS = 3, 2 * BLOCK + 9, 4 * BLOCK + 21
LOWER = torch.ones(1, QUERIES, KEYS, dtype=torch.bool).tril(KEYS - QUERIES)


def numbers(*shape: int) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(sum(shape)))


TERMS: dict[str, dict[str, Any]] = {
    "nothing": {},
    "causal": {"causal": True},
    "lower": {"mask": LOWER},
    "lower, of heads": {"mask": LOWER.repeat(HEADS, 1, 1)},
    "low numbers": {"mask": torch.zeros(LOWER.shape).masked_fill(~LOWER, -1e4)},
    "padding": {"mask": (torch.arange(KEYS) < KEYS - 5)[None, None]},
    "padding as -inf": {"mask": torch.where(torch.arange(KEYS) < 9, -math.inf, 0.0)[None, None]},
    "a window": {"mask": LOWER.triu(-100)},
    "a bias": {"position_bias": numbers(1, QUERIES, KEYS)},
    "a bias of keys": {"position_bias": numbers(HEADS, 1, KEYS), "causal": True},
    "a bias of heads": {"position_bias": numbers(HEADS, QUERIES, KEYS), "mask": LOWER},
    "a row of padding": {"mask": LOWER & (torch.arange(QUERIES) != 4)[:, None]},
}


def formula(**terms: Any) -> Formula:
    return Formula(numbers(HEADS, QUERIES, 8), numbers(HEADS, KEYS, 8), 0.4, **terms)


@pytest.mark.parametrize("terms", TERMS)
def test_scores_of_a_formula_are_explained_and_any_change_is_not(terms: str) -> None:
    made = formula(**TERMS[terms])
    scores = made.scores([0, 1, 2])
    assert unexplained(made, scores) == []
    assert unexplained(made, scores.double()) == []
    for row in (0, 5, BLOCK, QUERIES - 1):
        for name, change in CHANGES.items():
            changed = scores.clone()
            change(changed[row % HEADS, row])
            changed_weights = (changed.softmax(-1) - scores.softmax(-1)).abs().amax()
            if not bool(changed_weights < 1e-4):
                assert unexplained(made, changed) == [row], name


CHANGES: dict[str, Callable[[Tensor], Any]] = {
    "one key": lambda x: x[3:4].add_(0.01),
    "a masked key": lambda x: x[-1:].fill_(1.0),
    "masked": lambda x: x[2:3].fill_(-1e9),
    "two keys exchanged": lambda x: x[:2].copy_(x[:2].flip(0).clone()),
    "set to zero": lambda x: x.zero_(),
    "reversed": lambda x: x.copy_(x.flip(0).clone()),
    "scaled": lambda x: x.mul_(1.001),
    "NaN": lambda x: x[1:2].fill_(math.nan),
    "infinite": lambda x: x[1:2].fill_(math.inf),
    "all masked but one": lambda x: x[1:].fill_(-math.inf),
    "the number that stands for masked ones": lambda x: x.fill_(STAND_IN),
}


def test_low_scores_of_any_size_are_masked_alike() -> None:
    made = formula(mask=LOWER)
    scores = made.scores([0, 1, 2])
    for low in (-1e4, -65504.0, -1e9, -math.inf):
        assert unexplained(made, scores.masked_fill(~LOWER, low)) == []


def test_heads_that_share_keys() -> None:
    made = formula(causal=True)
    shared = replace(made, keys=made.keys[:2], key_heads=(1, 0, 1))
    assert unexplained(shared, shared.scores([0, 1, 2])) == []
    assert unexplained(made, shared.scores([0, 1, 2])) == list(range(QUERIES))


@pytest.mark.parametrize(
    "changes",
    [
        {"softcap": 3.0},
        {"sinks": torch.zeros(HEADS)},
        {"queries": numbers(HEADS, QUERIES, 8).half(), "keys": numbers(HEADS, KEYS, 8).half()},
        {"mask": numbers(1, QUERIES, KEYS) > 0},  # as many products as scores
    ],
    ids=str,
)
def test_what_cannot_be_told_is_not(changes: Any) -> None:
    made = replace(formula(), **changes)
    assert unexplained(made, made.scores([0, 1, 2])) is None
    assert unexplained(formula(), formula().scores([0, 1, 2]).half()) is None


class Edited(nn.Module):
    """Attention of which one row is changed where torch does not see it."""

    def __init__(self, row: int | None, causal: bool) -> None:
        super().__init__()
        self.row, self.causal = row, causal

    def forward(self, x: Tensor) -> Tensor:
        heads = x.unflatten(-1, (HEADS, -1)).transpose(1, 2)
        scores = heads @ heads.mT / 4
        if self.causal:
            later = torch.ones(scores.shape[-2:], dtype=torch.bool).triu(1)
            scores = scores.masked_fill(later, -1e9)
        if self.row is not None:
            scores.numpy()[0, 1, self.row, 0] += 0.5
        return scores.softmax(-1) @ heads


@pytest.mark.parametrize("most", [None, 1])
@pytest.mark.parametrize("causal", [False, True])
def test_a_row_of_a_long_text_that_is_changed(
    causal: bool, most: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also of one so long that not all weights could be compared."""
    if most is not None:
        monkeypatch.setattr(reading, "WEIGHTS", most)
    inputs = {"x": torch.randn(1, 300, HEADS * 8)}
    assert extract(Edited(None, causal), inputs=inputs).skipped == {}
    sampled = comparison.sample(300, comparison.ROWS)
    assert sampled is not None
    for row in (2, 77, 298):
        assert row not in sampled
        with pytest.raises(NothingCaptured, match=r"differs from what the model computed by"):
            extract(Edited(row, causal), inputs=inputs)


def test_only_rows_in_doubt_are_compared_by_their_weights(monkeypatch: pytest.MonkeyPatch) -> None:
    rows: list[Any] = []
    check = reading.Record.check_weights

    def noted(record: Any, weights: Tensor, some: list[int] | None = None) -> None:
        rows.append(some)
        check(record, weights, some)

    monkeypatch.setattr(reading.Record, "check_weights", noted)
    inputs = {"x": torch.randn(1, 300, HEADS * 8)}
    extract(Edited(None, True), inputs=inputs)
    assert rows == [comparison.sample(300, comparison.ROWS)]
    with pytest.raises(NothingCaptured):
        extract(Edited(77, True), inputs=inputs)
    assert rows[2] == [77]
