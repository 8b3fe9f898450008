"""Numbers as a table: rows of plain Python, or a DataFrame.

The problem. A table whose type depends on what happens to be installed works on one machine and
fails on the next. So there are two calls, and each always gives the same type: ``rows()`` a list of
dicts, for which nothing has to be installed, and ``to_pandas()`` a DataFrame, or an error that says
what to install.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import Any


def as_rows(columns: Mapping[str, Any]) -> list[dict[str, Any]]:
    """A dict for each row, with plain Python numbers.

    >>> as_rows({"head": [0, 1], "score": [0.5, None]})
    [{'head': 0, 'score': 0.5}, {'head': 1, 'score': None}]

    Args:
        columns: The columns by name, all of the same length; sequences or NumPy arrays.
    """
    lists = (
        column.tolist() if hasattr(column, "tolist") else column for column in columns.values()
    )
    return [dict(zip(columns, row, strict=True)) for row in zip(*lists, strict=True)]


def as_frame(columns: Mapping[str, Any]) -> Any:
    """A pandas DataFrame.

    Args:
        columns: The columns by name, all of the same length; sequences or NumPy arrays.

    Raises:
        ModuleNotFoundError: pandas is not installed.
    """
    try:
        pandas = importlib.import_module("pandas")
    except ImportError as error:
        raise ModuleNotFoundError(
            "to_pandas() needs pandas, which is not installed: run pip install pandas, or call"
            " rows(), which gives a list of dicts.",
            name="pandas",
        ) from error
    return pandas.DataFrame(dict(columns))


class Table:
    """Anything with columns, as rows and as a DataFrame."""

    def _columns(self) -> Mapping[str, Any]:
        raise NotImplementedError

    def rows(self) -> list[dict[str, Any]]:
        """All numbers: a dict for each row, with the columns that the class names."""
        return as_rows(self._columns())

    def to_pandas(self) -> Any:
        """The same as a pandas DataFrame.

        Raises:
            ModuleNotFoundError: pandas is not installed.
        """
        return as_frame(self._columns())
