"""Attention that is recognized in the torch operations themselves, whoever wrote the model.

The problem. Every third architecture multiplies queries and keys in a way of its own, and so do all
models that are not from Hugging Face. They have one thing in common: a softmax over what comes from
a product of two tensors.

So while a capture is on, torch reports every operation to `Operations` (a ``TorchFunctionMode``,
which belongs to its thread, so no other thread is affected). A product of two tensors that are not
parameters is followed through what may happen to scores: factors, masks, biases, a softcap and
rearrangements. Once it reaches a softmax, its queries, its keys and everything in between are
known.

`products` describes scores on their way, and `rules` what an operation makes of them. At the
softmax, `axes` tells which axis is which, and `reading` checks the result against the model's own
weights, which are followed to the values (`after`). Functions that are given everything as
arguments are noted directly (`noted`). Scores that cannot be followed any longer are remembered as
lost: a softmax over them is an attention that is skipped, with the reason.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from inspect import BoundArguments
from typing import Any

from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from bertviz.extractor.capture import Capture, current
from bertviz.extractor.operations import after, noted, rules
from bertviz.extractor.operations.after import Weights
from bertviz.extractor.operations.contraction import ENDS
from bertviz.extractor.operations.known import Known
from bertviz.extractor.operations.products import Lost, Product
from bertviz.extractor.operations.table import (
    Call,
    Rule,
    is_arrangement,
    is_custom,
    name_of,
    rule_of,
)
from bertviz.extractor.skips import cause
from bertviz.extractor.wrapped import memory_of
from bertviz.trace.settings import plainly

# Operations that make weights of scores in place of a softmax.
INSTEAD = ("exp", "exp2", "sigmoid", "log_softmax", "softmin", "gumbel_softmax")


class Operations(TorchFunctionMode):
    """Follows products to their softmax; what it finds goes to a capture."""

    def __init__(self, capture: Capture) -> None:
        super().__init__()
        self.capture = capture
        self.parameters = frozenset(
            address
            for module in capture.names
            for tensor in module._parameters.values()
            if tensor is not None and not isinstance(tensor, nn.UninitializedParameter)
            for address in memory_of(tensor)
        )
        self.known = Known()

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Any,
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        """Run an operation of the model, and follow what it does to known tensors."""
        kwargs = kwargs or {}
        # Modes are stacked: what runs in a capture inside this one does not belong here.
        if self.capture.quiet or current.get() is not self.capture:
            return func(*args, **kwargs)
        result = self._run(func, args, kwargs)
        with contextlib.suppress(Exception):  # the model runs on, whatever fails here
            self.capture.provenance.pass_on(result, args, kwargs)
        return result

    def _run(self, func: Callable[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
        """Call the function and follow its result; whatever a rule raises, the model runs on."""
        rule: Rule | None = None
        found: dict[int, Any] = {}
        problem = None
        try:
            rule, found = rule_of(func), self.known.among(args, kwargs)
            asked = rule is not None and (rule.watches or bool(found))
            bound = None
            if rule is not None and asked:
                kept = rule.kept(args, kwargs) if rule.watches else (args, kwargs)
                bound = rule.bound(*kept)
        except Exception as error:
            problem = error
        result = func(*args, **kwargs)  # not in a try: its errors are the model's own
        if rule is None and not found and problem is None:
            return result
        try:
            if problem is not None:
                raise problem
            answer = None
            if rule is not None and bound is not None:
                answer = self._ask(func, rule, result, bound, found)
            self._conclude(func, result, *_in_order(args, kwargs), found, answer)
        except Exception as error:
            name = getattr(func, "__name__", "an operation")
            if name_of(func) in noted.WHOLE:  # no softmax will come that tells of it
                self.capture.skip(self.capture.path(), f"{name}, {cause(error)}")
            elif isinstance(result, Tensor):
                reason = f"{name}, {cause(error)}"
                held = next((x for x in found.values() if isinstance(x, Product)), None)
                lost = Lost(self.capture.path(), reason) if held is None else held.lost(reason)
                self.known.remember(result, lost)
        return result

    @plainly()
    def _ask(
        self,
        func: Callable[..., Any],
        rule: Rule,
        result: Any,
        bound: BoundArguments,
        found: Mapping[int, Any],
    ) -> Any:
        """What a rule says that a result is; None if it says nothing."""
        args, kwargs = bound.args, bound.kwargs
        if rule.watches:
            name = str(func) if is_custom(func) else name_of(func)
            call = Call(name, self.capture, result, lambda x: found.get(id(x)), self.parameters)
            return rule.answer(call, *args, **kwargs)
        values: list[tuple[int | str, Any]] = [*enumerate(args), *kwargs.items()]
        operand = _operand(values[: rule.among], found)
        if operand is None:
            return None
        place, tensor, product = operand
        if result is None:  # setitem, which changes its operand
            result = tensor
        if not isinstance(result, Tensor):
            return None
        if any(value is result for other, value in values if other != place):
            return None  # the operation wrote over what the rule would need
        given = [product if index == place else value for index, value in enumerate(args)]
        return rule.answer(
            *given, **{name: product if name == place else value for name, value in kwargs.items()}
        )

    @plainly()
    def _conclude(
        self,
        func: Callable[..., Any],
        result: Any,
        args: Sequence[Any],
        kwargs: Mapping[str, Any],
        found: Mapping[int, Any],
        answer: Any,
    ) -> None:
        """Remember what a result is, from what a rule says and from what its arguments are."""
        name = name_of(func)
        weights = [
            (x, held) for x in _flat(args, kwargs) if isinstance(held := found.get(id(x)), Weights)
        ]
        if weights:
            tensor, held = min(weights, key=lambda pair: pair[1].changed is not None)
            end = after.factor(name, args, kwargs, tensor, result)
            if end is not None and self._ends(held, end, tensor):
                self.known.forget(result)
                return
            if answer is None or isinstance(answer, Product):
                answer = self._carried(func, name, result, args, kwargs, tensor, held)
        lost = self._lost(name, result, args, kwargs, found)
        answer = lost if answer is None else answer
        results = result if isinstance(result, tuple | list) else (result,)
        if result is None and args:
            results = (args[0],)  # setitem
        for each in results:
            if isinstance(each, Tensor):
                self.known.remember(each, answer)

    def _ends(self, held: Weights, end: tuple[int | None, Any], tensor: Tensor) -> bool:
        """Whether values are weighted by these weights here; then it is noted."""
        axis, other = end
        if axis is not None and not held.meets(other, axis, tensor):
            held.miss()
            return False
        if held.fate.record is not None:
            held.use(tensor)
        elif (
            not held.fate.told and self._is_activation(other) and _is_row_by_row(held, axis, tensor)
        ):
            held.fate.told = True
            self.capture.skip(held.fate.path, after.UNKNOWN)
        return True

    def _carried(
        self,
        func: Callable[..., Any],
        name: str,
        result: Any,
        args: Sequence[Any],
        kwargs: Mapping[str, Any],
        tensor: Tensor,
        held: Weights,
    ) -> Weights | None:
        """What weights are after an operation that is not the product with values."""
        if is_arrangement(name) and isinstance(result, Tensor):
            with contextlib.suppress(RuntimeError):
                given = [held.layout[...] if x is tensor else x for x in args]
                return held.viewed(func(*given, **kwargs))
        if name in rules.SAME and name != "dropout":
            return held
        return held.after(name, result, args, kwargs, tensor)

    def _lost(
        self,
        name: str,
        result: Any,
        args: Sequence[Any],
        kwargs: Mapping[str, Any],
        found: Mapping[int, Any],
    ) -> Lost | None:
        """What scores have become that no rule explains."""
        scores = [
            (x, held)
            for x in _flat(args, kwargs)
            if isinstance(held := found.get(id(x)), Product | Lost)
        ]
        if not scores:
            return None
        tensor, held = scores[0]
        end = after.factor(name, args, kwargs, tensor, result)
        if isinstance(held, Lost) and held.instead and end is not None:
            if self._is_activation(end[1]) and end[0] == tensor.ndim - 1 and not held.told:
                held.told = True
                self.capture.skip(held.path, f"{held.reason}; its weights are not a softmax")
            return None
        if name in (*ENDS, "max", "min"):
            axis = None if end is None else end[0]
            if axis is None or not held.over_heads(axis, tensor):
                return None
        if isinstance(result, Tensor) and not result.is_floating_point():
            return None
        if isinstance(held, Lost):
            held.instead = held.instead or name in INSTEAD
            return held
        reason = f"its scores go through {name!r}, which is not understood"
        return held.lost(reason, instead=name in INSTEAD)

    def _is_activation(self, value: Any) -> bool:
        return isinstance(value, Tensor) and not self.parameters & memory_of(value)


def _in_order(
    args: Sequence[Any], kwargs: Mapping[str, Any]
) -> tuple[Sequence[Any], Mapping[str, Any]]:
    """Arguments as functions are usually given them: the operand first, no place for results."""
    first = [kwargs["input"]] if "input" in kwargs else []
    return (*first, *args), {n: x for n, x in kwargs.items() if n not in ("input", "out")}


def _flat(args: Sequence[Any], kwargs: Mapping[str, Any]) -> Iterator[Tensor]:
    """The tensors among arguments, those in lists included."""
    for value in (*args, *kwargs.values()):
        if isinstance(value, Tensor):
            yield value
        elif isinstance(value, tuple | list):
            yield from (item for item in value if isinstance(item, Tensor))


def _operand(
    values: Sequence[tuple[int | str, Any]], found: Mapping[int, Any]
) -> tuple[int | str, Tensor, Product] | None:
    """The followed product among arguments: its place, its tensor and what it is."""
    known = [
        (place, value, held)
        for place, value in values
        if isinstance(held := found.get(id(value)), Product)
    ]
    # Of two products, the one that is not whole was made with positions, not keys.
    whole = [operand for operand in known if operand[2].whole]
    return next(iter(whole or known), None)


def _is_row_by_row(held: Weights, axis: int | None, tensor: Tensor) -> bool:
    """Whether several rows of weights, over several keys, meet values at once."""
    if axis is None or tensor.ndim < 2 or tensor.shape[axis] < 2:
        return False
    free = tensor.ndim - 2 if axis == tensor.ndim - 1 else tensor.ndim - 1
    return tensor.shape[free] > 1
