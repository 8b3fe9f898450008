"""A result of ``find_patterns`` as a file: texts are read once, and more can be added later.

The file is safetensors, so opening one from a stranger runs no code: it holds tensors by name and
one JSON text that says what they are. All of it is checked before it is believed, so that a file
either gives a result that works or an error that names it.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bertviz.analysis.patterns.scores import PatternScores, Skipped
from bertviz.analysis.patterns.scoring import Heads
from bertviz.analysis.patterns.sums import Sums
from bertviz.errors import short
from bertviz.trace.settings import plainly
from bertviz.writing import checked_path, write

if TYPE_CHECKING:
    from torch import Tensor

KEY = "bertviz.patterns"
VERSION = 1  # of the format
SUFFIX = [".safetensors"]
MOST = 1 << 40  # tokens or queries; more is no count
SLACK = 0.02  # rounding of weights in half precision


class Unreadable(Exception):  # noqa: N818, it becomes a ValueError that names the file
    """The file is not a result; the message says why."""


def save(scores: PatternScores, path: str | os.PathLike[str]) -> None:
    """Write a result; implements ``PatternScores.save``."""
    from safetensors.torch import save as as_bytes

    target = checked_path(path, SUFFIX)
    tensors: dict[str, Tensor] = {}
    texts = []
    for place, text in enumerate(scores.sums):
        texts.append({block: [sums.first, sums.shared] for block, sums in text.items()})
        for block, sums in text.items():
            for name in _shapes(sums.weight.shape[-1], 0, 0, 0, 0):
                # A text that was added twice shares its tensors, which safetensors refuses.
                tensors[f"{place}.{block}.{name}"] = getattr(sums, name).contiguous().clone()
    about = {
        "version": VERSION,
        "patterns": scores.patterns,
        "about": scores.about,
        "content": scores.content,
        "words": scores.words,
        "level": scores.level,
        "model_name": scores.model_name,
        "heads": scores.heads,
        "reasons": scores.reasons,
        "skipped": scores.skipped,
        "texts": texts,
    }
    write(target, as_bytes(tensors, metadata={KEY: json.dumps(about)}))


def load(path: str | os.PathLike[str]) -> PatternScores:
    """Read a result; implements ``PatternScores.load``."""
    target = checked_path(path)
    try:
        data = target.read_bytes()
    except OSError as error:
        raise type(error)(
            error.errno, f"path={_name(target)} cannot be read: {error.strerror}."
        ) from None
    try:
        return _read(data)
    except Unreadable as reason:
        raise ValueError(
            f"path={_name(target)} {reason}: expected a file that PatternScores.save wrote."
        ) from None


def _name(path: Path) -> str:
    """A path for an error: in full, unless it is longer than any path."""
    return repr(str(path)) if len(str(path)) < 1000 else short(str(path))


@plainly()
def _read(data: bytes) -> PatternScores:
    from safetensors.torch import load as from_bytes

    try:
        tensors = from_bytes(data)
        # A header that safetensors has read: its length, then JSON.
        header = json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")])
        text = header.get("__metadata__", {}).get(KEY)
    except Exception as error:  # safetensors, JSON, dtypes that torch does not have
        raise Unreadable(f"is not a safetensors file ({type(error).__name__})") from None
    if text is None:
        raise Unreadable("holds tensors, but not what find_patterns gave")
    try:
        about = json.loads(text)
    except (ValueError, RecursionError):
        raise Unreadable("describes its tensors in something other than JSON") from None
    if not isinstance(about, dict) or about.get("version") != VERSION:
        version = about.get("version") if isinstance(about, dict) else None
        raise Unreadable(
            f"was written in version {version!r:.20} of the format, this bertviz reads {VERSION}"
        )
    return _result(about, tensors)


def _result(about: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> PatternScores:
    """A result from what the file says, all of which is checked."""
    patterns = _strings(about, "patterns")
    content = _strings(about, "content")
    if not patterns or len(set(patterns)) < len(patterns):
        raise Unreadable("names no patterns, or some twice")
    if list(content) != [name for name in patterns if name in content]:
        raise Unreadable("has a distance null for patterns that it does not name")
    heads = _heads(about.get("heads"))
    texts = about.get("texts")
    if not isinstance(texts, list) or not texts:
        raise Unreadable("holds no text")
    level, model = about.get("level"), about.get("model_name")
    if not isinstance(level, float) or not 0 < level < 1:
        raise Unreadable("has no level between 0 and 1")
    if not isinstance(about.get("words"), bool):
        raise Unreadable("does not say whether it is of words")
    about_patterns = _sentences(about, "about", patterns)
    if set(about_patterns) != set(patterns):
        raise Unreadable("does not say what its patterns are made of")
    return PatternScores(
        patterns=patterns,
        about=about_patterns,
        content=content,
        words=about["words"],
        level=level,
        model_name=None if model is None else _string(model, "model_name"),
        heads=heads,
        sums=tuple(
            _text(text, f"{place}", heads, len(patterns), len(content), tensors)
            for place, text in enumerate(texts)
        ),
        reasons=_sentences(about, "reasons", patterns),
        skipped=_skipped(about.get("skipped")),
    )


def _shapes(
    distances: int, heads: int, masks: int, columns: int, content: int
) -> dict[str, tuple[tuple[int, ...], str]]:
    """The tensors of a text in a block: shapes and dtypes."""
    return {
        "mass": ((heads, columns), "float64"),
        "kept": ((heads,), "float64"),
        "weight": ((2, heads, distances), "float32"),
        "mask": ((heads,), "int64"),
        "count": ((masks, columns), "int64"),
        "uniform": ((masks, columns), "float64"),
        "visible": ((2, masks, distances), "int32"),
        "pairs": ((masks, content, distances), "int32"),
    }


def _text(
    blocks: object,
    place: str,
    heads: Heads,
    patterns: int,
    content: int,
    tensors: Mapping[str, Tensor],
) -> Mapping[str, Sums]:
    if not isinstance(blocks, dict) or list(blocks) != list(heads):
        raise Unreadable(f"has other blocks in text {place}")
    found = {}
    for block, layers in heads.items():
        parts = {}
        for name in _shapes(0, 0, 0, 0, 0):
            tensor = tensors.get(f"{place}.{block}.{name}")
            if tensor is None:
                raise Unreadable(f"lacks {name} of text {place}, block {block!r:.60}")
            parts[name] = tensor
        held = blocks[block]
        if not isinstance(held, list) or len(held) != 2 or not isinstance(held[1], bool):
            raise Unreadable(f"does not say which distances it has in text {place}")
        sums = Sums(**parts, first=_integer(held[0], "a first distance"), shared=held[1])
        count = sum(len(some) for _, some in layers)
        wrong = _wrong(sums, count, 2 * patterns, 2 * content)
        if wrong:
            raise Unreadable(f"has {wrong} in text {place}, block {block!r:.60}")
        found[block] = sums
    return found


def _wrong(sums: Sums, heads: int, columns: int, content: int) -> str | None:
    """What sums cannot be; None if nothing is."""
    if sums.weight.ndim != 3 or sums.count.ndim != 2:
        return "tensors of other shapes"
    distances, masks = sums.distances, len(sums.count)
    for name, (shape, dtype) in _shapes(distances, heads, masks, columns, content).items():
        tensor = getattr(sums, name)
        if tuple(tensor.shape) != shape or str(tensor.dtype) != f"torch.{dtype}":
            return f"{name} of another shape or dtype"
        if bool((tensor < 0).any()):
            return f"negative {name}"
    if not masks or not -distances < sums.first <= 0 or bool((sums.mask >= masks).any()):
        return "numbers of distances or masks that do not fit"
    if bool((sums.count > MOST).any()):
        return "counts that are too large"
    count, visible = sums.count[sums.mask], sums.visible[:, sums.mask]
    most = 1 + SLACK
    half = content // 2
    pairs = sums.pairs.unflatten(1, (2, half)).amax(2) if half else sums.pairs.new_zeros(())
    fits = (
        (sums.mass <= most * count).all()
        & (sums.kept <= most).all()
        & (sums.weight <= most * visible).all()
        & (sums.uniform <= most * sums.count).all()
        & (pairs <= (sums.visible.transpose(0, 1) if half else 0)).all()
    )
    return None if bool(fits) else "sums that are larger than their counts"


def _heads(value: object) -> Heads:
    if not isinstance(value, dict) or not value:
        raise Unreadable("names no blocks")
    found = {}
    for block, layers in value.items():
        if not isinstance(layers, list) or not layers:
            raise Unreadable("names no layers")
        rows = []
        for layer in layers:
            if not isinstance(layer, list) or len(layer) != 2 or not isinstance(layer[1], list):
                raise Unreadable("names no heads")
            heads = tuple(_integer(head, "a head's number", 0) for head in layer[1])
            rows.append((_integer(layer[0], "a layer's number", 0), heads))
            if not heads or len(set(heads)) < len(heads):
                raise Unreadable("names no heads, or some twice")
        if len({number for number, _ in rows}) < len(rows):
            raise Unreadable("names layers twice")
        found[_string(block, "a block")] = tuple(rows)
    return found


def _skipped(value: object) -> tuple[Skipped, ...]:
    if not isinstance(value, list):
        raise Unreadable("has no list of skipped texts")
    found = []
    for item in value:
        if not isinstance(item, list) or len(item) != 2:
            raise Unreadable("has skipped texts without a place or reason")
        place = _integer(item[0], "the place of a skipped text", 0)
        found.append(Skipped(place, _string(item[1], "a reason")))
    return tuple(found)


def _strings(about: Mapping[str, Any], name: str) -> tuple[str, ...]:
    value = about.get(name)
    if not isinstance(value, list):
        raise Unreadable(f"has no {name}")
    return tuple(_string(item, name) for item in value)


def _sentences(about: Mapping[str, Any], name: str, patterns: Sequence[str]) -> Mapping[str, str]:
    """A string for some of the patterns."""
    value = about.get(name)
    if not isinstance(value, dict) or not set(value) <= set(patterns):
        raise Unreadable(f"has no {name} of its patterns")
    return {key: _string(item, name) for key, item in value.items()}


def _string(value: object, what: str) -> str:
    try:
        if isinstance(value, str):
            value.encode()
            return value
    except UnicodeEncodeError:
        pass
    raise Unreadable(f"has something other than text in {what}")


def _integer(value: object, what: str, least: int = -MOST) -> int:
    if isinstance(value, int) and not isinstance(value, bool) and least <= value <= MOST:
        return value
    raise Unreadable(f"has something other than a number for {what}")
