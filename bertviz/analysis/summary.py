"""Summaries of analyses: text in a terminal, plain HTML in a notebook.

The HTML has no script and no style of its own, so it shows in an untrusted notebook too and looks
like any table there.
"""

from __future__ import annotations

import html
from collections.abc import Iterable, Sequence
from typing import Any, ClassVar


class Summary:
    """A sentence, a short table and notes, as text and as HTML."""

    HEAD: ClassVar[tuple[str, ...]]

    def _caption(self) -> str:
        raise NotImplementedError

    def _lines(self) -> Sequence[Sequence[Any]]:
        raise NotImplementedError

    def _notes(self) -> str:
        raise NotImplementedError

    def __str__(self) -> str:
        return f"{self._caption()}\n\n{as_text([self.HEAD, *self._lines()])}\n\n{self._notes()}"

    def __repr__(self) -> str:
        return str(self)

    def _repr_html_(self) -> str:
        return as_html(self._caption(), self.HEAD, self._lines(), self._notes())


def as_html(caption: str, head: Sequence[str], lines: Iterable[Sequence[Any]], notes: str) -> str:
    """A table with a sentence above and one below; every text is escaped.

    >>> as_html("<b>", ["head"], [[0.25]], "")
    '<div><p>&lt;b&gt;</p><table><thead><tr><th>head</th></tr></thead><tbody><tr><td>0.25</td></tr></tbody></table></div>'

    Args:
        caption: The sentence above.
        head: Names of the columns.
        lines: The values, line by line.
        notes: The sentence below; may be empty.
    """

    def line(values: Iterable[Any], tag: str) -> str:
        written = (f"<{tag}>{html.escape(shown(value))}</{tag}>" for value in values)
        return f"<tr>{''.join(written)}</tr>"

    body = "".join(line(values, "td") for values in lines)
    below = f"<p>{html.escape(notes)}</p>" if notes else ""
    return (
        f"<div><p>{html.escape(caption)}</p><table><thead>{line(head, 'th')}</thead>"
        f"<tbody>{body}</tbody></table>{below}</div>"
    )


def as_text(lines: Sequence[Sequence[Any]]) -> str:
    """Lines with aligned columns.

    >>> print(as_text([["a", 0.5], ["long", 12]]))
    a     0.50
    long  12
    """
    written = [[shown(value) for value in line] for line in lines]
    widths = [max(map(len, column)) for column in zip(*written, strict=True)]
    return "\n".join(
        "  ".join(text.ljust(width) for text, width in zip(line, widths, strict=True)).rstrip()
        for line in written
    )


def shown(value: Any) -> str:
    """A float with two decimals, nothing for None, everything else as it is.

    >>> shown(0.125), shown(None), shown(3)
    ('0.12', '', '3')
    """
    if value is None:
        return ""
    return f"{value:.2f}" if isinstance(value, float) else str(value)
