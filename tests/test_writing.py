"""A file is written whole or not at all, and a path means what it means to ``open``."""

from __future__ import annotations

import errno
import os
import resource
import stat
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

import bertviz.writing
from bertviz import AttentionTrace, HeadView
from bertviz.writing import write
from tests.helpers import ROOT

TRACE = AttentionTrace.from_arrays(["a", "b"], torch.full((1, 2, 2), 0.5))
SAVES: dict[str, Callable[[Any], None]] = {
    ".safetensors": TRACE.save,
    ".html": HeadView(TRACE).save,
    ".svg": HeadView(TRACE).save,
}


@pytest.fixture(params=SAVES)
def target(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A path of every kind of file."""
    return tmp_path / f"x{request.param}"


def save(path: Path) -> bytes:
    """What is there after the save that the suffix stands for."""
    SAVES[path.suffix](path)
    return path.read_bytes()


def test_nothing_is_left_beside(target: Path) -> None:
    others = [target.with_name(target.name + ".part"), target.with_name(target.name + ".tmp")]
    for other in others:
        other.write_text("mine")
    assert save(target)
    assert sorted(target.parent.iterdir()) == sorted([target, *others])
    assert {other.read_text() for other in others} == {"mine"}


@pytest.mark.parametrize("umask", [0o022, 0o077])
def test_a_new_file_has_the_mode_that_open_gives(target: Path, umask: int) -> None:
    before = os.umask(umask)
    try:
        save(target)
    finally:
        os.umask(before)
    assert stat.S_IMODE(target.stat().st_mode) == 0o666 & ~umask


@pytest.mark.parametrize("mode", [0o600, 0o664, 0o755])
def test_an_existing_file_keeps_its_mode(target: Path, mode: int) -> None:
    target.write_text("old")
    target.chmod(mode)
    assert save(target) != b"old"
    assert stat.S_IMODE(target.stat().st_mode) == mode


def test_links_are_followed(target: Path) -> None:
    folder = target.parent / "elsewhere"
    folder.mkdir()
    real = folder / f"real{target.suffix}"
    relative = target.parent / f"second{target.suffix}"
    relative.symlink_to(f"elsewhere/real{target.suffix}")
    target.symlink_to(relative)
    for _ in range(2):  # into the void, then onto a file
        save(target)
        assert [path.is_symlink() for path in (target, relative, real)] == [True, True, False]
        assert real.stat().st_size > 100
    assert list(folder.iterdir()) == [real]


def test_a_pipe_is_written_to(target: Path) -> None:
    whole = save(target.with_name(f"whole{target.suffix}"))
    os.mkfifo(target)
    read: list[bytes] = []
    reader = threading.Thread(target=lambda: read.append(target.read_bytes()))
    reader.start()
    SAVES[target.suffix](target)
    reader.join()
    assert stat.S_ISFIFO(target.stat().st_mode)
    assert len(read[0]) == len(whole)


def test_standard_output_is_written_to(tmp_path: Path) -> None:
    code = (
        "from bertviz import AttentionTrace, HeadView\n"
        "trace = AttentionTrace.from_arrays(['a', 'b'], [[[0.5, 0.5], [0.5, 0.5]]])\n"
        f"HeadView(trace).save({str(tmp_path / 'x.html')!r})"
    )
    (tmp_path / "x.html").symlink_to("/dev/stdout")
    command = [sys.executable, "-c", code]
    printed = subprocess.run(command, check=True, capture_output=True, cwd=ROOT).stdout
    assert printed.startswith(b"<!DOCTYPE html>")
    assert (tmp_path / "x.html").is_symlink()


def test_a_missing_folder_is_named(target: Path) -> None:
    lost = target.parent / "none" / target.name
    with pytest.raises(FileNotFoundError, match=r"in a folder that does not exist, '.*none'"):
        SAVES[target.suffix](lost)
    assert not list(target.parent.iterdir())


def test_a_folder_is_named(target: Path) -> None:
    target.mkdir()
    with pytest.raises(IsADirectoryError, match=r"path='.*x\..*' is a folder: expected a file"):
        SAVES[target.suffix](target)


def test_a_file_in_place_of_a_folder_is_named(target: Path) -> None:
    (target.parent / "file").write_text("mine")
    with pytest.raises(NotADirectoryError, match=r"path='.*file/x\..*' was not written: Not a dir"):
        SAVES[target.suffix](target.parent / "file" / target.name)
    assert (target.parent / "file").read_text() == "mine"


def test_a_name_that_is_too_long_is_named(target: Path) -> None:
    with pytest.raises(OSError, match="was not written: File name too long"):
        SAVES[target.suffix](target.with_name("x" * 300 + target.suffix))
    assert not list(target.parent.iterdir())


def test_a_circle_of_links_is_named(target: Path) -> None:
    target.symlink_to(target)
    with pytest.raises(OSError, match=r"path=.* was not written: Too many levels"):
        SAVES[target.suffix](target)


@pytest.mark.parametrize("number", [errno.EACCES, errno.EROFS])
def test_a_folder_that_is_read_only_is_named(
    target: Path, number: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: Any, *_: Any) -> int:
        raise OSError(number, os.strerror(number), str(path))

    monkeypatch.setattr(bertviz.writing.os, "open", refuse)
    with pytest.raises(OSError, match="in a folder that you may not write to") as error:
        SAVES[target.suffix](target)
    assert error.value.errno == number


def test_a_file_that_is_read_only_stays(target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target.write_text("mine")
    target.chmod(0o400)
    monkeypatch.setattr(bertviz.writing.os, "access", lambda *_: False)  # root may do everything
    with pytest.raises(PermissionError, match="is a file that you may not write to"):
        SAVES[target.suffix](target)
    assert target.read_text() == "mine"


@pytest.mark.parametrize("before", [b"", b"an older file"])
def test_a_full_disk_leaves_the_older_file(target: Path, before: bytes) -> None:
    if before:
        target.write_bytes(before)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (256, limits[1]))
    try:
        with pytest.raises(OSError, match=r"path='.*' was not written: File too large") as error:
            SAVES[target.suffix](target)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert error.value.errno == errno.EFBIG
    assert ("The file that was there is as it was." in str(error.value)) == bool(before)
    assert [path.read_bytes() for path in target.parent.iterdir()] == ([before] if before else [])


@pytest.mark.parametrize("name", ["fsync", "replace", "stat"])
@pytest.mark.parametrize("kind", [KeyboardInterrupt, MemoryError])
def test_whatever_happens_the_older_file_stays(
    target: Path, name: str, kind: type[BaseException], monkeypatch: pytest.MonkeyPatch
) -> None:
    save(target)
    target.write_text("mine")
    original = getattr(os, name)

    def fail(*arguments: Any, **keywords: Any) -> Any:
        if name == "stat" and ".part" not in str(arguments[0]):
            return original(*arguments, **keywords)
        raise kind

    monkeypatch.setattr(bertviz.writing.os, name, fail)
    with pytest.raises(kind):
        SAVES[target.suffix](target)
    monkeypatch.undo()
    assert [path.read_text() for path in target.parent.iterdir()] == ["mine"]


@pytest.mark.parametrize(
    ("path", "kind", "message"),
    [
        (None, TypeError, "path=None is a NoneType: expected a str or a pathlib.Path"),
        (3, TypeError, "path=3 is an int: expected a str"),
        (b"x.html", TypeError, "is a bytes: expected a str"),
        ([], TypeError, "is a list: expected a str"),
        ("", ValueError, "path='' is empty: expected the name of a file"),
        ("a\0.html", ValueError, "holds a null character"),
        ("/", ValueError, "path='/' has no suffix: expected"),
        ("..", ValueError, r"path='\.\.' has no suffix: expected"),
    ],
)
def test_what_is_no_path_is_named(path: Any, kind: type[Exception], message: str) -> None:
    for call in SAVES.values():
        with pytest.raises(kind, match=message):
            call(path)
    if message.endswith("suffix: expected"):
        return
    with pytest.raises(kind, match=message):
        AttentionTrace.load(path)


def test_bytes_are_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write("x", b"data")
    assert Path("x").read_bytes() == b"data"
