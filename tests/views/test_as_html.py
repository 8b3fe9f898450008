"""A view is what code that got IPython's ``HTML`` from BertViz expects."""

from __future__ import annotations

import copy
import pickle
from pathlib import Path
from typing import Any

import pytest
from IPython.display import HTML

from bertviz import AttentionTrace, HeadView, ModelView, NeuronView
from bertviz.views.view import View
from tests.views.texts import TOKENS

VIEWS = [HeadView, ModelView, NeuronView]


def shown(view: View) -> str:
    found: str = view._repr_mimebundle_()["text/html"]
    return found


@pytest.mark.parametrize("cls", VIEWS)
def test_data_stays_the_same(trace: AttentionTrace, cls: Any) -> None:
    view = cls(trace)
    assert view.data is view.data
    assert view.__html__() == view.data
    assert cls(trace).data != view.data  # ids of their own
    for again in (copy.copy(view), copy.deepcopy(view), pickle.loads(pickle.dumps(view))):
        assert again.data == view.data


def test_data_can_be_set(trace: AttentionTrace, tmp_path: Path) -> None:
    view = HeadView(trace)
    view.data = f"<h1>BERT</h1>{view.data}"
    assert view.data.startswith("<h1>BERT</h1><div")
    assert shown(view) == view._repr_html_() == view.__html__() == view.data
    assert "<h1>BERT</h1>" in view._document()
    view.save(tmp_path / "x.html")  # the picture itself
    assert "<h1>" not in (tmp_path / "x.html").read_text()
    with pytest.raises(TypeError, match="data is a bytes: expected a string of HTML"):
        view.data = b"<p>"  # type: ignore[assignment]
    assert view.data.startswith("<h1>BERT</h1><div")


def test_metadata_is_displayed(trace: AttentionTrace) -> None:
    view, other = HeadView(trace), HeadView(trace)
    assert view.metadata == {}
    view.metadata["isolated"] = True
    forms, metadata = view._repr_mimebundle_()
    assert set(forms) == {"text/html", "text/plain"}
    assert metadata == {"text/html": {"isolated": True}}
    assert other.metadata == {}


def test_it_has_what_an_html_object_has(trace: AttentionTrace) -> None:
    """Public attributes of IPython's object, with its values for one made of a string."""
    view, html = HeadView(trace), HTML("<p>text</p>")
    public = {name for name in dir(html) if not name.startswith("_")}
    assert {"data", "metadata", "url", "filename", "reload"} <= public <= set(dir(view))
    for name in public - {"data", "reload"}:
        assert getattr(view, name) == getattr(html, name)
    before = view.data
    view.reload()
    assert view.data == before


def test_template_engines_do_not_escape_it() -> None:
    markupsafe = pytest.importorskip("markupsafe")
    view = HeadView(AttentionTrace.from_arrays(TOKENS, [[[[1.0, 0, 0]] * 3]]))
    assert markupsafe.escape(view) == view.data
