"""A view function displays at once, or returns the view, or says that nothing can show it."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from collections.abc import Callable
from typing import Any

import IPython.core.getipython
import IPython.display
import pytest

import bertviz
from bertviz import AttentionTrace, HeadView, ModelView, NeuronView
from bertviz.views.view import View

VIEWS = [HeadView, ModelView, NeuronView]
FUNCTIONS = [bertviz.head_view, bertviz.model_view, bertviz.neuron_view]


class Shell:
    """Stands for a notebook's IPython shell."""


@pytest.fixture
def displayed(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What is displayed, as in a notebook."""
    shown: list[Any] = []
    monkeypatch.setattr(IPython.core.getipython, "get_ipython", Shell)
    monkeypatch.setattr(IPython.display, "display", shown.append)
    return shown


@pytest.mark.parametrize("function", FUNCTIONS)
def test_view_displays_at_once_and_gives_none(
    trace: AttentionTrace, function: Callable[..., Any], displayed: list[Any]
) -> None:
    for count in (1, 2):
        assert function(trace) is None
        assert len(displayed) == count
    assert function(trace, html_action="view") is None
    assert isinstance(displayed[-1], View)


@pytest.mark.parametrize(("function", "cls"), [*zip(FUNCTIONS, VIEWS, strict=True)])
def test_return_gives_the_view(
    trace: AttentionTrace, function: Callable[..., Any], cls: type[View], displayed: list[Any]
) -> None:
    view = function(trace, html_action="return")
    assert type(view) is cls
    assert isinstance(view.data, str)
    assert displayed == []


@pytest.mark.parametrize("function", FUNCTIONS)
@pytest.mark.parametrize("action", ["show", None, True, "", ["view"]])
def test_other_actions_are_refused_before_any_work(
    function: Callable[..., Any], action: Any
) -> None:
    with pytest.raises(ValueError, match=r"html_action=.* expected 'view' .* or 'return'"):
        function(object(), html_action=action)


def test_marimo_puts_its_own_display_in_place(
    trace: AttentionTrace, monkeypatch: pytest.MonkeyPatch
) -> None:
    import functools

    shown: list[Any] = []

    @functools.wraps(IPython.display.display)
    def display(*objects: Any) -> None:
        shown.extend(objects)

    monkeypatch.setattr(IPython.display, "display", display)
    bertviz.head_view(trace)
    assert len(shown) == 1


def test_a_script_is_told_to_save(trace: AttentionTrace) -> None:
    with pytest.warns(UserWarning, match=r'head_view\(.*html_action="return"\)\.save\("head') as w:
        assert bertviz.head_view(trace) is None
    assert w[0].filename == __file__


def test_a_terminal_is_told_to_save(trace: AttentionTrace, monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = type("TerminalInteractiveShell", (), {})
    monkeypatch.setattr(IPython.core.getipython, "get_ipython", terminal)
    with pytest.warns(UserWarning, match="neuron_view has nowhere to show"):
        bertviz.neuron_view(trace)


def test_without_ipython_a_script_is_told_too() -> None:
    code = """
    import sys
    sys.modules["IPython"] = None
    import bertviz
    bertviz.head_view([[[[1.0]]]], ["a"])
    assert len(bertviz.head_view([[[[1.0]]]], ["a"], html_action="return").data) > 100
    """
    result = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True
    )
    assert result.returncode == 0, result.stderr
    assert "nowhere to show" in result.stderr
