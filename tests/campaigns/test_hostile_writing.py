"""Whatever happens while files are written, a path holds the older file or the new one, whole."""

from __future__ import annotations

import collections
import os
import random as plain_random
import resource
import signal
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch

from bertviz import AttentionTrace, HeadView

Save = Callable[[Path], None]


def traces(count: int) -> list[AttentionTrace]:
    generator = torch.Generator().manual_seed(0)
    arrays = torch.rand(count, 2, 4, 16, 16, generator=generator).softmax(-1)
    return [AttentionTrace.from_arrays(weights=array) for array in arrays]


def weights_in(path: Path) -> Any:
    return AttentionTrace.load(path).blocks["encoder"].layers[0].weights()


def interrupted(work: Callable[[], object], wait: float) -> bool:
    """Whether a signal that comes after some seconds interrupted the work."""
    armed = True

    def interrupt(*_: object) -> None:
        if armed:
            raise KeyboardInterrupt

    previous = signal.signal(signal.SIGALRM, interrupt)
    try:
        signal.setitimer(signal.ITIMER_REAL, wait)
        work()
        armed = False
        return False
    except KeyboardInterrupt:
        return True
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, previous)


def test_threads_that_save_to_one_path(
    rounds: Callable[[int, int], int], tmp_path: Path, seed: int
) -> None:
    """Nobody fails, and what is there is one of the files."""
    path = tmp_path / "x.safetensors"
    four = traces(4)
    known = [trace.blocks["encoder"].layers[0].weights() for trace in four]
    count = rounds(20, 500)
    failed = 0
    with ThreadPoolExecutor(4) as pool:
        for _ in range(count):
            barrier = threading.Barrier(4)

            def save(trace: AttentionTrace, barrier: threading.Barrier = barrier) -> None:
                barrier.wait()
                trace.save(path)

            for done in [pool.submit(save, trace) for trace in four]:
                failed += done.exception() is not None
            assert any(torch.equal(weights_in(path), weights) for weights in known)
    print(f"\nfour threads to one path, seed {seed}: {failed} of {4 * count} failed")
    assert failed == 0
    assert list(tmp_path.iterdir()) == [path]


def test_saves_that_are_interrupted(
    rounds: Callable[[int, int], int], random: np.random.Generator, tmp_path: Path, seed: int
) -> None:
    """A real Ctrl-C at a random instant leaves one of the two files, and nothing beside."""
    old, new = traces(2)
    views = [HeadView(old), HeadView(new)]
    counts: collections.Counter[str] = collections.Counter()
    trace_path, page_path = tmp_path / "x.safetensors", tmp_path / "x.html"
    pairs: list[tuple[Path, Save, Save]] = [
        (trace_path, old.save, new.save),
        (page_path, views[0].save, views[1].save),
    ]
    duration = {}
    for path, first, _ in pairs:
        first(path)
        begun = time.perf_counter()
        first(path)
        duration[path] = time.perf_counter() - begun
    rest = plain_random.Random(int(random.integers(2**31)))
    for number in range(rounds(60, 2000)):
        path, first, second = pairs[number % 2]
        first(path)
        before = path.read_bytes()
        wait = max(1e-6, rest.random() * 1.2 * duration[path])
        counts["interrupted" if interrupted(partial(second, path), wait) else "ended before"] += 1
        # Pages have a new id each time: then that they are whole is what can be said.
        whole = path.read_bytes()
        assert whole == before or path != page_path or whole.endswith(b"</body>\n</html>\n")
        assert path != trace_path or weights_in(path) is not None
        left = set(tmp_path.iterdir()) - {trace_path, page_path}
        assert not left, f"seed {seed}, round {number}"
    print(f"\ninterrupted saves, seed {seed}: {dict(counts)}, nothing lost")


def test_disks_that_fill_up(
    rounds: Callable[[int, int], int], random: np.random.Generator, tmp_path: Path, seed: int
) -> None:
    """However many bytes there is room for, the older file stays as it was."""
    old, new = traces(2)
    count = rounds(40, 1000)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    for number in range(count):
        trace = number % 2 == 0
        path = tmp_path / ("x.safetensors" if trace else "x.html")
        (old.save if trace else HeadView(old).save)(path)
        before, view = path.read_bytes(), HeadView(new)
        room = int(random.integers(0, len(before) - 100))
        resource.setrlimit(resource.RLIMIT_FSIZE, (room, limits[1]))
        try:
            (new.save if trace else view.save)(path)
        except OSError as error:
            reason = str(error)
        else:
            reason = "no error"
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        assert f"path={str(path)!r} was not written: File too large" in reason
        assert path.read_bytes() == before
    assert sorted(os.listdir(tmp_path)) == ["x.html", "x.safetensors"]
    print(f"\nfull disks, seed {seed}: {count} errors, {count} older files kept")
