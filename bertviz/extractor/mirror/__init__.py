"""A copy of the user's model to run in its place: its modules are new, its parameters are shared.

The problem. A capture needs a model in eval mode, with hooks, and for verification on another
kernel. Setting that on the user's model and setting it back fails in two ways: an interrupt can
come between any two steps, and other threads may run or train the model meanwhile.

So nothing is set on the user's model. What runs is a mirror of it: every module object is copied
without its parameters, which takes milliseconds. Buffers, caches and configurations are copied too,
so what a forward changes in them ends with the mirror. Whatever refers to a module from inside the
model, such as a bound method, a hook or a patched forward, refers to the module's copy in the
mirror.

`values` copies attributes, `callables` methods and functions, `tensors` buffers. What cannot be
copied is shared, and `Mirror.warn` says what that meant.
"""

from __future__ import annotations

from typing import Any, TypeVar

from torch import jit, nn

from bertviz.errors import warn_caller
from bertviz.extractor.mirror.tensors import Tensors
from bertviz.extractor.mirror.values import Values

Kind = TypeVar("Kind")


class Mirror:
    """A mirror of a model.

    Attributes:
        model: The model's copy, in eval mode.
    """

    def __init__(self, model: nn.Module) -> None:
        self._own = model
        self._tensors = Tensors(model)
        self._values = Values(self._tensors)
        self.model: Any = self.of(model)

    def of(self, value: Kind) -> Kind:
        """What stands in the mirror for a module of the user's model, or a copy of other values."""
        found: Kind = self._values.copied(value)
        return found

    def is_copy(self, module: nn.Module) -> bool:
        """Whether a module of the mirror is a copy; others are the user's own and shared."""
        if isinstance(module, jit.ScriptModule):  # a part of one that is shared
            return False
        return all(module is not shared for shared in self._values.opaque)

    def warn(self) -> None:
        """Tell what a run could not do without touching the user's model."""
        opaque = [module for module in self._values.opaque if module.training]
        if opaque:
            kinds = ", ".join(sorted({type(module).__name__ for module in opaque}))
            warn_caller(
                f"{len(opaque)} modules ({kinds}) cannot be copied, so they ran in train mode, as"
                " they are: call model.eval() before extract.",
            )
        changed = self._tensors.changed()
        if changed:
            known = [*self._own.named_parameters(), *self._own.named_buffers()]
            names = [name for name, tensor in known if any(tensor is x for x in changed)]
            first = names[0] if names else f"a tensor of shape {tuple(changed[0].shape)}"
            more = f" and {len(changed) - 1} others" if len(changed) > 1 else ""
            warn_caller(
                f"{first}{more} of the model changed while it ran, by its own forward or in another"
                " thread. Parameters and very large buffers are shared with the model, so the"
                " change stays; the trace may mix values from before and after it.",
            )
