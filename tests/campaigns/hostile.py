"""Ways to spoil a trace's file: its bytes, its header, what the trace says of itself, its numbers.

A mutation takes a good file's parts and gives bytes. All of them are blind: none knows what
``load`` checks.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Callable
from typing import Any

import numpy as np

KEY = "bertviz.trace"

# What may stand in place of anything in JSON.
ODD: list[Any] = [
    None,
    True,
    False,
    0,
    1,
    -1,
    2,
    3.5,
    10**30,
    -(10**30),
    2**31,
    2**63,
    1e300,
    -1e300,
    1e-300,
    float("nan"),
    float("inf"),
    float("-inf"),
    "",
    "x",
    "\ud800",
    "</script><script>alert(1)</script>",
    "__proto__",
    "encoder.0.queries",
    [],
    [0],
    [[]],
    [None],
    ["a"],
    [0] * 1000,
    [1, 2, 3],
    {},
    {"tensor": "nothing"},
    {"tensor": 3},
    {"tensor": None},
    {"a": {"b": []}},
]
SHAPES: list[Any] = [[], [0], [-1], [2**62, 4], [1, 1, 1], [10**30], ["3"], None, [1.5], 7]
DTYPES: list[Any] = [
    "F64",
    "F32",
    "F16",
    "BF16",
    "BOOL",
    "I64",
    "U8",
    "F8_E4M3",
    "F4",
    "C64",
    "",
    3,
]

Random = np.random.Generator


class File:
    """The parts of a good file, to be spoiled and put together again."""

    def __init__(self, data: bytes) -> None:
        (length,) = struct.unpack("<Q", data[:8])
        self.header: dict[str, Any] = json.loads(data[8 : 8 + length])
        self.about: Any = json.loads(self.header["__metadata__"][KEY])
        self.body = bytearray(data[8 + length :])

    def put_together(self) -> bytes:
        if isinstance(self.header.get("__metadata__"), dict) and self.about is not None:
            self.header["__metadata__"][KEY] = json.dumps(self.about)
        return framed(json.dumps(self.header).encode(), bytes(self.body))

    def tensors(self) -> list[str]:
        return [name for name in self.header if name != "__metadata__"]


def framed(header: bytes, body: bytes) -> bytes:
    header += b" " * (-len(header) % 8)
    return struct.pack("<Q", len(header)) + header + body


def pick(random: Random, values: Any) -> Any:
    return values[int(random.integers(len(values)))]


def places(value: Any) -> list[tuple[Any, Any]]:
    """Every (container, key) of nested JSON."""
    found: list[tuple[Any, Any]] = []
    items = value.items() if isinstance(value, dict) else enumerate(value)
    for key, item in list(items):
        found.append((value, key))
        if isinstance(item, dict | list):
            found += places(item)
    return found


# --- the bytes -------------------------------------------------------------------------------


def random_bytes(data: bytes, random: Random) -> bytes:
    return random.bytes(int(random.integers(0, 400)))


def truncated(data: bytes, random: Random) -> bytes:
    return data[: int(random.integers(len(data)))]


def flipped(data: bytes, random: Random) -> bytes:
    spoiled = bytearray(data)
    for _ in range(int(random.integers(1, 20))):
        spoiled[int(random.integers(len(data)))] = int(random.integers(256))
    return bytes(spoiled)


def header_bytes_flipped(data: bytes, random: Random) -> bytes:
    spoiled = bytearray(data)
    for _ in range(int(random.integers(1, 6))):
        spoiled[int(random.integers(8, min(len(data), 3000)))] = int(random.integers(32, 127))
    return bytes(spoiled)


def appended(data: bytes, random: Random) -> bytes:
    return data + random.bytes(int(random.integers(1, 100)))


def length_changed(data: bytes, random: Random) -> bytes:
    length = pick(random, [0, 1, 7, 2**63, 2**64 - 1, 10**9, 100, len(data), len(data) - 8])
    return struct.pack("<Q", length) + data[8:]


def numbers_changed(data: bytes, random: Random) -> bytes:
    """Random bytes, or NaN, or huge numbers, among the tensors' own."""
    file = File(data)
    size = len(file.body)
    for _ in range(int(random.integers(1, 4))):
        start = int(random.integers(size)) // 4 * 4
        value = pick(
            random,
            [
                random.bytes(int(random.integers(1, 40))),
                np.float32(np.nan).tobytes(),
                np.float32(np.inf).tobytes(),
                np.float32(-np.inf).tobytes(),
                np.float32(3e38).tobytes() * 20,
                np.float32(1e20).tobytes() * 20,
            ],
        )
        file.body[start : start + len(value)] = value
    del file.body[size:]
    return file.put_together()


# --- the header ------------------------------------------------------------------------------


def header_field_changed(data: bytes, random: Random) -> bytes:
    file = File(data)
    container, key = pick(random, [p for p in places(file.header) if p[1] != KEY])
    container[key] = pick(random, ODD)
    return file.put_together()


def dtype_changed(data: bytes, random: Random) -> bytes:
    file = File(data)
    file.header[pick(random, file.tensors())]["dtype"] = pick(random, DTYPES)
    return file.put_together()


def shape_changed(data: bytes, random: Random) -> bytes:
    """Another shape, of the same size where that is possible."""
    file = File(data)
    entry = file.header[pick(random, file.tensors())]
    shape = entry["shape"]
    entry["shape"] = pick(
        random,
        [
            shape[::-1],
            [int(np.prod(shape))],
            [1, *shape],
            [*shape, 1],
            shape[1:],
            pick(random, SHAPES),
        ],
    )
    return file.put_together()


def retyped_and_reshaped(data: bytes, random: Random) -> bytes:
    """Another dtype whose numbers fill the same bytes."""
    file = File(data)
    entry = file.header[pick(random, file.tensors())]
    start, stop = entry["data_offsets"]
    dtype, size = pick(random, [("F16", 2), ("BF16", 2), ("BOOL", 1), ("F64", 8), ("I32", 4)])
    entry["dtype"], entry["shape"] = dtype, [1, 1, (stop - start) // size]
    return file.put_together()


def tensors_swapped(data: bytes, random: Random) -> bytes:
    file = File(data)
    one, other = pick(random, file.tensors()), pick(random, file.tensors())
    file.header[one], file.header[other] = file.header[other], file.header[one]
    return file.put_together()


def tensor_missing(data: bytes, random: Random) -> bytes:
    file = File(data)
    name = pick(random, file.tensors())
    start, stop = file.header.pop(name)["data_offsets"]
    for other in file.tensors():
        a, b = file.header[other]["data_offsets"]
        if a >= stop:
            file.header[other]["data_offsets"] = [a - (stop - start), b - (stop - start)]
    del file.body[start:stop]
    return file.put_together()


def tensor_extra(data: bytes, random: Random) -> bytes:
    file = File(data)
    end = len(file.body)
    file.header["more"] = {"dtype": "F32", "shape": [2], "data_offsets": [end, end + 8]}
    file.body += random.bytes(8)
    return file.put_together()


def tensor_renamed(data: bytes, random: Random) -> bytes:
    file = File(data)
    file.header["other"] = file.header.pop(pick(random, file.tensors()))
    return file.put_together()


def header_nested(data: bytes, random: Random) -> bytes:
    depth = int(random.integers(100, 200_000))
    deep = b"[" * depth + b"]" * depth
    return framed(b'{"__metadata__":{"bertviz.trace":"{}"},"a":' + deep + b"}", b"")


def header_duplicated(data: bytes, random: Random) -> bytes:
    file = File(data)
    name = pick(random, file.tensors())
    text = json.dumps(file.header)[:-1]
    return framed(
        f"{text},{json.dumps(name)}:{json.dumps(file.header[name])}}}".encode(), file.body
    )


# --- what the trace says of itself -----------------------------------------------------------


def field_changed(data: bytes, random: Random) -> bytes:
    file = File(data)
    container, key = pick(random, places(file.about))
    container[key] = pick(random, ODD)
    return file.put_together()


def field_missing(data: bytes, random: Random) -> bytes:
    file = File(data)
    container, key = pick(random, places(file.about))
    del container[key]
    return file.put_together()


def field_extra(data: bytes, random: Random) -> bytes:
    file = File(data)
    containers = [file.about, *(c[k] for c, k in places(file.about) if isinstance(c[k], dict))]
    name = pick(random, ["more", "__class__", "queries", "name", ""])
    pick(random, containers)[name] = pick(random, ODD)
    return file.put_together()


def fields_swapped(data: bytes, random: Random) -> bytes:
    file = File(data)
    (a, i), (b, j) = pick(random, places(file.about)), pick(random, places(file.about))
    first, second = json.loads(json.dumps([a[i], b[j]]))
    a[i], b[j] = second, first
    return file.put_together()


def plausible_changed(data: bytes, random: Random) -> bytes:
    """A value of the right type, which may even be right."""
    file = File(data)
    container, key = pick(random, [p for p in places(file.about) if p[1] in PLAUSIBLE])
    container[key] = PLAUSIBLE[key](random, container[key])
    return file.put_together()


def _shuffled(random: Random, values: Any) -> Any:
    if not isinstance(values, list):
        return values
    return [values[int(i)] for i in random.permutation(len(values))]


PLAUSIBLE: dict[str, Callable[[Random, Any], Any]] = {
    "kind": lambda random, _: pick(random, ["encoder", "decoder", "cross"]),
    "name": lambda random, _: pick(random, ["__proto__", "constructor", "a.b", "", "é", "\ud800"]),
    "index": lambda random, _: pick(random, [0, 1, 7, 999, 2**31 - 1]),
    "heads": lambda random, value: pick(
        random, [_shuffled(random, value), [x + 2**31 - 9 for x in value], [x * 3 for x in value]]
    ),
    "causal": lambda _, value: not value,
    "given_causal": lambda _, value: not value,
    "rotary": lambda _, value: not value,
    "scaling": lambda random, _: pick(random, [0, -1, 1e-30, 1e-300, 1e5, 1e20, 1e30, 3]),
    "softcap": lambda random, _: pick(random, [None, 1, 1e-8, 1e-20, 1e20, 1e-31, 50.0]),
    "key_heads": lambda random, value: pick(random, [None, [0] * 4, [1, 0, 1, 0], [1] * 4, [0]]),
    "sentences": lambda random, value: value and [7 * x for x in value],
    "words": lambda random, value: pick(random, [[0] * len(value), list(range(len(value)))]),
    "special": lambda random, value: pick(random, [[True] * len(value), [not x for x in value]]),
    "strings": _shuffled,
    "text": lambda random, value: pick(random, [[""] * len(value), ["<b>\ud800\x00"] * len(value)]),
    "mask": lambda random, value: None,
    "sinks": lambda random, value: None,
    "layers": _shuffled,
    "blocks": lambda random, value: value[::-1],
    "dtype": lambda random, _: pick(random, ["", "float64", "__proto__"]),
    "model_name": lambda random, _: pick(random, [None, "", "<b>\ud800", "x" * 5000]),
    "exactness": lambda random, _: None,
    "max_difference": lambda random, _: pick(random, [0, -1, 1e300, 5]),
    "note": lambda random, _: pick(random, [None, "", "</script>"]),
    "terms": lambda random, _: pick(random, [[], ["x"] * 9]),
}


def list_lengthened(data: bytes, random: Random) -> bytes:
    file = File(data)
    lists = [c[k] for c, k in places(file.about) if isinstance(c[k], list) and c[k]]
    chosen = pick(random, lists)
    extra = json.loads(json.dumps(pick(random, chosen)))
    chosen.insert(int(random.integers(len(chosen) + 1)), extra)
    return file.put_together()


def list_shortened(data: bytes, random: Random) -> bytes:
    file = File(data)
    lists = [c[k] for c, k in places(file.about) if isinstance(c[k], list) and c[k]]
    chosen = pick(random, lists)
    del chosen[int(random.integers(len(chosen))) :]
    return file.put_together()


def number_changed(data: bytes, random: Random) -> bytes:
    """A number that may be plausible."""
    file = File(data)
    numbers = [(c, k) for c, k in places(file.about) if isinstance(c[k], int | float)]
    container, key = pick(random, numbers)
    container[key] = pick(random, [container[key] + 1, -container[key], container[key] * 1e10, 5])
    return file.put_together()


def text_changed(data: bytes, random: Random) -> bytes:
    file = File(data)
    texts = [(c, k) for c, k in places(file.about) if isinstance(c[k], str)]
    container, key = pick(random, texts)
    container[key] = pick(
        random, ["\ud800", "\x00", "", "é" * 500, "<b>", "\u202e", "bool", "cross"]
    )
    return file.put_together()


def about_replaced(data: bytes, random: Random) -> bytes:
    """JSON that is no trace, or no JSON."""
    file = File(data)
    depth = int(random.integers(500, 100_000))
    text = pick(
        random,
        [
            "",
            "null",
            "[]",
            "3",
            "{}",
            '{"version": 3}',
            '{"version": 3, "blocks": []}',
            "[" * depth,
            "[" * depth + "]" * depth,
            '{"a":' * depth + "1" + "}" * depth,
            '{"version":' + "9" * 5000 + "}",
            '{"version": 1e999}',
            '"\\ud800"',
            "{'version': 3}",
            json.dumps(file.about)[: int(random.integers(200))],
            json.dumps({**file.about, "version": pick(random, [0, 2, 4, "3", 3.0, True, None])}),
            json.dumps(file.about)[:-1] + ', "version": 3, "dtype": 5}',
        ],
    )
    file.about = None
    file.header["__metadata__"][KEY] = text
    return file.put_together()


MUTATIONS: list[Callable[[bytes, Random], bytes]] = [
    random_bytes,
    truncated,
    flipped,
    header_bytes_flipped,
    appended,
    length_changed,
    numbers_changed,
    header_field_changed,
    dtype_changed,
    shape_changed,
    retyped_and_reshaped,
    tensors_swapped,
    tensor_missing,
    tensor_extra,
    tensor_renamed,
    header_nested,
    header_duplicated,
    field_changed,
    field_changed,
    field_missing,
    field_extra,
    fields_swapped,
    plausible_changed,
    plausible_changed,
    list_lengthened,
    list_shortened,
    number_changed,
    text_changed,
    about_replaced,
]
