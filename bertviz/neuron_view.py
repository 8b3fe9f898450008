"""Neuron view: how one head's attention is computed, from query and key vectors to weights.

``NeuronView`` is the object; here a call on a model, a trace or arrays makes one and displays it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, overload

from bertviz.errors import a_type
from bertviz.util import format_special_chars
from bertviz.views.attention_lists import (
    attention_lists,
    check_model_type,
    check_sentence,
    with_delimiters,
)
from bertviz.views.display import HtmlAction, check_html_action, finish
from bertviz.views.lookalikes import is_model
from bertviz.views.neuron import NeuronView
from bertviz.views.old_names import OFFERED, old_name
from bertviz.views.signatures import Signatures
from bertviz.views.sources import read

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import SupportsIndex

    from torch.nn import Module
    from typing_extensions import Unpack

    from bertviz.analysis.neurons import HeadExplanation
    from bertviz.trace import AttentionTrace
    from bertviz.views.options import DisplayMode, Numbers, ViewOptions
    from bertviz.views.signatures import ArrayOptions, ExtractOptions, SourceOptions

    class Options(ViewOptions, total=False):
        """What may be chosen with a trace."""

        layer: SupportsIndex | None
        head: SupportsIndex | None
        explanation: HeadExplanation | None

    class ModelOptions(Options, ExtractOptions, total=False):
        """What may be chosen with a model."""

    class AnyOptions(Options, SourceOptions, total=False):
        """All keywords."""


__all__ = [
    "format_delimiters",
    "format_special_chars",
    "get_attention",
    "neuron_view",
    "show",
    *OFFERED[__name__],
]

SIGNATURES = Signatures.of(
    NeuronView,
    order=("attention", "tokens", "sentence_b_start", "prettify_tokens"),
)


@overload
def neuron_view(
    model: Module,
    tokenizer: Any = None,
    text: str | None = None,
    text_pair: str | None = None,
    *,
    html_action: Literal["view"] = "view",
    **options: Unpack[ModelOptions],
) -> None: ...
@overload
def neuron_view(
    trace: AttentionTrace,
    *,
    html_action: Literal["view"] = "view",
    **options: Unpack[Options],
) -> None: ...
@overload
def neuron_view(
    attention: Any = None,
    tokens: Any = None,
    sentence_b_start: SupportsIndex | None = None,
    prettify_tokens: bool = True,
    *,
    layer: SupportsIndex | None = None,
    head: SupportsIndex | None = None,
    explanation: HeadExplanation | None = None,
    include_layers: Numbers | None = None,
    include_heads: Numbers | None = None,
    display_mode: DisplayMode = "auto",
    nonce: str | None = None,
    html_action: Literal["view"] = "view",
    **more: Unpack[ArrayOptions],
) -> None: ...
@overload
def neuron_view(
    *source: Any, html_action: Literal["return"], **options: Unpack[AnyOptions]
) -> NeuronView: ...
def neuron_view(*arguments: Any, **keywords: Any) -> NeuronView | None:  # noqa: D417
    """Show how one head's attention is computed from query and key vectors.

    The first argument, or the names that are used, say what is shown:

    * a model: ``neuron_view(model, tokenizer, text, text_pair)``, with the further keywords of
      ``extract``;
    * an ``AttentionTrace``: ``neuron_view(trace)``;
    * your own arrays, by name: ``neuron_view(queries=..., keys=..., tokens=...)``.

    >>> queries = keys = [[[[1.0, 0.0], [0.0, 1.0]]]]  # layer, head, token, neuron
    >>> view = neuron_view(queries=queries, keys=keys, tokens=["a", "b"], html_action="return")
    >>> type(view).__name__, len(view.data) > 1000
    ('NeuronView', True)

    Args:
        model: A model (``torch.nn.Module``).
        tokenizer: Its tokenizer.
        text: The text that the model reads.
        text_pair: The second text.
        trace: In place of a model: a trace.
        attention: With arrays, beside ``queries`` and ``keys``: weights per layer, each
            (heads, query, key).
        tokens: With arrays: the tokens, as a list of strings.
        sentence_b_start: With arrays: position of the second sentence's first token, for the
            sentence filter.
        layer: The layer shown first, by the model's own number; by default the first.
        head: The head shown first, by the model's own number; by default the first.
        explanation: What ``explain_head(trace, layer, head)`` gave: the view starts with that head,
            its neurons sorted by what they contribute over the whole text, with those numbers above
            them.
        include_layers: The layers the view contains, by the model's own numbers; by default all.
        include_heads: The heads it contains, by the model's own numbers; by default all.
        prettify_tokens: Whether to show tokens without the tokenizer's own marks; by default yes.
        display_mode: "light" and "dark" fix the theme; "auto" follows the notebook.
        nonce: What the output's script carries, where a page's Content-Security-Policy asks for it.
        html_action: "view" displays at once; "return" gives the ``NeuronView``, whose ``data`` is
            the HTML and whose ``save("x.html")`` writes a file.
        more: Keywords of ``extract``, or of ``AttentionTrace.from_arrays`` (``queries``, ``keys``,
            ``scaling``).

    Returns:
        None, or the view with ``html_action="return"``.

    Raises:
        TypeError: Arguments of the wrong type, or that do not go together.
        ValueError: Numbers out of range, shapes that do not fit, a trace without queries and keys.
        NothingCaptured: The model computed no attention that could be captured.
    """
    call = read(SIGNATURES, arguments, keywords, comparisons=False)
    return finish(NeuronView(call.shown, **call.options), call.html_action)


# What Shift-Tab in Jupyter shows first, as an editor shows the first overload.
neuron_view.__signature__ = SIGNATURES.model  # type: ignore[attr-defined]


@overload
def show(
    model: Module,
    model_type: str | None,
    tokenizer: Any,
    sentence_a: str,
    sentence_b: str | None = None,
    display_mode: DisplayMode = "auto",
    layer: SupportsIndex | None = None,
    head: SupportsIndex | None = None,
    html_action: Literal["view"] = "view",
) -> None: ...
@overload
def show(
    model: Module,
    model_type: str | None,
    tokenizer: Any,
    sentence_a: str,
    sentence_b: str | None = None,
    display_mode: DisplayMode = "auto",
    layer: SupportsIndex | None = None,
    head: SupportsIndex | None = None,
    *,
    html_action: Literal["return"],
) -> NeuronView: ...
def show(
    model: Module,
    model_type: str | None,
    tokenizer: Any,
    sentence_a: str,
    sentence_b: str | None = None,
    display_mode: DisplayMode = "auto",
    layer: SupportsIndex | None = None,
    head: SupportsIndex | None = None,
    html_action: HtmlAction = "view",
) -> NeuronView | None:
    """Show the neuron view with the call of BertViz 1.x; new code calls ``neuron_view``.

    Args:
        model: Any model that ``extract`` can read, from ``transformers`` itself.
        model_type: Accepted for old code ("bert", "gpt2", "roberta") and not used: nothing depends
            on the kind of model.
        tokenizer: The model's tokenizer.
        sentence_a: The text.
        sentence_b: The second text, if any.
        display_mode: "light" and "dark" fix the theme; "auto" follows the notebook.
        layer: The layer shown first, by the model's own number; by default the first.
        head: The head shown first, by the model's own number; by default the first.
        html_action: "view" displays at once; "return" gives the ``NeuronView``.

    Returns:
        None, or the view with ``html_action="return"``.

    Raises:
        TypeError: An argument is of the wrong type.
        ArgumentError: ``model_type`` is neither a string nor None, often because it was left out.
        ValueError: ``sentence_a`` is empty.
    """
    check_html_action(html_action)
    if model_type is not None:
        check_model_type(model_type, "show")
    if not is_model(model):
        raise TypeError(
            f"model is {a_type(model)}: expected a torch.nn.Module, such as what"
            " AutoModel.from_pretrained(...) gives."
        )
    check_sentence("sentence_a", sentence_a)
    if not (sentence_b is None or isinstance(sentence_b, str)):
        check_sentence("sentence_b", sentence_b)  # type: ignore[unreachable]
    # Old code passes "" where there is no second sentence.
    texts = (model, tokenizer, sentence_a, sentence_b or None)
    options = {"layer": layer, "head": head, "display_mode": display_mode}
    call = read(SIGNATURES, texts, {**options, "html_action": html_action})
    return finish(NeuronView(call.shown, **call.options), call.html_action)


def get_attention(
    model: Module,
    model_type: str,
    tokenizer: Any,
    sentence_a: str,
    sentence_b: str | None = None,
    include_queries_and_keys: bool = False,
) -> dict[str, dict[str, Any]]:
    """The attention on one or two sentences as nested lists, as BertViz 1.x returned it.

    New code calls ``extract``, which reads any model and gives tensors. The model runs in eval mode
    and without gradients and is given back as it was.

    Args:
        model: The model, from ``transformers`` itself.
        model_type: "bert", "roberta", "gpt2" or "xlnet": where special tokens stand.
        tokenizer: The model's tokenizer.
        sentence_a: The text.
        sentence_b: The second text, for BERT and RoBERTa.
        include_queries_and_keys: Whether to add the query and key vectors.

    Returns:
        A dict with the entry "all", and for two sentences "aa", "ab", "ba" and "bb": the first
        letter is the sentence that attends, the second the one attended to. Each entry is a dict:

        * "attn": for each layer, lists (heads, query, key);
        * "left_text", "right_text": the tokens that attend, and those attended to;
        * "queries", "keys", if asked for: for each layer, lists (heads, token, head_dim).

    Raises:
        TypeError: The model or the tokenizer is something else.
        ValueError: ``model_type`` is not one of the four, ``sentence_a`` is empty, or a second
            sentence is given to GPT-2.
        NotImplementedError: A second sentence is given to XLNet.
    """
    return attention_lists(
        model, model_type, tokenizer, sentence_a, sentence_b, include_queries_and_keys
    )


def format_delimiters(tokens: Iterable[str], tokenizer: Any) -> list[str]:
    """Tokens with [SEP] and [CLS] for the tokenizer's own delimiters.

    Args:
        tokens: The tokens.
        tokenizer: The tokenizer that made them.
    """
    return with_delimiters(tokens, tokenizer)


# `bertviz.neuron_view` is this function, so code that meant the module finds its functions here.
neuron_view.show = show  # type: ignore[attr-defined]
neuron_view.get_attention = get_attention  # type: ignore[attr-defined]
neuron_view.format_delimiters = format_delimiters  # type: ignore[attr-defined]
neuron_view.format_special_chars = format_special_chars  # type: ignore[attr-defined]


def __getattr__(name: str) -> Any:
    return old_name(__name__, name)
