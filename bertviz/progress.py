"""A progress bar for what takes more than a few seconds."""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Callable, Iterator

SECONDS = 3.0  # until a bar appears


@contextlib.contextmanager
def bar(
    wanted: bool, what: str, unit: str = "attentions", total: int | None = None
) -> Iterator[Callable[[], None] | None]:
    """Yield a function to call at every step. The bar is tqdm's, in notebooks the notebook's.

    Args:
        wanted: Whether to show a bar; without one, None is yielded.
        what: What is being done, in a word or two.
        unit: What is counted.
        total: How many there will be, if that is known.
    """
    if not wanted:
        yield None
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # without ipywidgets, tqdm warns and falls back to text
        from tqdm.auto import tqdm

        shown = tqdm(desc=what, unit=f" {unit}", total=total, delay=SECONDS, leave=False)
    with shown:
        yield lambda: shown.update() and None
