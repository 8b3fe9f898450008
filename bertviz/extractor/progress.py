"""A bar for what takes long; what is quick shows none."""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Callable, Iterator

SECONDS = 3.0  # until a bar appears


@contextlib.contextmanager
def bar(wanted: bool, what: str) -> Iterator[Callable[[], None] | None]:
    """Gives a function to call at every step; tqdm's bar, in notebooks the notebook's.

    Args:
        wanted: False shows none.
        what: What is done, in a word or two.
    """
    if not wanted:
        yield None
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # without ipywidgets tqdm says so, and draws text
        from tqdm.auto import tqdm

        shown = tqdm(desc=what, unit=" attentions", delay=SECONDS, leave=False)
    with shown:
        yield lambda: shown.update() and None
