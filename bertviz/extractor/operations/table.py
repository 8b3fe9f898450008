"""The table of rules: which rule is asked when torch runs an operation, and how.

The problem. ``torch.add``, ``Tensor.add_`` and ``Tensor.__iadd__`` are one operation under many
names. So a rule is found by the name without underscores. There are two kinds of rules:

- A rule that **follows** is asked when a followed product is among the operation's arguments. It is
  called as the operation was, with the `Product` in the place of its tensor, and returns the
  product that the result is, or None.
- A rule that **watches** is asked at every call of its operation. It is given the `Call`, then the
  arguments as they are, and returns a product if one begins there.

A rule's parameters are named and ordered as in torch, so that its signature binds whatever a model
passes by place or by name.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from inspect import BoundArguments, Signature, signature
from typing import Any

import torch
from torch import Tensor

from bertviz.extractor.capture import Capture
from bertviz.extractor.operations.products import Product
from bertviz.extractor.wrapped import memory_of, plain
from bertviz.trace.settings import plainly

# Names that torch knows from NumPy.
ALIASES = {"axis": "dim", "keepdims": "keepdim", "x": "input", "x1": "input", "x2": "other"}

Answer = Callable[..., Product | None]


@dataclass(frozen=True)
class Rule:
    """What to ask about an operation.

    Attributes:
        answer: The rule itself.
        watches: Whether it is asked at every call.
        among: How many of the first arguments may be the product that a rule follows.
        before: For operations that write over an argument the rule needs. It is called before the
            operation, with its arguments, and returns the positional ones that the rule gets.
    """

    answer: Answer
    watches: bool = False
    among: int = 1
    before: Callable[..., Sequence[Any]] | None = None

    @plainly()
    def kept(
        self, args: Sequence[Any], kwargs: Mapping[str, Any]
    ) -> tuple[Sequence[Any], Mapping[str, Any]]:
        """The arguments as the rule will need them: copies of what the operation writes over."""
        if self.before is not None:
            return self.before(*args, **kwargs), kwargs
        out = kwargs.get("out")
        if not isinstance(out, Tensor):
            return args, kwargs
        named = {name: x for name, x in kwargs.items() if name != "out"}
        return (
            [x.clone() if x is out else x for x in args],
            {name: x.clone() if x is out else x for name, x in named.items()},
        )

    def bound(self, args: Sequence[Any], kwargs: Mapping[str, Any]) -> BoundArguments:
        """The arguments of a call in the order of the rule's parameters, however it was spelled.

        Raises:
            TypeError: The rule does not know such an argument.
        """
        named = {ALIASES.get(name, name): x for name, x in kwargs.items() if name != "out"}
        return self._signature.bind(*args, **named)

    @cached_property
    def _signature(self) -> Signature:
        every = signature(self.answer)
        parameters = list(every.parameters.values())
        return every.replace(parameters=parameters[1:] if self.watches else parameters)


@dataclass(frozen=True)
class Call:
    """An operation that has run, for rules that watch.

    Attributes:
        name: The operation's name, for people.
        capture: Where attention is noted.
        result: What the operation returned.
        known: Gives what a tensor is known to be, or None.
        parameters: Addresses of the memory of the model's parameters.
    """

    name: str
    capture: Capture
    result: Any
    known: Callable[[Any], Any]
    parameters: frozenset[int]

    def begin(
        self,
        made_from: Sequence[Tensor],
        rows: Tensor,
        columns: Tensor,
        order: Sequence[int] | None = None,
    ) -> Product | None:
        """A product of (batches…, rows, d) and (batches…, columns, d), to be followed from here.

        Args:
            made_from: The two tensors that the model multiplied; rows and columns are views of
                them.
            rows: The first factor.
            columns: The second factor.
            order: The order of the axes (batches…, rows, columns) in the result; this one by
                default.
        """
        if rows.shape[-1] != columns.shape[-1] or not rows.is_floating_point():
            return None
        # A view of a wrapped parameter may be a plain tensor in memory of its own.
        if any(memory_of(x) & self.parameters for x in (*made_from, rows, columns)):
            return None  # a projection, or a router among experts
        # Inside autocast, the product is one of numbers in a shorter form.
        rows, columns = (plain(factor).to(self.result.dtype) for factor in (rows, columns))
        batches = torch.broadcast_shapes(rows.shape[:-2], columns.shape[:-2])
        shape = (*batches, rows.shape[-2], columns.shape[-2])
        layout = torch.empty(shape, dtype=torch.float32, device="meta")
        return Product(
            path=self.capture.path(),
            rows=rows,
            columns=columns,
            cross=self.capture.is_cross(made_from[0], made_from[1]),
            layout=layout if order is None else layout.permute(*order),
        )


OPAQUE = object()  # in place of a name, for operations that are not torch's own

_rules: dict[Any, Rule] = {}  # by name, or by the function itself
_arrangements: set[str] = set()
_found: dict[Any, Rule | None] = {}


def follows(*names: Any, among: int = 1) -> Callable[[Answer], Answer]:
    """A rule for operations on a product that is followed."""
    return partial(_register, names, watches=False, among=among)


def watches(
    *names: Any, before: Callable[..., Sequence[Any]] | None = None
) -> Callable[[Answer], Answer]:
    """A rule that is asked at every call."""
    return partial(_register, names, watches=True, before=before)


def _register(names: Sequence[Any], answer: Answer, **options: Any) -> Answer:
    _rules.update(dict.fromkeys(names, Rule(answer, **options)))
    return answer


def arranges(*names: str) -> None:
    """Operations that only rearrange: what they do to scores, they do to the layout too."""
    _arrangements.update(names)


def _arranged(func: Callable[..., Tensor], input: Product, *args: Any, **kwargs: Any) -> Any:
    if any(isinstance(x, torch.dtype) for x in args):
        return None  # view(dtype) reads the same bits as other numbers
    try:
        # A view of the layout, because transpose_ and its kind change the tensor itself.
        return input.viewed(func(input.layout[...], *args, **kwargs))
    except RuntimeError:  # the product itself is not contiguous in memory
        return None


def is_arrangement(name: str) -> bool:
    """Whether an operation, named without underscores, only rearranges."""
    return name in _arrangements


def name_of(func: Callable[..., Any]) -> str:
    """An operation's name without underscores; of a property, the property's name.

    >>> name_of(torch.Tensor.__iadd__), name_of(torch.Tensor.T.__get__)
    ('iadd', 'T')
    """
    name = str(getattr(func, "__name__", "")).strip("_")
    if name == "get":
        name = getattr(getattr(func, "__self__", None), "__name__", "")
    return name


def rule_of(func: Callable[..., Any]) -> Rule | None:
    """The rule for a torch function: by its own name first, then without underscores.

    >>> rule_of(torch.Tensor.__iadd__) is rule_of(torch.add)
    True
    """
    try:
        return _found[func]
    except KeyError:
        own, name = getattr(func, "__name__", ""), name_of(func)
        rule = _rules.get(func) or _rules.get(own) or _rules.get(name)
        if is_custom(func) or (rule is None and "dot_product" in name):  # torch's own kernels
            rule = _rules.get(OPAQUE)
        if name in _arrangements:
            rule = Rule(partial(_arranged, func))
        _found[func] = rule
        return rule


def is_custom(func: Callable[..., Any]) -> bool:
    """Whether an operation is not torch's own but was registered with it."""
    registered = isinstance(func, torch._ops.OpOverload | torch._ops.OpOverloadPacket)
    return registered and not str(func).startswith(("aten.", "prim.", "prims."))
