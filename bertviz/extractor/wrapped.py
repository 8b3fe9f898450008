"""Tensors that are wrapped around others: quantized weights, or parts of a tensor on many devices.

The problem. A parameter need not have memory of its own: torchao, optimum-quanto and DTensor give
models tensors that only stand for others inside them. They compute like any other, but have no
address, and what is made from them may be such a tensor again. A trace holds plain ones.
"""

from __future__ import annotations

from collections.abc import Iterator

from torch import Tensor, nn

PLAIN = (Tensor, nn.Parameter)


def memory_of(tensor: Tensor) -> frozenset[int]:
    """Addresses of the memory that holds a tensor's numbers; none where there is no memory.

    >>> import torch
    >>> parameter = torch.ones(3)
    >>> memory_of(parameter) == memory_of(parameter[1:]), memory_of(parameter.to("meta"))
    (True, frozenset())
    """
    inner = list(_inside(tensor))
    if inner:
        return frozenset().union(*map(memory_of, inner))
    try:
        address = tensor.untyped_storage().data_ptr()
    except (NotImplementedError, RuntimeError):  # it has none
        return frozenset()
    return frozenset({address} if address else ())


def plain(tensor: Tensor) -> Tensor:
    """The numbers that a tensor stands for, as a tensor of torch's own class."""
    if type(tensor) in PLAIN:
        return tensor
    if not any(True for _ in _inside(tensor)):
        return tensor.as_subclass(Tensor)
    made: Tensor = tensor.full_tensor() if hasattr(tensor, "full_tensor") else tensor.dequantize()
    return made


def _inside(tensor: Tensor) -> Iterator[Tensor]:
    """The tensors that a tensor is wrapped around."""
    if type(tensor) in PLAIN:
        return
    names = list(getattr(tensor, "__dict__", ()))
    flatten = getattr(tensor, "__tensor_flatten__", None)
    if callable(flatten):
        names = flatten()[0]
    for name in names:
        value = getattr(tensor, name, None)
        if isinstance(value, Tensor) and value is not tensor and name != "grad":
            yield value
