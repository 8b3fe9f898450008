"""The tutorial for users of BertViz runs from top to bottom, and its old calls are told truly."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import IPython.core.getipython
import IPython.display
import pytest

from bertviz.views.view import View
from tests.helpers import ROOT

PAGE = ROOT / "docs" / "from_bertviz.md"


class Shell:
    """Stands for a notebook's IPython shell."""


def test_the_tutorial_runs(hub: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shown: list[Any] = []
    monkeypatch.setattr(IPython.core.getipython, "get_ipython", Shell)
    monkeypatch.setattr(IPython.display, "display", shown.append)
    monkeypatch.chdir(hub)
    blocks = re.findall(r"^```python\n(.*?)^```$", PAGE.read_text("utf-8"), re.M | re.S)
    names: dict[str, Any] = {}
    for block in blocks:
        exec(compile(block, str(PAGE), "exec"), names)
    assert len(blocks) == 9
    assert len(shown) == 9
    assert all(isinstance(view, View) for view in shown)
    assert (hub / "head_view.html").read_text("utf-8").startswith("<!DOCTYPE html>")


def test_the_readme_leads_to_it() -> None:
    assert "(docs/from_bertviz.md)" in (ROOT / "README.md").read_text("utf-8")
