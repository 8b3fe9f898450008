"""The ways a picture leaves Python: HTML, a file, its table, and an output of a notebook."""

from __future__ import annotations

import json
import re
import sys
import types
import warnings
from pathlib import Path
from typing import Any

import pytest
import torch

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
        view._repr_mimebundle_()["text/html"],
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
