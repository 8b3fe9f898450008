"""The tensors of a safetensors file, read into memory and believed in nothing.

The problem. The library that reads such files maps them into memory. A trace made so changes when
its file is overwritten, and a file that gets shorter ends Python; and what it makes of a spoiled
header is an error from inside. The format is eight bytes, a JSON header and the numbers, so it is
read here: the header first, so that a large file of something else is refused without reading it.
"""

from __future__ import annotations

import io
import json
import math
import os
import stat
import struct
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, BinaryIO, NamedTuple

from bertviz.errors import short

if TYPE_CHECKING:
    from torch import Tensor

LARGEST_HEADER = 100_000_000  # bytes, as the format has it
MOST_AXES = 8
# The format's names of the types that a trace holds: torch's names, and bytes of a number.
DTYPES = {
    "F64": ("float64", 8),
    "F32": ("float32", 4),
    "F16": ("float16", 2),
    "BF16": ("bfloat16", 2),
    "BOOL": ("bool", 1),
}


class Container:
    """A safetensors file that is open for reading.

    Attributes:
        metadata: The texts in its header.
    """

    metadata: dict[str, str]

    def __init__(self, file: BinaryIO) -> None:
        """Read the header.

        Raises:
            ValueError: It is not a safetensors file; the message says why.
        """
        status = os.fstat(file.fileno())
        if stat.S_ISCHR(status.st_mode) or stat.S_ISBLK(status.st_mode):
            raise ValueError("it is a device, which may have no end")
        if not stat.S_ISREG(status.st_mode):  # a pipe, say, whose length nobody knows
            file = io.BytesIO(file.read())
        size = len(file.getbuffer()) if isinstance(file, io.BytesIO) else status.st_size
        self._file = file
        start = file.read(8)
        if len(start) < 8:
            raise ValueError("it has less than eight bytes")
        (length,) = struct.unpack("<Q", start)
        if length > min(LARGEST_HEADER, size - 8):
            raise ValueError(f"its header would have {length:,} bytes, the file has {size:,}")
        header = strict_json(_whole(file, length).decode("utf-8"))
        if not isinstance(header, dict):
            raise ValueError("its header is not a JSON object")
        metadata = header.pop("__metadata__", {})
        if not isinstance(metadata, dict) or not all(isinstance(x, str) for x in metadata.values()):
            raise ValueError("its metadata are not texts by name")
        self.metadata = metadata
        self._entries = header
        self._size = size - 8 - length

    def tensors(self) -> dict[str, Tensor]:
        """Read all tensors, each into memory of its own.

        Raises:
            ValueError: The header does not fit the file, or names a type that no trace holds.
        """
        import torch

        entries = [_checked(*item, self._size) for item in self._entries.items()]
        tensors = {}
        end = 0
        for entry in sorted(entries, key=lambda entry: entry.start):
            if entry.start != end:
                raise ValueError(f"tensor {short(entry.name)} does not begin where the last ends")
            end = entry.stop
            dtype = getattr(torch, DTYPES[entry.dtype][0])
            tensors[entry.name] = tensor = torch.empty(entry.shape, dtype=dtype, device="cpu")
            buffer = tensor.reshape(-1).view(torch.uint8).numpy()
            if self._file.readinto(buffer.data) < len(buffer):  # type: ignore[attr-defined]
                raise ValueError("it became shorter while it was read")
            if dtype == torch.bool and bool((buffer > 1).any()):
                raise ValueError(f"tensor {short(entry.name)} holds bools that are neither 0 nor 1")
        if end != self._size:
            raise ValueError(f"{self._size - end:,} bytes at its end belong to no tensor")
        return tensors


class _Entry(NamedTuple):
    """What the header says of a tensor."""

    name: str
    dtype: str
    shape: list[int]
    start: int
    stop: int


def _checked(name: str, entry: Any, size: int) -> _Entry:
    """What the header says of a tensor, once memory may be taken for it.

    Args:
        name: The tensor's name.
        entry: Its description.
        size: Bytes of all tensors.
    """
    if not isinstance(entry, dict) or set(entry) != {"dtype", "shape", "data_offsets"}:
        raise ValueError(f"tensor {short(name)} is described as {short(entry)}")
    dtype, shape, place = entry["dtype"], entry["shape"], entry["data_offsets"]
    if not isinstance(dtype, str) or dtype not in DTYPES:
        raise ValueError(
            f"tensor {short(name)} is of type {short(dtype)}: expected one of {', '.join(DTYPES)}"
        )
    if not _are_counts(shape) or len(shape) > MOST_AXES or not all(shape):
        raise ValueError(f"tensor {short(name)} has shape {short(shape)}")
    if not _are_counts(place) or len(place) != 2 or place[1] > size:
        raise ValueError(f"tensor {short(name)} lies at {short(place)} of {size:,} bytes")
    if math.prod(shape) * DTYPES[dtype][1] != place[1] - place[0]:
        raise ValueError(
            f"tensor {short(name)} of shape {short(shape)} and type {dtype} lies at {place}, which"
            " is not as many bytes"
        )
    return _Entry(name, dtype, shape, *place)


def _are_counts(value: object) -> bool:
    return isinstance(value, list) and all(type(x) is int and x >= 0 for x in value)


def _whole(file: BinaryIO, count: int) -> bytes:
    data = file.read(count)
    if len(data) < count:
        raise ValueError(f"it ends {count - len(data):,} bytes too early")
    return data


def strict_json(text: str) -> Any:
    """JSON in which every name stands once and every number is one.

    Raises:
        ValueError: It is something else, or nested too deeply.

    >>> strict_json('{"a": 1, "a": 2}')
    Traceback (most recent call last):
        ...
    ValueError: its JSON has 'a' twice
    """
    try:
        return json.loads(text, object_pairs_hook=_each_once, parse_constant=_no_number)
    except json.JSONDecodeError as error:
        raise ValueError(f"its JSON cannot be read ({error})") from None
    except RecursionError:
        raise ValueError("its JSON is nested too deeply") from None


def _each_once(pairs: list[tuple[str, Any]]) -> Mapping[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        seen: set[str] = set()
        for name, _ in pairs:
            if name in seen:
                raise ValueError(f"its JSON has {short(name)} twice")
            seen.add(name)
    return found


def _no_number(text: str) -> float:
    raise ValueError(f"its JSON holds {text}, which is not a number")
