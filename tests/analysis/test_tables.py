"""Rows and DataFrames: each call always gives the same type."""

from __future__ import annotations

import importlib
import types
from typing import Any

import numpy as np
import pytest

from bertviz.analysis.tables import as_frame, as_rows
from tests.helpers import no_pandas

COLUMNS = {"head": np.array([0, 1]), "score": np.array([0.5, 0.25]), "name": ["a", None]}


def test_rows_are_plain_python() -> None:
    rows = as_rows(COLUMNS)
    assert rows == [
        {"head": 0, "score": 0.5, "name": "a"},
        {"head": 1, "score": 0.25, "name": None},
    ]
    assert [type(value) for value in rows[0].values()] == [int, float, str]


def test_columns_of_different_lengths_are_refused() -> None:
    with pytest.raises(ValueError, match="zip"):
        as_rows({"a": [1, 2], "b": [1]})


@pytest.mark.parametrize("installed", [True, False])
def test_rows_do_not_depend_on_what_is_installed(
    monkeypatch: pytest.MonkeyPatch, installed: bool
) -> None:
    if not installed:
        monkeypatch.setattr("bertviz.analysis.tables.importlib.import_module", no_pandas)
    assert type(as_rows(COLUMNS)) is list


def test_without_pandas_an_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bertviz.analysis.tables.importlib.import_module", no_pandas)
    with pytest.raises(ModuleNotFoundError, match=r"pip install pandas, or call rows\(\)") as found:
        as_frame(COLUMNS)
    assert found.value.name == "pandas"


def test_a_frame_gets_the_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    real = importlib.import_module

    def frames(name: str) -> Any:
        return types.SimpleNamespace(DataFrame=list) if name == "pandas" else real(name)

    monkeypatch.setattr("bertviz.analysis.tables.importlib.import_module", frames)
    assert as_frame(COLUMNS) == list(COLUMNS)


def test_a_frame_of_pandas_itself() -> None:
    pandas = pytest.importorskip("pandas")
    frame = as_frame(COLUMNS)
    assert isinstance(frame, pandas.DataFrame)
    assert list(frame.columns) == list(COLUMNS)
    assert frame["score"].tolist() == [0.5, 0.25]
