"""Attention that runs where no operation is seen is told, and its neighbors keep their numbers."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import torch
import torch.nn.functional as F  # noqa: N812, its usual name
from torch import Tensor, nn

from bertviz import NothingCaptured, NotReproduced, extract

WIDTH = 8
INPUTS = {"input": torch.randn(1, 5, WIDTH, generator=torch.Generator().manual_seed(0))}


@torch.library.custom_op("bertviz_tests::fused_attention", mutates_args=())
def fused(query: Tensor, key: Tensor, value: Tensor) -> Tensor:
    return (query @ key.mT).softmax(-1) @ value


@torch.library.custom_op("bertviz_tests::kernel", mutates_args=())
def kernel(query: Tensor, key: Tensor, value: Tensor) -> Tensor:
    return (query @ key.mT).softmax(-1) @ value


@torch.library.custom_op("bertviz_tests::attention_angles", mutates_args=())
def turned(query: Tensor, key: Tensor, angle: Tensor) -> tuple[Tensor, Tensor]:
    return query * angle, key * angle


def softmax(query: Tensor, key: Tensor, value: Tensor) -> Tensor:
    return (query @ key.mT).softmax(-1) @ value


class Layer(nn.Module):
    def __init__(self, attend: Callable[..., Tensor] = softmax) -> None:
        super().__init__()
        self.query, self.key = nn.Linear(WIDTH, WIDTH), nn.Linear(WIDTH, WIDTH)
        self.attend = attend

    def forward(self, x: Tensor) -> Tensor:
        return x + self.attend(self.query(x), self.key(x), x)


class InThread(Layer):
    """Its own forward is called here, what it calls runs elsewhere."""

    def forward(self, x: Tensor) -> Tensor:
        found: list[Tensor] = []
        other = super().forward
        thread = threading.Thread(target=lambda: found.append(other(x)))
        thread.start()
        thread.join()
        return found[0]


class Pooled(nn.Sequential):
    """Its layers run elsewhere, if they are chosen."""

    def forward(self, input: Tensor) -> Tensor:
        with ThreadPoolExecutor(1) as pool:
            for place, layer in enumerate(self):
                input = pool.submit(layer, input).result() if place == 1 else layer(input)
        return input


def _scripted() -> nn.Module:
    class Plain(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.query = nn.Linear(WIDTH, WIDTH)

        def forward(self, x: Tensor) -> Tensor:
            return (self.query(x) @ x.transpose(-1, -2)).softmax(-1) @ x

    return torch.jit.trace(Plain().eval(), torch.randn(1, 5, WIDTH)).eval()  # type: ignore[no-any-return]


UNSEEN: dict[str, tuple[Callable[[], nn.Module], str]] = {
    "a custom operation": (
        lambda: nn.Sequential(Layer(), Layer(fused), Layer()),
        r"calls bertviz_tests\.fused_attention\.default, a custom operation",
    ),
    "the same by another name": (
        lambda: nn.Sequential(Layer(), Layer(torch.ops.bertviz_tests.fused_attention), Layer()),
        r"calls bertviz_tests\.fused_attention, a custom operation",
    ),
    "an operation over heads": (
        lambda: nn.Sequential(
            Layer(), Layer(lambda *given: kernel(*(x[:, None] for x in given))[:, 0]), Layer()
        ),
        r"calls bertviz_tests\.kernel\.default",
    ),
    "one of torch's own kernels": (
        lambda: nn.Sequential(
            Layer(),
            Layer(
                lambda *given: torch._scaled_dot_product_attention_math(
                    *(x[:, None] for x in given)
                )[0][:, 0]
            ),
            Layer(),
        ),
        "calls scaled_dot_product_attention_math",
    ),
    "another thread": (lambda: nn.Sequential(Layer(), InThread(), Layer()), "in another thread"),
    "layers in a pool": (lambda: Pooled(Layer(), Layer(), Layer()), "in another thread"),
    "TorchScript": (lambda: nn.Sequential(Layer(), _scripted(), Layer()), "TorchScript"),
    "noise in its softmax": (
        lambda: nn.Sequential(
            Layer(), Layer(lambda q, k, v: F.gumbel_softmax(q @ k.mT, dim=-1) @ v), Layer()
        ),
        "'gumbel_softmax'",
    ),
    "the least": (
        lambda: nn.Sequential(
            Layer(), Layer(lambda q, k, v: F.softmin(q @ k.mT, dim=-1) @ v), Layer()
        ),
        "'softmin'",
    ),
}


@pytest.mark.parametrize("what", UNSEEN)
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_what_ran_unseen_is_told(what: str) -> None:
    build, reason = UNSEEN[what]
    model = build()
    with pytest.warns(UserWarning, match=f"1 attention module was not captured. 1: .*{reason}"):
        trace = extract(model, inputs=INPUTS)
    assert list(trace.skipped) == ["1"]
    [block] = trace.blocks.values()
    assert [layer.index for layer in block.layers] == [0, 2]
    with pytest.raises(NotReproduced, match=reason):
        extract(model, inputs=INPUTS, verify=True)


def test_custom_operations_beside_an_attention_are_no_attention() -> None:
    def attend(query: Tensor, key: Tensor, value: Tensor) -> Tensor:
        query, key = turned(query, key, torch.ones_like(query))
        return softmax(query, key, value)

    trace = extract(nn.Sequential(Layer(attend), nn.Sequential(Layer())), inputs=INPUTS)
    assert (trace.num_layers, trace.skipped) == (2, {})


def test_custom_operations_without_heads_or_a_telling_name_are_no_attention() -> None:
    class Scan(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return kernel(x, x, x)

    assert extract(nn.Sequential(Layer(), Scan()), inputs=INPUTS).skipped == {}


def test_nothing_but_unseen_attention_is_an_error_with_the_reason() -> None:
    with pytest.raises(NothingCaptured, match="custom operation inside which nothing is seen"):
        extract(nn.Sequential(Layer(fused)), inputs=INPUTS)


def test_torchscript_is_refused_by_name() -> None:
    model = _scripted()
    with pytest.raises(TypeError, match=r"model is .* compiled with TorchScript"):
        extract(model, inputs={"x": INPUTS["input"]})


REGISTRIES: dict[str, tuple[Any, Callable[[nn.Module], Any]]] = {
    "by module": ({}, lambda module: module),
    "by id": ({}, id),
    "weakly": (weakref.WeakKeyDictionary(), lambda module: module),
}


@pytest.mark.parametrize("how", REGISTRIES)
def test_modules_that_are_looked_up_by_identity(how: str) -> None:
    registry, key = REGISTRIES[how]

    class Registered(Layer):
        def forward(self, x: Tensor) -> Tensor:
            return super().forward(x) * registry[key(self)]

    model = nn.Sequential(Registered())
    registry[key(model[0])] = 2.0
    with pytest.raises(KeyError) as caught:
        extract(model, inputs=INPUTS)
    notes = getattr(caught.value, "__notes__", None)  # since Python 3.11
    assert notes is None or "looks up a module by its identity" in notes[-1]


def test_a_key_error_of_the_models_own_has_no_such_note() -> None:
    class Broken(Layer):
        def forward(self, x: Tensor) -> Tensor:
            return {"a": x}["b"]

    with pytest.raises(KeyError) as caught:
        extract(nn.Sequential(Broken()), inputs=INPUTS)
    assert not any("identity" in note for note in getattr(caught.value, "__notes__", ()))
