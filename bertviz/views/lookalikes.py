"""Recognizes what a view can be given, and what is often passed by mistake.

The problem. A model's name, its tokenizer, a pipeline, a dict of tensors: each is passed now and
then where a model or its attention belongs, and fails far away from the mistake. They are
recognized by what they offer, and the error says which call was meant.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

from bertviz.arguments import offers, shape_of
from bertviz.errors import a_type, short
from bertviz.trace import AttentionTrace


def is_model(value: object) -> bool:
    """Whether this is a ``torch.nn.Module``."""
    # Without torch in memory nothing can be a module, so asking costs no import.
    torch = sys.modules.get("torch")
    return torch is not None and isinstance(value, torch.nn.Module)


def is_comparison(value: object) -> bool:
    """Whether this is a comparison of two traces; it is recognized by what it offers.

    >>> is_comparison("no comparison")
    False
    """
    both = (_held(value, "a"), _held(value, "b"))
    return all(isinstance(trace, AttentionTrace) for trace in both) and offers(value, "measures")


def _held(value: Any, name: str) -> Any:
    return getattr(value, name) if offers(value, name) else None


def trace_and_comparison(name: str, value: Any) -> tuple[AttentionTrace, Any]:
    """What a view object shows: a trace, and, if it was given one, the comparison.

    The tokens, layers and heads of a comparison are those of either trace.

    Args:
        name: The class's name, for errors.
        value: What it was given.

    Raises:
        TypeError: It is neither.
    """
    if isinstance(value, AttentionTrace):
        return value, None
    if is_comparison(value):
        return value.b, value
    function = f"{name.removesuffix('View').lower()}_view"
    raise TypeError(
        f"{name} got {a_type(value)}: expected a trace, as extract(model, tokenizer, text) gives."
        f' {function}(..., html_action="return") takes models and arrays, and returns a {name}.'
    )


def refuse_comparison(call: str, value: object) -> None:
    """Say how to show one of two traces.

    Raises:
        TypeError: ``value`` is a comparison.
    """
    if is_comparison(value):
        raise TypeError(
            f"attention is {a_type(value)}: {call} shows one trace; pass {call}(x.a, ...) or"
            f" {call}(x.b, ...), or see the differences with model_view(x)."
        )


def refuse_lookalikes(call: str, value: object) -> None:
    """Name the mistake if this is neither a model, nor a trace, nor arrays.

    Args:
        call: The public function's name, for errors.
        value: What it was given first.

    Raises:
        TypeError: It is something else.
    """
    if isinstance(value, str):
        raise TypeError(
            f"attention={short(value)} is a string: expected a model, a trace or arrays. Load the"
            f" model first, AutoModel.from_pretrained(...), then {call}(model, tokenizer, text)."
        )
    if offers(value, "convert_ids_to_tokens"):
        raise TypeError(
            f"attention is a tokenizer ({type(value).__name__}): the model comes first,"
            f" {call}(model, tokenizer, text)."
        )
    if isinstance(value, Mapping):
        held = [name for name in value if str(name).endswith("attentions")]
        fix = f"pass one of its entries, such as outputs.{held[0]}" if held else "pass its arrays"
        raise TypeError(
            f"attention is {a_type(value)}: expected weights per layer; {fix}, or the model"
            f" itself: {call}(model, tokenizer, text)."
        )
    if is_model(value) or isinstance(value, AttentionTrace):
        return
    if offers(value, "get_seq_length"):
        raise TypeError(
            f"attention is {a_type(value)}, the keys and values that a model keeps: the model ran"
            " without output_attentions=True, so that outputs[-1] is something else. Pass"
            f" outputs.attentions, or the model itself: {call}(model, tokenizer, text)."
        )
    if is_model(_held(value, "model")):
        raise TypeError(
            f"attention is {a_type(value)}: expected a model; pass the one it holds,"
            f" {call}(x.model, x.tokenizer, text)."
        )
    readable = ("shape", "__array__", "__iter__", "__getitem__")
    if not any(offers(value, name) for name in readable):
        raise TypeError(
            f"attention is {a_type(value)}: expected a model (torch.nn.Module), a trace that"
            " extract(...) gave, or weights as a list with one array per layer."
        )


def refuse_hidden_states(call: str, value: object) -> None:
    """Name the mistake if these are vectors of tokens where weights between them are expected.

    Without ``output_attentions=True``, ``outputs[-1]`` is often the last hidden state.

    Args:
        call: The public function's name, for errors.
        value: What it was given as the attention of one stack of tokens.

    Raises:
        ValueError: Its first layer has two or three axes, the last two of different lengths.
    """
    first = value[0] if isinstance(value, list | tuple) and value else value
    shape = shape_of(first)
    if len(shape) in (2, 3) and shape[-1] != shape[-2]:
        raise ValueError(
            f"attention has shape {shape}: expected (heads, tokens, tokens) per layer. If this is a"
            " hidden state, outputs[-1] of a model that ran without output_attentions=True, pass"
            f" outputs.attentions, or the model itself: {call}(model, tokenizer, text)."
        )
