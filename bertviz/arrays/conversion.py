"""Anything that holds numbers → a plain torch tensor, or an error that says how to make it one.

The problem. NumPy and torch have dozens of kinds of arrays: masked, sparse, nested, quantized,
complex, of objects, of dates, without data, of a class of somebody's own. Some would be read as
something they are not (a masked array loses its mask, a complex one its imaginary part), the others
fail in the first operation that does not know them. So this is the only place where a user's value
becomes a tensor, and what it gives is of one kind: dense, real, floating-point, on the CPU, a copy.
"""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from typing import TYPE_CHECKING, Any

from bertviz.errors import a_type, short
from bertviz.listed import DEEPEST, refuse_endless

if TYPE_CHECKING:
    from torch import Tensor

WANTED = "expected torch tensors, NumPy arrays or nested lists of equal lengths"
# Precisions that are kept as they are; all others become float32.
KEPT = ("float16", "bfloat16", "float32", "float64")


def as_tensor(name: str, value: Any) -> Tensor:
    """A copy of a user's numbers as a dense floating tensor on the CPU.

    Args:
        name: The argument's name.
        value: A tensor, an array, nested lists, or anything that NumPy can read.

    Raises:
        TypeError: It does not hold real numbers, or not in a form that can be read.
        ValueError: A number is too large for float32, or there are too many in lists.

    >>> as_tensor("weights", [[1, 0]])
    tensor([[1., 0.]])
    >>> import torch
    >>> as_tensor("weights", torch.eye(2).to_sparse())
    Traceback (most recent call last):
        ...
    TypeError: weights is a sparse tensor (torch.sparse_coo): pass weights.to_dense().
    """
    import torch

    tensor = value if isinstance(value, torch.Tensor) else _from_numpy(name, value)
    _refuse_kinds(name, tensor)
    try:
        # A subclass may carry its own idea of every operation; what is kept is a plain tensor.
        with torch._C.DisableTorchFunctionSubclass():
            plain = tensor.detach().to("cpu", copy=True).as_subclass(torch.Tensor)
            kept = str(plain.dtype).removeprefix("torch.") in KEPT
            return plain.resolve_conj().resolve_neg() if kept else plain.float()
    except Exception as error:
        raise TypeError(
            f"{name} is {a_type(value)} that cannot be copied to the CPU ({short(error)}): pass a"
            " plain tensor."
        ) from None


def _refuse_kinds(name: str, tensor: Tensor) -> None:
    """Refuse tensors that are read in another way, or that hold no real numbers."""
    import torch

    with torch._C.DisableTorchFunctionSubclass():
        if tensor.is_nested:
            raise TypeError(
                f"{name} is a nested tensor: pass a list with one tensor per layer,"
                f" list({name}.unbind())."
            )
        if tensor.is_quantized:
            raise TypeError(f"{name} is a quantized tensor: pass {name}.dequantize().")
        if tensor.layout != torch.strided:
            kind = "a sparse tensor" if "sparse" in str(tensor.layout) else "not a dense tensor"
            raise TypeError(f"{name} is {kind} ({tensor.layout}): pass {name}.to_dense().")
        if type(tensor).__torch_dispatch__ != torch.Tensor.__torch_dispatch__:
            raise TypeError(
                f"{name} is {a_type(tensor)}, a tensor with operations of its own: pass a plain"
                f" tensor, such as {name}.dequantize() or {name}.full_tensor() gives."
            )
        if tensor.is_meta:
            raise TypeError(
                f"{name} is a tensor on the meta device, which holds no numbers: load the model"
                " with its weights, and run it."
            )
        if tensor.is_complex():
            raise TypeError(
                f"{name} holds complex numbers ({tensor.dtype}): pass {name}.real or {name}.abs()."
            )


def _from_numpy(name: str, value: Any) -> Tensor:
    """A tensor of what NumPy makes of a value."""
    import numpy as np
    import torch

    if isinstance(value, str | bytes | Mapping | AbstractSet):
        raise TypeError(f"{name} is {a_type(value)}: {WANTED}.")
    _refuse_masked(name, value)
    refuse_endless(name, value)
    try:
        array = np.asarray(value)
    except MemoryError:
        raise _too_large(name, value) from None
    except Exception as error:  # NumPy runs the user's own __array__, __len__ and __getitem__
        raise TypeError(
            f"{name} is {a_type(value)} that is not an array of numbers ({short(error)}): {WANTED}."
        ) from None
    if array.dtype.kind not in "biuf" and not array.dtype.name.startswith(("bfloat16", "float8")):
        fix = {
            "c": f"pass {name}.real or abs({name})",
            "O": f"{WANTED}; a number may be missing, too large, or of another type",
        }
        raise TypeError(
            f"{name} is {a_type(value)} that is not an array of numbers (its type is"
            f" {array.dtype}): {fix.get(array.dtype.kind, WANTED)}."
        )
    # A type of the machine's own byte order: torch has no other.
    kept = array.dtype.name in KEPT and array.dtype.kind == "f"
    try:
        with np.errstate(over="ignore"):
            plain = np.array(array, dtype=np.dtype(array.dtype.name if kept else np.float32))
    except MemoryError:
        raise _too_large(name, value) from None
    return torch.from_numpy(plain)


def _too_large(name: str, value: Any) -> MemoryError:
    return MemoryError(f"{name} is {a_type(value)} that does not fit into memory.")


def _refuse_masked(name: str, value: Any, depth: int = 0) -> None:
    """Refuse a masked array: which numbers to put in place of those masked, nobody can know."""
    import numpy as np

    if isinstance(value, list | tuple) and depth < DEEPEST:
        for item in value:
            if not isinstance(item, float | int):
                _refuse_masked(name, item, depth + 1)
    elif isinstance(value, np.ma.MaskedArray) and bool(np.ma.getmaskarray(value).any()):
        raise TypeError(f"{name} is a masked array: pass {name}.filled(0), or another number.")
