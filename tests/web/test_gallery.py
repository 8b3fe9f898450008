"""The gallery looks as before: the same elements and texts, and numbers up to rounding."""

from __future__ import annotations

import importlib.util
import re
import sys
from pathlib import Path
from types import ModuleType

import pytest

from tests.helpers import ROOT

NUMBER = re.compile(r"-?\d+(?:\.\d+)?")
# What depends on the bytes: builds of zlib pack the same pixels differently, and a file's ids are
# made from all of it.
BYTES = re.compile(r'href="data:image/png;base64,[^"]+"|bertviz-[a-j]+')


def gallery() -> ModuleType:
    spec = importlib.util.spec_from_file_location("gallery", ROOT / "docs" / "gallery.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["gallery"] = module
    spec.loader.exec_module(module)
    return module


GALLERY = gallery()
FIGURES = GALLERY.FIGURES


@pytest.mark.parametrize("figure", FIGURES, ids=lambda figure: figure.name)
def test_a_figure_is_as_it_was(figure: object, tmp_path: Path) -> None:
    figure.view().save(tmp_path / "new.svg", **figure.state)
    new, old = (
        BYTES.sub("", path.read_text("utf-8"))
        for path in (tmp_path / "new.svg", ROOT / "docs" / "gallery" / f"{figure.name}.svg")
    )
    hint = "if it should look different now, look at it, and run python docs/gallery.py"
    assert NUMBER.sub("#", new) == NUMBER.sub("#", old), hint
    for found, expected in zip(NUMBER.findall(new), NUMBER.findall(old), strict=True):
        assert abs(float(found) - float(expected)) <= 0.011, hint


def test_the_page_is_what_its_generator_writes() -> None:
    assert GALLERY.PAGE.read_text("utf-8") == GALLERY.page(), "run python docs/gallery.py"


def test_the_page_shows_every_figure() -> None:
    shown = set(re.findall(r"\(gallery/(.+)\.svg\)", GALLERY.page()))
    assert shown == {figure.name for figure in FIGURES}
    assert shown == {path.stem for path in GALLERY.FOLDER.iterdir()}
