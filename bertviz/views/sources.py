"""What a view function was asked to show, turned into a trace or a comparison.

The problem. Models, traces, comparisons, arrays and whatever a model or ``generate`` returned all
come as the first argument, and the mistakes are as many: a text without its tokenizer, outputs of
a fast kernel, which hold no attention, an encoder's tokens without its attention.

So the type of the first argument chooses one of three signatures, which gives the others their
names; then the trace is made, or the error says which argument is wrong and which call works.
"""

from __future__ import annotations

import operator
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from bertviz.arguments import offers
from bertviz.arrays import from_arrays, from_stacks, parts_of
from bertviz.arrays.outputs import nothing_in
from bertviz.errors import ArgumentError, a_type, short, warn_caller
from bertviz.trace import AttentionTrace
from bertviz.views.display import HtmlAction, check_html_action
from bertviz.views.lookalikes import (
    is_comparison,
    is_model,
    refuse_comparison,
    refuse_hidden_states,
    refuse_lookalikes,
)
from bertviz.views.options import ViewOptions, read_options
from bertviz.views.signatures import (
    FIRST,
    PARTS,
    Signatures,
    Source,
)
from bertviz.views.tokens import SIDES, as_strings


class Call(NamedTuple):
    """A parsed call of a view function.

    Attributes:
        shown: What the view class is given: a trace or a comparison.
        options: The keywords that the view class is given.
        html_action: What to do with the view.
    """

    shown: Any
    options: dict[str, Any]
    html_action: HtmlAction


def read(
    signatures: Signatures,
    arguments: Sequence[Any],
    keywords: Mapping[str, Any],
    *,
    comparisons: bool = True,
) -> Call:
    """Understand a call: choose the signature, bind the arguments, make the trace.

    Args:
        signatures: Those of the function.
        arguments: What it was given by position.
        keywords: What it was given by name.
        comparisons: Whether its view shows comparisons.

    Raises:
        TypeError: Arguments of the wrong type, unknown ones, or a mixture.
        ValueError: Arguments that are missing, or do not fit each other.
    """
    call = signatures.call
    check_html_action(keywords.get("html_action", "view"))
    source, arguments, keywords = _first(call, arguments, keywords)
    if not comparisons and arguments:
        refuse_comparison(call, arguments[0])
    output = parts_of(arguments[0]) if arguments else None
    if output is not None:  # what a model or generate() returned
        arguments = (None, *arguments[1:])
    given = dict(signatures.bind(source, arguments, keywords).arguments)
    html_action = given.pop("html_action", "view")
    check_html_action(html_action)
    options = {name: given.pop(name) for name in signatures.options if name in given}
    shared = {name: options[name] for name in ViewOptions.__annotations__ if name in options}
    options |= read_options(call, shared, signatures.options)
    if source == "trace":
        shown = given["trace"]
    elif source == "model":
        shown = _from_model(call, given)
    else:
        shown = _from_arrays(call, given if output is None else _merged(call, given, output))
    return Call(shown, options, html_action)


def _first(
    call: str, arguments: Sequence[Any], keywords: Mapping[str, Any]
) -> tuple[Source, Sequence[Any], dict[str, Any]]:
    """What a view is made from, moved to the first place, whatever name it came under."""
    named = {name: keywords[name] for name in FIRST if keywords.get(name) is not None}
    others = {name: value for name, value in keywords.items() if name not in FIRST}
    if arguments and arguments[0] is not None:
        if "attention" in named:
            raise TypeError(f"{call}() got attention twice, by position and by name: pass it once.")
        named = {"attention": arguments[0], **named}
    if len(named) > 1:
        raise TypeError(f"{call}() got {' and '.join(named)}: pass one of them, first.")
    if not named:
        return "arrays", arguments, others
    [(name, value)] = named.items()
    if name == "model" and not is_model(value):
        raise TypeError(
            f"model is {a_type(value)}: expected a torch.nn.Module, such as what"
            " AutoModel.from_pretrained(...) gives."
        )
    if name == "trace" and not (isinstance(value, AttentionTrace) or is_comparison(value)):
        raise TypeError(
            f"trace is {a_type(value)}: expected an AttentionTrace, which"
            " extract(model, tokenizer, text) gives."
        )
    moved = (value, *arguments[1:])
    if is_model(value):
        return "model", moved, others
    if isinstance(value, AttentionTrace) or is_comparison(value):
        return "trace", moved, others
    if parts_of(value) is None:
        refuse_lookalikes(call, value)
    return "arrays", moved, others


def _merged(call: str, given: dict[str, Any], output: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments, with what a model returned in its place among them."""
    clash = [name for name in output if given.get(name) is not None]
    if clash:
        raise TypeError(f"{call}() got {clash[0]} twice, also in the output: pass it once.")
    merged = {**given, **output}
    if not any(merged.get(name) is not None for name in ("attention", *PARTS[:3])):
        raise ValueError(
            "attention is an output without attentions: the model ran without"
            " output_attentions=True, or on a fast kernel such as sdpa, which gives none. Pass the"
            f" model itself, {call}(model, tokenizer, text): its attention is captured on any"
            " kernel."
        )
    return merged


def _from_model(call: str, given: dict[str, Any]) -> AttentionTrace:
    """A trace of a text that the model reads now."""
    from bertviz.extractor import extract

    _check_texts(call, given)
    return extract(**given)


def _check_texts(call: str, given: Mapping[str, Any]) -> None:
    """Refuse what would otherwise fail inside the tokenizer, in its words."""
    tokenizer, text = given.get("tokenizer"), given.get("text")
    if isinstance(tokenizer, str | list | tuple):
        raise TypeError(
            f"tokenizer={short(tokenizer)} is {a_type(tokenizer)}: with a model expected its"
            f" tokenizer in the second place, {call}(model, tokenizer, text)."
        )
    for name in ("text", "text_pair"):
        if isinstance(given.get(name), int):
            raise TypeError(
                f"{name}={short(given[name])} is {a_type(given[name])}: with a model expected a"
                f" string, {call}(model, tokenizer, text, text_pair). sentence_b_start goes with"
                " arrays, and prettify_tokens is passed by name."
            )
    if text is None and given.get("inputs") is None:
        missing = "the text" if tokenizer is not None else "a tokenizer and a text"
        raise TypeError(
            f"{call}() with a model needs {missing}: pass {call}(model, tokenizer, text), or"
            " inputs=..., a batch that the tokenizer made."
        )
    if text is not None and tokenizer is None:
        raise TypeError(
            f"{call}() got a text and no tokenizer to read it with: pass"
            f" {call}(model, tokenizer, text), or inputs=... in place of the text."
        )


def _from_arrays(call: str, given: dict[str, Any]) -> AttentionTrace:
    """A trace of weights, or of queries and keys, with one stack of tokens or with two."""
    parts = {name: given.pop(name) for name in PARTS if given.get(name) is not None}
    given = {name: value for name, value in given.items() if value is not None}
    if not {"attention", "queries", "keys"}.isdisjoint(given):
        _refuse(call, parts, "attention", "pass one or the other")
        attention = given.pop("attention", None)
        _check_present("attention", attention, call)
        if "tokens" in given:
            refuse_hidden_states(call, attention)
            given["tokens"] = as_strings("tokens", given["tokens"], {"attention": attention})
        start = _position(given.pop("sentence_b_start", None), given.get("tokens"))
        return from_arrays(weights=attention, sentence_b_start=start, name="attention", **given)
    if not any(name.endswith("attention") for name in parts):
        beside = f"it got {', '.join(parts)}, but no attention" if parts else "attention is None"
        raise ValueError(
            f"{call}() has nothing to show: {beside}. Models return no attention when they run on a"
            f" fast kernel such as sdpa. Pass the model itself, {call}(model, tokenizer, text): its"
            " attention is captured on any kernel. Or pass a trace, or weights per layer."
        )
    for name in ("tokens", "sentence_b_start"):
        if given.pop(name, None) is not None:
            warn_caller(
                f"{name} is ignored beside {next(iter(parts))}: the tokens are called"
                " encoder_tokens and decoder_tokens, and there are no sentences."
            )
    batch_index = given.pop("batch_index", None)
    kind = given.pop("kind", None)
    _refuse(call, given, "encoder_attention, decoder_attention or cross_attention", "leave it out")
    for name in parts:
        if name not in SIDES:
            _check_present(name, parts[name], call)
    tokens = {name: as_strings(name, parts[name], parts) for name in parts if name in SIDES}
    return from_stacks(**{**parts, **tokens}, batch_index=batch_index, kind=kind)


def _refuse(call: str, given: Mapping[str, Any], source: str, fix: str) -> None:
    """Refuse arguments that do not go with what is shown."""
    if given:
        raise ArgumentError(f"{call}() takes no {next(iter(given))} with {source}: {fix}.")


def _check_present(name: str, value: Any, call: str) -> None:
    """Say why a model's output is empty; all else is checked where arrays become a trace."""
    if not isinstance(value, list | tuple):
        return
    if not value:
        raise ValueError(nothing_in(name, call))
    missing = [index for index, layer in enumerate(value) if layer is None]
    if missing:
        raise ValueError(
            f"{name} holds None for layer {missing[0]}: models return no attention when they run on"
            f" a fast kernel such as sdpa. Pass the model itself, {call}(model, tokenizer, text):"
            " its attention is captured on any kernel. Or load the model with"
            ' attn_implementation="eager".'
        )


def _position(value: Any, tokens: Any) -> Any:
    """A plain int from a NumPy or torch integer; a negative one counts from the last token.

    Anything else is judged by ``from_arrays``.
    """
    if isinstance(value, bool):
        return value
    try:
        index, count = operator.index(value), len(tokens) if offers(tokens, "__len__") else 0
    except Exception:
        return value
    return index + count if -count < index < 0 else index
