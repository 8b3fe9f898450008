"""How much memory and CPU time all processes of the browser take together."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterator
from pathlib import Path

TICK = 1000 / os.sysconf("SC_CLK_TCK")  # milliseconds


def processes() -> dict[int, int]:
    """The parent of every process."""
    parents = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            parents[int(stat.parent.name)] = int(stat.read_text().rpartition(")")[2].split()[1])
    return parents


def chromium() -> Iterator[Path]:
    """The folder in /proc of every Chromium process started by this process."""
    parents = processes()
    for process in parents:
        ancestor = process
        while ancestor in parents and ancestor != os.getpid():
            ancestor = parents[ancestor]
        folder = Path("/proc") / str(process)
        with contextlib.suppress(OSError):
            if ancestor == os.getpid() and b"chrom" in (folder / "cmdline").read_bytes():
                yield folder


def megabytes() -> float:
    """The proportional set size of all processes of the browser."""
    total = 0.0
    for folder in chromium():
        with contextlib.suppress(OSError):
            rollup = (folder / "smaps_rollup").read_text()
            total += int(rollup.split("\nPss:")[1].split()[0]) / 1000
    return total


def milliseconds() -> float:
    """CPU time so far of all threads of all processes of the browser, in steps of 10 ms."""
    total = 0.0
    for folder in chromium():
        with contextlib.suppress(OSError):
            fields = (folder / "stat").read_text().rpartition(")")[2].split()
            total += TICK * (int(fields[11]) + int(fields[12]))  # in user mode, and in the kernel
    return total


def settled() -> float:
    """Memory once it has stopped falling."""
    time.sleep(3)
    before = megabytes()
    while True:
        time.sleep(1)
        now = megabytes()
        if now > 0.98 * before:
            return now
        before = now
