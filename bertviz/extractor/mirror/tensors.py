"""Which tensors of a model are copied for its mirror, and which are shared and watched.

The problem. Parameters are large and a forward only reads them, so they are shared. Buffers are
small and a forward may write to them (counters, rotary frequencies, caches), so they are copied;
but some quantized models keep gigabytes of weights in buffers. So very large ones are shared, and
whatever is shared is watched.
"""

from __future__ import annotations

import contextlib
from typing import Any

import torch
from torch import Tensor, nn

MOST_BYTES = 16 << 20  # of a buffer that is copied
MOST_BYTES_TOGETHER = 256 << 20


class Tensors:
    """Copies of the tensors of one model; tensors with common memory keep it in common."""

    def __init__(self, model: nn.Module) -> None:
        self._storages: dict[int | None, Any] = {}  # copies, by the identity of the original
        self._held: list[Any] = []  # originals, so that no identity is used twice
        self._left = MOST_BYTES_TOGETHER
        self._watched: dict[int, tuple[Tensor, int | None]] = {}
        self._shared = {_storage(parameter) for parameter in model.parameters()}
        for parameter in model.parameters():
            self._watch(parameter)

    def of(self, tensor: Tensor) -> Tensor:
        """A tensor's copy, or the tensor itself."""
        if isinstance(tensor, nn.UninitializedParameter | nn.UninitializedBuffer):
            return _lazy(tensor)  # a first forward makes it a real one, in place
        if isinstance(tensor, nn.Parameter):
            self._watch(tensor)
            return _with_own_attributes(tensor)
        try:
            return self._copy(tensor)
        except (RuntimeError, NotImplementedError, TypeError):  # without memory of its own
            return self._watch(tensor)

    def changed(self) -> list[Tensor]:
        """The shared tensors that were written to since they were first seen."""
        return [x for x, before in self._watched.values() if _version(x) != before]

    def _watch(self, tensor: Tensor) -> Tensor:
        self._watched.setdefault(id(tensor), (tensor, _version(tensor)))
        return tensor

    def _copy(self, tensor: Tensor) -> Tensor:
        usual = (
            type(tensor) is Tensor
            and tensor.layout is torch.strided
            and tensor.is_leaf
            and not (tensor.is_quantized or tensor.is_meta or tensor.is_conj() or tensor.is_neg())
        )
        if not usual or (place := _storage(tensor)) in self._shared:
            return self._watch(tensor)
        if place not in self._storages:
            storage = tensor.untyped_storage()
            size = storage.nbytes()
            if size > min(MOST_BYTES, self._left):
                self._shared.add(place)
                return self._watch(tensor)
            self._left -= size
            self._storages[place] = storage.clone()
            self._held.append(storage)
        empty = torch.empty(0, dtype=tensor.dtype, device=tensor.device)
        # By storage, because a view must remain a view: also of one element, repeated.
        return empty.set_(
            self._storages[place], tensor.storage_offset(), tensor.size(), tensor.stride()
        )


def _storage(tensor: Tensor) -> int | None:
    """What identifies the memory of a tensor."""
    with contextlib.suppress(RuntimeError, NotImplementedError, ValueError):
        return int(tensor.untyped_storage()._cdata)
    return None


def _version(tensor: Tensor) -> int | None:
    """How often a tensor was written to, or None: inference tensors do not count."""
    try:
        return tensor._version
    except RuntimeError:
        return None


def _lazy(tensor: nn.UninitializedParameter | nn.UninitializedBuffer) -> Tensor:
    options: dict[str, Any] = {"device": tensor.device, "dtype": tensor.dtype}
    if isinstance(tensor, nn.UninitializedParameter):
        return nn.UninitializedParameter(requires_grad=tensor.requires_grad, **options)
    return nn.UninitializedBuffer(**options)


def _with_own_attributes(parameter: nn.Parameter) -> Tensor:
    """A parameter of a class of its own, whose forward may set attributes, with a copy of them."""
    kind = type(parameter)
    if kind is nn.Parameter or not vars(parameter):
        return parameter
    if kind.__torch_dispatch__ is not Tensor.__torch_dispatch__:
        return parameter  # a wrapper around other tensors
    try:
        copy = torch.Tensor._make_subclass(kind, parameter.detach(), parameter.requires_grad)
    except (RuntimeError, TypeError):
        return parameter
    vars(copy).update(vars(parameter))
    return copy
