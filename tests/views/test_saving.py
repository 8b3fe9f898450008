"""A view as a file: the same state, or the same refusal, whatever the suffix."""

from __future__ import annotations

import io
import subprocess
import sys
import textwrap
import xml.etree.ElementTree as ET
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import bertviz
from bertviz import AttentionTrace, HeadView, ModelView, NeuronView
from bertviz.views.saving import OFFERED_SUFFIXES, css_pixels
from bertviz.views.view import View

TOKENS = ["the", "cat", "sat"]
VIEWS = [HeadView, ModelView, NeuronView]


@pytest.fixture(scope="module")
def trace() -> AttentionTrace:
    """Three layers of four heads, with queries and keys."""
    torch.manual_seed(0)
    return AttentionTrace.from_arrays(
        tokens=TOKENS, queries=torch.randn(3, 4, 3, 8), keys=torch.randn(3, 4, 3, 8)
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
    from bertviz import head_view
    view = head_view([[[[1.0]]]], ["\\u732b \\U0001f408"], html_action="return")
    view.save({str(tmp_path / "x.html")!r})
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
    with pytest.raises(ValueError, match=r"path=.*: expected one of \.html, .*, such as '.*html'"):
        HeadView(trace).save(tmp_path / name)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("suffix", OFFERED_SUFFIXES)
@pytest.mark.parametrize(
    ("cls", "state", "kind", "message"),
    [
        (HeadView, {"color": 1}, TypeError, "color is not part of what a head view shows"),
        (HeadView, {"query": 99}, ValueError, "query=99 is out of range: the text has 3 query"),
        (HeadView, {"query": -1}, ValueError, "query=-1 is out of range: the text has 3 query"),
        (HeadView, {"mode": "matrx"}, ValueError, "expected 'lines' or 'matrix'"),
        (HeadView, {"words": True}, ValueError, "every word of this text is one token"),
        (ModelView, {"cell": [9, 0]}, ValueError, "'encoder' has layers 0 to 2"),
        (NeuronView, {"heads": [0, 1]}, ValueError, "a neuron view shows one"),
    ],
)
def test_every_suffix_refuses_the_same_states(
    trace: AttentionTrace,
    tmp_path: Path,
    suffix: str,
    cls: type[View],
    state: dict[str, Any],
    kind: type[Exception],
    message: str,
) -> None:
    target = tmp_path / f"x{suffix}"
    target.write_text("mine")
    with pytest.raises(kind, match=message):
        cls(trace).save(target, **state)
    assert target.read_text() == "mine", "nothing is overwritten"


def test_a_file_begins_with_the_state_that_is_asked_for(
    trace: AttentionTrace, tmp_path: Path
) -> None:
    view = HeadView(trace, layer=1)
    view.save(tmp_path / "x.html", query=np.int64(1), heads=[3, 0], locked=True)
    state = '"state":{"block":"encoder","layer":1,"query":1,"heads":[0,3],"locked":true}'
    assert state in (tmp_path / "x.html").read_text("utf-8")
    assert view._payload["state"] == {"block": "encoder", "layer": 1}, "the view is as it was"


def test_heads_that_a_view_starts_with_are_drawn_in_order(
    trace: AttentionTrace, tmp_path: Path
) -> None:
    for name, heads in (("a", [3, 1]), ("b", [1, 3])):
        HeadView(trace, heads=heads).save(tmp_path / f"{name}.svg")
    assert (tmp_path / "a.svg").read_bytes() == (tmp_path / "b.svg").read_bytes()


def test_a_width_has_a_unit_or_is_in_pixels() -> None:
    assert css_pixels(None) is None
    for width, pixels in {
        760: 760,
        0.5: 0.5,
        np.float32(8): 8,
        np.int64(8): 8,
        Fraction(1, 2): 0.5,
        "3.25in": 312,
        " 600 px": 600,
        "2.54cm": 96,
        "25.4 mm": 96,
        "72pt": 96,
        ".5in": 48,
    }.items():
        assert css_pixels(width) == pytest.approx(pixels)


@pytest.mark.parametrize("suffix", OFFERED_SUFFIXES)
@pytest.mark.parametrize(
    ("width", "kind"),
    [
        *((width, ValueError) for width in (0, -1, float("nan"), float("inf"), "0in", "-2in")),
        *((width, ValueError) for width in ("3.25 foot", "3.25", "", "in", "1e3px", "nan px")),
        *((width, TypeError) for width in (True, [600], b"3in", 1j)),
    ],
)
def test_other_widths_are_refused(
    trace: AttentionTrace, tmp_path: Path, suffix: str, width: Any, kind: type[Exception]
) -> None:
    expected = r"expected CSS pixels above 0, such as 600, or a string with a unit .*'3\.25in'"
    with pytest.raises(kind, match=expected):
        HeadView(trace).save(tmp_path / f"x{suffix}", width=width)
    assert not list(tmp_path.iterdir())


def test_a_figure_is_as_wide_as_it_is_told(trace: AttentionTrace, tmp_path: Path) -> None:
    found = []
    for width in (None, 480, "5in", "10in"):
        NeuronView(trace).save(tmp_path / "x.svg", width=width)
        found.append(float(ET.parse(tmp_path / "x.svg").getroot().get("width", "0")))
    default, *told = found
    assert told == [480, 480, 960]
    assert 480 < default < 1100 + 2 * 16, "as wide as what is drawn, and its margin"


@pytest.mark.parametrize("path", [None, 3, b"x.html", ["x.html"], object()])
def test_other_paths_are_refused(trace: AttentionTrace, path: Any) -> None:
    with pytest.raises(TypeError, match=r"path=.*: expected a str or a pathlib.Path"):
        HeadView(trace).save(path)


@pytest.mark.parametrize("width", [np.float32(600), np.int64(600), np.array(600)])
def test_numbers_of_numpy_are_widths(width: Any) -> None:
    assert css_pixels(width) == 600


def test_a_page_has_no_width_of_its_own(trace: AttentionTrace, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"width=600 does not go with an \.html file"):
        HeadView(trace).save(tmp_path / "x.html", width=600)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("suffix", OFFERED_SUFFIXES)
def test_a_file_object_gets_what_a_file_gets(
    trace: AttentionTrace, tmp_path: Path, suffix: str
) -> None:
    view = HeadView(trace)
    view.save(tmp_path / f"x{suffix}", query=1)
    memory = io.BytesIO()
    view.save(memory, format=suffix[1:], query=1)  # type: ignore[arg-type]
    with open(tmp_path / "opened", "wb", buffering=0) as raw:
        view.save(raw, format=suffix[1:], query=1)  # type: ignore[arg-type]
    files = [memory.getvalue(), (tmp_path / "opened").read_bytes()]
    files.append((tmp_path / f"x{suffix}").read_bytes())
    if suffix in (".svg", ".png"):
        assert files[0] == files[1] == files[2]
    # A page has a name of its own, a document its date.
    assert len({(len(data), data[:8]) for data in files}) == 1


def test_svg_is_what_save_writes(trace: AttentionTrace, tmp_path: Path) -> None:
    look: dict[str, Any] = {"width": "3.25in", "font_size": 7, "title": "a", "legend": False}
    HeadView(trace).save(tmp_path / "x.svg", mark=False, query=1, **look)
    text = HeadView(trace).svg(mark=False, query=1, **look)
    assert (tmp_path / "x.svg").read_text("utf-8") == text
    assert not hasattr(HeadView(trace), "_repr_svg_"), "a notebook would show the view twice"


@pytest.mark.parametrize(
    ("wrong", "kind", "message"),
    [
        ({"font_size": "8"}, TypeError, "font_size='8' is a str: expected points from 1 to 100"),
        ({"font_size": 0}, ValueError, "font_size=0 is out of range: expected points"),
        ({"font_size": 101}, ValueError, "font_size=101 is out of range"),
        ({"font_size": float("nan")}, ValueError, "font_size=nan is not finite"),
        ({"title": 3}, TypeError, "title=3 is an int: expected a str, '' for no title"),
        ({"legend": 1}, TypeError, "legend=1 is an int: expected True or False"),
        ({"mark": None}, TypeError, "mark=None is a NoneType: expected True or False"),
        ({"width": "101in"}, ValueError, r"width='101in' is over 9600 pixels \(100in\)"),
        ({"format": "gif"}, ValueError, "format='gif' is unknown: expected 'html', 'svg'"),
        ({"format": 3}, TypeError, "format=3 is an int: expected 'html', 'svg'"),
    ],
)
@pytest.mark.parametrize("suffix", OFFERED_SUFFIXES)
def test_other_looks_are_refused(
    trace: AttentionTrace, tmp_path: Path, suffix: str, wrong: Any, kind: Any, message: str
) -> None:
    with pytest.raises(kind, match=message):
        HeadView(trace).save(tmp_path / f"x{suffix}", **wrong)
    assert not list(tmp_path.iterdir())


def test_other_files_are_refused(trace: AttentionTrace, tmp_path: Path) -> None:
    view = HeadView(trace)
    with pytest.raises(ValueError, match="format=None: a file object needs one of 'html', 'svg'"):
        view.save(io.BytesIO())
    with pytest.raises(TypeError, match=r"path=.* does not take bytes: .* binary mode"):
        view.save(io.StringIO(), format="html")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"format='svg' is not what path=.* ends in"):
        view.save(tmp_path / "x.html", format="svg")
    with pytest.raises(ValueError, match=r"legend=False does not go with an \.html file"):
        view.save(tmp_path / "x.html", legend=False)
    with pytest.raises(ValueError, match=r"font_size=8 does not go with an \.html file"):
        view.save(tmp_path / "x.html", font_size=8)
    assert not list(tmp_path.iterdir())


def test_a_title_is_that_of_a_page(trace: AttentionTrace, tmp_path: Path) -> None:
    HeadView(trace).save(tmp_path / "x.html", title="Mine & yours")
    assert "<title>Mine &amp; yours</title>" in (tmp_path / "x.html").read_text("utf-8")
