"""Several views as one figure, as papers have them: panels side by side or below each other.

The problem. Panels that are put together from files have text of several sizes, and say twice what
they share. Here they are laid out together: one size of text, rows at one height, and one legend,
one row of heads and one model's name where they are the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from bertviz.arguments import as_index, as_items
from bertviz.errors import a_type, short
from bertviz.views import saving
from bertviz.views.view import View
from bertviz.web import figures

EXPECTED = 'expected a list of views, or of pairs such as (view, {"query": 4, "locked": True})'


class Figure:
    """Views as panels of one figure, made by ``figure``; a notebook shows it as SVG.

    >>> from bertviz import AttentionTrace, HeadView, figure
    >>> view = HeadView(AttentionTrace.from_arrays(["a", "b"], [[[0.25, 0.75], [1.0, 0.0]]]))
    >>> figure([view, (view, {"mode": "matrix"})])
    Figure(2 panels)
    """

    def __init__(
        self,
        payloads: Sequence[Mapping[str, Any]],
        titles: Sequence[str | None],
        columns: int | None,
        look: figures.Look,
    ) -> None:
        """Keep what ``figure`` has checked."""
        self._payloads = payloads
        self._titles = titles
        self._columns = columns
        self._look = look

    def svg(self, *, width: saving.Width = None, font_size: float | None = None) -> str:
        """The figure as SVG.

        Args:
            width: How wide it is, in place of the figure's own.
            font_size: How large its tokens are, in place of the figure's own.

        Raises:
            TypeError: An argument is of the wrong type.
            ValueError: It is out of range, or text of that size does not fit.
            ModuleNotFoundError: The ``figures`` extra is not installed.
        """
        return self._svg(saving.look_of(width, font_size))

    def save(
        self,
        path: saving.Target,
        *,
        width: saving.Width = None,
        font_size: float | None = None,
        format: saving.Format = None,
    ) -> None:
        """Write the figure to a file.

        Args:
            path: The file to write, ``.svg``, ``.png`` or ``.pdf``; an existing one is replaced. Or
                a binary file object, with ``format``.
            width: How wide it is, in place of the figure's own.
            font_size: How large its tokens are, in place of the figure's own.
            format: "svg", "png" or "pdf", for a file object.

        Raises:
            OSError: The file could not be written; an existing one is as it was.
            TypeError: An argument is of the wrong type.
            ValueError: The suffix is not offered, or text of that size does not fit.
            ModuleNotFoundError: The ``figures`` extra is not installed.
        """
        target, suffix = saving.checked_target(path, format, figures.SUFFIXES)
        look = saving.look_of(width, font_size)
        saving.deliver(target, figures.rendered(self._svg(look), suffix))

    def _svg(self, changed: figures.Look) -> str:
        look = self._look._replace(
            width=self._look.width if changed.width is None else changed.width,
            font_size=self._look.font_size if changed.font_size is None else changed.font_size,
        )
        return figures.panels(self._payloads, self._titles, self._columns, look)

    def _repr_svg_(self) -> str:  # IPython's protocol
        return self.svg()

    def __repr__(self) -> str:
        count = len(self._payloads)
        return f"Figure({count} panel{'' if count == 1 else 's'})"


def figure(
    views: Iterable[View | tuple[View, Mapping[str, Any]]],
    titles: Iterable[str | None] | None = None,
    *,
    columns: int | None = None,
    width: saving.Width = None,
    font_size: float | None = None,
    title: str | None = None,
    legend: bool = True,
    mark: bool = True,
) -> Figure:
    """Views as panels of one figure.

    What the panels share (the heads and their colors, the legend, the model) is said once.

    >>> from bertviz import AttentionTrace, HeadView, figure
    >>> view = HeadView(AttentionTrace.from_arrays(["a", "b"], [[[0.25, 0.75], [1.0, 0.0]]]))
    >>> panels = figure([(view, {"query": 0}), (view, {"query": 1})], ["(a)", "(b)"])
    >>> panels.svg(width="7in", font_size=8).count(">weight<")
    1

    Args:
        views: The panels: views, or pairs of a view and what it shows, the keys that ``save``
            takes, ``(view, {"query": 4, "locked": True})``. All are drawn in the colors (light or
            dark) of the first.
        titles: What is written above each panel; by default, or where one is None, what the panel
            says itself.
        columns: How many stand side by side; by default as many as fit.
        width: How wide the figure is: CSS pixels (96 to the inch), or a string with a unit (px, in,
            cm, mm, pt) such as "3.25in"; by default as wide as what is drawn, up to 1,000 pixels.
        font_size: How large the tokens are, in points; by default 10, or smaller where a narrow
            ``width`` asks for it.
        title: What is written above all panels; by default nothing.
        legend: Whether the figure says what colors mean and what it leaves out.
        mark: Whether it names the model, and how exactly its attention is shown.

    Returns:
        An object that a notebook shows, with ``save(path)`` and ``svg()``.

    Raises:
        TypeError: An argument is of the wrong type.
        ValueError: There are no views, or not as many titles; a state cannot be shown; a length is
            out of range.
    """
    look = saving.look_of(width, font_size, title, legend, mark)
    payloads = [_payload(item) for item in as_items("views", views, EXPECTED)]
    if not payloads:
        raise ValueError(f"views={short(views)} is empty: {EXPECTED}.")
    above = [None] * len(payloads) if titles is None else _titles(titles, len(payloads))
    if columns is not None:
        columns = as_index("columns", columns)
        if not 1 <= columns <= len(payloads):
            raise ValueError(
                f"columns={columns} is out of range: expected 1 to {len(payloads)}, the number of"
                " panels, or leave columns out for as many as fit."
            )
    return Figure(payloads, above, columns, look)


def _payload(item: object) -> Mapping[str, Any]:
    """What one panel ships and starts with."""
    view, state = item if isinstance(item, tuple | list) and len(item) == 2 else (item, {})
    if not isinstance(view, View):
        raise TypeError(f"views holds {short(item)}, {a_type(item)}: {EXPECTED}.")
    if not isinstance(state, Mapping):
        raise TypeError(f"views holds the state {short(state)}, {a_type(state)}: {EXPECTED}.")
    return saving.with_state(view._payload, state)


def _titles(titles: Iterable[str | None], count: int) -> list[str | None]:
    expected = f'expected a list of {count} strings, one for each panel, such as ["(a)", "(b)"]'
    found = as_items("titles", titles, expected)
    for text in found:
        if text is not None and not isinstance(text, str):
            raise TypeError(f"titles holds {short(text)}, {a_type(text)}: {expected}.")
    if len(found) != count:
        raise ValueError(f"titles holds {len(found)} items: {expected}.")
    return [None if text is None else str(text) for text in found]
