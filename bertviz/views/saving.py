"""A view as a file: an interactive page, or a figure.

The problem. What is saved should be what was asked for, whatever the type of the file. A state that
cannot be shown, an invalid width or an unknown suffix is refused in the same words for all of them,
before anything is drawn and before an existing file is replaced.
"""

from __future__ import annotations

import math
import os
import re
from collections.abc import Mapping
from typing import Any

from bertviz.arguments import as_number
from bertviz.errors import short
from bertviz.web import figures, page
from bertviz.web.payload import check_state
from bertviz.writing import checked_path, write

OFFERED_SUFFIXES = (".html", *figures.SUFFIXES)

# CSS pixels per unit, as CSS defines them.
UNITS = {"px": 1.0, "in": 96.0, "cm": 96 / 2.54, "mm": 96 / 25.4, "pt": 96 / 72}

Width = float | str | None


def save(
    payload: Mapping[str, Any],
    path: str | os.PathLike[str],
    *,
    title: str,
    width: Width,
    state: Mapping[str, Any],
) -> None:
    """Write a view to a file.

    Args:
        payload: What the view ships.
        path: The file to write; its suffix chooses the format.
        title: The page's title.
        width: The figure's width; see ``css_pixels``.
        state: What to show, where it differs from the view's initial state.

    Raises:
        OSError: The file could not be written; an existing one is as it was.
        TypeError: A state key is unknown, or a value is of the wrong type.
        ValueError: The suffix is not offered, or the view cannot show that state.
        ModuleNotFoundError: The ``figures`` extra is not installed.
    """
    target = checked_path(path, OFFERED_SUFFIXES)
    suffix = target.suffix.lower()
    pixels = css_pixels(width)
    start = check_state(payload["view"], payload, {**payload["state"], **state})
    shown = {**payload, "state": start}
    if suffix == ".html":
        if pixels is not None:
            raise ValueError(
                f"width={short(width)} does not go with an .html file, which is as wide as its"
                f" window: leave width out, or save a figure ({', '.join(figures.SUFFIXES)})."
            )
        data = page.document(page.render(shown), title).encode()
    else:
        data = figures.rendered(figures.svg(shown, pixels), suffix)
    write(target, data)


def css_pixels(width: object) -> float | None:
    """A width in CSS pixels, 96 to the inch.

    Args:
        width: A number of CSS pixels, a string with a unit, or None.

    Raises:
        TypeError: It is neither.
        ValueError: It is not a finite length above zero, or has another unit or none.

    >>> css_pixels("3.25in"), css_pixels(760), css_pixels(None)
    (312.0, 760.0, None)
    >>> css_pixels("3 foot")
    Traceback (most recent call last):
        ...
    ValueError: width='3 foot' is not a width: expected CSS pixels above 0, such as 600, or a string with a unit (px, in, cm, mm, pt), such as '3.25in'.
    """  # noqa: E501
    if width is None:
        return None
    expected = (
        "expected CSS pixels above 0, such as 600, or a string with a unit"
        f" ({', '.join(UNITS)}), such as '3.25in'"
    )
    if isinstance(width, str):
        found = re.fullmatch(rf"\s*(\d+\.?\d*|\.\d+)\s*({'|'.join(UNITS)})\s*", width, re.ASCII)
        pixels = float(found[1]) * UNITS[found[2]] if found else math.nan
    else:
        pixels = as_number("width", width, expected)
    if not 0 < pixels < math.inf:
        raise ValueError(f"width={short(width)} is not a width: {expected}.")
    return pixels
