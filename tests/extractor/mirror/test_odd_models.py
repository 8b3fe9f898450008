"""Models that hold odd things are captured like others, and what they hold stays as it is."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from bertviz.extractor import extract


class Model(nn.Module):
    def __init__(self, hold: Callable[[Any], Any]) -> None:
        super().__init__()
        self.attention = nn.MultiheadAttention(8, 2, batch_first=True)
        self.held = hold(self)

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.attention(x, x, x)[0]
        return out


class Plain:
    def __init__(self, **values: Any) -> None:
        self.__dict__.update(values)


class Slotted:
    __slots__ = ("count", "model", "never_set")

    def __init__(self, model: Any) -> None:
        self.model, self.count = model, 0


class FrozenDict(dict[str, Any]):
    def __init__(self, needed: Any) -> None:
        super().__init__(needed=needed)

    def __setitem__(self, key: str, value: Any) -> None:
        raise RuntimeError("frozen")


class NeedyList(list[Any]):
    def __init__(self, needed: Any) -> None:
        super().__init__([needed])


class Hostile:
    def __getattribute__(self, name: str) -> Any:
        raise RuntimeError(f"{name} is not told")

    def __hash__(self) -> int:
        raise TypeError("no hash")

    def __eq__(self, other: object) -> bool:
        raise ValueError("no comparison")

    def __bool__(self) -> bool:
        raise ValueError("neither")


def _nested(model: Any) -> Any:
    chain: Any = None
    for _ in range(3000):
        chain = {"next": [chain]}
    return chain


def _linked(model: Any) -> Any:
    chain = Plain()
    for _ in range(3000):
        chain = Plain(model=model, next=chain)
    return chain


def _inference(model: Any) -> Any:
    with torch.inference_mode():
        return torch.ones(3)


ODD: dict[str, Callable[[Any], Any]] = {
    "locks": lambda model: [threading.RLock(), threading.Condition(), threading.local()],
    "logger": lambda model: logging.getLogger("odd"),
    "deeply nested": _nested,
    "long chain of objects": _linked,
    "slots": Slotted,
    "dictionary that refuses": FrozenDict,
    "list that needs arguments": NeedyList,
    "generator": lambda model: (number for number in range(3)),
    "hostile": lambda model: [Hostile(), Plain(inner=Hostile(), model=model)],
    "meta": lambda model: torch.ones(3, device="meta"),
    "sparse": lambda model: torch.eye(3).to_sparse(),
    "not a leaf": lambda model: model.attention.in_proj_weight * 2,
    "inference": _inference,
    "long list": lambda model: list(range(50_000)),
}


@pytest.mark.parametrize("name", list(ODD))
def test_models_that_hold_odd_things(name: str) -> None:
    model = Model(ODD[name])
    held = model.held
    assert extract(model, inputs={"x": torch.ones(1, 3, 8)}).num_layers == 1
    assert model.held is held
