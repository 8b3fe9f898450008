"""Numbers as a table: a DataFrame or rows, and plain HTML that shows in any notebook.

HTML here has no script and no style of its own, so it is also there in a notebook that is not
trusted, and looks as tables look there.
"""

from __future__ import annotations

import html
import importlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar


def as_table(columns: Mapping[str, Any]) -> Any:
    """A pandas DataFrame where pandas is installed, else a list of dicts.

    Args:
        columns: By name, all of one length; sequences or NumPy arrays.
    """
    try:
        pandas = importlib.import_module("pandas")
    except ImportError:
        rows = zip(*(_plain(column) for column in columns.values()), strict=True)
        return [dict(zip(columns, row, strict=True)) for row in rows]
    return pandas.DataFrame(dict(columns))


def as_rows(columns: Mapping[str, Any]) -> list[dict[str, Any]]:
    """A list of dicts.

    Args:
        columns: By name, all of one length; sequences or NumPy arrays.

    >>> as_rows({"head": [0, 1], "weight": [0.25, 0.75]})
    [{'head': 0, 'weight': 0.25}, {'head': 1, 'weight': 0.75}]
    """
    rows = zip(*(_plain(column) for column in columns.values()), strict=True)
    return [dict(zip(columns, row, strict=True)) for row in rows]


def as_frame(columns: Mapping[str, Any]) -> Any:
    """A pandas DataFrame.

    Args:
        columns: By name, all of one length; sequences or NumPy arrays.

    Raises:
        ModuleNotFoundError: pandas is not installed.
    """
    try:
        pandas = importlib.import_module("pandas")
    except ImportError:
        raise ModuleNotFoundError(
            "A DataFrame needs pandas, which is not installed: pip install pandas, or take the"
            " same numbers as a list of dicts with .rows()."
        ) from None
    return pandas.DataFrame(dict(columns))


class Summary:
    """What an analysis says of itself: text in a terminal, a plain table in a notebook."""

    HEAD: ClassVar[tuple[str, ...]]

    def _caption(self) -> str:
        raise NotImplementedError

    def _rows(self) -> Sequence[Sequence[Any]]:
        raise NotImplementedError

    def _notes(self) -> str:
        raise NotImplementedError

    def __str__(self) -> str:
        return f"{self._caption()}\n\n{as_text([self.HEAD, *self._rows()])}\n\n{self._notes()}"

    def __repr__(self) -> str:
        return str(self)

    def _repr_html_(self) -> str:
        return as_html(self._caption(), self.HEAD, self._rows(), self._notes())


def _plain(column: Any) -> Any:
    return column.tolist() if hasattr(column, "tolist") else column


def as_html(caption: str, head: Sequence[str], rows: Iterable[Sequence[Any]], notes: str) -> str:
    """A table with a sentence above and one below; every text is escaped.

    >>> as_html("<b>", ["head"], [[0.25]], "")
    '<div><p>&lt;b&gt;</p><table><thead><tr><th>head</th></tr></thead><tbody><tr><td>0.25</td></tr></tbody></table></div>'

    Args:
        caption: Above.
        head: Names of the columns.
        rows: Their cells.
        notes: Below; may be empty.
    """

    def line(cells: Iterable[Any], tag: str) -> str:
        written = (f"<{tag}>{html.escape(shown(cell))}</{tag}>" for cell in cells)
        return f"<tr>{''.join(written)}</tr>"

    body = "".join(line(row, "td") for row in rows)
    below = f"<p>{html.escape(notes)}</p>" if notes else ""
    return (
        f"<div><p>{html.escape(caption)}</p><table><thead>{line(head, 'th')}</thead>"
        f"<tbody>{body}</tbody></table>{below}</div>"
    )


def shown(value: Any) -> str:
    """A number with two decimals, nothing for None, else as it is."""
    if value is None:
        return ""
    return f"{value:.2f}" if isinstance(value, float) else str(value)


def as_text(rows: Sequence[Sequence[Any]]) -> str:
    """Lines whose columns stand below each other.

    >>> print(as_text([["a", 0.5], ["long", 12]]))
    a     0.50
    long  12
    """
    written = [[shown(cell) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*written, strict=True)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in written
    )
