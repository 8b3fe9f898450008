"""A trace as a file: extract on a server, look at it on a laptop.

The file is safetensors, so opening one from a stranger runs no code: it holds tensors by name and
one JSON text that says what they are. Tensors that layers share are written once. What is saved
passes the same checks as what is loaded, so no file is written that cannot be read.
"""

from __future__ import annotations

import errno
import json
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bertviz.errors import short
from bertviz.trace.attention_trace import AttentionTrace
from bertviz.trace.container import Container, strict_json
from bertviz.trace.settings import plainly
from bertviz.trace.soundness import check_trace
from bertviz.trace.stored import restored, written
from bertviz.writing import checked_path, write_with

if TYPE_CHECKING:
    from torch import Tensor

KEY = "bertviz.trace"
VERSION = 4  # of the format
PICTURE = 'A picture is saved by its view: head_view(trace, html_action="return").save("x.html").'


@plainly()
def save(trace: AttentionTrace, path: str | os.PathLike[str]) -> None:
    """Write a trace to a file; implements ``AttentionTrace.save``."""
    target = checked_path(path, [".safetensors"], PICTURE)
    about, tensors = written(trace)
    try:
        text = json.dumps({"version": VERSION, **about}, allow_nan=False)
        _read(strict_json(text), tensors)
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"This trace cannot be saved, for it could not be loaded again: {error}."
        ) from None
    write_with(target, lambda beside: _save_file(tensors, beside, text))


@plainly()
def load(path: str | os.PathLike[str]) -> AttentionTrace:
    """Read a trace from a file; implements ``AttentionTrace.load``."""
    target = checked_path(path)
    if target.is_dir():
        raise IsADirectoryError(
            errno.EISDIR, f"path={str(target)!r} is a folder: expected a file in it."
        )
    with open(target, "rb") as file:
        try:
            container = Container(file)
        except ValueError as error:
            raise ValueError(
                f"path={str(target)!r} is not a safetensors file ({error}): expected one that"
                " trace.save(...) wrote."
            ) from None
        if KEY not in container.metadata:
            raise ValueError(
                f"path={str(target)!r} holds tensors but not a trace: expected a file that"
                " trace.save(...) wrote."
            )
        try:
            about = strict_json(container.metadata[KEY])
            version = about.get("version") if isinstance(about, dict) else None
            if type(version) is int and version != VERSION:
                raise _OtherVersionError(
                    f"path={str(target)!r} was written in version {short(version)} of the format,"
                    f" this bertviz reads {VERSION}: load it with the bertviz that wrote it."
                )
            return _read(about, container.tensors())
        except _OtherVersionError as error:
            raise ValueError(str(error)) from None
        except ValueError as error:
            raise ValueError(
                f"path={str(target)!r} holds no trace that can be used: {error}. The file was"
                " changed or damaged after trace.save(...) wrote it; save the trace again."
            ) from None


def _save_file(tensors: dict[str, Tensor], path: Path, text: str) -> None:
    from safetensors import SafetensorError
    from safetensors.torch import save_file

    try:
        save_file(tensors, path, metadata={KEY: text})
    except SafetensorError as error:  # a full disk, say: it does not say so with an OSError
        number = re.search(r"os error (\d+)", str(error))
        if number is None:
            raise
        raise OSError(int(number[1]), os.strerror(int(number[1]))) from None


def _read(about: Any, tensors: Any) -> AttentionTrace:
    """A trace that was checked, from a file's JSON."""
    if not isinstance(about, dict) or about.get("version") != VERSION:
        raise ValueError("its JSON is not that of a trace")
    trace = restored({name: x for name, x in about.items() if name != "version"}, tensors)
    check_trace(trace)
    return trace


class _OtherVersionError(ValueError):
    """The file may be a good one, but this is not the bertviz to read it."""
