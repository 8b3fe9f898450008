"""Compiled code runs as Python while a capture is on: it would bypass the functions it watches.

The problem. dynamo has one stance for the whole process, and captures may overlap in any order. So
who needs it eager is counted: the first sets it, the last sets it back. Nothing is done where
dynamo was never imported, because then nothing is compiled.
"""

from __future__ import annotations

import os
import sys
import threading
from typing import Any

_lock = threading.RLock()  # a thread that failed to give it back must not wait for itself
_holders: set[int] = set()
_before: Any = None  # the stance that was set when the first holder came
_eager: Any = None  # the one that was set for them


def hold(holder: object) -> None:
    """Let compiled functions run as Python until this holder releases them."""
    global _before, _eager
    frames = _eval_frame()
    if frames is None:
        return
    with _lock:
        if not _holders:
            _before = frames._stance
            _eager = type(_before)("force_eager")
        _holders.add(id(holder))
        if frames._stance is not _eager:
            frames._set_stance(_eager)


def release(holder: object) -> None:
    """Give up a hold; the last one restores the stance. Any number of times, after any failure."""
    try:
        with _lock:
            if id(holder) in _holders:
                if len(_holders) == 1:
                    _restore()
                _holders.discard(id(holder))
    finally:
        # A failure may have kept this thread from giving the lock back, here or in ``hold``.
        while _lock._is_owned():  # type: ignore[attr-defined]
            _lock.release()


def _restore() -> None:
    frames = _eval_frame()
    if frames is not None and frames._stance is _eager:  # or else somebody has set another
        frames._set_stance(_before)


def _eval_frame() -> Any:
    frames = sys.modules.get("torch._dynamo.eval_frame")
    return frames if hasattr(frames, "_stance") and hasattr(frames, "_set_stance") else None


def _in_a_forked_child() -> None:
    """The threads whose captures were on do not exist in the child."""
    global _lock
    _lock = threading.RLock()
    if _holders:
        _restore()
        _holders.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_in_a_forked_child)
