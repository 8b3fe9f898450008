"""A progress bar for what takes more than a few seconds."""

from __future__ import annotations

import contextlib
import importlib.util
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

SECONDS = 3.0  # until a bar appears


@contextlib.contextmanager
def bar(
    wanted: bool, what: str, unit: str = "attentions", total: int | None = None
) -> Iterator[Callable[[], None] | None]:
    """Yield a function to call at every step. The bar is tqdm's, in notebooks the notebook's.

    It is made when it appears: most captures take less time than making it.

    Args:
        wanted: Whether to show a bar; without one, None is yielded.
        what: What is being done, in a word or two.
        unit: What is counted.
        total: How many there will be, if that is known.
    """
    if not wanted:
        yield None
        return
    start, steps = time.monotonic(), 0
    shown: Any = None

    def step() -> None:
        nonlocal steps, shown
        steps += 1
        if shown is not None:
            shown.update()
        elif time.monotonic() - start >= SECONDS:
            shown = _tqdm()(desc=what, unit=f" {unit}", initial=steps, total=total, leave=False)

    try:
        yield step
    finally:
        if shown is not None:
            shown.close()


def _tqdm() -> Any:
    """The notebook's bar where there can be one. tqdm.auto would warn, and warnings are global."""
    shell = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
    if "IPKernelApp" in getattr(shell, "config", {}) and importlib.util.find_spec("ipywidgets"):
        from tqdm.notebook import tqdm as notebook_bar

        return notebook_bar
    from tqdm import tqdm

    return tqdm
