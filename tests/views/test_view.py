"""The ways a picture leaves Python: HTML, a file, its table, and an output of a notebook."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import textwrap
import types
import warnings
from pathlib import Path
from typing import Any

import pytest
import torch

import bertviz
from bertviz import AttentionTrace, HeadView, ModelView, NeuronView
from bertviz.views.view import View
from tests.helpers import a_head_view
from tests.views.texts import TOKENS

VIEWS = [HeadView, ModelView, NeuronView]


@pytest.mark.parametrize("cls", VIEWS)
def test_a_view_object_takes_a_trace(trace: AttentionTrace, cls: type[View]) -> None:
    assert cls(trace=trace).trace is trace
    function = f"{cls.kind}_view"
    for value in (torch.nn.Linear(1, 1), [[[1.0]]], "bert-base-uncased", None):
        message = rf"{cls.__name__} got an? \w+: expected a trace, .* {function}\("
        with pytest.raises(TypeError, match=message):
            cls(value)


@pytest.mark.parametrize(
    ("cls", "wrong", "right"),
    [
        (HeadView, "head", "heads"),
        (HeadView, "measures", "did you mean|it takes"),
        (ModelView, "include_layer", "include_layers"),
        (NeuronView, "heads", "head"),
    ],
)
def test_unknown_options_of_a_view_object(
    trace: AttentionTrace, cls: Any, wrong: str, right: str
) -> None:
    with pytest.raises(TypeError, match=rf"{cls.__name__}\(\) takes no {wrong}: .*({right})"):
        cls(trace, **{wrong: 1})


@pytest.mark.parametrize("cls", VIEWS)
def test_data_is_a_fragment_with_the_handles(trace: AttentionTrace, cls: type[View]) -> None:
    data = cls(trace).data
    assert data.startswith("<div")
    assert f'data-view="{cls.kind}"' in data
    assert "<html" not in data


@pytest.mark.parametrize("cls", VIEWS)
def test_every_display_has_an_id_of_its_own(trace: AttentionTrace, cls: type[View]) -> None:
    view = cls(trace)
    outputs = [
        view.data,
        view.data,
        view._repr_mimebundle_()["text/html"],
        view._repr_html_(),
        view._document(),
    ]
    ids = [re.findall(r'data-bertviz-id="(\w+)"', output) for output in outputs]
    assert all(len(found) == 1 for found in ids)
    assert len({found[0] for found in ids}) == len(outputs)


def test_repr_is_short(trace: AttentionTrace) -> None:
    assert repr(HeadView(trace)) == "HeadView(3 layers, 4 heads, 3 tokens)"
    assert repr(ModelView(trace, include_layers=[1])) == "ModelView(1 layer, 4 heads, 3 tokens)"
    assert HeadView(trace)._repr_mimebundle_()["text/plain"] == repr(HeadView(trace))


def test_repr_names_blocks_and_both_sides() -> None:
    view = a_head_view(
        decoder_attention=[torch.eye(2)[None]],
        cross_attention=[torch.full((1, 2, 3), 1 / 3)],
        encoder_tokens=TOKENS,
        decoder_tokens=["le", "chat"],
    )
    assert (
        repr(view)
        == "HeadView(decoder 1 layer, 1 head, 2 tokens; cross 1 layer, 1 head, 2 x 3 tokens)"
    )


@pytest.mark.parametrize("cls", VIEWS)
def test_save_writes_a_whole_page_in_utf_8(
    trace: AttentionTrace, cls: type[View], tmp_path: Path
) -> None:
    target = tmp_path / "picture.html"
    assert cls(trace).save(target) is None
    text = target.read_bytes().decode("utf-8")
    assert text.startswith("<!DOCTYPE html>")
    assert '<meta charset="utf-8">' in text
    assert f"<title>{cls.kind.capitalize()} view</title>" in text
    cls(trace).save(str(target))  # a string, and a file that is there already
    assert target.read_text("utf-8").startswith("<!DOCTYPE html>")


def test_save_does_not_depend_on_the_locale(trace: AttentionTrace, tmp_path: Path) -> None:
    code = f"""
    from bertviz import AttentionTrace, HeadView
    trace = AttentionTrace.from_arrays(["\\u732b \\U0001f408"], [[[1.0]]])
    HeadView(trace).save({str(tmp_path / "x.html")!r})
    """
    environment = {"PYTHONUTF8": "0", "LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PATH": ""}
    subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)],
        env=environment,
        cwd=Path(bertviz.__file__).parent.parent,
        check=True,
    )
    (tmp_path / "x.html").read_text("utf-8")


@pytest.mark.parametrize("name", ["x.gif", "x", "x.html.gz"])
def test_save_refuses_other_suffixes(trace: AttentionTrace, tmp_path: Path, name: str) -> None:
    with pytest.raises(ValueError, match=r"path=.*: offered is \.html, .*; save as '.*html'"):
        HeadView(trace).save(tmp_path / name)
    assert not list(tmp_path.iterdir())


def test_hostile_tokens_stay_data() -> None:
    view = a_head_view([[[[1.0]]]], ["</script><script>alert(1)</script><!--"])
    assert view.data.lower().count("</script") == 1
    assert "alert(1)</script" not in view.data


def test_a_large_output_is_announced(
    trace: AttentionTrace, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("bertviz.views.display.LARGE_BYTES", 1_000)
    view = HeadView(trace)
    for read in (lambda: view.data, view._repr_mimebundle_):
        with pytest.warns(UserWarning, match=r"Colab and Databricks .* include_layers="):
            read()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        view.save(tmp_path / "x.html")  # a file has no limit


def test_an_ordinary_output_is_not(trace: AttentionTrace) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert len(HeadView(trace).data) < 1_000_000


def test_marimo_gets_a_frame(trace: AttentionTrace, monkeypatch: pytest.MonkeyPatch) -> None:
    marimo = types.SimpleNamespace(iframe=lambda html, **_: ("iframe", html))
    monkeypatch.setitem(sys.modules, "marimo", marimo)
    kind, html = HeadView(trace)._display_()
    assert kind == "iframe"
    assert html.startswith("<!DOCTYPE html>")


def test_ipython_shows_html_once(trace: AttentionTrace) -> None:
    from IPython.core.interactiveshell import InteractiveShell

    formatter = InteractiveShell.instance().display_formatter
    InteractiveShell.clear_instance()
    assert formatter is not None
    bundle, metadata = formatter.format(HeadView(trace))
    assert set(bundle) == {"text/html", "text/plain"}
    assert json.dumps(metadata) == "{}"


def test_the_table_has_the_shown_numbers(trace: AttentionTrace) -> None:
    [block] = trace.blocks.values()
    layer = block.layers[1]
    queries, keys = layer.shape
    heads = list(layer.heads)[1:3]
    table = HeadView(trace, layer=layer.index, heads=heads).table()
    rows = table if isinstance(table, list) else table.to_dict("records")
    assert len(rows) == len(heads) * queries * keys
    weights = layer.weights(heads)
    for row in rows:
        assert (row["block"], row["layer"]) == (block.name, layer.index)
        expected = float(weights[heads.index(row["head"]), row["query"], row["key"]])
        assert row["weight"] == pytest.approx(expected)
        assert row["query_token"] == block.query.text[row["query"]]
        assert row["key_token"] == block.key.text[row["key"]]
    neuron = NeuronView(trace, layer=layer.index, head=heads[0]).table()
    rows = neuron if isinstance(neuron, list) else neuron.to_dict("records")
    assert len(rows) == queries * keys
    assert rows[1]["score"] == pytest.approx(float(layer.scores(heads[0])[0, 0, 1]))
    every = ModelView(trace, include_layers=[layer.index], include_heads=heads).table()
    assert len(every) == len(heads) * queries * keys


def test_the_table_is_a_data_frame_where_pandas_is(
    trace: AttentionTrace, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = []

    class Pandas:
        @staticmethod
        def DataFrame(columns: dict[str, Any]) -> str:  # noqa: N802, pandas' name
            made.append(columns)
            return "a frame"

    monkeypatch.setitem(sys.modules, "pandas", Pandas)
    assert HeadView(trace).table() == "a frame"
    assert list(made[0])[:5] == ["block", "layer", "head", "query", "key"]
    monkeypatch.setitem(sys.modules, "pandas", None)
    rows = HeadView(trace).table()
    assert isinstance(rows, list)
    assert isinstance(rows[0]["layer"], int)
    assert isinstance(rows[0]["weight"], float)
