"""What explain_head gives: rows and summaries."""

from __future__ import annotations

import copy
import dataclasses
import pickle
from collections.abc import Callable
from typing import Any

import pytest

from bertviz import HeadExplanation, explain_head, extract
from tests.helpers import no_pandas


@pytest.fixture
def explained(build: Callable[[str], Any], word_tokenizer: Callable[..., Any]) -> HeadExplanation:
    trace = extract(build("bert"), word_tokenizer(), "the store . the store")
    return explain_head(trace, 1, 2, "same token elsewhere")


def test_rows(explained: HeadExplanation, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bertviz.analysis.tables.importlib.import_module", no_pandas)
    rows = explained.rows()
    assert [row["neurons"][0] for row in rows] == list(explained.neurons)
    values = [row["contribution"] for row in rows]
    assert values == sorted(values, reverse=True)
    assert sum(row["share"] for row in rows if row["share"] > 0) == pytest.approx(1)
    carried = sum(row["share"] for row in rows if row["top"])
    assert carried >= 0.8
    assert carried - min(row["share"] for row in rows if row["top"]) < 0.8


def test_summaries(explained: HeadExplanation) -> None:
    assert "BertModel, layer 1, head 2: same token elsewhere." in str(explained)
    assert repr(explained) == str(explained)
    escaped = dataclasses.replace(explained, what="<b>")._repr_html_()
    assert "&lt;b&gt;" in escaped
    assert "<b>" not in escaped
    assert "script" not in escaped


@pytest.mark.parametrize("way", [lambda x: pickle.loads(pickle.dumps(x)), copy.copy, copy.deepcopy])
def test_explanations_can_be_pickled_and_copied(
    explained: HeadExplanation, way: Callable[[HeadExplanation], HeadExplanation]
) -> None:
    again = way(explained)
    assert again.rows() == explained.rows()
    assert dataclasses.asdict(again) == dataclasses.asdict(explained)
    assert str(again) == str(explained)


def test_to_pandas_says_what_to_install(
    explained: HeadExplanation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bertviz.analysis.tables.importlib.import_module", no_pandas)
    with pytest.raises(ModuleNotFoundError, match="pip install pandas"):
        explained.to_pandas()
