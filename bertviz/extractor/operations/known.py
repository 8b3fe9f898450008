"""What is known of tensors: which of them hold scores or weights that are followed.

The problem. A tensor that is followed may be changed by something that nobody sees: in place,
through another view of the same memory. torch counts the changes of a memory, for all views of it.
So what is known of a tensor holds as long as its count is what it was.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from torch import Tensor
from torch.utils.weak import WeakTensorKeyDictionary

from bertviz.extractor.operations.after import Weights
from bertviz.extractor.operations.products import Product

UNSEEN = "a change in place"


class Known:
    """What is known of tensors, for as long as they live and are not changed."""

    def __init__(self) -> None:
        self._held: Any = WeakTensorKeyDictionary()

    def among(self, args: Sequence[Any], kwargs: Mapping[str, Any]) -> dict[int, Any]:
        """What is known of arguments, by their ids; those in lists included."""
        found: dict[int, Any] = {}
        if not self._held:
            return found
        for value in (*args, *kwargs.values()):
            for tensor in value if isinstance(value, tuple | list) else (value,):
                if isinstance(tensor, Tensor):
                    held = self._of(tensor)
                    if held is not None:
                        found[id(tensor)] = held
        return found

    def remember(self, tensor: Tensor, what: Any) -> None:
        """Remember what a tensor is; with None, it is forgotten."""
        if what is None:
            self.forget(tensor)
        else:
            self._held[tensor] = (what, _changes(tensor))

    def forget(self, tensor: Any) -> None:
        """Forget what a tensor is."""
        if isinstance(tensor, Tensor):
            self._held.pop(tensor, None)

    def _of(self, tensor: Tensor) -> Any:
        held = self._held.get(tensor)
        if held is None:
            return None
        what, changes = held
        if changes == _changes(tensor):
            return what
        if isinstance(what, Product):
            what = what.lost(f"its scores go through {UNSEEN}, which cannot be followed")
        elif isinstance(what, Weights):
            what = replace(what, changed=what.changed or UNSEEN)
        return what


def _changes(tensor: Tensor) -> int | None:
    """How often a tensor's memory was changed; None in inference mode, which does not count."""
    return None if tensor.is_inference() else tensor._version
