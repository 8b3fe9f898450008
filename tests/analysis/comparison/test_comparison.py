"""Differences of two traces are what plain loops say, and what compare gives."""

from __future__ import annotations

import copy
import dataclasses
import pickle
from collections.abc import Callable
from typing import Any

import pytest
import torch

from bertviz import AttentionTrace, Comparison, compare, extract
from bertviz.analysis.measures import measures_of
from tests.analysis.comparison.traces import distributions, plainly
from tests.helpers import no_pandas


def test_measures_as_plain_loops_say(
    both: tuple[AttentionTrace, AttentionTrace], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bertviz.analysis.comparison.differences.AT_ONCE", 24)  # two rows at a time
    for row in compare(*both).differences:
        weights = [
            trace.blocks["encoder"].layers[row.layer].weights(row.head)[0].tolist()
            for trace in both
        ]
        values = [plainly(a, b) for a, b in zip(*weights, strict=True)]
        means = [sum(column) / len(column) for column in zip(*values, strict=True)]
        found = (row.total_variation, row.jensen_shannon, row.entropy)
        assert found == pytest.approx(tuple(means), abs=1e-5)


def test_nothing_differs_from_itself(both: tuple[AttentionTrace, AttentionTrace]) -> None:
    comparison = compare(both[0], both[0])
    assert all(dataclasses.astuple(row)[3:] == (0, 0, 0) for row in comparison.differences)
    assert float(comparison.weights(1).abs().max()) == 0


def test_weights_are_those_of_b_minus_those_of_a(
    both: tuple[AttentionTrace, AttentionTrace],
) -> None:
    comparison = compare(*both)
    difference = distributions(1)[1, [2]] - distributions(0)[1, [2]]
    torch.testing.assert_close(comparison.weights(1, 2), difference)
    assert comparison.weights(0, block="encoder").shape == (3, 4, 4)
    assert comparison.blocks["encoder"].query_tokens == ("a", "b", "c", "<d>")
    assert (comparison.a, comparison.b) == both


def test_a_head_that_was_changed_comes_first(
    build: Callable[[str], Any], word_tokenizer: Callable[..., Any]
) -> None:
    model, tokenizer = build("bert"), word_tokenizer()
    before = extract(model, tokenizer, "i went to the store .")
    with torch.no_grad():  # head 2 of the last layer: neurons 16 to 23 of its query
        model.encoder.layer[2].attention.self.query.weight[16:24] *= -1
    after = extract(model, tokenizer, "i went to the store .")
    comparison = compare(before, after)
    largest = comparison.largest()
    assert largest[0][:2] == (2, 2)
    assert largest[0].total_variation > 1e-3
    assert all(other.total_variation < 1e-5 for other in largest[1:])
    assert comparison.largest(1) == largest[:1]
    assert [type(value) for value in largest[0]] == [int, int, float, float]


def test_measures(both: tuple[AttentionTrace, AttentionTrace]) -> None:
    comparison = compare(*both)
    measures = {measure["name"]: measure for measure in comparison.measures()}
    assert [m["diverging"] for m in measures.values()] == [False, False, True]
    values = measures["total variation"]["values"]
    for row in comparison.differences:
        assert values["encoder"][row.layer][row.head] == row.total_variation
    assert all(measure["null"] is None for measure in measures.values())
    assert measures_of(comparison, comparison.a) == comparison.measures()
    assert any(row.entropy < 0 for row in comparison.differences)


def test_rows_and_summaries(
    both: tuple[AttentionTrace, AttentionTrace], monkeypatch: pytest.MonkeyPatch
) -> None:
    comparison = compare(*both)
    monkeypatch.setattr("bertviz.analysis.tables.importlib.import_module", no_pandas)
    rows = comparison.rows()
    assert len(rows) == 6
    assert rows[5] == dataclasses.asdict(comparison.differences[5])
    assert "arrays (a) and arrays (b): 6 heads" in str(comparison)
    assert repr(comparison) == str(comparison)
    html = dataclasses.replace(comparison, left_out={"encoder": (("<d>",), ())})._repr_html_()
    assert "&lt;d&gt;" in html
    assert "<d>" not in html
    assert "script" not in html


@pytest.mark.parametrize("way", [lambda x: pickle.loads(pickle.dumps(x)), copy.copy, copy.deepcopy])
def test_comparisons_can_be_pickled_and_copied(
    build: Callable[[str], Any],
    word_tokenizer: Callable[..., Any],
    way: Callable[[Comparison], Comparison],
) -> None:
    model, tokenizer = build("mistral"), word_tokenizer()
    texts = ("i went to the store .", "i went to the fresh store .")
    comparison = compare(*(extract(model, tokenizer, text) for text in texts), align="tokens")
    again = way(comparison)
    assert again.rows() == comparison.rows()
    assert again.left_out == comparison.left_out == {"decoder": ((), ("fresh",))}
    assert torch.equal(again.weights(1), comparison.weights(1))
    assert again.largest()[0].jensen_shannon == comparison.largest()[0].jensen_shannon
    assert str(again) == str(comparison)


def test_to_pandas_says_what_to_install(
    both: tuple[AttentionTrace, AttentionTrace], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bertviz.analysis.tables.importlib.import_module", no_pandas)
    with pytest.raises(ModuleNotFoundError, match="pip install pandas"):
        compare(*both).to_pandas()


def test_names_stand_in_place_of_a_and_b(both: tuple[AttentionTrace, AttentionTrace]) -> None:
    comparison = compare(*both, names=["before", " after  all "])
    assert comparison.names == ("before", "after all")
    assert pickle.loads(pickle.dumps(comparison)).names == comparison.names
    assert "(before) and" in str(comparison)
    assert "entropy, after all − before" in str(comparison)
    labels = [measure["name"] for measure in comparison.measures()]
    assert labels[2] == "entropy, after all − before (bits)"
    assert compare(*both).measures()[2]["name"] == "entropy, b − a (bits)"


@pytest.mark.parametrize(
    ("names", "kind", "message"),
    [
        ("ab", TypeError, "names='ab' is a str: expected two short strings"),
        ([1, "b"], TypeError, "names holds 1, an int: expected two short strings"),
        (["a"], ValueError, "names=.* do not tell the two apart"),
        (["a", "a "], ValueError, "names=.* do not tell the two apart"),
        (["a", " "], ValueError, "names=.* do not tell the two apart"),
        (["a", "b" * 41], ValueError, "names=.* are over 40 characters"),
    ],
)
def test_other_names_are_refused(
    both: tuple[AttentionTrace, AttentionTrace], names: Any, kind: type[Exception], message: str
) -> None:
    with pytest.raises(kind, match=message):
        compare(*both, names=names)
