"""Copies of what modules hold: other modules, containers, configurations, caches, plain values.

The problem. A forward may count calls in a list, fill a cache object or change a configuration;
and the objects a module holds may refer to modules. A deep copy would be safe for the model, but
would copy parameters, tokenizers, loggers and whole trainers.

So an object is copied if it is part of the model: a module, a container, a configuration, plain
data, or an object that holds a module itself. Everything else, such as a tokenizer or a lock, is a
service and is shared. Copies are found again by the identity of their originals, so what is tied in
the model is tied in the mirror, and cycles are no problem.
"""

from __future__ import annotations

import collections
import contextlib
import copy
import enum
import random
import types
import weakref
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.hooks import RemovableHandle

from bertviz.extractor.mirror.callables import Callables, attributes_of, refers_to
from bertviz.extractor.mirror.tensors import MOST_BYTES, Tensors

ATOMIC = frozenset({bool, int, float, complex, str, bytes, type(None), torch.dtype, torch.device})
CONTAINERS = (dict, list, set, frozenset, tuple, collections.deque)
# Most of a module's own attributes are containers that are empty in most modules.
PLAIN = frozenset({dict, collections.OrderedDict, set})
EMPTY = frozenset(name for name, value in vars(nn.Module()).items() if type(value) in PLAIN)
# Of longer containers only the container is copied, not its items.
MOST_ITEMS = 10_000
# A data object is small: up to so many values, and objects in objects to such a depth.
MOST_VALUES, MOST_DEPTH = 2_000, 6
# Objects of these packages do something outside the model.
SERVICES = ("asyncio", "concurrent", "logging", "multiprocessing", "socket", "threading")
KERNEL = "_attn_implementation_internal"  # only configurations have it
TRIES = 10


class Values:
    """Copies of values, each made once."""

    def __init__(self, tensors: Tensors) -> None:
        self.opaque: list[nn.Module] = []  # modules that are shared
        self._tensors = tensors
        self._callables = Callables(self.copied)
        self._copies: dict[int, Any] = {}
        self._held: list[Any] = []  # originals, so that no identity is used twice
        self._waiting: list[Callable[[], None]] = []  # fill what is still empty
        self._filling = False
        self._ways: dict[type, Callable[[Any], Any]] = {}

    def copied(self, value: Any) -> Any:
        """A value's copy, or the value itself where it is shared."""
        kind = type(value)
        if kind in ATOMIC:
            return value
        known = self._copies.get(id(value), self)
        if known is not self:
            return known
        way = self._ways.get(kind)
        if way is None:
            way = self._ways[kind] = self._way(kind)
        result = way(value)
        if not self._filling:
            self._fill()
        return result

    def _way(self, kind: type) -> Callable[[Any], Any]:
        """How values of a type are copied; by type, because proxies hide theirs."""
        if issubclass(kind, nn.Module):
            return self._module
        if issubclass(kind, Tensor):
            return lambda value: self._remember(value, self._tensors.of(value))
        if issubclass(kind, dict):
            return self._dict
        if issubclass(kind, list | set | collections.deque):
            return self._sequence
        if issubclass(kind, tuple | frozenset):
            return self._frozen
        if issubclass(kind, weakref.WeakKeyDictionary | weakref.WeakValueDictionary):
            return self._weak
        if issubclass(kind, np.ndarray):
            return lambda x: self._remember(x, x.copy() if x.nbytes <= MOST_BYTES else x)
        if issubclass(kind, torch.Generator | np.random.Generator | random.Random):
            return self._generator
        way = self._callables.way(kind)
        if way is not None:
            return lambda value: self._remember(value, way(value))
        if issubclass(kind, type | enum.Enum) or not _in_python(kind):
            return lambda value: value
        return self._object

    def _remember(self, value: Any, result: Any) -> Any:
        self._copies[id(value)] = result
        self._held.append(value)
        return result

    # --- objects and containers are filled one after the other, so nothing is nested too deeply --

    def _fill(self) -> None:
        self._filling = True
        try:
            while self._waiting:
                self._waiting.pop()()
        finally:
            self._filling = False

    def _later(self, fill: Callable[..., None], *args: Any) -> None:
        self._waiting.append(lambda: fill(*args))

    def _fill_object(self, value: Any, result: Any) -> None:
        own = vars(result)
        for name, item in _items(vars(value)):
            if name in EMPTY and not item and type(item) in PLAIN:
                own[name] = type(item)()
            elif name.endswith("_hooks") and isinstance(item, dict):
                own[name] = self._hooks(item)
            else:
                own[name] = self.copied(item)
        for name in _slots(type(value)):
            with contextlib.suppress(AttributeError):
                object.__setattr__(result, name, self.copied(object.__getattribute__(value, name)))
        if isinstance(value, nn.Module):
            own["training"] = False

    def _module(self, module: nn.Module) -> Any:
        if isinstance(module, torch.jit.ScriptModule):
            self.opaque.append(module)
            return self._remember(module, module)
        try:
            result = object.__new__(type(module))
        except TypeError:  # partly made in C
            self.opaque.append(module)
            return self._remember(module, module)
        self._later(self._fill_object, module, result)
        return self._remember(module, result)

    def _object(self, value: Any) -> Any:
        own, kind = attributes_of(value), type(value)
        if own is None or kind.__module__.partition(".")[0] in SERVICES:
            return value
        part = (
            KERNEL in own
            or kind is RemovableHandle
            or any(refers_to(item) for item in _items_of(own))
            or _is_data(value, [MOST_VALUES])
        )
        if not part:
            return value
        try:
            result: Any = kind() if kind is types.SimpleNamespace else object.__new__(kind)
        except TypeError:
            return value
        self._later(self._fill_object, value, result)
        return self._remember(value, result)

    # --- containers ---------------------------------------------------------------------------

    def _hooks(self, hooks: dict[Any, Any]) -> Any:
        """Hooks belong to the user: where they refer to a module it is the copy, and no more."""
        if id(hooks) in self._copies:
            return self._copies[id(hooks)]
        result = self._remember(hooks, _empty_like(hooks))
        for key, hook in _items(hooks):
            result[key] = self._callables.outside(hook)
        return result

    def _dict(self, value: dict[Any, Any]) -> Any:
        try:
            result = self._remember(value, _empty_like(value))
        except TypeError:
            return self._remember(value, value)
        if value:
            self._later(self._fill_dict, value, result)
        if type(value) not in (dict, collections.OrderedDict, collections.defaultdict):
            self._attributes(value, result)
        return result

    def _fill_dict(self, value: dict[Any, Any], result: Any) -> None:
        ordered = isinstance(value, collections.OrderedDict)
        put = (collections.OrderedDict if ordered else dict).__setitem__
        copied = self.copied if len(value) <= MOST_ITEMS else _same
        for key, item in _items(value):
            put(result, copied(key), copied(item))

    def _sequence(self, value: Any) -> Any:
        kind: Any = type(value)
        try:
            result: Any = (
                kind(maxlen=value.maxlen) if kind is collections.deque else kind.__new__(kind)
            )
        except TypeError:
            return self._remember(value, value)
        self._remember(value, result)
        self._later(self._fill_sequence, value, result)
        if kind not in CONTAINERS:
            self._attributes(value, result)
        return result

    def _fill_sequence(self, value: Any, result: Any) -> None:
        items = _listed(value)
        if len(items) <= MOST_ITEMS:
            items = [self.copied(item) for item in items]
        if isinstance(value, set):
            set.update(result, items)
        else:
            result.extend(items)

    def _frozen(self, value: Any) -> Any:
        if len(value) > MOST_ITEMS:
            return value
        kind = type(value)
        items = [self.copied(item) for item in value]
        if all(one is other for one, other in zip(value, items, strict=True)):
            return value
        base = tuple if isinstance(value, tuple) else frozenset
        return self._remember(value, base.__new__(kind, items))

    def _weak(self, value: Any) -> Any:
        result = self._remember(value, type(value)())
        for key, item in _items(value):
            result[self.copied(key)] = self.copied(item)
        return result

    def _attributes(self, value: Any, result: Any) -> None:
        if attributes_of(value):
            self._later(self._fill_object, value, result)

    def _generator(self, value: Any) -> Any:
        if isinstance(value, torch.Generator):
            result = torch.Generator(value.device)
            result.set_state(value.get_state())
            return self._remember(value, result)
        return self._remember(value, copy.deepcopy(value))


def _same(value: Any) -> Any:
    return value


def _listed(value: Iterable[Any]) -> list[Any]:
    """What a container holds, though another thread may be changing it."""
    for _ in range(TRIES):
        try:
            return list(value)
        except RuntimeError:  # changed size during iteration
            continue
    return list(value)


def _items(value: Any) -> list[tuple[Any, Any]]:
    return _listed(value.items())


def _items_of(own: dict[str, Any]) -> Iterator[Any]:
    """Attributes, and the items of those that are containers."""
    for _, item in _items(own):
        kind = type(item)  # not isinstance: objects may lie about their class, or refuse
        if issubclass(kind, dict):
            yield from [value for _, value in _items(item)[:MOST_VALUES]]
        elif issubclass(kind, list | tuple | set):
            yield from _listed(item)[:MOST_VALUES]
        else:
            yield item


def _empty_like(value: Any) -> Any:
    kind: Any = type(value)
    result = kind.__new__(kind)
    if isinstance(value, collections.defaultdict):
        result.default_factory = value.default_factory
    return result


def _in_python(kind: type) -> bool:
    """Whether a class is defined in Python, so that its instances are dictionaries and slots."""
    return bool(kind.__flags__ & (1 << 9)) or kind is types.SimpleNamespace


def _slots(kind: type) -> list[str]:
    """The attributes of a class that are not in its instances' dictionary."""
    found: list[str] = []
    for base in kind.__mro__[:-1]:
        names = base.__dict__.get("__slots__", ())
        found += [names] if isinstance(names, str) else names
    return [name for name in found if name not in ("__dict__", "__weakref__")]


def _is_data(value: Any, left: list[int], depth: int = MOST_DEPTH) -> bool:
    """Whether a value is made of plain values alone; ``left`` counts how many may still come."""
    kind = type(value)
    left[0] -= 1
    if left[0] < 0 or depth < 0:
        return False
    if kind in ATOMIC or issubclass(kind, Tensor | np.ndarray | enum.Enum | type):
        return True
    if issubclass(kind, dict):
        return all(_is_data(x, left, depth - 1) for pair in _items(value) for x in pair)
    if issubclass(kind, CONTAINERS):
        return all(_is_data(x, left, depth - 1) for x in _listed(value))
    if not _in_python(kind):
        return kind.__module__ in ("builtins", "torch") and not hasattr(value, "__self__")
    own = attributes_of(value)
    if own is None or kind.__module__.partition(".")[0] in SERVICES:
        return False
    return all(_is_data(x, left, depth - 1) for _, x in _items(own))
