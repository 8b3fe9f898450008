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
weights. Functions that are given everything as arguments are noted directly (`noted`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from torch import Tensor, nn
from torch.overrides import TorchFunctionMode
from torch.utils.weak import WeakTensorKeyDictionary

from bertviz.extractor.capture import Capture, current
from bertviz.extractor.operations import noted, rules  # noqa: F401, they fill the table
from bertviz.extractor.operations.products import Product
from bertviz.extractor.operations.table import Call, Rule, rule_of
from bertviz.extractor.wrapped import memory_of
from bertviz.trace.settings import plainly


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
        self.products: Any = WeakTensorKeyDictionary()

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Any,
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        """Run an operation of the model, and follow what it does to known products."""
        kwargs = kwargs or {}
        # Modes are stacked: what runs in a capture inside this one does not belong here.
        if self.capture.quiet or current.get() is not self.capture:
            return func(*args, **kwargs)
        rule = rule_of(func)
        result = self._run(rule, func, args, kwargs) if rule else func(*args, **kwargs)
        self.capture.provenance.pass_on(result, args, kwargs)
        return result

    def product_of(self, value: Any) -> Product | None:
        """The product that a tensor is known to hold."""
        return self.products.get(value) if isinstance(value, Tensor) else None

    def _follows(self, *values: Any) -> bool:
        """Whether one of these is a followed product."""
        return bool(self.products) and any(self.product_of(x) is not None for x in values)

    def _follow(self, tensor: Any, product: Product | None) -> None:
        """Remember what a tensor is; with None, it is no longer followed."""
        if isinstance(tensor, Tensor):
            if product is None:
                self.products.pop(tensor, None)
            else:
                self.products[tensor] = product

    def _run(
        self, rule: Rule, func: Callable[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any]
    ) -> Any:
        """Call the function and follow its result; whatever a rule raises, the model runs on."""
        given, named, problem = args, kwargs, None
        if rule.watches and (rule.before is not None or "out" in kwargs):
            try:
                with plainly():
                    given, named = rule.kept(args, kwargs)
            except Exception as error:
                problem = error
        result = func(*args, **kwargs)  # not in a try: its errors are the model's own
        try:
            if problem is not None:
                raise problem
            if rule.watches or self._follows(*args, *kwargs.values()):
                bound = rule.bound(given, named)
                with plainly():
                    self._ask(rule, result, bound.args, bound.kwargs)
        except Exception as error:
            name = getattr(func, "__name__", "an operation")
            self.capture.skipped.append(f"{self.capture.path()}: {name}, {error}")
            self._follow(result, None)
        return result

    def _ask(self, rule: Rule, result: Any, args: Sequence[Any], kwargs: Mapping[str, Any]) -> None:
        """Ask a rule what a result is, and store the answer."""
        if rule.watches:
            call = Call(self.capture, result, self.product_of, self.parameters)
            self._follow(result, rule.answer(call, *args, **kwargs))
            return
        values: list[tuple[int | str, Any]] = [*enumerate(args), *kwargs.items()]
        operand = self._operand(values[: rule.among])
        if operand is None:
            return
        place, tensor, product = operand
        if result is None:  # setitem, which changes its operand
            result = tensor
        if not isinstance(result, Tensor):
            return
        if any(value is result for other, value in values if other != place):
            self._follow(result, None)  # the operation wrote over what the rule would need
            return
        given = [product if index == place else value for index, value in enumerate(args)]
        named = {name: product if name == place else value for name, value in kwargs.items()}
        self._follow(result, rule.answer(*given, **named))

    def _operand(
        self, values: Sequence[tuple[int | str, Any]]
    ) -> tuple[int | str, Tensor, Product] | None:
        """The followed product among arguments: its place, its tensor and what it is."""
        known = [
            (place, tensor, product)
            for place, tensor in values
            if (product := self.product_of(tensor)) is not None
        ]
        # Of two products, the one that is not whole was made with positions, not keys.
        whole = [operand for operand in known if operand[2].whole]
        return next(iter(whole or known), None)
