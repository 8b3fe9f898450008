"""Draws come from a fork of the generator: the numbers the model would have drawn, none taken."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import pytest
import torch
import torch.nn.functional as F  # noqa: N812, its usual name
from torch import Tensor, nn

from bertviz.extractor import extract
from bertviz.extractor.drawing import Drawing
from tests.models import batch_of

X = torch.linspace(0.1, 0.9, 24).view(2, 3, 4)

DRAWS: dict[str, Callable[[], Any]] = {
    "rand": lambda: torch.rand(3),
    "rand into": lambda: torch.rand(3, out=torch.empty(3)),
    "randn": lambda: torch.randn(2, 3),
    "randint": lambda: torch.randint(2, 90, (5,)),
    "randperm": lambda: torch.randperm(9),
    "rand_like": lambda: torch.rand_like(X),
    "randn_like": lambda: torch.randn_like(X, dtype=torch.float64),
    "randint_like": lambda: torch.randint_like(X, 3, 50),
    "randint_like below": lambda: torch.randint_like(X, high=50),
    "normal": lambda: torch.normal(0.0, 1.0, (4,)),
    "normal of tensors": lambda: torch.normal(X, X),
    "bernoulli": lambda: torch.bernoulli(X),
    "Tensor.bernoulli": lambda: X.bernoulli(),
    "multinomial": lambda: torch.multinomial(X[0], 2),
    "Tensor.multinomial": lambda: X[0].multinomial(2, replacement=True),
    "poisson": lambda: torch.poisson(X),
    "gamma": lambda: torch.distributions.Gamma(X, X).sample(),
    "categorical": lambda: torch.distributions.Categorical(X).sample(),
    "uniform_": lambda: torch.empty(4).uniform_(),
    "normal_": lambda: torch.empty(4).normal_(),
    "exponential_": lambda: torch.empty(4).exponential_(),
    "random_": lambda: torch.empty(4).random_(7),
    "bernoulli_": lambda: torch.empty(4).bernoulli_(0.3),
    "init": lambda: nn.init.kaiming_uniform_(torch.empty(3, 3)),
    "gumbel": lambda: F.gumbel_softmax(X),
    "gumbel, hard": lambda: F.gumbel_softmax(X, hard=True),
    "dropout": lambda: F.dropout(X),
    "dropout in place": lambda: F.dropout(X.clone(), 0.2, inplace=True),
    "torch.dropout": lambda: torch.dropout(X, 0.3, train=True),
    "all dropped": lambda: F.dropout(X, 1.0),
    "dropout1d": lambda: F.dropout1d(X, 0.4),
    "dropout2d": lambda: F.dropout2d(X[None], 0.4),
    "dropout3d": lambda: F.dropout3d(X[None, None], 0.4),
    "dropout2d of no numbers": lambda: F.dropout2d(X[None, ..., :0], 0.4),
    "module": lambda: nn.Dropout(0.4)(X),
}
NONE: dict[str, Callable[[], Any]] = {
    "eval": lambda: F.dropout(X, 0.5, training=False),
    "no probability": lambda: torch.dropout(X, 0.0, True),
    "own generator": lambda: torch.rand(2, generator=torch.Generator().manual_seed(1)),
}


@pytest.mark.parametrize("name", [*DRAWS, *NONE])
def test_the_same_numbers_and_none_taken(name: str) -> None:
    draw = {**DRAWS, **NONE}[name]
    torch.manual_seed(5)
    right = [draw(), draw(), torch.rand(1)]
    torch.manual_seed(5)
    before = torch.get_rng_state()
    with Drawing() as drawing:
        found = [draw(), draw(), torch.rand(1)]
    assert all(map(torch.equal, found, right))
    assert torch.equal(torch.get_rng_state(), before)
    assert drawing.dropped == ("dropout" in name or name in ("module", "all dropped"))


def test_a_seed_that_the_model_sets_holds() -> None:
    with Drawing():
        torch.rand(1)
        torch.manual_seed(11)
        found = torch.rand(3)
    torch.manual_seed(11)
    assert torch.equal(found, torch.rand(3))


def test_nothing_is_forked_where_nothing_is_drawn(
    build: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any) -> None:
        raise AssertionError("a generator was forked")

    monkeypatch.setattr(Drawing, "generator", refuse)
    assert extract(build("bert").train(), inputs=batch_of("bert"), batch_index=0)


def test_what_is_generated_is_what_the_model_would_generate(build: Callable[..., Any]) -> None:
    model, ids = build("gpt2").train(), batch_of("gpt2")["input_ids"][:1]
    options = {"max_new_tokens": 8, "do_sample": True, "pad_token_id": 0}
    torch.manual_seed(2)
    before = torch.get_rng_state()
    traces = [extract(model, inputs={"input_ids": ids}, generate=options) for _ in range(2)]
    assert torch.equal(torch.get_rng_state(), before)
    right = model.eval().generate(ids, **options)[0]
    assert not torch.equal(model.generate(ids, **options)[0], right), "it draws"
    assert len(right) > 10
    for trace in traces:
        tokens = trace.blocks["decoder"].query_tokens
        assert tokens == traces[0].blocks["decoder"].query_tokens
        assert len(tokens) == len(right) - 1


class Dropping(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.attention = nn.MultiheadAttention(8, 2, batch_first=True)

    def forward(self, x: Tensor) -> Tensor:
        x = F.dropout(x, 0.5)
        out: Tensor = self.attention(x, x, x)[0]
        return out


def test_dropout_that_eval_does_not_end_is_told() -> None:
    with pytest.warns(UserWarning, match="Dropout was active although the model ran in eval mode"):
        extract(Dropping(), inputs={"x": torch.ones(1, 3, 8)})
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        plain = nn.TransformerEncoderLayer(8, 2, 8, dropout=0.5, batch_first=True).train()
        extract(plain, inputs={"src": torch.ones(1, 3, 8)})


def test_dropout_in_place_changes_what_it_is_given() -> None:
    torch.manual_seed(0)
    with Drawing():
        for drop in (
            lambda x: torch.dropout_(x, 0.5, True),
            lambda x: torch.feature_dropout_(x, 0.5, True),
            lambda x: nn.functional.dropout(x, 0.5, True, inplace=True),
        ):
            x = torch.ones(4, 50)
            assert drop(x) is x
            assert set(x.unique().tolist()) == {0, 2}
        x = torch.ones(4, 50)
        assert set(nn.functional.dropout(x, 0.5).unique().tolist()) == {0, 2}
        assert set(nn.functional.dropout(x).unique().tolist()) == {0, 2}, "a half by default"
        assert x.min() == 1
