"""What a tensor was made from: which arguments of the modules that are running.

Cross-attention differs from self-attention in this alone: its keys are made from something else
than its queries. Names mislead (``nn.Transformer`` calls both attentions of a decoder alike, some
encoders look at two modalities), and memory misleads too: projections, rotary embeddings and
reductions make new tensors. So every operation passes on where its inputs came from.

An argument that a module is given gets a number, higher than all before; the number knows what the
argument itself was made from, so one can go back to the arguments of any module around.
"""

from __future__ import annotations

import inspect
import weakref
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from torch import Tensor, nn

# Arguments that queries and keys may both be made with, whatever they are made from.
BESIDES = ("pos", "rotary", "rope", "cos", "sin", "mask", "bias", "freq", "time", "temb", "cache")

NONE: frozenset[int] = frozenset()


class Provenance:
    """Numbers of arguments, and what each tensor was made from."""

    def __init__(self) -> None:
        self._parents: list[frozenset[int]] = []
        # By id, with a weak reference that tells whether it is still that tensor: every operation
        # asks, and a dictionary of weak keys takes several times as long.
        self._of: dict[int, tuple[weakref.ref[Tensor], frozenset[int]]] = {}
        self._names: dict[type, tuple[str, ...]] = {}

    def of(self, tensor: Tensor) -> frozenset[int]:
        """The numbers of what a tensor was made from."""
        entry = self._of.get(id(tensor))
        return entry[1] if entry is not None and entry[0]() is tensor else NONE

    def _set(self, tensor: Tensor, numbers: frozenset[int]) -> None:
        self._of[id(tensor)] = (weakref.ref(tensor), numbers)

    def given(
        self, module: nn.Module, args: Sequence[Any], kwargs: Mapping[str, Any]
    ) -> tuple[int, frozenset[int]]:
        """A module begins: the first number that is its own, and the numbers of its arguments."""
        start = len(self._parents)
        kind = type(module)
        # The layers of torch.nn are operations with weights, except for its attention.
        if kind.__module__.startswith("torch.nn.modules") and not isinstance(
            module, nn.MultiheadAttention | nn.TransformerEncoderLayer | nn.TransformerDecoderLayer
        ):
            return start, frozenset()
        if kind not in self._names:
            self._names[kind] = tuple(inspect.signature(module.forward).parameters)
        numbers: dict[int, int] = {}
        named = [*zip(self._names[kind], args, strict=False), *kwargs.items()]
        for name, value in named:
            if not isinstance(value, Tensor) or not value.is_floating_point() or value.ndim < 2:
                continue
            if any(part in name for part in BESIDES):
                continue
            if id(value) not in numbers:
                numbers[id(value)] = len(self._parents)
                self._parents.append(self.of(value))
                self._set(value, frozenset((numbers[id(value)],)))
        return start, frozenset(numbers.values())

    def pass_on(self, result: Any, args: Iterable[Any], kwargs: Mapping[str, Any]) -> None:
        """An operation was done: its result is made from what its inputs are made from."""
        several = isinstance(result, tuple | list)
        if not several and not isinstance(result, Tensor):
            return
        found = NONE
        for value in (*args, *kwargs.values()):
            if isinstance(value, Tensor):
                numbers = self.of(value)
                if numbers is not found:
                    found |= numbers
            elif isinstance(value, tuple | list):
                for item in value:
                    if isinstance(item, Tensor):
                        found |= self.of(item)
        if found:
            for tensor in result if several else (result,):
                if isinstance(tensor, Tensor):
                    self._set(tensor, found)

    def among(self, tensor: Tensor, start: int, given: frozenset[int]) -> set[int]:
        """Which of a module's arguments a tensor was made from."""
        found: set[int] = set()
        seen: set[int] = set()
        ahead = list(self.of(tensor))
        while ahead:
            number = ahead.pop()
            if number in seen or number < start:
                continue
            seen.add(number)
            if number in given:
                found.add(number)
            else:
                ahead += self._parents[number]
        return found
