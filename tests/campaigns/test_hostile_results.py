"""A file that PatternScores.save did not write: an error that names it, or a result that works."""

from __future__ import annotations

import copy
import json
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from bertviz import AttentionTrace, PatternScores, find_patterns
from tests.campaigns.test_fuzz_patterns import usable
from tests.campaigns.verdicts import Verdicts

KEY = "bertviz.patterns"
TOKENS = ["<s>", "a", "b", "a", "b"]
ODD: list[Any] = [
    *[None, True, -1, 0, 1, 2, 10**6, 10**30, 0.5, -0.5, float("nan"), float("inf"), "", "a"],
    *["self", "\ud800", [], {}, [[]], [1], [[0, [0]]], [0, "a"], {"a": 1}, "float32", [2, 3, 9]],
]
DTYPES = ["F64", "F32", "F16", "BF16", "I64", "I32", "U8", "BOOL", "F8_E4M3", "C64", "X", "I16"]


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    torch.manual_seed(0)
    traces = [
        AttentionTrace.from_arrays(
            TOKENS[:count], weights=torch.rand(2, 3, count, count).softmax(-1)
        )
        for count in (5, 3)
    ]
    path = tmp_path_factory.mktemp("good") / "x.safetensors"
    find_patterns(traces, patterns={"mine": lambda tokens: [(0, 1)]}).save(path)
    return path.read_bytes()


def split(data: bytes) -> tuple[dict[str, Any], bytes]:
    size = int.from_bytes(data[:8], "little")
    return json.loads(data[8 : 8 + size]), data[8 + size :]


def join(header: Any, body: bytes) -> bytes:
    written = json.dumps(header).encode()
    return struct.pack("<Q", len(written)) + written + body


def an_item(held: Any, random: np.random.Generator) -> tuple[Any, Any]:
    """Somewhere in nested lists and dicts: a container and a key of it."""
    where = None
    while isinstance(held, list | dict) and held:
        keys = list(held) if isinstance(held, dict) else range(len(held))
        key = keys[int(random.integers(len(keys)))]
        where = (held, key)
        if random.random() < 0.3:
            break
        held = held[key]
    assert where is not None
    return where


def spoil(held: Any, random: np.random.Generator) -> None:
    """Change, drop, add or repeat one item."""
    container, key = an_item(held, random)
    kind = int(random.integers(4))
    value = copy.deepcopy(ODD[int(random.integers(len(ODD)))])
    if kind == 0:
        del container[key]
    elif kind == 1 and isinstance(container, list):
        container.append(copy.deepcopy(container[key]))
    elif kind == 2 and isinstance(container, dict):
        container[str(value)] = container.pop(key)
    else:
        container[key] = value


def mutated(data: bytes, random: np.random.Generator) -> bytes:
    header, body = split(data)
    kind = int(random.integers(7))
    if kind == 0:
        return data[: int(random.integers(len(data)))]
    if kind == 1:
        spoiled = bytearray(data)
        for _ in range(int(random.integers(1, 20))):
            spoiled[int(random.integers(len(data)))] = int(random.integers(256))
        return bytes(spoiled)
    if kind == 2:
        about = json.loads(header["__metadata__"][KEY])
        for _ in range(int(random.integers(1, 3))):
            spoil(about, random)
        header["__metadata__"][KEY] = json.dumps(about)
        return join(header, body)
    if kind == 3:
        texts = ["[" * 100_000, "{", "null", "3", '{"version": 1}', "\x00", '{"version": 1e999}']
        header["__metadata__"][KEY] = texts[int(random.integers(len(texts)))]
        return join(header, body)
    names = [name for name in header if name != "__metadata__"]
    name, other = (names[int(random.integers(len(names)))] for _ in range(2))
    if kind == 4:  # numbers of a tensor
        start, stop = header[name]["data_offsets"]
        spoiled = bytearray(body)
        size = {"F64": 8, "F32": 4, "I64": 8, "I32": 4}[header[name]["dtype"]]
        value = [float("nan"), -1.0, 1e30, float("inf")][int(random.integers(4))]
        number = {
            "F64": lambda: struct.pack("<d", value),
            "F32": lambda: struct.pack("<f", value),
            "I64": lambda: struct.pack("<q", int(random.choice([-1, 7, 2**62]))),
            "I32": lambda: struct.pack("<i", int(random.choice([-1, 7, 2**31 - 1]))),
        }[header[name]["dtype"]]()
        at = start + size * int(random.integers(max(1, (stop - start) // size)))
        spoiled[at : at + size] = number
        return join(header, bytes(spoiled[: len(body)]))
    if kind == 5:
        field = ["dtype", "shape"][int(random.integers(2))]
        header[name][field] = (
            DTYPES[int(random.integers(len(DTYPES)))]
            if field == "dtype"
            else header[other]["shape"]
        )
        if random.random() < 0.5:
            header[name]["shape"] = header[name]["shape"][::-1]
        return join(header, body)
    header[name], header[other] = header[other], header[name]
    if random.random() < 0.3:
        header.pop(name)
    return join(header, body)


def worked(scores: PatternScores) -> None:
    usable(scores)
    for some in (scores, scores + scores):
        some.save("again.safetensors")
        assert PatternScores.load("again.safetensors").rows() == some.rows()


def test_hostile_files(
    good: bytes,
    rounds: Callable[[int, int], int],
    seed: int,
    random: np.random.Generator,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "x.safetensors"
    path.write_bytes(good)
    worked(PatternScores.load(path))
    verdicts = Verdicts("hostile files of results", seed)
    for number in range(rounds(150, 5_000)):
        path.write_bytes(mutated(good, random))
        verdicts.judge(
            f"file {number}", lambda: worked(PatternScores.load(path)), ("x.safetensors",)
        )
    verdicts.finish()
