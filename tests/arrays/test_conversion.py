"""One door for arrays: dense real numbers come through, everything else is refused with a"
" recipe."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import pytest
import torch

from bertviz import AttentionTrace, listed
from bertviz.arrays.conversion import as_tensor
from bertviz.arrays.shapes import as_layers

EYE = torch.eye(3)


class Subclass(torch.Tensor):
    """A tensor that no function of torch takes."""

    @classmethod
    def __torch_function__(cls, *_: Any, **__: Any) -> Any:
        raise RuntimeError("inside")


FORMS: dict[str, Any] = {
    "bool": EYE.bool(),
    "uint16": EYE.to(torch.uint16),
    "float8": EYE.to(torch.float8_e4m3fn),
    "requires grad": EYE.clone().requires_grad_(),
    "a subclass": EYE.as_subclass(Subclass),
    "negated view": torch._neg_view(-EYE),
    "big-endian": np.eye(3).astype(">f8"),
    "reversed": np.eye(3)[::-1, ::-1],
    "longdouble": np.eye(3, dtype=np.longdouble),
    "nothing masked": np.ma.masked_array(np.eye(3), mask=False),
    "nested lists of tensors": [[torch.tensor(float(i == j)) for j in range(3)] for i in range(3)],
    "read-only": np.broadcast_to(np.eye(3), (3, 3)),
}


@pytest.mark.parametrize("form", FORMS)
def test_what_holds_real_numbers_becomes_a_plain_tensor(form: str) -> None:
    found = as_tensor("weights", FORMS[form])
    assert type(found) is torch.Tensor
    assert not found.requires_grad
    assert found.dtype in (torch.float32, torch.float64)
    assert torch.equal(found.float(), EYE)


REFUSED: dict[str, tuple[Any, str]] = {
    "sparse": (EYE.to_sparse(), r"weights is a sparse tensor .*: pass weights.to_dense\(\)"),
    "sparse rows": (EYE.to_sparse_csr(), r"weights is a sparse tensor .*: pass weights.to_dense"),
    "mkldnn": (EYE.to_mkldnn(), r"weights is not a dense tensor .*: pass weights.to_dense\(\)"),
    "nested": (torch.nested.nested_tensor([EYE]), "weights is a nested tensor: pass a list"),
    "jagged": (
        torch.nested.nested_tensor([EYE], layout=torch.jagged),
        "weights is a nested tensor: pass a list",
    ),
    "quantized": (
        torch.quantize_per_tensor(EYE, 0.1, 0, torch.quint8),
        r"weights is a quantized tensor: pass weights.dequantize\(\)",
    ),
    "meta": (EYE.to("meta"), "weights is a tensor on the meta device, which holds no numbers"),
    "complex": (EYE.to(torch.complex64), "weights holds complex numbers .*: pass weights.real"),
    "complex array": (np.eye(3) * 1j, r"its type is complex128\): pass weights.real"),
    "masked": (
        np.ma.masked_array(np.eye(3), mask=np.eye(3) > 0),
        r"weights is a masked array: pass weights.filled\(0\)",
    ),
    "masked layers": ([np.ma.masked_array(np.eye(3), mask=np.eye(3) > 0)], "is a masked array"),
    "objects": (np.array([[Fraction(1), None]], object), r"its type is object\)"),
    "10**400": ([[10**400]], r"its type is object\).*too large"),
    "dates": (np.zeros((3, 3), "datetime64[s]"), r"its type is datetime64\[s\]"),
    "records": (np.zeros(3, [("a", "f4")]), "its type is"),
    "a set": ({1.0, 2.0}, "weights is a set"),
    "a class": (int, "weights=.* is a type"),
}


@pytest.mark.parametrize("name", REFUSED)
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_what_does_not_is_refused_with_a_recipe(name: str) -> None:
    value, message = REFUSED[name]
    with pytest.raises(TypeError, match=message):
        AttentionTrace.from_arrays(weights=value)


def test_a_tensor_with_operations_of_its_own_is_refused() -> None:
    from torch._subclasses.fake_tensor import FakeTensorMode

    with FakeTensorMode():
        fake = torch.eye(3)
    with pytest.raises(TypeError, match="a tensor with operations of its own: pass a plain"):
        as_tensor("weights", fake)


def test_what_says_that_it_is_an_array_is_one_array() -> None:
    """By its shape or by NumPy's protocol; a list of those is one per layer."""
    right = np.random.default_rng(0).dirichlet(np.ones(3), (2, 3)).astype(np.float32)

    class Array:
        def __array__(self, *_: Any, **__: Any) -> Any:
            return right

        def __len__(self) -> int:  # of its first axis, as arrays have it
            return 2

        def __getitem__(self, index: int) -> Any:
            return right[index].tolist()

    class Shaped(Array):
        shape = right.shape

    class Listed(list):  # type: ignore[type-arg]
        shape = right.shape

    for value in (Array(), Shaped(), Listed(right.tolist()), right):
        [layer] = as_layers("weights", value)
        np.testing.assert_array_equal(layer.numpy(), right)
        assert len(as_layers("weights", [value, value])) == 2


def test_an_array_that_raises_is_named() -> None:
    class Raises:
        def __array__(self, *_: Any, **__: Any) -> Any:
            raise RuntimeError("inside")

    with pytest.raises(TypeError, match=r"weights is a Raises .*RuntimeError\('inside'\)"):
        as_tensor("weights", Raises())


def test_an_array_is_only_limited_by_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """The limit on lists, here of eight numbers, is not for arrays."""
    monkeypatch.setattr(listed, "MOST_LISTED", 8)
    with pytest.raises(ValueError, match="weights is a list of 9 numbers or more"):
        as_tensor("weights", np.eye(3).tolist())
    for value in (np.eye(3), list(np.eye(3)), np.broadcast_to(np.eye(3)[0], (3, 3))):
        assert torch.equal(
            as_tensor("weights", value).float(), torch.tensor(np.array(value)).float()
        )
    even = np.full((1, 2, 4, 4), 0.25, np.float32)
    trace = AttentionTrace.from_arrays(list("abcd"), weights=even)
    np.testing.assert_array_equal(trace.blocks["encoder"].layers[0].weights(), even[0])
    with pytest.raises(MemoryError, match="ndarray that does not fit into memory"):
        as_tensor("weights", np.broadcast_to(np.float32(0), 1 << 45))
