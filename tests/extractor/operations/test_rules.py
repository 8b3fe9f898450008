"""Rules with factors, products of single heads, and what no rule explains."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
import torch.nn.functional as F  # noqa: N812, its usual name
from torch import Tensor

from bertviz import NothingCaptured, extract
from tests.extractor.operations.own import BIAS, DIM, HEADS, LENGTH, LOWER, Own
from tests.extractor.operations.test_spellings import understood

SHAPE = (1, HEADS, LENGTH, LENGTH)


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
    "a bias of one key": lambda q, k: q @ k[:, :, :1].mT + BIAS[..., :1],
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


def test_a_softmax_over_something_else_than_keys_says_so() -> None:
    model = Own(lambda q, k: (q @ k.mT).softmax(1))
    with pytest.raises(NothingCaptured, match="its softmax is not over keys"):
        extract(model, inputs={"x": torch.randn(1, LENGTH, HEADS * DIM)})
