"""Mappings inside values that do not change.

``types.MappingProxyType`` cannot be pickled or copied, which would rule out multiprocessing, joblib
and caches. A dict that refuses to be changed can be, and is JSON like any other.
"""

from __future__ import annotations

from typing import Any, NoReturn, TypeVar

K = TypeVar("K")
V = TypeVar("V")


class Frozen(dict[K, V]):
    """A dict that cannot be changed.

    >>> frozen = Frozen(a=1)
    >>> frozen["b"] = 2
    Traceback (most recent call last):
        ...
    TypeError: this mapping cannot be changed; dict(...) makes a copy that can
    >>> import copy, pickle
    >>> pickle.loads(pickle.dumps(frozen)) == copy.deepcopy(frozen) == {"a": 1}
    True
    """

    def _refuse(self, *_: Any, **__: Any) -> NoReturn:
        raise TypeError("this mapping cannot be changed; dict(...) makes a copy that can")

    __setitem__ = __delitem__ = __ior__ = _refuse
    clear = pop = popitem = setdefault = update = _refuse

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (dict(self),)
