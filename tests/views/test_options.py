"""Options reach the payload, from any library's integers, and the wrong ones say what is right."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from bertviz import AttentionTrace, HeadView, ModelView, NeuronView
from bertviz.views.view import View
from tests.helpers import a_neuron_view
from tests.views.texts import TOKENS, state

VIEWS = [HeadView, ModelView, NeuronView]


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
@pytest.mark.parametrize("mode", ["Dark", "", 1, ["dark"], {"dark"}])
def test_bad_display_mode(trace: AttentionTrace, cls: type[View], mode: Any) -> None:
    with pytest.raises(ValueError, match=r"display_mode=.* expected 'auto' .*, 'light' or 'dark'"):
        cls(trace, display_mode=mode)


EMPTY: list[Any] = [[], (), range(0), set(), {}, np.array([])]


@pytest.mark.parametrize("empty", EMPTY, ids=repr)
def test_no_layers_or_heads_are_all_of_them(trace: AttentionTrace, empty: Any) -> None:
    """BertViz took an empty list for no choice."""
    every = HeadView(trace)._payload
    assert HeadView(trace, heads=empty, include_layers=empty)._payload == every
    every = ModelView(trace)._payload
    assert ModelView(trace, include_layers=empty, include_heads=empty)._payload == every


def test_negative_numbers_count_from_the_end(trace: AttentionTrace) -> None:
    wanted = ModelView(trace, include_layers=[2, 0], include_heads=[3])._payload
    view = ModelView(trace, include_layers=[-1, -3, 2], include_heads=[-1])
    assert view._payload == wanted
    with pytest.raises(ValueError, match="include_layers holds -4, which is out of range"):
        ModelView(trace, include_layers=[-4])


@pytest.mark.parametrize("cls", VIEWS)
def test_no_display_mode_follows_the_notebook(trace: AttentionTrace, cls: type[View]) -> None:
    assert cls(trace, display_mode=None)._payload["theme"] == "auto"  # type: ignore[call-arg, arg-type]


@pytest.mark.parametrize(
    "value", [0, 1, None, np.bool_(False), np.bool_(True), np.int64(0)], ids=repr
)
def test_a_switch_may_be_a_number(value: Any) -> None:
    tokens = ["Ġa", "b"]
    trace = AttentionTrace.from_arrays(tokens, torch.full((1, 2, 2), 0.5))
    shown = HeadView(trace, prettify_tokens=value)._payload["blocks"][0]["query"]["text"]
    assert shown == ([" a", "b"] if value else tokens)


@pytest.mark.parametrize("value", [2, -1, 0.5, "no", [], [True], np.array([1, 0])], ids=repr)
def test_no_other_value_is_a_switch(trace: AttentionTrace, value: Any) -> None:
    with pytest.raises(TypeError, match=r"prettify_tokens=.*: expected True or False"):
        HeadView(trace, prettify_tokens=value)


def test_neuron_view_of_weights_alone_says_what_it_needs() -> None:
    with pytest.raises(ValueError, match=r"queries and keys.* neuron_view\(model, tokenizer"):
        a_neuron_view(torch.full((1, 2, 3, 3), 1 / 3), TOKENS)
