"""What a view was asked to show: a model, a trace or arrays, in the argument order of BertViz 1.x.

The problem. Three kinds of things come as the first argument of a view, and the arguments after it
mean something else for each: ``head_view(model, tokenizer, text, text_pair)``,
``head_view(trace)``, ``head_view(attention, tokens, sentence_b_start, prettify_tokens)``, and, for
an encoder-decoder model's arrays, no first argument but three named ones. Old calls must go on
working, and a mixture must be an error that says which argument belongs to which.

So there is one place for all views that looks at the first argument, gives the others their names,
and makes a trace. What a trace is made from is never guessed from more than its type.
"""

from __future__ import annotations

import dataclasses
import difflib
import inspect
import operator
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypedDict

from bertviz.arrays import from_arrays, from_stacks, parts_of
from bertviz.errors import a_type
from bertviz.trace import AttentionTrace

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from bertviz.trace import Kind
    from bertviz.views.view import DisplayMode, Numbers

    class SharedOptions(TypedDict, total=False):
        """Keywords of every view, whatever it shows."""

        prettify_tokens: bool
        include_layers: Numbers | None
        include_heads: Numbers | None
        display_mode: DisplayMode

    class ExtractOptions(TypedDict, total=False):
        """Keywords of ``extract`` that a view passes on."""

        inputs: Mapping[str, Any] | None
        batch_index: int | None
        drop_padding: bool
        device: Any
        generate: Mapping[str, Any] | None
        verify: bool
        progress: bool

    class ArrayOptions(TypedDict, total=False):
        """Keywords of ``AttentionTrace.from_arrays`` that a view passes on."""

        queries: Any
        keys: Any
        scaling: float | Sequence[float] | None
        query_tokens: Sequence[str] | None
        key_tokens: Sequence[str] | None
        kind: Kind | None
        batch_index: int | None
        attention_mask: Any
        drop_padding: bool


# What the second to fourth argument mean when the first is a model.
MODEL_SLOTS = ("tokenizer", "text", "text_pair")
# Keywords that go with a model, those that go with arrays and are not BertViz's, and with both. A
# view's own layers and heads are where it starts, so those of ``extract`` are not among them.
MODEL_ONLY = (*MODEL_SLOTS, "inputs", "device", "generate", "verify", "progress")
ARRAYS_ONLY = (
    *("queries", "keys", "scaling", "query_tokens", "key_tokens", "kind"),
    "attention_mask",
)
EITHER = ("batch_index", "drop_padding")


def resolve(
    call: str,
    attention: Any = None,
    tokens: Any = None,
    sentence_b_start: Any = None,
    prettify_tokens: Any = True,
    *,
    encoder_attention: Any = None,
    decoder_attention: Any = None,
    cross_attention: Any = None,
    encoder_tokens: Any = None,
    decoder_tokens: Any = None,
    **more: Any,
) -> AttentionTrace:
    """Make a trace of whatever a view was given.

    Args:
        call: The public function's name, for errors.
        attention: A model, a trace or arrays; may come as ``model`` or ``trace`` in ``more``.
        tokens: Tokens, or a model's tokenizer.
        sentence_b_start: Position of the second sentence, or a model's text.
        prettify_tokens: Whether to show tokens readably, or a model's second text.
        encoder_attention: Weights of an encoder.
        decoder_attention: Weights of a decoder's self-attention.
        cross_attention: Weights of the decoder's look at the encoder.
        encoder_tokens: The encoder's tokens.
        decoder_tokens: The decoder's tokens.
        **more: The same things by their own names, and keywords of ``extract`` or ``from_arrays``.

    Returns:
        The trace; the one that was given, if one was.

    Raises:
        TypeError: Arguments of the wrong type, unknown ones, or a mixture.
        ValueError: Arguments that are missing, or do not fit each other.
    """
    parts = {
        "encoder_attention": encoder_attention,
        "decoder_attention": decoder_attention,
        "cross_attention": cross_attention,
        "encoder_tokens": encoder_tokens,
        "decoder_tokens": decoder_tokens,
    }
    parts = {name: value for name, value in parts.items() if value is not None}
    output = parts_of(attention)
    if output is not None:  # what a model or generate() returned
        clash = [name for name in output if name in parts]
        if clash:
            raise TypeError(f"{call}() got {clash[0]} twice, also in the output: pass it once.")
        attention = output.pop("attention", None)
        parts |= output
        _check_output(call, attention, parts)
    source = _source(call, attention, more)
    slots = (tokens, sentence_b_start, prettify_tokens)
    if _is_model(source):
        _refuse(call, parts, "a model", "its attention is captured, every block of it")
        return _from_model(call, source, slots, more)
    if isinstance(source, AttentionTrace):
        _check_keywords(call, more, (*MODEL_ONLY, *ARRAYS_ONLY, *EITHER), "with a trace")
        named = {"tokens": tokens, "sentence_b_start": sentence_b_start, **parts, **more}
        _refuse(call, named, "a trace", "it holds tokens and attention already")
        return _prettified(source, _flag(prettify_tokens))
    return _from_arrays(call, source, slots, parts, more)


def comparison_in(value: Any) -> tuple[Any, Any]:
    """A comparison of two traces, if it is one, and what a view resolves in its place.

    It is known by what it offers, ``a``, ``b``, ``weights`` and ``measures``; its tokens, layers
    and heads are those of either trace.

    >>> comparison_in("no comparison")
    (None, 'no comparison')
    """
    both = (getattr(value, "a", None), getattr(value, "b", None))
    if all(isinstance(trace, AttentionTrace) for trace in both) and hasattr(value, "measures"):
        return value, both[1]
    return None, value


def _check_output(call: str, attention: Any, parts: Mapping[str, Any]) -> None:
    """Say why a model's output has nothing to show."""
    if attention is None and not any(name.endswith("attention") for name in parts):
        raise ValueError(
            f"attention is an output without attentions: the model ran without"
            " output_attentions=True, or on a fast kernel such as sdpa, which gives none. Pass the"
            f" model itself, {call}(model, tokenizer, text): its attention is captured on any"
            " kernel."
        )


def _source(call: str, attention: Any, more: dict[str, Any]) -> Any:
    """What to show, under whichever of its names it came."""
    given = {"attention": attention} if attention is not None else {}
    for name in ("model", "trace"):
        if name in more:
            given[name] = more.pop(name)
    if len(given) > 1:
        raise TypeError(f"{call}() got {' and '.join(given)}: pass one of them, first.")
    for name, value in given.items():
        if name == "model" and not _is_model(value):
            raise TypeError(
                f"model is {a_type(value)}: expected a torch.nn.Module, such as what"
                " AutoModel.from_pretrained(...) gives."
            )
        if name == "trace" and not isinstance(value, AttentionTrace):
            raise TypeError(
                f"trace is {a_type(value)}: expected an AttentionTrace, which"
                " extract(model, tokenizer, text) gives."
            )
        _refuse_lookalikes(call, value)
        return value
    return None


def _refuse_lookalikes(call: str, value: Any) -> None:
    """Name the mistake for what is often passed in place of a model or its attention."""
    if isinstance(value, str):
        raise TypeError(
            f"attention={value!r:.60} is a string: expected a model, a trace or arrays. Load the"
            f" model first, AutoModel.from_pretrained(...), then {call}(model, tokenizer, text)."
        )
    if comparison_in(value)[0] is not None:
        raise TypeError(
            f"attention is {a_type(value)}: {call} shows one trace; pass {call}(x.a, ...) or"
            f" {call}(x.b, ...), or see the differences with model_view(x)."
        )
    if hasattr(value, "convert_ids_to_tokens"):
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
    if _is_model(getattr(value, "model", None)) and not _is_model(value):
        raise TypeError(
            f"attention is {a_type(value)}: expected a model; pass the one it holds,"
            f" {call}(x.model, x.tokenizer, text)."
        )
    readable = ("shape", "__array__", "__iter__", "__getitem__")
    if not (_is_model(value) or isinstance(value, AttentionTrace)) and not any(
        hasattr(value, name) for name in readable
    ):
        raise TypeError(
            f"attention is {a_type(value)}: expected a model (torch.nn.Module), a trace that"
            " extract(...) gave, or weights as a list with one array per layer."
        )


def _from_model(
    call: str, model: Any, slots: tuple[Any, Any, Any], more: dict[str, Any]
) -> AttentionTrace:
    """The second to fourth argument are tokenizer, text and text_pair."""
    from bertviz.extractor import extract

    _check_keywords(call, more, (*MODEL_ONLY, *EITHER), "with a model")
    # A bool in the fourth place can only mean prettify_tokens; a text is never one.
    pretty = slots[2] if isinstance(slots[2], bool) else True
    pair = None if isinstance(slots[2], bool) else slots[2]
    named: dict[str, Any] = {}
    for name, value in zip(MODEL_SLOTS, (slots[0], slots[1], pair), strict=True):
        if value is not None and more.get(name) is not None:
            raise TypeError(f"{call}() got {name} twice, by position and by name: pass it once.")
        named[name] = more.pop(name, None) if value is None else value
    _check_texts(call, named, inputs=more.get("inputs"))
    return _prettified(extract(model, **named, **more), pretty)


def _check_texts(call: str, named: Mapping[str, Any], inputs: Any) -> None:
    """Refuse what would otherwise fail inside the tokenizer, in its words."""
    if isinstance(named["tokenizer"], str | list | tuple):
        raise TypeError(
            f"tokenizer={named['tokenizer']!r:.60} is {a_type(named['tokenizer'])}: with a model"
            f" expected its tokenizer in the second place, {call}(model, tokenizer, text)."
        )
    for name in ("text", "text_pair"):
        if isinstance(named[name], int):
            raise TypeError(
                f"{name}={named[name]!r} is {a_type(named[name])}: with a model expected a string,"
                f" {call}(model, tokenizer, text, text_pair). sentence_b_start and prettify_tokens"
                " go with arrays."
            )
    if named["text"] is None and inputs is None:
        missing = "the text" if named["tokenizer"] is not None else "a tokenizer and a text"
        raise TypeError(
            f"{call}() with a model needs {missing}: pass {call}(model, tokenizer, text), or"
            " inputs=..., a batch that the tokenizer made."
        )
    if named["text"] is not None and named["tokenizer"] is None:
        raise TypeError(
            f"{call}() got a text and no tokenizer to read it with: pass"
            f" {call}(model, tokenizer, text), or inputs=... in place of the text."
        )


def _from_arrays(
    call: str,
    attention: Any,
    slots: tuple[Any, Any, Any],
    parts: dict[str, Any],
    more: dict[str, Any],
) -> AttentionTrace:
    """The arguments mean what they are called: tokens, sentence_b_start, prettify_tokens."""
    tokens, sentence_b_start, pretty = slots
    _check_array_keywords(call, more)
    prettify = _flag(pretty)
    if attention is not None or more.get("queries") is not None or more.get("keys") is not None:
        _refuse(call, parts, "attention", "pass one or the other")
        _check_present("attention", attention, call)
        _check_tokens("tokens", tokens)
        return from_arrays(
            tokens,
            attention,
            sentence_b_start=_position(sentence_b_start),
            prettify_tokens=prettify,
            name="attention",
            **more,
        )
    if not any(name.endswith("attention") for name in parts):
        beside = f"it got {', '.join(parts)}, but no attention" if parts else "attention is None"
        raise ValueError(
            f"{call}() has nothing to show: {beside}. Models return no attention when they run on a"
            f" fast kernel such as sdpa. Pass the model itself, {call}(model, tokenizer, text): its"
            " attention is captured on any kernel. Or pass a trace, or weights per layer."
        )
    named = {"tokens": tokens, "sentence_b_start": sentence_b_start, **more}
    fix = "the tokens are called encoder_tokens and decoder_tokens, and there are no sentences"
    _refuse(call, named, "encoder_attention, decoder_attention or cross_attention", fix)
    for name, value in parts.items():
        if name.endswith("tokens"):
            _check_tokens(name, value)
        else:
            _check_present(name, value, call)
    return from_stacks(**parts, prettify_tokens=prettify)


def _check_array_keywords(call: str, more: Mapping[str, Any]) -> None:
    strays = [name for name in MODEL_ONLY if more.get(name) is not None]
    if strays:
        raise TypeError(
            f"{call}() got {strays[0]} and no model: {strays[0]} goes with a model,"
            f" {call}(model, tokenizer, text)."
        )
    _check_keywords(call, more, (*ARRAYS_ONLY, *EITHER), "with arrays")


def _check_present(name: str, value: Any, call: str) -> None:
    """Say why a model's output is empty; all else is checked where arrays become a trace."""
    if not isinstance(value, list | tuple):
        return
    missing = [index for index, layer in enumerate(value) if layer is None]
    if value and not missing:
        return
    found = f"holds None for layer {missing[0]}" if missing else "is empty"
    raise ValueError(
        f"{name} {found}: models return no attention when they run on a fast kernel such as sdpa."
        f" Pass the model itself, {call}(model, tokenizer, text): its attention is captured on any"
        ' kernel. Or load the model with attn_implementation="eager".'
    )


def _check_tokens(name: str, value: Any) -> None:
    if hasattr(value, "convert_ids_to_tokens"):
        raise TypeError(
            f"{name} is a tokenizer ({type(value).__name__}): with arrays expected a list of"
            " strings, such as tokenizer.convert_ids_to_tokens(inputs.input_ids[0]) gives."
        )


def _position(value: Any) -> Any:
    """A plain int from a NumPy or torch integer; anything else is judged by ``from_arrays``."""
    try:
        return value if isinstance(value, bool) else operator.index(value)
    except TypeError:
        return value


def _check_keywords(call: str, given: Iterable[str], offered: Iterable[str], when: str) -> None:
    """Refuse keywords that this kind of call does not take; say which one was meant."""
    unknown = [name for name in given if name not in offered]
    if not unknown:
        return
    view = sys.modules[f"bertviz.{call}"]
    own = [name for name in inspect.signature(getattr(view, call)).parameters if name != "more"]
    everything = sorted({*own, *offered, "model", "trace", *MODEL_ONLY, *EITHER})
    close = difflib.get_close_matches(unknown[0], everything, n=1) or [
        name for name in everything if unknown[0] in name
    ]
    hint = f"did you mean {close[0]}?" if close else f"it takes {', '.join(everything)}."
    raise TypeError(f"{call}() takes no {unknown[0]} {when}: {hint}")


def _refuse(call: str, given: Mapping[str, Any], source: str, fix: str) -> None:
    """Refuse arguments that do not go with what is shown."""
    names = [name for name, value in given.items() if value is not None]
    if names:
        raise TypeError(f"{call}() takes no {names[0]} with {source}: {fix}.")


def _prettified(trace: AttentionTrace, pretty: bool) -> AttentionTrace:
    """The trace, with the tokenizer's own strings for display if not ``pretty``."""
    if pretty:
        return trace
    blocks = {
        name: dataclasses.replace(
            block, query=block.query.unprettified(), key=block.key.unprettified()
        )
        for name, block in trace.blocks.items()
    }
    return dataclasses.replace(trace, blocks=blocks)


def _flag(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    hint = " A second text (text_pair) goes with a model." if isinstance(value, str) else ""
    raise TypeError(
        f"prettify_tokens={value!r:.60} is {a_type(value)}: expected True or False.{hint}"
    )


def _is_model(value: Any) -> bool:
    # Without torch in memory nothing can be a module, so asking costs no import.
    torch = sys.modules.get("torch")
    return torch is not None and isinstance(value, torch.nn.Module)
