"""What a tensor was made from: which arguments of the modules that are running.

The problem. Cross-attention differs from self-attention in one respect only: its keys are made from
something other than its queries. Names mislead (``nn.Transformer`` has one class for both
attentions of a decoder, and some encoders read two modalities), and so does memory: projections,
rotary embeddings and reductions make new tensors. So every operation passes on where its inputs
came from.

Each argument that a module is given gets a number, higher than all before it. The number is linked
to what the argument itself was made from, so a tensor can be traced back to the arguments of any
enclosing module.
"""

from __future__ import annotations

import inspect
import weakref
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from torch import Tensor, nn

# Arguments that are mixed into queries and keys alike, whatever those are made from.
BESIDES = ("pos", "rotary", "rope", "cos", "sin", "mask", "bias", "freq", "time", "temb", "cache")

NONE: frozenset[int] = frozenset()


class Provenance:
    """What each tensor was made from, as numbers of arguments."""

    def __init__(self) -> None:
        self._parents: list[frozenset[int]] = []
        # By id, with a weak reference that tells whether the tensor is still the same one. A
        # dictionary with weak keys is several times slower, and every operation looks this up.
        self._of: dict[int, tuple[weakref.ref[Tensor], frozenset[int]]] = {}
        self._names: dict[type, tuple[str, ...]] = {}

    def of(self, tensor: Tensor) -> frozenset[int]:
        """The numbers of the arguments that a tensor was made from."""
        entry = self._of.get(id(tensor))
        return entry[1] if entry is not None and entry[0]() is tensor else NONE

    def _set(self, tensor: Tensor, numbers: frozenset[int]) -> None:
        self._of[id(tensor)] = (weakref.ref(tensor), numbers)

    @property
    def start(self) -> int:
        """The number that the next argument gets."""
        return len(self._parents)

    def given(
        self, module: nn.Module, args: Sequence[Any], kwargs: Mapping[str, Any]
    ) -> tuple[int, frozenset[int]]:
        """Number the arguments of a module that begins.

        Returns:
            The first number that is new, and the numbers of the module's arguments.
        """
        start = len(self._parents)
        kind = type(module)
        # Apart from attention, the layers of torch.nn are operations with weights.
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
        """Record that the result of an operation is made from what its inputs are made from."""
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
        """Which of a module's arguments (see `given`) a tensor was made from."""
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
