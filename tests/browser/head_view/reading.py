"""What tests of the head view take hold of: head squares and the pixels of the lines."""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.browser.opened import Opened


def square(opened: Opened, head: int) -> Any:
    return opened.host.locator(f'button[data-head="{head}"]')


def pixels(opened: Opened, which: int = 0) -> np.ndarray:
    """What one of the two canvases shows, (y, x, rgba)."""
    size, data = opened.host.evaluate(
        """(host, which) => {
             const canvas = host.shadowRoot.querySelectorAll(".pane canvas")[which];
             const {width, height} = canvas;
             const {data} = canvas.getContext("2d").getImageData(0, 0, width, height);
             return [[height, width, 4], Array.from(data)];
           }""",
        which,
    )
    return np.array(data, dtype=float).reshape(size)
