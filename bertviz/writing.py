"""How every ``save`` writes: the whole file, or the file that was there before.

The problem. A disk that is full, Ctrl-C or a power cut in the middle of writing leaves half a file
in place of a good one, and two processes that save to one path at the same time mix theirs. So the
data go to a new file in the same folder, under a name that nobody else uses, which is moved into
place once it is complete and on the disk. Apart from that a path means what it means to ``open``:
links are followed, an existing file keeps its mode and owner, a new one honors the umask, and a
pipe or device is written to directly. A hard link is not kept: its other names keep the old file.
"""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import stat
import tempfile
import uuid
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import BinaryIO

from bertviz.errors import a_type, short

Fill = Callable[[Path], object]


def checked_path(path: object, suffixes: Sequence[str] = (), advice: str = "") -> Path:
    """A path from what was passed for one.

    Args:
        path: A str or an object with a path, such as a ``Path``.
        suffixes: What it may end in, in lower case; anything if empty.
        advice: A sentence to end the error with, when it ends in something else.

    Raises:
        TypeError: It is not a path.
        ValueError: It is empty, no path can be so, or it ends in something else.

    >>> checked_path("x.txt", [".html", ".svg"])
    Traceback (most recent call last):
        ...
    ValueError: path='x.txt' ends in '.txt': expected one of .html, .svg, such as 'x.html'.
    """
    try:
        text = os.fspath(path)  # type: ignore[call-overload]
    except Exception:
        text = None
    if not isinstance(text, str):
        raise TypeError(f"path={short(path)} is {a_type(path)}: expected a str or a pathlib.Path.")
    if not text:
        raise ValueError("path='' is empty: expected the name of a file.")
    if "\0" in text:
        raise ValueError(f"path={short(text)} holds a null character, which no file's name can.")
    try:
        os.fsencode(text)
    except UnicodeEncodeError:
        raise ValueError(
            f"path={short(text)} holds half of a character (a lone surrogate), which no file's name"
            " can."
        ) from None
    target = Path(text)
    if suffixes and target.suffix.lower() not in suffixes:
        found = f"ends in {short(target.suffix)}" if target.suffix else "has no suffix"
        several = len(suffixes) > 1
        expected = f"one of {', '.join(suffixes)}, such" if several else f"{suffixes[0]}; save"
        example = f"{target.stem if 0 < len(target.stem) <= 60 else 'x'}{suffixes[0]}"
        more = f" {advice}" if advice else ""
        raise ValueError(f"path={short(text)} {found}: expected {expected} as {example!r}.{more}")
    return target


def write(path: str | os.PathLike[str], data: bytes) -> None:
    """Write a file; see ``write_with``."""
    write_with(path, lambda beside: beside.write_bytes(data))


def write_to(file: BinaryIO, data: bytes) -> None:
    """Write all of the data to a file object that somebody opened.

    Raises:
        OSError: It could not be written.
        TypeError: It does not take bytes.
    """
    rest = memoryview(data)
    while rest:
        try:
            written = file.write(rest)
        except (TypeError, AttributeError) as error:  # io.TextIOBase, or no file at all
            raise TypeError(
                f"path={short(file)} is {a_type(file)} that does not take bytes: expected a file"
                ' opened in binary mode, such as open(name, "wb") or io.BytesIO().'
            ) from error
        if not isinstance(written, int) or not 0 < written < len(rest):
            return
        rest = rest[written:]  # a raw file may take a part


def write_with(path: str | os.PathLike[str], fill: Fill) -> None:
    """Write a file with a function that writes to a path.

    Args:
        path: The file to write.
        fill: Writes the whole file to the path that it is given; called once.

    Raises:
        OSError: It could not be written; the message says why. Then an existing file is as it was.
            ``FileNotFoundError`` for a missing folder, ``IsADirectoryError`` for a path that is
            one, ``PermissionError`` for a file or folder that is read-only.
    """
    target = os.fspath(path)
    found = None
    try:
        with contextlib.suppress(FileNotFoundError):
            found = os.stat(target)  # of what links lead to
        if found is not None and stat.S_ISDIR(found.st_mode):
            raise OSError(errno.EISDIR, f"path={target!r} is a folder: expected a file in it.")
        if found is not None and not stat.S_ISREG(found.st_mode):
            _through(target, fill)
        else:
            _in_place_of(target, found, fill)
    except OSError as error:
        if f"path={target!r}" in str(error):
            raise
        kept = " The file that was there is as it was." if found is not None else ""
        reason = error.strerror or str(error)
        raise OSError(error.errno, f"path={target!r} was not written: {reason}.{kept}") from error


def _in_place_of(target: str, found: os.stat_result | None, fill: Fill) -> None:
    """Write a new file beside, and move it to where the links of a path lead."""
    real = os.path.realpath(target)
    folder = os.path.dirname(real)
    if not os.path.exists(folder):
        raise OSError(
            errno.ENOENT,
            f"path={target!r} is in a folder that does not exist, {folder!r}: create it with"
            f" os.makedirs({os.path.dirname(target) or folder!r}).",
        )
    if found is not None and not os.access(real, os.W_OK):
        raise OSError(errno.EACCES, f"path={target!r} is a file that you may not write to.")
    # The name is known before there is such a file, so that no moment is left to lose it in.
    beside = Path(folder, f".bertviz-{uuid.uuid4().hex}.part")
    try:
        mode = _create(target, beside)
        fill(beside)
        _like(beside, mode, found)
        _sync(beside)
        os.replace(beside, real)
    finally:
        with contextlib.suppress(OSError):
            beside.unlink()


def _create(target: str, beside: Path) -> int:
    """Make an empty file; gives the mode that the umask lets it have."""
    try:
        descriptor = os.open(beside, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666)
        try:
            return stat.S_IMODE(os.fstat(descriptor).st_mode)
        finally:
            os.close(descriptor)
    except OSError as error:
        if error.errno not in (errno.EACCES, errno.EPERM, errno.EROFS):
            raise
        raise OSError(
            error.errno,
            f"path={target!r} is in a folder that you may not write to, {str(beside.parent)!r}:"
            " choose another.",
        ) from None


def _like(beside: Path, mode: int, found: os.stat_result | None) -> None:
    """Give a file the mode of a new one, or mode and owner of the one that it replaces.

    ``fill`` may have put a file of its own there, with any mode.
    """
    made = os.stat(beside)
    if found is not None:
        mode = stat.S_IMODE(found.st_mode) & 0o777
        if hasattr(os, "chown") and (made.st_uid, made.st_gid) != (found.st_uid, found.st_gid):
            with contextlib.suppress(OSError):  # only root may give files away
                os.chown(beside, found.st_uid, found.st_gid)
    if stat.S_IMODE(made.st_mode) != mode:
        os.chmod(beside, mode)


def _sync(beside: Path) -> None:
    """Wait until a file is on the disk: a power cut must not leave an empty one in place.

    Network file systems say only now that they are full.
    """
    with open(beside, "r+b") as file:
        try:
            os.fsync(file.fileno())
        except OSError as error:
            if error.errno not in (errno.EINVAL, errno.ENOTSUP, errno.ENOSYS):
                raise  # those file systems have nothing to wait for


def _through(target: str, fill: Fill) -> None:
    """Write to a pipe or device, which nothing can be moved to."""
    with tempfile.TemporaryDirectory() as folder:
        whole = Path(folder, "whole")
        fill(whole)
        with open(whole, "rb") as source, open(target, "wb") as sink:
            shutil.copyfileobj(source, sink)
