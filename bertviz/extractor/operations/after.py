"""Weights on their way from the softmax to the values.

The problem. What a module multiplies its values by need not be what its softmax gave: weights may
be dropped at random, masked, normalized again, mixed between heads, or changed in place through a
view that nobody sees. Then the softmax is not the attention that was computed, and showing it would
be wrong.

So weights are followed, however they are rearranged, to the product with the values. If something
happened to them on the way, they are compared once more at that point. Weights that never meet
values as the softmax gave them, but do so changed, are skipped; weights that never meet any are
what the model returns, and are shown.

A softmax over scores of unknown origin is followed, too: when it weights values row by row, it was
an attention that is not understood.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from bertviz.extractor.operations.contraction import summed
from bertviz.extractor.records import Record

UNKNOWN = "its softmax is over scores that are not known to be products of queries and keys"


def dropped(share: float) -> str:
    """Why weights that are dropped at random are not shown."""
    return (
        f"its weights are changed at random by dropout (p={share}), although the model is in eval"
        " mode: pass p=0.0 unless self.training"
    )


@dataclass(eq=False)
class Fate:
    """What becomes of the weights of one softmax, in whatever tensors they are.

    Attributes:
        path: The module's path.
        record: What is known of them; None for a softmax over scores of unknown origin.
        again: Whether weights, in the shape that the softmax gave them, are those of the record.
        touched: What may have changed them in place.
        told: Whether an unknown softmax has been noted.
    """

    path: str
    record: Record | None
    again: Callable[[Tensor], bool] | None = None
    touched: str | None = None
    told: bool = False


@dataclass(frozen=True, eq=False)
class Weights:
    """Weights in one tensor.

    Attributes:
        fate: What all tensors of these weights share.
        layout: A tensor without data, viewed as the weights are; its axis of keys has stride 1.
        shape: Of the layout before it was viewed.
        changed: By which operation they were changed on the way, as far as is known.
        lost: Whether they are no longer one weight per query and key.
    """

    fate: Fate
    layout: Tensor
    shape: tuple[int, ...]
    changed: str | None = None
    lost: bool = False

    @classmethod
    def begin(cls, fate: Fate, result: Tensor, axis: int) -> Weights:
        """Weights as a softmax along an axis gave them."""
        order = [*(i for i in range(result.ndim) if i != axis), axis]
        shape = tuple(result.shape[i] for i in order)
        layout = torch.empty(shape, dtype=torch.float32, device="meta")
        return cls(fate, layout.permute(*(order.index(i) for i in range(result.ndim))), shape)

    def as_given(self, tensor: Tensor) -> Tensor | None:
        """A tensor of these weights in the order of ``shape``; None if some are missing."""
        if tensor.numel() != torch.Size(self.shape).numel():
            return None
        strides = self.layout.stride()
        order = sorted(range(tensor.ndim), key=lambda axis: -strides[axis])
        return tensor.permute(order).reshape(self.shape)

    def viewed(self, layout: Tensor) -> Weights:
        """These weights in another shape or order of axes."""
        return replace(self, layout=layout)

    def after(
        self,
        name: str,
        result: Any,
        args: Sequence[Any],
        kwargs: Mapping[str, Any],
        tensor: Tensor,
    ) -> Weights | None:
        """What the result of an operation is to these weights; None if nothing.

        Args:
            name: Its name, without underscores.
            result: What it returned.
            args: Its arguments.
            kwargs: Its arguments by name.
            tensor: The argument that holds these weights.
        """
        if name == "numpy":
            self.fate.touched = "numpy"
        if name == "setitem":
            result = args[0]
        if not isinstance(result, Tensor) or not result.is_floating_point():
            return None
        if result is tensor:  # changed in place
            self.fate.touched = _said(name, args, kwargs)
            return self
        if result.shape != tensor.shape or self.lost:
            return replace(self, changed=self.changed or name, lost=True)
        if torch.equal(result, tensor):
            return self
        return replace(self, changed=_said(name, args, kwargs))

    def meets(self, other: Any, axis: int, tensor: Tensor) -> bool:
        """Whether values are weighted here: a product that sums over keys."""
        if not isinstance(other, Tensor):
            return False
        # A softmax of unknown scores may run over more than keys, an attention sink for example.
        keys = self.fate.record is None or self.layout.shape[axis] == self.shape[-1]
        return self.lost or (self.layout.stride(axis) == 1 and keys)

    def miss(self) -> None:
        """Note a sum over heads or queries, which is what they were for if nothing else comes."""
        record = self.fate.record
        if record is not None and not record.used and record.changed is None:
            record.changed = "its softmax and the sum over its values run along different axes"

    def use(self, tensor: Tensor) -> None:
        """Note that values are weighted by a tensor of these weights."""
        record, changed = self.fate.record, self.changed or self.fate.touched
        if record is None or record.used:
            return
        if changed is not None and not self.lost:
            given = self.as_given(tensor)
            if given is not None and self.fate.again is not None and self.fate.again(given):
                changed = None
        if changed is None:
            record.used, record.changed = True, None
        elif changed.startswith("its weights"):
            record.changed = changed
        else:
            record.changed = (
                f"its weights are changed between the softmax and the values ({changed})"
            )


def _said(name: str, args: Sequence[Any], kwargs: Mapping[str, Any]) -> str:
    if name != "dropout":
        return name
    share = kwargs.get("p", args[1] if len(args) > 1 else 0.5)
    return dropped(share)


def factor(
    name: str, args: Sequence[Any], kwargs: Mapping[str, Any], tensor: Tensor, result: Any
) -> tuple[int | None, Any] | None:
    """The axis that an operation sums over, and what the tensor is multiplied by there.

    A product that broadcasts weights to the width of values sums up later: its axis is None.
    """
    found = summed(name, args, kwargs, tensor)
    if found is not None:
        return found
    if name in ("mul", "multiply", "rmul") and isinstance(result, Tensor):
        others = [x for x in (*args, *kwargs.values()) if isinstance(x, Tensor) and x is not tensor]
        if len(others) == 1 and result.numel() > tensor.numel():
            return None, others[0]
    return None
