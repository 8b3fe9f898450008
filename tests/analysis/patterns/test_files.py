"""A result's file is believed only where everything in it fits; what does not is named."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load as from_bytes
from safetensors.torch import save as as_bytes

from bertviz import AttentionTrace, PatternScores, find_patterns
from bertviz.analysis.patterns.files import KEY

TOKENS = ["<s>", "a", "b", "a", "b"]
Parts = tuple[dict[str, Any], dict[str, torch.Tensor]]


@pytest.fixture(scope="module")
def result() -> PatternScores:
    generator = torch.Generator().manual_seed(0)
    traces = [
        AttentionTrace.from_arrays(
            TOKENS[:count], torch.rand(2, 3, count, count, generator=generator).softmax(-1)
        )
        for count in (5, 3)
    ]
    return find_patterns(traces, patterns={"mine": lambda tokens: [(0, 1)]}, level=0.02)


@pytest.fixture(scope="module")
def good(result: PatternScores, tmp_path_factory: pytest.TempPathFactory) -> Parts:
    path = tmp_path_factory.mktemp("good") / "x.safetensors"
    result.save(path)
    with safe_open(path, "pt") as file:
        about = json.loads(file.metadata()[KEY])
    return about, from_bytes(path.read_bytes())


def write(path: Path, about: Any, tensors: dict[str, torch.Tensor]) -> None:
    path.write_bytes(as_bytes(tensors, metadata={KEY: json.dumps(about)}))


def test_everything_comes_back(result: PatternScores, tmp_path: Path) -> None:
    path = tmp_path / "x.safetensors"
    result.save(path)
    back = PatternScores.load(path)
    for name in ("patterns", "about", "content", "words", "level", "model_name", "heads"):
        assert getattr(back, name) == getattr(result, name), name
    assert (back.reasons, back.skipped) == (result.reasons, result.skipped)
    assert back.rows() == result.rows()
    assert all(sums["encoder"].shared is True for sums in back.sums)
    assert [sums["encoder"].first for sums in back.sums] == [-4, -2]


def changed(*keys: Any, to: Any) -> Callable[[Any, Any], None]:
    def change(about: Any, tensors: Any) -> None:
        held = about
        for key in keys[:-1]:
            held = held[key]
        held[keys[-1]] = to

    return change


def without(*keys: Any) -> Callable[[Any, Any], None]:
    def change(about: Any, tensors: Any) -> None:
        held = about
        for key in keys[:-1]:
            held = held[key]
        del held[keys[-1]]

    return change


def number(name: str, value: float, at: tuple[int, ...] = (-1,)) -> Callable[[Any, Any], None]:
    def change(about: Any, tensors: Any) -> None:
        tensors[f"1.encoder.{name}"].view(-1)[at] = value

    return change


def tensor(name: str, make: Callable[[torch.Tensor], torch.Tensor]) -> Callable[[Any, Any], None]:
    def change(about: Any, tensors: Any) -> None:
        tensors[f"1.encoder.{name}"] = make(tensors[f"1.encoder.{name}"]).contiguous()

    return change


def no_tensor(about: Any, tensors: Any) -> None:
    del tensors["1.encoder.kept"]


HEADS = ("heads", "encoder")
LARGER = "has sums that are larger than their counts in text 1, block 'encoder'"
SHAPE = "of another shape or dtype in text 1, block 'encoder'"
FIT = "has numbers of distances or masks that do not fit in text 1"
SPOILED: list[tuple[str, Callable[[Any, Any], None]]] = [
    ("was written in version 2 of the format, this bertviz reads 1", changed("version", to=2)),
    ("has no patterns", without("patterns")),
    ("has something other than text in patterns", changed("patterns", 0, to=3)),
    ("has something other than text in patterns", changed("patterns", 0, to="\ud800")),
    ("names no patterns, or some twice", changed("patterns", to=[])),
    ("names no patterns, or some twice", changed("patterns", 1, to="next token")),
    ("has no content", changed("content", to="self")),
    ("has a distance null for patterns that it does not name", changed("content", 0, to="x")),
    ("names no blocks", changed("heads", to={})),
    ("names no blocks", changed("heads", to=[])),
    ("names no layers", changed(*HEADS, to=[])),
    ("names no layers", changed(*HEADS, to={})),
    ("names no heads", changed(*HEADS, 0, to=3)),
    ("names no heads", changed(*HEADS, 0, to=[0])),
    ("names no heads", changed(*HEADS, 0, 1, to=3)),
    ("names no heads, or some twice", changed(*HEADS, 0, 1, to=[])),
    ("names no heads, or some twice", changed(*HEADS, 0, 1, to=[0, 1, 1])),
    ("something other than a number for a head's number", changed(*HEADS, 0, 1, to=[0, 1, -1])),
    ("something other than a number for a layer's number", changed(*HEADS, 0, 0, to=True)),
    ("something other than a number for a layer's number", changed(*HEADS, 0, 0, to=2**40 + 1)),
    ("names layers twice", changed(*HEADS, 1, 0, to=0)),
    ("holds no text", changed("texts", to=[])),
    ("holds no text", changed("texts", to={})),
    ("has other blocks in text 1", changed("texts", 1, to={})),
    ("has other blocks in text 1", changed("texts", 1, to=[])),
    ("which distances it has in text 1", changed("texts", 1, "encoder", to=[-2])),
    ("which distances it has in text 1", changed("texts", 1, "encoder", to={})),
    ("which distances it has in text 1", changed("texts", 1, "encoder", 1, to=1)),
    ("something other than a number for a first d", changed("texts", 1, "encoder", 0, to=-2.0)),
    (FIT, changed("texts", 1, "encoder", 0, to=1)),
    (FIT, changed("texts", 1, "encoder", 0, to=-5)),
    ("has no level between 0 and 1", changed("level", to=1)),
    ("has no level between 0 and 1", changed("level", to=1.0)),
    ("has no level between 0 and 1", changed("level", to=0.0)),
    ("does not say whether it is of words", changed("words", to=0)),
    ("does not say what its patterns are made of", without("about", "self")),
    ("has no about of its patterns", changed("about", "x", to="y")),
    ("has no about of its patterns", changed("about", to=[])),
    ("has something other than text in about", changed("about", "self", to=3)),
    ("has no reasons of its patterns", changed("reasons", "x", to="y")),
    ("has something other than text in model_name", changed("model_name", to=3)),
    ("has no list of skipped texts", changed("skipped", to={})),
    ("has skipped texts without a place or reason", changed("skipped", to=[[1]])),
    ("has skipped texts without a place or reason", changed("skipped", to=["ab"])),
    ("a number for the place of a skipped text", changed("skipped", to=[[-1, "why"]])),
    ("other than text in a reason", changed("skipped", to=[[0, None]])),
    ("lacks kept of text 1, block 'encoder'", no_tensor),
    ("has tensors of other shapes in text 1", tensor("weight", lambda x: x[0])),
    ("has tensors of other shapes in text 1", tensor("count", lambda x: x[0])),
    (f"has mass {SHAPE}", tensor("mass", lambda x: x.float())),
    (f"has kept {SHAPE}", tensor("kept", lambda x: x[:-1])),
    (f"has weight {SHAPE}", tensor("weight", lambda x: x[:, :-1])),
    (f"has mask {SHAPE}", tensor("mask", lambda x: x.int())),
    (f"has count {SHAPE}", tensor("count", lambda x: x[:, :-1])),
    (f"has uniform {SHAPE}", tensor("uniform", lambda x: x[:, :-1])),
    (f"has visible {SHAPE}", tensor("visible", lambda x: x[:1])),
    (f"has pairs {SHAPE}", tensor("pairs", lambda x: x[:, :-1])),
    ("has negative mass in text 1", number("mass", -1e-9)),
    ("has negative pairs in text 1", number("pairs", -1)),
    (FIT, number("mask", 1)),
    ("has counts that are too large in text 1", number("count", 2**40 + 1)),
    (LARGER, number("mass", 4.0)),
    (LARGER, number("mass", float("nan"))),
    (LARGER, number("kept", 1.03)),
    (LARGER, number("weight", 4.0)),
    (LARGER, number("uniform", 4.0)),
    (LARGER, number("pairs", 4)),
]  # fmt: skip


@pytest.mark.parametrize(("message", "change"), SPOILED)
def test_what_was_changed_is_named(
    good: Parts, message: str, change: Callable[[Any, Any], None], tmp_path: Path
) -> None:
    about, tensors = copy.deepcopy(good)
    path = tmp_path / "x.safetensors"
    write(path, about, tensors)
    PatternScores.load(path)
    change(about, tensors)
    write(path, about, tensors)
    with pytest.raises(ValueError, match=re.escape(message)) as error:
        PatternScores.load(path)
    assert str(error.value).startswith(f"path={str(path)!r} ")


FINE: list[Callable[[Any, Any], None]] = [
    changed("skipped", to=[[0, "why"], [2**40, "far"]]),
    changed("model_name", to="Bert"),
    changed("texts", 1, "encoder", 1, to=False),
    changed("level", to=0.999),
    changed("reasons", to={"mine": "why"}),
    changed(*HEADS, 0, to=[7, [9, 0, 4]]),
    number("kept", 1.02),
]


@pytest.mark.parametrize("change", FINE)
def test_what_still_fits_is_read(
    good: Parts, change: Callable[[Any, Any], None], tmp_path: Path
) -> None:
    about, tensors = copy.deepcopy(good)
    change(about, tensors)
    write(tmp_path / "x.safetensors", about, tensors)
    assert PatternScores.load(tmp_path / "x.safetensors").rows()


def test_other_files_are_named(good: Parts, tmp_path: Path) -> None:
    path = tmp_path / "x.safetensors"
    for data, message in (
        (b"", "is not a safetensors file"),
        (as_bytes({"x": torch.ones(1)}), "holds tensors, but not what find_patterns gave"),
        (as_bytes({}, metadata={KEY: "{"}), "describes its tensors in something other than JSON"),
        (as_bytes({}, metadata={KEY: "[" * 100_000}), "describes its tensors in something other"),
        (as_bytes({}, metadata={KEY: "[]"}), "was written in version None of the format"),
    ):
        path.write_bytes(data)
        with pytest.raises(ValueError, match=re.escape(f"path={str(path)!r} {message}")):
            PatternScores.load(path)
    with pytest.raises(FileNotFoundError, match=r"path='.*none\.safetensors' cannot be read"):
        PatternScores.load(tmp_path / "none.safetensors")
