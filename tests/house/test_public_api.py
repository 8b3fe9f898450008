"""The public names, in every order in which old and new code imports them."""

from __future__ import annotations

import inspect
import subprocess
import sys
import textwrap
import typing

import pytest

import bertviz

# BertViz 1.4's signatures: names, order and defaults (display_mode apart, which follows the
# notebook here).
OLD_HEAD_VIEW = [
    ("attention", None),
    ("tokens", None),
    ("sentence_b_start", None),
    ("prettify_tokens", True),
    ("layer", None),
    ("heads", None),
    ("encoder_attention", None),
    ("decoder_attention", None),
    ("cross_attention", None),
    ("encoder_tokens", None),
    ("decoder_tokens", None),
    ("include_layers", None),
    ("html_action", "view"),
]
OLD_MODEL_VIEW = [
    ("attention", None),
    ("tokens", None),
    ("sentence_b_start", None),
    ("prettify_tokens", True),
    ("display_mode", "auto"),
    ("encoder_attention", None),
    ("decoder_attention", None),
    ("cross_attention", None),
    ("encoder_tokens", None),
    ("decoder_tokens", None),
    ("include_layers", None),
    ("include_heads", None),
    ("html_action", "view"),
]
OLD_SHOW = [
    ("model", inspect.Parameter.empty),
    ("model_type", inspect.Parameter.empty),
    ("tokenizer", inspect.Parameter.empty),
    ("sentence_a", inspect.Parameter.empty),
    ("sentence_b", None),
    ("display_mode", "auto"),
    ("layer", None),
    ("head", None),
    ("html_action", "view"),
]


def positional(signature: inspect.Signature) -> list[tuple[str, object]]:
    return [
        (parameter.name, parameter.default)
        for parameter in signature.parameters.values()
        if parameter.kind is inspect.Parameter.POSITIONAL_OR_KEYWORD
    ]


def run(code: str) -> str:
    result = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True
    )
    assert result.returncode == 0, result.stderr
    return result.stdout.strip()


def test_arrays_come_in_the_order_of_bertviz() -> None:
    assert positional(sys.modules["bertviz.head_view"].SIGNATURES.arrays) == OLD_HEAD_VIEW
    assert positional(sys.modules["bertviz.model_view"].SIGNATURES.arrays) == OLD_MODEL_VIEW
    assert positional(inspect.signature(sys.modules["bertviz.neuron_view"].show)) == OLD_SHOW


@pytest.mark.parametrize("name", ["head", "model", "neuron"])
def test_editors_show_what_people_type(name: str) -> None:
    """Shift-Tab in Jupyter shows the signature; editors show the first overload."""
    function = getattr(bertviz, f"{name}_view")
    shown = ["model", "tokenizer", "text", "text_pair"]
    assert [name for name, _ in positional(inspect.signature(function))] == shown
    if sys.version_info >= (3, 11):
        first = inspect.signature(typing.get_overloads(function)[0])
        assert [name for name, _ in positional(first)] == shown


@pytest.mark.parametrize("name", ["head", "model", "neuron"])
def test_functions_take_what_classes_take(name: str) -> None:
    signatures = sys.modules[f"bertviz.{name}_view"].SIGNATURES
    cls = dict(inspect.signature(getattr(bertviz, f"{name.capitalize()}View")).parameters)
    assert cls.pop("trace").kind is inspect.Parameter.POSITIONAL_OR_KEYWORD
    assert {parameter.kind for parameter in cls.values()} == {inspect.Parameter.KEYWORD_ONLY}
    for signature in (signatures.model, signatures.trace, signatures.arrays):
        function = signature.parameters
        assert {option: function[option].default for option in cls} == {
            option: parameter.default for option, parameter in cls.items()
        }
        assert function["html_action"].default == "view"
    assert set(signatures.trace.parameters) == {"trace", *cls, "html_action"}


# Every way to import, alone in a process: whichever comes first, the names stay functions.
ORDERS = {
    "module before package": "from bertviz.neuron_view import show",
    "submodule statement": "import bertviz.neuron_view",
    "all submodules": "import bertviz.head_view, bertviz.model_view, bertviz.neuron_view",
    "from package": "from bertviz import head_view, model_view, neuron_view",
    "trace module": "from bertviz.trace import AttentionTrace",
    "old path": "import bertviz.transformers_neuron_view",
    "by name": "import importlib; importlib.import_module('bertviz.neuron_view')",
    "functions from their modules": (
        "from bertviz.head_view import head_view; from bertviz.model_view import model_view"
    ),
    "reloaded": "import importlib, bertviz; importlib.reload(bertviz)",
    "reloaded module": (
        "import importlib, sys, bertviz; importlib.reload(sys.modules['bertviz.neuron_view'])"
    ),
}


@pytest.mark.parametrize("first", ORDERS.values(), ids=ORDERS)
def test_names_stay_functions_whatever_is_imported_first(first: str) -> None:
    code = f"""
    {first}
    import inspect
    import bertviz
    from bertviz.neuron_view import show
    import bertviz.head_view
    import bertviz.model_view as m
    import bertviz.neuron_view as n
    for name in ("head_view", "model_view", "neuron_view"):
        assert inspect.isfunction(getattr(bertviz, name)), name
    assert inspect.isfunction(m) and inspect.isfunction(n) and inspect.isfunction(show)
    assert n.show.__name__ == "show" and bertviz.neuron_view.show.__module__ == show.__module__
    assert bertviz.AttentionTrace.__name__ == "AttentionTrace"
    print("ok")
    """
    assert run(code) == "ok"


# These import torch and transformers, which takes seconds.
@pytest.mark.parametrize(
    "first", ["from bertviz import extractor", "import bertviz.extractor", "from bertviz import *"]
)
def test_lazy_names_whatever_is_imported_first(first: str) -> None:
    code = f"""
    {first}
    import bertviz, inspect, types
    from bertviz.neuron_view import show
    assert isinstance(bertviz.extractor, types.ModuleType)
    assert bertviz.extractor.extract is bertviz.extract
    assert issubclass(bertviz.NothingCaptured, RuntimeError)
    assert inspect.isfunction(bertviz.neuron_view)
    print("ok")
    """
    assert run(code) == "ok"


def test_all_names_are_there_and_listed() -> None:
    for name in bertviz.__all__:
        assert getattr(bertviz, name) is not None
        assert name in dir(bertviz)


def test_lazy_names_are_listed_before_they_are_used() -> None:
    assert run("import bertviz; print('extract' in dir(bertviz))") == "True"


def test_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'tail_view'"):
        _ = bertviz.tail_view
