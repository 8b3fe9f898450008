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
from typing import Any, BinaryIO, Literal, TypeAlias

from bertviz.arguments import as_choice, as_flag, as_number, offers
from bertviz.errors import a_type, short
from bertviz.web import figures, page
from bertviz.web.payload import check_state
from bertviz.writing import checked_path, write, write_to

OFFERED_SUFFIXES = (".html", *figures.SUFFIXES)

# CSS pixels per unit, as CSS defines them.
UNITS = {"px": 1.0, "in": 96.0, "cm": 96 / 2.54, "mm": 96 / 25.4, "pt": 96 / 72}

WIDEST = 9600.0  # CSS pixels, a hundred inches
FONT_SIZES = (1.0, 100.0)

Width = float | str | None
Target: TypeAlias = str | os.PathLike[str] | BinaryIO
Format: TypeAlias = Literal["html", "svg", "png", "pdf"] | None


def save(
    payload: Mapping[str, Any],
    path: Target,
    *,
    form: Format,
    name: str,
    look: Mapping[str, Any],
    state: Mapping[str, Any],
) -> None:
    """Write a view to a file.

    Args:
        payload: What the view ships.
        path: The file to write, whose suffix chooses the format, or a binary file object.
        form: The format, for a file object.
        name: The page's title, if the look has none.
        look: The arguments of ``look_of``.
        state: What to show, where it differs from the view's initial state.

    Raises:
        OSError: The file could not be written; an existing one is as it was.
        TypeError: A state key is unknown, or a value is of the wrong type.
        ValueError: The suffix is not offered, or the view cannot show that state.
        ModuleNotFoundError: The ``figures`` extra is not installed.
    """
    target, suffix = checked_target(path, form)
    checked = look_of(**look)
    shown = with_state(payload, state)
    if suffix == ".html":
        _refuse_for_pages(look, checked)
        data = page.document(page.render(shown), checked.title or name).encode()
    else:
        data = figures.rendered(figures.svg(shown, checked), suffix)
    deliver(target, data)


def with_state(payload: Mapping[str, Any], state: Mapping[str, Any]) -> dict[str, Any]:
    """A payload that starts with a state, which is checked."""
    start = check_state(payload["view"], payload, {**payload["state"], **state})
    return {**payload, "state": start}


def checked_target(
    path: Target, form: Format, suffixes: tuple[str, ...] = OFFERED_SUFFIXES
) -> tuple[Target, str]:
    """Where to write, and the suffix of what.

    Args:
        path: A path or a binary file object.
        form: The format, which a path says itself.
        suffixes: Those that are offered.

    Raises:
        TypeError: It is neither, or the format is not a string.
        ValueError: The format is not offered, is missing, or differs from the path's suffix.

    >>> import io
    >>> checked_target(io.BytesIO(), None)
    Traceback (most recent call last):
        ...
    ValueError: format=None: a file object needs one of 'html', 'svg', 'png', 'pdf', such as format='svg'.
    """  # noqa: E501
    offered = [suffix[1:] for suffix in suffixes]
    wanted = None if form is None else as_choice("format", form, offered)
    if not offers(path, "__fspath__") and offers(path, "write") and not isinstance(path, type):
        if wanted is None:
            raise ValueError(
                f"format=None: a file object needs one of {', '.join(map(repr, offered))}, such as"
                " format='svg'."
            )
        return path, f".{wanted}"
    target = checked_path(path, suffixes)
    suffix = target.suffix.lower()
    if wanted is not None and suffix != f".{wanted}":
        raise ValueError(
            f"format={wanted!r} is not what path={short(str(target))} ends in: leave format out,"
            f" or pass a path that ends in '.{wanted}'."
        )
    return target, suffix


def deliver(target: Target, data: bytes) -> None:
    """Write the data to a file or a file object."""
    if isinstance(target, str | os.PathLike):
        write(target, data)
    else:
        write_to(target, data)


def look_of(
    width: Width = None,
    font_size: float | None = None,
    title: str | None = None,
    legend: bool = True,
    mark: bool = True,
) -> figures.Look:
    """How a figure looks, checked.

    Raises:
        TypeError: An argument is of the wrong type.
        ValueError: A length is out of range.

    >>> look_of("3.25in", font_size=800)
    Traceback (most recent call last):
        ...
    ValueError: font_size=800 is out of range: expected points from 1 to 100, such as 8.
    """
    if title is not None and not isinstance(title, str):
        raise TypeError(
            f"title={short(title)} is {a_type(title)}: expected a str, '' for no title, or None for"
            " the figure's own."
        )
    if font_size is not None:
        least, most = FONT_SIZES
        expected = f"expected points from {least:g} to {most:g}, such as 8"
        given, font_size = font_size, as_number("font_size", font_size, expected)
        if not least <= font_size <= most:
            raise ValueError(f"font_size={short(given)} is out of range: {expected}.")
    return figures.Look(
        width=css_pixels(width),
        font_size=font_size,
        title=None if title is None else str(title),
        legend=as_flag("legend", legend),
        mark=as_flag("mark", mark),
    )


def _refuse_for_pages(look: Mapping[str, Any], checked: figures.Look) -> None:
    """Only figures have a width, a legend or a mark that can be chosen."""
    for name, value in look.items():
        if name == "title" or getattr(checked, name) == figures.Look._field_defaults[name]:
            continue
        why = ", which is as wide as its window" if name == "width" else ""
        raise ValueError(
            f"{name}={short(value)} does not go with an .html file{why}: leave {name} out, or save"
            f" a figure ({', '.join(figures.SUFFIXES)})."
        )


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
    if pixels > WIDEST:
        raise ValueError(f"width={short(width)} is over {WIDEST:g} pixels (100in): {expected}.")
    return pixels
