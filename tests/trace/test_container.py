"""A file's header is believed in nothing: each thing that may be wrong with it has its sentence."""

from __future__ import annotations

import json
import os
import re
import struct
import threading
from pathlib import Path
from typing import Any

import pytest
import torch

from bertviz.trace.container import DTYPES, Container, strict_json

ENTRY = {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24]}
BODY = struct.pack("<6f", 1, 2, 3, 4, 5, 6)


def file_of(header: Any, body: bytes = BODY, length: int | None = None) -> bytes:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text) if length is None else length) + text + body


def tensors_of(path: Path, data: bytes) -> dict[str, torch.Tensor]:
    path.write_bytes(data)
    with path.open("rb") as file:
        return Container(file).tensors()


def entry(**changes: Any) -> dict[str, Any]:
    return {"x": {**ENTRY, **changes}}


def test_what_is_written_is_read(tmp_path: Path) -> None:
    header = {
        "later": {"dtype": "BOOL", "shape": [3], "data_offsets": [24, 27]},
        "x": ENTRY,
        "last": {"dtype": "F64", "shape": [1, 1], "data_offsets": [27, 35]},
        "__metadata__": {"a": "b"},
    }
    path = tmp_path / "x"
    path.write_bytes(file_of(header, BODY + bytes([1, 0, 1]) + struct.pack("<d", 0.1)))
    with path.open("rb") as file:
        container = Container(file)
        assert container.metadata == {"a": "b"}
        found = container.tensors()
    assert found["x"].tolist() == [[1, 2, 3], [4, 5, 6]]
    assert found["later"].tolist() == [True, False, True]
    assert found["last"].tolist() == [[0.1]]
    assert found["x"].dtype == torch.float32


@pytest.mark.parametrize("name", DTYPES)
def test_every_type_of_the_format_has_its_size(name: str, tmp_path: Path) -> None:
    size = DTYPES[name][1]
    header = {"x": {"dtype": name, "shape": [4], "data_offsets": [0, 4 * size]}}
    [tensor] = tensors_of(tmp_path / "x", file_of(header, bytes(4 * size))).values()
    assert (tensor.element_size(), tensor.tolist()) == (size, [0, 0, 0, 0])
    assert str(tensor.dtype) == f"torch.{DTYPES[name][0]}"


def test_a_file_without_tensors_or_metadata(tmp_path: Path) -> None:
    assert tensors_of(tmp_path / "x", file_of({}, b"")) == {}


def test_a_pipe_is_read_to_its_end(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(target=pipe.write_bytes, args=(file_of(entry()),))
    writer.start()
    with pipe.open("rb") as file:
        assert Container(file).tensors()["x"].shape == (2, 3)
    writer.join()


HALVES = {"a": {**ENTRY, "shape": [3], "data_offsets": [0, 12]}}
WRONG: list[tuple[bytes, str]] = [
    (b"1234567", "it has less than eight bytes"),
    (file_of(entry(), b"", length=1000), "its header would have 1,000 bytes, the file has 7"),
    (file_of(entry(), BODY, length=2**63), "its header would have 9,223,372,036,854,775,808"),
    (file_of(b"[]"), "its header is not a JSON object"),
    (file_of({"__metadata__": []}), "its metadata are not texts by name"),
    (file_of({"__metadata__": {"a": 1}}), "its metadata are not texts by name"),
    (file_of({"x": [1]}), "tensor 'x' is described as [1]"),
    (file_of({"x": {**ENTRY, "more": 1}}), "tensor 'x' is described as"),
    (file_of({"x": {"dtype": "F32", "shape": [2]}}), "tensor 'x' is described as"),
    (file_of(entry(dtype="I64")), "of type 'I64': expected one of F64, F32, F16, BF16, BOOL"),
    (file_of(entry(dtype=3)), "of type 3: expected one of"),
    (file_of(entry(shape=[2, 0])), "tensor 'x' has shape [2, 0]"),
    (file_of(entry(shape=[2, -3])), "tensor 'x' has shape [2, -3]"),
    (file_of(entry(shape=[2.0, 3])), "tensor 'x' has shape [2.0, 3]"),
    (file_of(entry(shape=[True, 6])), "tensor 'x' has shape [True, 6]"),
    (file_of(entry(shape=6)), "tensor 'x' has shape 6"),
    (file_of(entry(shape=[1] * 7 + [2, 3])), "tensor 'x' has shape"),
    (file_of(entry(data_offsets=[0, 24, 24])), "tensor 'x' lies at [0, 24, 24]"),
    (file_of(entry(data_offsets=[0])), "tensor 'x' lies at [0]"),
    (file_of(entry(data_offsets=[-1, 23])), "tensor 'x' lies at [-1, 23]"),
    (file_of(entry(), BODY[:-1]), "tensor 'x' lies at [0, 24] of 23 bytes"),
    (file_of(entry(shape=[2, 2])), "lies at [0, 24], which is not as many bytes"),
    (file_of(entry(shape=[3, 3])), "lies at [0, 24], which is not as many bytes"),
    (file_of(entry(dtype="F64")), "lies at [0, 24], which is not as many bytes"),
    (file_of(entry(), BODY + b"abc"), "3 bytes at its end belong to no tensor"),
    (file_of({"b": {**HALVES["a"], "data_offsets": [12, 24]}}), "'b' does not begin where the"),
    (file_of({**HALVES, "b": HALVES["a"]}), "tensor 'b' does not begin where the last ends"),
    (
        file_of({"x": {"dtype": "BOOL", "shape": [2], "data_offsets": [0, 2]}}, bytes([1, 2])),
        "tensor 'x' holds bools that are neither 0 nor 1",
    ),
]


@pytest.mark.parametrize(("data", "message"), WRONG)
def test_what_is_wrong_with_a_file_is_said(data: bytes, message: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=re.escape(message)):
        tensors_of(tmp_path / "x", data)


def test_up_to_eight_axes(tmp_path: Path) -> None:
    shape = [1, 1, 1, 1, 1, 1, 2, 3]
    [tensor] = tensors_of(tmp_path / "x", file_of(entry(shape=shape))).values()
    assert list(tensor.shape) == shape


def test_a_file_that_gets_shorter_while_it_is_read(tmp_path: Path) -> None:
    path = tmp_path / "x"
    data = file_of(entry())
    path.write_bytes(data)
    with path.open("rb", buffering=0) as file:
        container = Container(file)  # type: ignore[arg-type]
        os.truncate(path, len(data) - 1)
        with pytest.raises(ValueError, match="it became shorter while it was read"):
            container.tensors()
    with path.open("rb") as file:
        os.truncate(path, 20)
        length = len(data) - 8 - len(BODY)
        with pytest.raises(ValueError, match=rf"its header would have {length} bytes, the file ha"):
            Container(file)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"a": {"b": 1, "c": 2, "b": 3}}', "its JSON has 'b' twice"),
        ("[1, Infinity]", "its JSON holds Infinity, which is not a number"),
        ("{", "its JSON cannot be read"),
        ("[" * 100_000, "its JSON is nested too deeply"),
    ],
)
def test_json_that_is_read_in_one_way_only(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        strict_json(text)
