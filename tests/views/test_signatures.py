"""The three signatures of a view function say what it really takes."""

from __future__ import annotations

import inspect
import sys
import typing
from typing import Any

import pytest

from bertviz import extract
from bertviz.arrays import from_arrays
from bertviz.views.signatures import ArrayOptions, ExtractOptions, Signatures

BERTVIZ = {"tokens", "weights", "sentence_b_start", "prettify_tokens"}


def signatures(name: str) -> Signatures:
    found: Signatures = sys.modules[f"bertviz.{name}_view"].SIGNATURES
    return found


def test_the_named_keywords_are_those_that_are_passed_on() -> None:
    arrays = set(inspect.signature(from_arrays).parameters) - BERTVIZ - {"name"}
    assert set(ArrayOptions.__annotations__) == arrays
    own = {"model", "tokenizer", "text", "text_pair", "layers", "heads"}
    assert set(ExtractOptions.__annotations__) == set(inspect.signature(extract).parameters) - own


@pytest.mark.parametrize("name", ["head", "model", "neuron"])
def test_defaults_are_those_of_the_functions_behind(name: str) -> None:
    for signature, function in (
        (signatures(name).model, extract),
        (signatures(name).arrays, from_arrays),
    ):
        behind = inspect.signature(function).parameters
        for shared in {*behind, *signature.parameters} & {*behind} & {*signature.parameters}:
            if shared != "heads":  # a view's own: where it starts
                assert str(signature.parameters[shared].default) == str(behind[shared].default)


@pytest.mark.skipif(sys.version_info < (3, 11), reason="overloads are kept from Python 3.11 on")
@pytest.mark.parametrize("name", ["head", "model", "neuron"])
def test_overloads_are_the_signatures(name: str) -> None:
    """What type checkers are told is what is bound, by position and by name."""
    module: Any = sys.modules[f"bertviz.{name}_view"]
    overloads = [
        inspect.signature(x) for x in typing.get_overloads(getattr(module, f"{name}_view"))
    ]
    bound = [getattr(signatures(name), source) for source in ("model", "trace", "arrays")]
    for overload, signature in zip(overloads[:3], bound, strict=True):
        told = [p for p in overload.parameters.values() if p.kind is not p.VAR_KEYWORD]
        for parameter in told:
            assert parameter.name in signature.parameters
            assert signature.parameters[parameter.name].kind is parameter.kind
        places = [p.name for p in told if p.kind is p.POSITIONAL_OR_KEYWORD]
        assert places == [
            p.name for p in signature.parameters.values() if p.kind is p.POSITIONAL_OR_KEYWORD
        ]
    assert len(overloads) == 4
    assert str(overloads[3]).startswith("(*source: 'Any', html_action: \"Literal['return']\"")
