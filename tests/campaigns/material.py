"""Values that nobody expects: every kind of number, text, container, array and tensor."""

from __future__ import annotations

import datetime
import decimal
import fractions
import functools
import types
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import torch

Maker = Callable[[], Any]


class Raises:
    """An object whose special methods raise."""

    def __init__(self, *methods: str) -> None:
        self.methods = methods

    def _raise(self, *_: Any, **__: Any) -> Any:
        raise RuntimeError("from inside the user's object")

    @classmethod
    def of(cls, *methods: str) -> Any:
        own = dict.fromkeys(methods, cls._raise)
        return type("Raising", (cls,), own)(*methods)


class RaisingDict(dict[Any, Any]):
    """A dict that cannot be read."""

    def items(self) -> Any:
        raise KeyError("from inside the user's dict")

    __iter__ = keys = values = items


class Empty(Sequence[Any]):
    """A sequence that says it has items and has none."""

    def __len__(self) -> int:
        return 3

    def __getitem__(self, index: Any) -> Any:
        raise IndexError


class Text(str):
    """A string with a representation of its own."""

    def __repr__(self) -> str:
        raise RuntimeError("from inside the user's string")


class Subclass(torch.Tensor):
    """A tensor subclass."""


class Refusing(torch.Tensor):
    """A tensor subclass that no function takes."""

    @classmethod
    def __torch_function__(cls, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        raise RuntimeError("from inside the user's tensor")


def _endless() -> Iterator[int]:
    """Far more items than anything has; whoever reads them all would never return."""
    for _ in range(3_000_000):
        yield 0
    raise MemoryError


def _of_itself() -> list[Any]:
    found: list[Any] = []
    found.append(found)
    return found


SCALARS: list[Maker] = [
    lambda: None,
    lambda: True,
    lambda: False,
    lambda: np.bool_(True),
    lambda: 0,
    lambda: 1,
    lambda: 2,
    lambda: -1,
    lambda: 10**30,
    lambda: 10**400,
    lambda: -(10**5000),
    lambda: -(10**30),
    lambda: 0.0,
    lambda: -0.0,
    lambda: 1.0,
    lambda: 1.5,
    lambda: float("nan"),
    lambda: float("inf"),
    lambda: 1e300,
    lambda: 5e-324,
    lambda: 1j,
    lambda: decimal.Decimal("0.5"),
    lambda: decimal.Decimal("sNaN"),
    lambda: fractions.Fraction(1, 2),
    lambda: np.int64(1),
    lambda: np.uint8(1),
    lambda: np.float32(0.5),
    lambda: np.float16("nan"),
    lambda: np.complex64(1),
    lambda: np.datetime64("2020-01-01"),
    lambda: np.str_("a"),
    lambda: np.array(1),
    lambda: np.array(0.5),
    lambda: np.array(None),
    lambda: torch.tensor(1),
    lambda: torch.tensor(0.5),
    lambda: torch.tensor(True),
    lambda: torch.tensor(0.5, requires_grad=True),
    lambda: torch.tensor(0.5, device="meta"),
    lambda: datetime.date(2020, 1, 1),
]
TEXTS: list[Maker] = [
    lambda: "",
    lambda: " ",
    lambda: "a",
    lambda: "0",
    lambda: "encoder",
    lambda: "__proto__",
    lambda: "constructor",
    lambda: "\ud800",
    lambda: "a\udfff\ud800b",
    lambda: "\x00",
    lambda: "</script><!--",
    lambda: "A→B",
    lambda: "x" * 100_000,
    lambda: "e\u0301\u202e\u2028",
    lambda: Text("a"),
    lambda: b"a",
    lambda: bytearray(b"ab"),
    lambda: memoryview(b"ab"),
]
CONTAINERS: list[Maker] = [
    list,
    lambda: (),
    dict,
    lambda: set(),
    lambda: [0],
    lambda: [0, 0],
    lambda: (0, 1),
    lambda: {0, 1},
    lambda: frozenset({0}),
    lambda: range(2),
    lambda: range(10**12),
    lambda: (i for i in (0, 1)),
    lambda: iter([0]),
    lambda: _endless(),
    lambda: [None],
    lambda: [None, None],
    lambda: [True, False],
    lambda: [0.5, 1.0],
    lambda: [float("nan")],
    lambda: ["a", "b", "c"],
    lambda: ["a", "\ud800", ""],
    lambda: ["a", None, "c"],
    lambda: {"a", "b", "c"},
    lambda: {"a": 1, "b": 2, "c": 3},
    lambda: {0: 1},
    lambda: {None: [], (1, 2): {}, "__proto__": 1},
    lambda: [[]],
    lambda: [[[]]],
    lambda: [[0, 1], [1]],
    lambda: [[[0.5, 0.5], [1.0, 0.0]]],
    lambda: [[[10**400]]],
    lambda: [["a"]],
    lambda: [{0: 1}],
    lambda: [b"a", b"b", b"c"],
    lambda: np.array(["a", "b", "c"]),
    lambda: np.array(["a", "b", "c"], dtype=object),
    lambda: [np.str_("a"), Text("b"), "c"],
    lambda: [(0, 1)],
    lambda: [(0, 99)],
    lambda: [("a", "b")],
    lambda: (x for x in ["a", 3]),
    lambda: Empty(),
    lambda: RaisingDict(a=1),
    lambda: _of_itself(),
    lambda: functools.reduce(lambda inner, _: [inner], range(500), 1.0),
]
OBJECTS: list[Maker] = [
    lambda: object(),
    lambda: int,
    lambda: len,
    lambda: lambda x: x,
    lambda: types,
    lambda: slice(0, 1),
    lambda: slice("a", None),
    lambda: slice(None, None, -1),
    lambda: ...,
    lambda: NotImplemented,
    lambda: ValueError("x"),
    lambda: torch.float32,
    lambda: torch.device("cpu"),
    lambda: torch.nn.Linear(1, 1),
    lambda: Raises.of("__repr__"),
    lambda: Raises.of("__repr__", "__str__", "__len__", "__iter__"),
    lambda: Raises.of("__iter__"),
    lambda: Raises.of("__len__", "__getitem__"),
    lambda: Raises.of("__array__"),
    lambda: Raises.of("__index__", "__float__", "__int__"),
    lambda: Raises.of("__bool__", "__eq__", "__hash__"),
    lambda: Raises.of("__getattr__"),
    lambda: Raises.of("__call__"),
    lambda: Raises.of("__fspath__"),
]


def _nested() -> torch.Tensor:
    return torch.nested.nested_tensor([torch.rand(2, 3), torch.rand(3, 3)])


ARRAYS: list[Maker] = [
    lambda: torch.rand(1, 2, 3, 3).to_sparse(),
    lambda: torch.eye(3).to_sparse_csr(),
    lambda: _nested(),
    lambda: torch.nested.nested_tensor([torch.rand(2, 3)], layout=torch.jagged),
    lambda: torch.quantize_per_tensor(torch.rand(1, 2, 3, 3), 0.1, 0, torch.quint8),
    lambda: torch.rand(1, 2, 3, 3).softmax(-1).to(torch.float8_e4m3fn),
    lambda: torch.rand(1, 2, 3, 3).softmax(-1).to(torch.float8_e5m2),
    lambda: torch.rand(1, 2, 3, 3, device="meta"),
    lambda: torch.rand(1, 2, 3, 3).to(torch.complex64),
    lambda: torch.eye(3).repeat(1, 2, 1, 1).to(torch.uint16),
    lambda: torch.eye(3).bool(),
    lambda: torch.eye(3).repeat(1, 2, 1, 1).as_subclass(Subclass),
    lambda: torch.rand(1, 2, 3, 3).as_subclass(Refusing),
    lambda: torch.nn.Parameter(torch.eye(3)[None]),
    lambda: torch._neg_view(-torch.eye(3)),
    lambda: torch.rand(3, 3).to_mkldnn(),
    lambda: torch.full((1, 2, 3, 3), float("nan")),
    lambda: torch.full((1, 2, 3, 3), float("inf")),
    lambda: torch.full((1, 2, 3, 3), 2 / 3),
    lambda: torch.full((1, 2, 3, 4), 1e30),
    lambda: torch.full((1, 2, 3, 4), 1e300, dtype=torch.float64),
    lambda: torch.full((1, 2, 3, 4), -6e4, dtype=torch.float16),
    lambda: torch.zeros(1, 0, 3, 3),
    lambda: torch.zeros(0, 2, 3, 3),
    lambda: torch.zeros(1, 2, 0, 0),
    lambda: torch.zeros(1, 2, 3, 0),
    lambda: torch.zeros(0),
    lambda: torch.zeros(2, 2, 2, 3, 3),
    lambda: torch.zeros(1, 1, 1, 1, 1, 3, 3),
    lambda: np.ma.masked_array(np.eye(3)[None], mask=np.eye(3)[None] > 0),
    lambda: np.ma.masked_array(np.eye(3)[None], mask=False),
    lambda: np.eye(3).astype(object),
    lambda: np.array([[decimal.Decimal(1), None], [0, "a"]], dtype=object),
    lambda: np.zeros((1, 2, 3, 3), "datetime64[s]"),
    lambda: np.zeros((1, 2, 3, 3), "timedelta64[s]"),
    lambda: np.zeros((1, 2, 3, 3), np.complex128),
    lambda: np.zeros((1, 2, 3), [("a", "f4"), ("b", "i4")]),
    lambda: np.eye(3).astype(">f8"),
    lambda: np.eye(3)[::-1, ::-1][None],
    lambda: np.eye(3, dtype=np.longdouble),
    lambda: np.eye(3, dtype=bool),
    lambda: np.eye(3, dtype=np.int8)[None],
    lambda: np.broadcast_to(np.float32(1 / 3), (1, 2, 3, 3)),
    lambda: np.zeros((1, 0, 3, 3)),
    lambda: np.zeros((3, 3), "S1"),
    lambda: np.full((1, 2, 3, 4), 3e38),
    lambda: np.matrix(np.eye(3)),
    lambda: [torch.eye(3), np.eye(3)],
    lambda: [torch.eye(3), None],
    lambda: [torch.eye(3), torch.eye(4)],
    lambda: [torch.eye(3).to_sparse(), torch.eye(3)],
    lambda: [[torch.tensor(1.0), torch.tensor(0.0)], [torch.tensor(0.0), torch.tensor(1.0)]],
    lambda: [np.ma.masked_array(np.eye(3), mask=np.eye(3) > 0)],
    lambda: ((torch.eye(3)[None, None],), (torch.ones(1, 1, 1, 4) / 4,)),
    lambda: ((torch.eye(3)[None, None],), (torch.ones(1, 1, 1, 4) / 4, None)),
    lambda: ((torch.eye(3)[None, None],), (torch.ones(1, 1, 1, 9) / 9,) * 2),
]
ANY: list[Maker] = [*SCALARS, *TEXTS, *CONTAINERS, *OBJECTS, *ARRAYS]


def pick(random: np.random.Generator, makers: Sequence[Maker]) -> Any:
    """One of some values, made now."""
    return makers[int(random.integers(len(makers)))]()


def written(value: Any) -> str:
    """A value for a report, whatever it is."""
    try:
        return f"{type(value).__name__} {value!r:.60}".replace("\n", " ")
    except Exception:
        return f"{type(value).__name__} without a repr"
