"""A progress bar for what takes more than a few seconds."""

from __future__ import annotations

import contextlib
import time
import warnings
from collections.abc import Callable, Iterator
from typing import Any

SECONDS = 3.0  # until a bar appears


@contextlib.contextmanager
def bar(wanted: bool, what: str) -> Iterator[Callable[[], None] | None]:
    """Yield a function to call at every step. The bar is tqdm's, in notebooks the notebook's.

    Args:
        wanted: Whether to show a bar; without one, None is yielded.
        what: What is being done, in a word or two.
    """
    if not wanted:
        yield None
        return
    start, waiting, shown = time.monotonic(), 0, None

    def step() -> None:
        # tqdm takes locks, which a child forked in the meantime would wait for: not for a run that
        # ends before anything is shown.
        nonlocal waiting, shown
        waiting += 1
        if shown is None and time.monotonic() - start >= SECONDS:
            shown = _made(what)
        if shown is not None:
            shown.update(waiting)
            waiting = 0

    try:
        yield step
    finally:
        if shown is not None:
            shown.close()


def _made(what: str) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # without ipywidgets, tqdm warns and falls back to text
        from tqdm.auto import tqdm

        return tqdm(desc=what, unit=" attentions", leave=False)
