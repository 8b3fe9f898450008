"""Methods, functions and weak references that refer to a module, made to refer to its copy.

The problem. Libraries replace a module's forward by a method bound to the module, a partial that
holds it, or a function that closes over it (accelerate, kernels, patches of one's own). In a copy
of the module these would still run the original.

A function is replaced only if something that it closes over is; and only those cells are new. What
else a function closes over is outside the model: a hook that collects activations in a list of the
user's goes on collecting them there.
"""

from __future__ import annotations

import functools
import types
import weakref
from collections.abc import Callable
from typing import Any

from torch import nn

CACHED = type(functools.lru_cache(lambda: None))
MOST_ITEMS = 1_000
CALLABLES = (types.MethodType, functools.partial, types.FunctionType, CACHED, weakref.ref)


class Callables:
    """Makes callables refer to copies.

    Args:
        copied: Gives the copy of a value that belongs to the model.
    """

    def __init__(self, copied: Callable[[Any], Any]) -> None:
        self._copied = copied
        self._known: dict[int, tuple[Any, Any]] = {}  # functions, with what stands for them

    def way(self, kind: type) -> Callable[[Any], Any] | None:
        """How values of a type are copied, if they are callables or weak references."""
        if issubclass(kind, types.MethodType):
            return lambda method: self._method(method, self._copied)
        if issubclass(kind, functools.partial):
            return lambda partial: self._partial(partial, self._copied)
        if kind is types.FunctionType:
            return lambda function: self._function(function, True)
        if kind is types.BuiltinMethodType:
            return self._builtin
        if kind is CACHED:
            return lambda cached: self._cached(cached, self._copied)
        if issubclass(kind, weakref.ref):
            return self._reference
        if kind in (weakref.ProxyType, weakref.CallableProxyType):
            return self._proxy
        return None

    def outside(self, value: Any, inside: bool = False) -> Any:
        """What stands for a value that is not the model's own, such as a hook.

        Args:
            value: Any value.
            inside: Whether the function that holds it belongs to the model: then containers and
                objects that hold modules are copied too.
        """
        kind = type(value)
        if issubclass(kind, nn.Module):
            return self._copied(value)
        follow = functools.partial(self.outside, inside=inside)
        if issubclass(kind, types.MethodType):
            return self._method(value, follow)
        if issubclass(kind, functools.partial):
            return self._partial(value, follow)
        if kind is types.FunctionType:
            return self._function(value, inside)
        if kind is CACHED:
            return self._cached(value, follow)
        if issubclass(kind, weakref.ref):
            return self._reference(value)
        if inside and _holds_modules(value):
            return self._copied(value)
        return value

    def _method(self, method: types.MethodType, follow: Callable[[Any], Any]) -> Any:
        owner, function = follow(method.__self__), method.__func__
        if owner is method.__self__:
            return method
        if isinstance(function, types.FunctionType):
            function = self._function(function, True)
        return types.MethodType(function, owner)

    def _partial(self, partial: Any, follow: Callable[[Any], Any]) -> Any:
        old = (partial.func, *partial.args, *partial.keywords.values())
        new = [follow(value) for value in old]
        if all(one is other for one, other in zip(old, new, strict=True)):
            return partial
        count = 1 + len(partial.args)
        keywords = dict(zip(partial.keywords, new[count:], strict=True))
        result = type(partial)(new[0], *new[1:count], **keywords)
        vars(result).update(vars(partial))
        return result

    def _cached(self, cached: Any, follow: Callable[[Any], Any]) -> Any:
        function = follow(cached.__wrapped__)
        if function is cached.__wrapped__:
            return cached
        return functools.lru_cache(**cached.cache_parameters())(function)

    def _builtin(self, method: Any) -> Any:
        owner = method.__self__
        if not issubclass(type(owner), list | dict | set):
            return method
        return getattr(self._copied(owner), method.__name__)

    def _reference(self, reference: Any) -> Any:
        value = reference()
        if not issubclass(type(value), nn.Module | dict | types.MethodType):
            return reference
        new = self._copied(value)
        return reference if new is value else type(reference)(new)

    def _proxy(self, proxy: Any) -> Any:
        try:
            value = proxy.__init__.__self__
        except (AttributeError, ReferenceError):
            return proxy
        new = self._copied(value)
        return proxy if new is value else weakref.proxy(new)

    def _function(self, function: types.FunctionType, inside: bool) -> Any:
        if id(function) in self._known:
            return self._known[id(function)][1]
        compiled = vars(function).get("_torchdynamo_orig_callable")
        # A wrapper around a compiled function has the attribute too, copied from it.
        if compiled is not None and vars(function).get(
            "_torchdynamo_wrapper_id", id(function)
        ) == id(function):
            return self.outside(compiled, inside)
        self._known[id(function)] = (function, function)
        cells = function.__closure__ or ()
        follow = functools.partial(self.outside, inside=inside)
        new_cells = tuple(self._cell(cell, follow) for cell in cells)
        defaults = tuple(follow(x) for x in function.__defaults__ or ())
        named = {name: follow(x) for name, x in (function.__kwdefaults__ or {}).items()}
        if (
            all(one is other for one, other in zip(cells, new_cells, strict=True))
            and _all_same(function.__defaults__ or (), defaults)
            and _all_same((function.__kwdefaults__ or {}).values(), named.values())
        ):
            return function
        result = types.FunctionType(
            function.__code__,
            function.__globals__,
            function.__name__,
            defaults or None,
            # It may call itself.
            tuple(
                types.CellType(None) if _content(cell) is function else cell for cell in new_cells
            ),
        )
        for cell, old in zip(result.__closure__ or (), new_cells, strict=True):
            if _content(old) is function:
                cell.cell_contents = result
        result.__kwdefaults__ = named or None
        result.__qualname__, result.__module__ = function.__qualname__, function.__module__
        vars(result).update(vars(function))
        self._known[id(function)] = (function, result)
        return result

    def _cell(self, cell: types.CellType, follow: Callable[[Any], Any]) -> types.CellType:
        value = _content(cell)
        new = follow(value)
        return cell if new is value else types.CellType(new)


def _content(cell: types.CellType) -> Any:
    try:
        return cell.cell_contents
    except ValueError:  # empty
        return None


def _all_same(old: Any, new: Any) -> bool:
    return all(one is other for one, other in zip(old, new, strict=True))


def refers_to(value: Any, depth: int = 2) -> bool:
    """Whether a value is a module, or a callable or weak reference that holds one."""
    kind = type(value)
    if issubclass(kind, nn.Module):
        return True
    if depth < 0:
        return False
    if issubclass(kind, types.MethodType):
        return refers_to(value.__self__, depth - 1)
    if issubclass(kind, functools.partial):
        held = (value.func, *value.args, *value.keywords.values())
        return any(refers_to(item, depth - 1) for item in held)
    if issubclass(kind, weakref.ref):
        return refers_to(value(), depth - 1)
    return False


def attributes_of(value: Any) -> dict[str, Any] | None:
    """The attributes of an object; None if it has none, or does not show them."""
    try:
        own = value.__dict__
    except Exception:  # a class may do anything when it is asked
        return None
    return own if isinstance(own, dict) else None


def _holds_modules(value: Any) -> bool:
    """Whether a container or an object holds a module directly."""
    kind = type(value)
    if issubclass(kind, dict):
        return any(refers_to(x) for x in list(value.values())[:MOST_ITEMS])
    if issubclass(kind, list | tuple | set):
        return any(refers_to(x) for x in list(value)[:MOST_ITEMS])
    if issubclass(kind, type | types.ModuleType):
        return False
    own = attributes_of(value)
    return own is not None and any(refers_to(x) for x in list(own.values()))
