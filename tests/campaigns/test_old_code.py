"""Code written for BertViz 1.x runs: notebooks' calls, issues' snippets, how projects use it."""

from __future__ import annotations

import contextlib
import re
import textwrap
import warnings
from pathlib import Path
from typing import Any

import IPython.core.getipython
import IPython.display
import pytest

from tests.campaigns.old_code import Old
from tests.campaigns.old_errors import ERRORS
from tests.campaigns.old_modules import MODULES
from tests.campaigns.old_views import VIEWS

SNIPPETS = {**VIEWS, **MODULES, **ERRORS}


class Shell:
    """Stands for a notebook's IPython shell."""


@pytest.fixture
def displayed(monkeypatch: pytest.MonkeyPatch, hub: Path) -> list[Any]:
    """What is displayed, as in a notebook that stands in the hub's folder."""
    shown: list[Any] = []
    monkeypatch.setattr(IPython.core.getipython, "get_ipython", Shell)
    monkeypatch.setattr(IPython.display, "display", lambda *given: shown.extend(given))
    monkeypatch.chdir(hub)
    return shown


def problem(old: Old, displayed: list[Any]) -> str | None:
    """What is wrong with what a piece of old code did, or None."""
    raised: BaseException | None = None
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            exec(compile(textwrap.dedent(old.code), "old.py", "exec"), {"__name__": "__main__"})
        except Exception as error:
            raised = error
    said = [str(w.message) for w in caught if w.filename == "old.py"]
    views = sum(hasattr(shown, "trace") or hasattr(shown, "data") for shown in displayed)
    if raised is not None and (old.error is None or not isinstance(raised, old.error)):
        return f"{type(raised).__name__}: {raised}"
    if old.error is not None:
        found = raised is not None and re.search(old.says, str(raised))
        return None if found else f"expected {old.error.__name__} about {old.says}: {raised}"
    if old.warns is not None and not any(old.warns in text for text in said):
        return f"no warning about {old.warns}: {said}"
    if old.warns is None and said:
        return f"warned: {said}"
    for shown in displayed:
        with contextlib.suppress(AttributeError):
            shown._repr_mimebundle_()
    return None if views >= old.shown else f"{views} views shown, expected {old.shown}"


@pytest.mark.parametrize("name", SNIPPETS)
def test_old_code_runs(name: str, displayed: list[Any]) -> None:
    assert problem(SNIPPETS[name], displayed) is None


def test_there_are_enough() -> None:
    print(f"{len(SNIPPETS)} pieces of old code, {len(ERRORS)} of them errors")
    assert len(SNIPPETS) >= 80
