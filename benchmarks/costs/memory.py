"""How much memory all processes of the browser take together."""

from __future__ import annotations

import contextlib
import os
import time
from pathlib import Path


def processes() -> dict[int, int]:
    """The parent of every process."""
    parents = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            parents[int(stat.parent.name)] = int(stat.read_text().rpartition(")")[2].split()[1])
    return parents


def megabytes() -> float:
    """The proportional set size of all Chromium processes started by this process."""
    parents, total = processes(), 0.0
    for process in parents:
        ancestor = process
        while ancestor in parents and ancestor != os.getpid():
            ancestor = parents[ancestor]
        if ancestor != os.getpid():
            continue
        with contextlib.suppress(OSError):
            if b"chrom" not in (Path("/proc") / str(process) / "cmdline").read_bytes():
                continue
            rollup = (Path("/proc") / str(process) / "smaps_rollup").read_text()
            total += int(rollup.split("\nPss:")[1].split()[0]) / 1000
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
