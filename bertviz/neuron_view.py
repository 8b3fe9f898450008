"""Neuron view: how one head's attention is computed, from query and key vectors to weights.

The question it answers: why does this head look there? For a chosen query token every step stands
in a column: its query vector, the key vectors, their products neuron by neuron, the scores, and the
softmax of the scores. It works for any model that ``extract`` can read, so nothing here knows one
model from another.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, overload

from bertviz.errors import a_type
from bertviz.views.sources import resolve
from bertviz.views.view import DisplayMode, HtmlAction, View, as_index, check_html_action, finish

if TYPE_CHECKING:
    from os import PathLike
    from typing import SupportsIndex

    from torch.nn import Module
    from typing_extensions import Unpack

    from bertviz.analysis.neurons import HeadExplanation
    from bertviz.trace import AttentionTrace
    from bertviz.views.saving import Width
    from bertviz.views.sources import ArrayOptions, ExtractOptions, SharedOptions
    from bertviz.views.view import Numbers
    from bertviz.web.payload import NeuronState

    class Options(SharedOptions, total=False):
        """What a call on a model or a trace may choose."""

        layer: SupportsIndex | None
        head: SupportsIndex | None
        explanation: HeadExplanation | None

    class ModelOptions(Options, ExtractOptions, total=False):
        """Likewise, with the keywords of ``extract``."""


class NeuronView(View):
    """The object behind ``neuron_view``: same arguments, without ``html_action``.

    >>> queries = keys = [[[[1.0, 0.0], [0.0, 1.0]]]]  # layer, head, token, neuron
    >>> NeuronView(queries=queries, keys=keys, tokens=["a", "b"], layer=0, head=0)
    NeuronView(1 layer, 1 head, 2 tokens)
    """

    kind = "neuron"

    if TYPE_CHECKING:  # with the state keys of this view

        def save(  # type: ignore[override]  # noqa: D102, described in View
            self, path: str | PathLike[str], *, width: Width = None, **state: Unpack[NeuronState]
        ) -> None: ...

    @overload
    def __init__(
        self,
        model: Module,
        tokenizer: Any = None,
        text: str | None = None,
        text_pair: str | None = None,
        **options: Unpack[ModelOptions],
    ) -> None: ...
    @overload
    def __init__(self, trace: AttentionTrace, **options: Unpack[Options]) -> None: ...
    @overload
    def __init__(
        self,
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
        **more: Unpack[ArrayOptions],
    ) -> None: ...
    def __init__(  # type: ignore[misc]  # its first arguments have two names each
        self,
        attention: Any = None,
        tokens: Any = None,
        sentence_b_start: Any = None,
        prettify_tokens: Any = True,
        *,
        layer: SupportsIndex | None = None,
        head: SupportsIndex | None = None,
        explanation: HeadExplanation | None = None,
        include_layers: Numbers | None = None,
        include_heads: Numbers | None = None,
        display_mode: DisplayMode = "auto",
        **more: Any,
    ) -> None:
        """See ``neuron_view``."""
        trace = resolve("neuron_view", attention, tokens, sentence_b_start, prettify_tokens, **more)
        if explanation is not None:
            layer, head = _explained(trace, explanation, layer, head)
        super().__init__(
            trace,
            layer=layer,
            heads=None if head is None else as_index("head", head, "head"),
            explanation=explanation,
            include_layers=include_layers,
            include_heads=include_heads,
            display_mode=display_mode,
            heads_name="head",
        )


def _explained(
    trace: AttentionTrace, explanation: HeadExplanation, layer: Any, head: Any
) -> tuple[int, int]:
    """The head that an explanation is of, which is the one to start with.

    Raises:
        TypeError: It is no explanation.
        ValueError: It is of another head, or of another model.
    """
    if not hasattr(explanation, "contributions"):
        raise TypeError(
            f"explanation is {a_type(explanation)}: expected what explain_head(trace, layer, head)"
            " gives."
        )
    own = {"layer": explanation.layer, "head": explanation.head}
    for name, value in (("layer", layer), ("head", head)):
        if value is not None and as_index(name, value, name) != own[name]:
            raise ValueError(
                f"{name}={value} is not what the explanation is of, {name} {own[name]}: leave"
                f" {name} out, or pass explain_head(trace, ...) of that head."
            )
    block = trace.blocks.get(explanation.block)
    found = next((x for x in block.layers if x.index == own["layer"]), None) if block else None
    neurons = sum(map(len, explanation.units))
    if found is None or own["head"] not in found.heads or found.head_dim != neurons:
        raise ValueError(
            f"explanation is of layer {own['layer']}, head {own['head']} with {neurons} neurons in"
            f" block {explanation.block!r}, which this trace does not have: pass the explanation of"
            " one of its heads, explain_head(trace, layer, head)."
        )
    return own["layer"], own["head"]


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
    model: Module,
    tokenizer: Any = None,
    text: str | None = None,
    text_pair: str | None = None,
    *,
    html_action: Literal["return"],
    **options: Unpack[ModelOptions],
) -> NeuronView: ...
@overload
def neuron_view(
    trace: AttentionTrace, *, html_action: Literal["view"] = "view", **options: Unpack[Options]
) -> None: ...
@overload
def neuron_view(
    trace: AttentionTrace, *, html_action: Literal["return"], **options: Unpack[Options]
) -> NeuronView: ...
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
    html_action: Literal["view"] = "view",
    **more: Unpack[ArrayOptions],
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
    html_action: Literal["return"],
    **more: Unpack[ArrayOptions],
) -> NeuronView: ...
def neuron_view(  # type: ignore[misc]  # its first arguments have two names each
    attention: Any = None,
    tokens: Any = None,
    sentence_b_start: Any = None,
    prettify_tokens: Any = True,
    *,
    layer: SupportsIndex | None = None,
    head: SupportsIndex | None = None,
    explanation: HeadExplanation | None = None,
    include_layers: Numbers | None = None,
    include_heads: Numbers | None = None,
    display_mode: DisplayMode = "auto",
    html_action: HtmlAction = "view",
    **more: Any,
) -> NeuronView | None:
    """Show how one head's attention is computed from query and key vectors.

    The first argument says what the next three are:

    * a model: ``neuron_view(model, tokenizer, text, text_pair)``, with the further keywords of
      ``extract`` (``inputs``, ``batch_index``, ``drop_padding``);
    * an ``AttentionTrace``: ``neuron_view(trace)``;
    * one's own arrays, by name: ``neuron_view(queries=..., keys=..., tokens=...)``.

    >>> queries = keys = [[[[1.0, 0.0], [0.0, 1.0]]]]  # layer, head, token, neuron
    >>> view = neuron_view(queries=queries, keys=keys, tokens=["a", "b"], html_action="return")
    >>> type(view).__name__, len(view.data) > 1000
    ('NeuronView', True)

    Args:
        attention: A model, a trace, or, beside ``queries`` and ``keys``, weights per layer.
        tokens: With arrays: the tokens, as a list of strings. With a model: its tokenizer.
        sentence_b_start: With arrays: position of the second sentence's first token, for the
            sentence filter. With a model: the text.
        prettify_tokens: With arrays: show tokens without the tokenizer's own marks (default).
            With a model: the second text.
        layer: The layer shown first, by the model's own number; by default the first.
        head: The head shown first, by the model's own number; by default the first.
        explanation: What ``explain_head(trace, layer, head)`` gave: the view starts with that head,
            its neurons in the order of what they contribute over the whole text, those numbers
            above them.
        include_layers: The layers to ship, by the model's own numbers; by default all.
        include_heads: The heads to ship, by the model's own numbers; by default all.
        display_mode: "light" and "dark" fix the theme; "auto" follows the notebook.
        html_action: "view" displays at once; "return" gives the ``NeuronView``, whose ``data`` is
            the HTML and whose ``save("x.html")`` writes a file.
        **more: ``model``, ``tokenizer``, ``text``, ``text_pair``, ``trace`` by name; keywords of
            ``extract`` or of ``AttentionTrace.from_arrays`` (``queries``, ``keys``, ``scaling``).

    Returns:
        None, or the view with ``html_action="return"``.

    Raises:
        TypeError: Arguments of the wrong type, or that do not go together.
        ValueError: Numbers out of range, shapes that do not fit, a trace without queries and keys.
        NothingCaptured: The model computed no attention that could be captured.
    """
    check_html_action(html_action)
    view = NeuronView(
        attention,
        tokens,
        sentence_b_start,
        prettify_tokens,
        layer=layer,
        head=head,
        explanation=explanation,
        include_layers=include_layers,
        include_heads=include_heads,
        display_mode=display_mode,
        **more,
    )
    return finish(view, html_action)


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
    """Show the neuron view as BertViz 1.x was asked for it; new code calls ``neuron_view``.

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
        TypeError: ``model_type`` is neither a string nor None, often because it was left out.
    """
    if model_type is not None and not isinstance(model_type, str):
        raise TypeError(
            f"model_type is {a_type(model_type)}: expected a string such as 'bert', as in"
            " show(model, 'bert', tokenizer, sentence_a). Without it, call"
            " neuron_view(model, tokenizer, sentence_a, sentence_b)."
        )
    check_html_action(html_action)
    view = NeuronView(
        model,
        tokenizer,
        sentence_a,
        sentence_b or None,  # old code passes "" where there is none
        layer=layer,
        head=head,
        display_mode=display_mode,
    )
    return finish(view, html_action)


# `bertviz.neuron_view` is this function, so code that meant the module finds `show` on it too.
neuron_view.show = show  # type: ignore[attr-defined]
