"""The view objects: options that are checked, and every way a picture leaves Python."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import textwrap
import types
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import IPython.core.getipython
import IPython.display
import numpy as np
import pytest
import torch

import bertviz
from bertviz import AttentionTrace, HeadView, ModelView, NeuronView
from bertviz.views.view import View
from tests.helpers import Difference

TOKENS = ["the", "cat", "sat"]
VIEWS = [HeadView, ModelView, NeuronView]
FUNCTIONS = [bertviz.head_view, bertviz.model_view, bertviz.neuron_view]


@pytest.fixture(scope="module")
def trace() -> AttentionTrace:
    """Three layers of four heads, with queries and keys."""
    torch.manual_seed(0)
    return AttentionTrace.from_arrays(
        tokens=TOKENS, queries=torch.randn(3, 4, 3, 8), keys=torch.randn(3, 4, 3, 8)
    )


def state(view: View) -> dict[str, Any]:
    found: dict[str, Any] = view._payload["state"]
    return found


# --- options ------------------------------------------------------------------------------------


def test_options_reach_the_payload(trace: AttentionTrace) -> None:
    view = HeadView(trace, layer=2, heads=[1, 3], include_layers=[0, 2], display_mode="dark")
    assert state(view) == {"block": "encoder", "layer": 2, "heads": [1, 3]}
    assert [layer["index"] for layer in view._payload["blocks"][0]["layers"]] == [0, 2]
    assert view._payload["theme"] == "dark"


def test_without_options_the_page_decides(trace: AttentionTrace) -> None:
    for cls in VIEWS:
        view = cls(trace)
        assert state(view) == {}
        assert view._payload["theme"] == "auto"
        assert view._payload["view"] == view.kind


def test_neuron_view_starts_with_one_head(trace: AttentionTrace) -> None:
    assert state(NeuronView(trace, layer=1, head=2)) == {
        "block": "encoder",
        "layer": 1,
        "heads": [2],
    }


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (np.int64(2), 2),
        (np.uint8(1), 1),
        (torch.tensor(2), 2),
        (0, 0),
    ],
)
def test_integers_of_other_libraries(trace: AttentionTrace, value: Any, expected: int) -> None:
    view = HeadView(trace, layer=value)
    assert state(view)["layer"] == expected
    assert type(state(view)["layer"]) is int
    assert state(NeuronView(trace, head=value))["heads"] == [expected]


@pytest.mark.parametrize(
    "value",
    [[1, 2], (1, 2), range(1, 3), np.array([1, 2]), torch.tensor([1, 2]), [np.int32(1), 2], {1, 2}],
)
def test_collections_of_numbers(trace: AttentionTrace, value: Any) -> None:
    assert state(HeadView(trace, heads=value))["heads"] == [1, 2]
    view = ModelView(trace, include_layers=value, include_heads=value)
    layers = view._payload["blocks"][0]["layers"]
    assert [(layer["index"], layer["heads"]) for layer in layers] == [(1, [1, 2]), (2, [1, 2])]


def test_one_number_and_repeats(trace: AttentionTrace) -> None:
    assert state(HeadView(trace, heads=3))["heads"] == [3]
    assert state(HeadView(trace, heads=[3, 1, 3]))["heads"] == [3, 1]


Case = tuple[type[View], dict[str, Any], type[Exception], str]
BAD_OPTIONS: list[Case] = [
    (
        HeadView,
        {"layer": 3},
        ValueError,
        "layer=3 is out of range: the attention has layers 0 to 2; pass layer=2 or lower.",
    ),
    (HeadView, {"layer": -1}, ValueError, "layer=-1 is out of range: the attention has layers"),
    (
        HeadView,
        {"layer": "2"},
        TypeError,
        "layer='2' is a str: expected a layer number, such as layer=2.",
    ),
    (HeadView, {"layer": True}, TypeError, "layer=True is a bool: expected a layer number"),
    (HeadView, {"layer": 1.0}, TypeError, "layer=1.0 is a float: .* such as layer=1."),
    (HeadView, {"layer": [1]}, TypeError, r"layer=\[1\] is a list: expected a layer number"),
    (
        HeadView,
        {"heads": [0, 4]},
        ValueError,
        "heads holds 4, which is out of range: layer 0 has heads 0 to 3; choose from these.",
    ),
    (HeadView, {"heads": []}, ValueError, r"heads=\[\] is empty: .* leave heads out for all"),
    (HeadView, {"heads": "0,1"}, TypeError, "heads='0,1' is a str: expected a list of head"),
    (HeadView, {"heads": True}, TypeError, "heads=True is a bool"),
    (HeadView, {"heads": [True]}, TypeError, "heads holds True, a bool: expected head numbers"),
    (HeadView, {"heads": [0.5]}, TypeError, "heads holds 0.5, a float"),
    (HeadView, {"heads": [None]}, TypeError, "heads holds None, a NoneType"),
    (
        HeadView,
        {"include_layers": [0, 3]},
        ValueError,
        "include_layers holds 3, which is out of range: the attention has layers 0 to 2",
    ),
    (HeadView, {"include_layers": []}, ValueError, "include_layers=.* is empty"),
    (
        HeadView,
        {"layer": 1, "include_layers": [0, 2]},
        ValueError,
        r"layer=1 is not among include_layers=\[0, 2\]: add it there, or pass layer=0 or layer=2.",
    ),
    (
        HeadView,
        {"heads": [1], "include_heads": [0]},
        ValueError,
        r"heads=\[1\]: head 1 is not among include_heads=\[0\]",
    ),
    (ModelView, {"include_heads": [9]}, ValueError, "include_heads holds 9, which is out of range"),
    (
        NeuronView,
        {"head": 4},
        ValueError,
        "head=4 is out of range: layer 0 has heads 0 to 3; pass head=3 or lower.",
    ),
    (NeuronView, {"head": [0]}, TypeError, r"head=\[0\] is a list: expected a head number"),
    (NeuronView, {"head": 1, "include_heads": [0]}, ValueError, "head=1 is not among include_head"),
]


@pytest.mark.parametrize(("cls", "options", "error", "message"), BAD_OPTIONS)
def test_bad_options_name_the_fix(
    trace: AttentionTrace,
    cls: type[View],
    options: dict[str, Any],
    error: type[Exception],
    message: str,
) -> None:
    with pytest.raises(error, match=message):
        cls(trace, **options)


@pytest.mark.parametrize("cls", VIEWS)
@pytest.mark.parametrize("mode", ["Dark", "", None, 1, ["dark"]])
def test_bad_display_mode(trace: AttentionTrace, cls: type[View], mode: Any) -> None:
    with pytest.raises(ValueError, match=r"display_mode=.* expected 'auto' .*, 'light' or 'dark'"):
        cls(trace, display_mode=mode)


def test_neuron_view_of_weights_alone_says_what_it_needs() -> None:
    with pytest.raises(ValueError, match=r"queries and keys.* neuron_view\(model, tokenizer"):
        NeuronView(torch.full((1, 2, 3, 3), 1 / 3), TOKENS)


# --- ways out -----------------------------------------------------------------------------------


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
    view = HeadView(
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
    view = HeadView([[[[1.0]]]], ["</script><script>alert(1)</script><!--"])
    assert view.data.lower().count("</script") == 1
    assert "alert(1)</script" not in view.data


def test_a_large_output_is_announced(
    trace: AttentionTrace, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("bertviz.views.view.LARGE_BYTES", 1_000)
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


# --- html_action --------------------------------------------------------------------------------


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


def test_ipython_shows_html_once(trace: AttentionTrace) -> None:
    from IPython.core.interactiveshell import InteractiveShell

    formatter = InteractiveShell.instance().display_formatter
    InteractiveShell.clear_instance()
    assert formatter is not None
    bundle, metadata = formatter.format(HeadView(trace))
    assert set(bundle) == {"text/html", "text/plain"}
    assert json.dumps(metadata) == "{}"


# --- comparisons --------------------------------------------------------------------------------


def test_a_comparison_in_the_head_and_the_model_view(trace: AttentionTrace) -> None:
    torch.manual_seed(1)
    other = AttentionTrace.from_arrays(
        tokens=TOKENS, queries=torch.randn(3, 4, 3, 8), keys=torch.randn(3, 4, 3, 8)
    )
    comparison = Difference(trace, other)
    head = HeadView(comparison, layer=1, heads=[2])
    assert head._payload["difference"]
    assert state(head) == {"block": "encoder", "layer": 1, "heads": [2]}
    model = bertviz.model_view(comparison, html_action="return")
    assert [measure["name"] for measure in model._payload["measures"]] == ["difference"]
    assert model._payload["neurons"] == "left out", "neurons are one trace's"
    found = [row["weight"] for row in head.rows()]
    np.testing.assert_allclose(found, comparison.weights(1, [2]).ravel(), atol=1e-6)
    # One's own scores come in place of the comparison's.
    mine = ModelView(comparison, scores={"mine": {(0, 0): 1}})
    assert [measure["name"] for measure in mine._payload["measures"]] == ["mine"]


def test_what_does_not_go_with_a_comparison(trace: AttentionTrace) -> None:
    comparison = Difference(trace, trace)
    with pytest.raises(TypeError, match=r"neuron_view shows one trace; pass neuron_view\(x.a"):
        NeuronView(comparison)
    with pytest.raises(TypeError, match="takes no tokens with a trace"):
        ModelView(comparison, TOKENS)
    with pytest.raises(ValueError, match="layer=3 is out of range"):
        HeadView(comparison, layer=3)
