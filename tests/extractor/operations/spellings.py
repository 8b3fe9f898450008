"""Every operation that has a rule, in every spelling that torch accepts."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812, its usual name
from torch import Tensor

from tests.extractor.operations.own import BIAS, DIM, HEADS, LENGTH, LOWER, flat

Step = Callable[[Tensor], Tensor]
FACTORS = [
    torch.randn(1, HEADS, LENGTH, DIM, generator=torch.Generator().manual_seed(n)) for n in (1, 2)
]


def attend(scores: Tensor) -> Tensor:
    return scores.softmax(-1)


def product(q: Tensor, k: Tensor) -> Tensor:
    return q @ k.mT * 0.3


@dataclass(frozen=True)
class Operation:
    """One operation on its way from queries and keys to weights (1, heads, query, key).

    Attributes:
        given: What it is called with beside its input, by name, in torch's order.
        only: What is always passed by name.
        start: Its input, from queries and keys.
        finish: Weights from its result.
    """

    given: Callable[[Tensor, Tensor], dict[str, Any]] = lambda q, k: {}
    only: dict[str, Any] = field(default_factory=dict)
    start: Callable[[Tensor, Tensor], Tensor] = product
    finish: Step = attend


def of(finish: Step = attend, **given: Any) -> Operation:
    return Operation(lambda q, k: given, finish=finish)


def heads_first(scores: Tensor) -> Tensor:
    return scores.softmax(-1).view(1, HEADS, LENGTH, LENGTH)


def turned_back(scores: Tensor) -> Tensor:
    return scores.softmax(-2).mT


SAME = (1, HEADS, LENGTH, LENGTH)
OPERATIONS: dict[str, Operation] = {
    "matmul": Operation(lambda q, k: {"other": k.mT}, start=lambda q, k: q),
    "bmm": Operation(
        lambda q, k: {"mat2": flat(k).mT}, start=lambda q, k: flat(q), finish=heads_first
    ),
    "baddbmm": Operation(
        lambda q, k: {"batch1": flat(q), "batch2": flat(k).mT},
        {"beta": 0.5, "alpha": 0.3},
        start=lambda q, k: BIAS.clone(),
        finish=heads_first,
    ),
    "add": Operation(lambda q, k: {"other": BIAS}, {"alpha": 0.5}),
    "sub": Operation(lambda q, k: {"other": BIAS}, {"alpha": 0.5}),
    "subtract": of(other=BIAS),
    "mul": of(other=0.5),
    "multiply": of(other=torch.tensor(0.5)),
    "div": of(other=2.0),
    "divide": of(other=torch.tensor(2.0)),
    "true_divide": of(other=2.0),
    "tanh": of(lambda scores: (scores * 2).softmax(-1)),
    "masked_fill": of(mask=~LOWER, value=-1e9),
    "clamp": of(min=-5e4, max=5e4),
    "clip": of(min=-5e4, max=5e4),
    "clamp_min": of(min=-5e4),
    "clamp_max": of(max=5e4),
    "maximum": of(other=torch.tensor(-5e4)),
    "minimum": of(other=torch.tensor(5e4)),
    "max": of(other=torch.tensor(-5e4)),
    "min": of(other=torch.tensor(5e4)),
    "contiguous": of(memory_format=torch.contiguous_format),
    "clone": of(memory_format=torch.preserve_format),
    "detach": of(),
    "to": of(dtype=torch.float64),
    "float": of(),
    "double": of(),
    "type": of(dtype=torch.float64),
    "type_as": of(other=torch.zeros(1, dtype=torch.float64)),
    "nan_to_num": of(nan=0.0, posinf=None, neginf=None),
    "dropout": of(p=0.0, training=False),
    "view": of(size=SAME),
    "reshape": of(shape=SAME),
    "transpose": of(turned_back, dim0=-1, dim1=-2),
    "swapaxes": of(turned_back, axis0=-1, axis1=-2),
    "swapdims": of(turned_back, dim0=-1, dim1=-2),
    "permute": of(turned_back, dims=(0, 1, 3, 2)),
    "movedim": of(turned_back, source=-1, destination=-2),
    "moveaxis": of(turned_back, source=-1, destination=-2),
    "unsqueeze": of(lambda scores: scores.softmax(-1)[0], dim=0),
    "squeeze": of(heads_first, dim=0),
    "flatten": of(heads_first, start_dim=0, end_dim=1),
    "unflatten": of(lambda scores: scores.flatten(1, 2).softmax(-1), dim=1, sizes=(2, 2)),
    "expand": of(size=SAME),
    "select": of(heads_first, dim=0, index=0),
    "narrow": of(dim=0, start=0, length=1),
    "softmax": of(lambda weights: weights, dim=-1),
}


def spellings(name: str, operation: Operation) -> Iterator[tuple[str, Callable[..., Tensor]]]:
    """Ways to spell one operation; which of them are legal, torch decides."""
    only = operation.only

    def way(call: Callable[[Tensor, dict[str, Any]], Tensor]) -> Callable[..., Tensor]:
        def run(q: Tensor, k: Tensor) -> Tensor:
            return operation.finish(call(operation.start(q, k), operation.given(q, k)))

        return run

    def backwards(given: dict[str, Any]) -> dict[str, Any]:
        return dict(reversed([*given.items()]))

    for place, holder in (("torch", torch), ("F", F), ("Tensor", Tensor)):
        f = getattr(holder, name, None)
        if f is None:
            continue
        yield f"{place}, by place", way(lambda x, given, f=f: f(x, *given.values(), **only))
        yield (
            f"{place}, by name",
            way(lambda x, given, f=f: f(**backwards({"input": x, **given, **only}))),
        )
        yield (
            f"{place}, the first by place",
            way(lambda x, given, f=f: f(x, **backwards(given), **only)),
        )
        yield (
            f"{place}, out",
            way(lambda x, given, f=f: f(x, *given.values(), **only, out=torch.empty(0))),
        )
        for alias in ("axis", "x"):
            names = {"axis": ("dim", "axis"), "x": ("input", "x")}[alias]
            yield (
                f"{place}, {alias} as in NumPy",
                way(
                    lambda x, given, f=f, names=names: f(
                        **{
                            names[1] if key == names[0] else key: value
                            for key, value in {"input": x, **given, **only}.items()
                        }
                    )
                ),
            )
    in_place = getattr(Tensor, f"{name}_", None)
    if in_place is not None:
        yield "in place", way(lambda x, given: in_place(x, *given.values(), **only))
        yield "in place, by name", way(lambda x, given: in_place(x, **backwards(given), **only))


def others() -> Iterator[tuple[str, Callable[..., Tensor]]]:
    """Spellings that follow no scheme."""
    value = torch.tensor(-1e9)
    yield (
        "where, by name",
        lambda q, k: attend(torch.where(other=value, input=product(q, k), condition=LOWER)),
    )
    yield (
        "where, the others by name",
        lambda q, k: attend(torch.where(LOWER, other=value, input=product(q, k))),
    )
    yield (
        "where, of the other",
        lambda q, k: attend(torch.where(input=value, other=product(q, k), condition=~LOWER)),
    )
    yield (
        "Tensor.where, by name",
        lambda q, k: attend(product(q, k).where(other=value, condition=LOWER)),
    )
    yield (
        "add, of the other, by name",
        lambda q, k: attend(torch.add(alpha=0.5, other=product(q, k), input=BIAS)),
    )
    yield (
        "mul, of the other, by name",
        lambda q, k: attend(torch.mul(other=product(q, k), input=torch.tensor(0.5))),
    )
    yield (
        "baddbmm over its input",
        lambda q, k: (lambda bias: heads_first(torch.baddbmm(bias, flat(q), flat(k).mT, out=bias)))(
            BIAS.clone()
        ),
    )
    yield "special.softmax", lambda q, k: torch.special.softmax(product(q, k), dim=-1)
    yield (
        "softmax, dtype by name",
        lambda q, k: torch.softmax(dtype=torch.float64, dim=-1, input=product(q, k)),
    )
    yield (
        "softmax of an axis by NumPy's name",
        lambda q, k: torch.softmax(product(q, k).transpose(-1, 1), axis=1).transpose(-1, 1),
    )
