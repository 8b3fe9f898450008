"""Which tensors of a model are copied, which are shared, and what is told of the shared ones."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from bertviz.extractor.mirror import tensors
from bertviz.extractor.mirror.tensors import Tensors

FLOATS = torch.arange(6.0)


def of(*given: Tensor, model: nn.Module | None = None) -> list[Tensor]:
    made = Tensors(model or nn.Module())
    return [made.of(tensor) for tensor in given]


def test_a_copy_is_equal_and_its_own() -> None:
    for tensor in (FLOATS, FLOATS.view(2, 3).t(), FLOATS[1:4], FLOATS[:1].expand(4), FLOATS[:0]):
        [copy] = of(tensor)
        assert torch.equal(copy, tensor)
        assert copy.stride() == tensor.stride()
        assert copy.dtype == tensor.dtype
        assert copy is not tensor
        copy[:1].add_(1)
        assert torch.equal(FLOATS, torch.arange(6.0))


def test_views_of_one_memory_are_views_of_one_copy() -> None:
    whole, part = of(FLOATS, FLOATS[2:4])
    whole[3] = 9
    assert part.tolist() == [2, 9]
    assert FLOATS[3] == 3


SHARED: dict[str, Callable[[], Tensor]] = {
    "sparse": lambda: FLOATS.to_sparse(),
    "quantized": lambda: torch.quantize_per_tensor(FLOATS, 0.1, 0, torch.qint8),
    "meta": lambda: torch.empty(3, device="meta"),
    "conjugated": lambda: torch.ones(2, dtype=torch.complex64).conj(),
    "negated": lambda: torch.ones(2, dtype=torch.complex64).conj().imag,
    "result": lambda: torch.ones(2, requires_grad=True) * 2,
    "own class": lambda: FLOATS.as_subclass(type("Own", (Tensor,), {})),
    "parameter": lambda: nn.Parameter(FLOATS.clone()),
}


@pytest.mark.parametrize("name", SHARED)
@pytest.mark.filterwarnings("ignore")
def test_other_tensors_are_shared(name: str) -> None:
    tensor = SHARED[name]()
    made = Tensors(nn.Module())
    assert made.of(tensor) is tensor
    assert made.changed() == []


def test_what_is_shared_is_watched() -> None:
    model = nn.Linear(2, 2)
    alias, result = model.weight.detach()[0], torch.ones(2, requires_grad=True) * 2
    made = Tensors(model)
    for tensor in (alias, result, FLOATS.clone()):
        made.of(tensor)
    assert made.changed() == []
    with torch.no_grad():
        alias.add_(1)
    assert {id(x) for x in made.changed()} == {id(model.weight), id(alias)}, "they are one memory"
    with torch.no_grad():
        result.add_(1)
    made.of(result)  # once more: it was first seen before
    assert id(result) in {id(x) for x in made.changed()}


def test_a_buffer_may_be_large_but_not_all_of_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tensors, "MOST_BYTES", 16)
    monkeypatch.setattr(tensors, "MOST_BYTES_TOGETHER", 40)
    large, *small = torch.zeros(5), torch.zeros(4), torch.zeros(4), torch.zeros(4), torch.zeros(2)
    made = Tensors(nn.Module())
    assert made.of(large) is large
    assert made.of(large[:1]).data_ptr() == large.data_ptr(), "its views are shared too"
    assert [made.of(x) is x for x in small] == [False, False, True, False]
    assert made.of(small[0]) is not small[0], "copied once, and counted once"
    assert made.of(torch.zeros(1)).numel() == 1


def test_inference_tensors_count_no_changes() -> None:
    with torch.inference_mode():
        tensor = torch.ones(2)
        made = Tensors(nn.Module())
        [copy] = [made.of(tensor)]
        assert torch.equal(copy, tensor)
        tensor.add_(1)
        assert made.changed() == []


def test_a_parameter_of_a_class_of_its_own_has_its_attributes_copied() -> None:
    class Own(nn.Parameter):
        pass

    plain, own = Own(torch.ones(2)), Own(torch.ones(2), requires_grad=False)
    own.state = "kept"
    made = Tensors(nn.Module())
    assert made.of(plain) is plain, "it has none"
    copy = made.of(own)
    assert copy is not own
    assert (type(copy), copy.state, copy.requires_grad) == (Own, "kept", False)
    assert copy.data_ptr() == own.data_ptr(), "its numbers are shared"
    copy.state = "changed"
    assert own.state == "kept"
    with torch.no_grad():
        copy[:1].add_(1)
    assert [x is own for x in made.changed()] == [True]


def test_what_has_no_numbers_yet_stays_so() -> None:
    lazy, buffer = nn.UninitializedParameter(requires_grad=False), nn.UninitializedBuffer()
    copies = of(lazy, buffer)
    assert [type(copy) for copy in copies] == [nn.UninitializedParameter, nn.UninitializedBuffer]
    assert copies[0] is not lazy
    assert (copies[0].requires_grad, copies[0].dtype) == (False, lazy.dtype)
    assert copies[1] is not buffer
