"""How results are written: the whole file, or the file that was there before.

The problem. A full disk or Ctrl-C in the middle of writing leaves half a file in place of a good
one. So the data go to a new file beside it, which is moved into place once it is complete.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence
from pathlib import Path

from bertviz.errors import a_type, short


def checked_path(path: object, suffixes: Sequence[str] = (), advice: str = "") -> Path:
    """A path from what was passed for one.

    Args:
        path: A str or an object with a path, such as a ``Path``.
        suffixes: What it may end in, in lower case; anything if empty.
        advice: A sentence to end the error with, when it ends in something else.

    Raises:
        TypeError: It is not a path.
        ValueError: It is empty, no path can be so, or it ends in something else.
    """
    try:
        text = os.fspath(path)  # type: ignore[call-overload]
    except Exception:
        text = None
    if not isinstance(text, str):
        raise TypeError(f"path={short(path)} is {a_type(path)}: expected a str or a pathlib.Path.")
    try:
        encoded = os.fsencode(text)
    except UnicodeEncodeError:
        encoded = b"\0"
    if not text or b"\0" in encoded:
        raise ValueError(f"path={short(text)} cannot name a file: expected the name of one.")
    target = Path(text)
    if suffixes and target.suffix.lower() not in suffixes:
        raise ValueError(
            f"path={short(text)} ends in {short(target.suffix)}: expected"
            f" {' or '.join(suffixes)}, such as {(target.stem or 'x')[:40] + suffixes[0]!r}."
            f"{' ' if advice else ''}{advice}"
        )
    return target


def write(path: str | os.PathLike[str], data: bytes) -> None:
    """Write a file.

    Args:
        path: The file.
        data: What it is to hold.

    Raises:
        OSError: It could not be written; the message says why. An existing file is as it was.
    """
    target = os.path.realpath(path)
    beside = None
    try:
        handle, beside = tempfile.mkstemp(dir=os.path.dirname(target), prefix=".bertviz-")
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        os.replace(beside, target)
    except OSError as error:
        reason = error.strerror or str(error)
        raise type(error)(
            error.errno, f"path={short(str(path))} was not written: {reason}"
        ) from error
    finally:
        if beside is not None and os.path.exists(beside):
            os.unlink(beside)
