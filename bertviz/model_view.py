"""Model view: all layers and heads at once, as a grid of small pictures.

The question it answers: which heads are worth a closer look? Layers go down, heads go across; a
click opens a cell with its tokens beside it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, overload

from bertviz.views.sources import comparison_in, resolve
from bertviz.views.view import DisplayMode, HtmlAction, View, check_html_action, finish

if TYPE_CHECKING:
    from os import PathLike
    from typing import SupportsIndex

    from torch.nn import Module
    from typing_extensions import Unpack

    from bertviz.trace import AttentionTrace
    from bertviz.views.saving import Width
    from bertviz.views.sources import ArrayOptions, ExtractOptions, SharedOptions
    from bertviz.views.view import Numbers
    from bertviz.web.payload import ModelState

    class Options(SharedOptions, total=False):
        """What a call on a model or a trace may choose."""

        scores: Any

    class ModelOptions(Options, ExtractOptions, total=False):
        """Likewise, with the keywords of ``extract``."""


class ModelView(View):
    """The object behind ``model_view``: same arguments, without ``html_action``.

    >>> ModelView([[[0.25, 0.75], [1.0, 0.0]]], ["a", "b"])
    ModelView(1 layer, 1 head, 2 tokens)
    """

    kind = "model"

    if TYPE_CHECKING:  # with the state keys of this view

        def save(  # type: ignore[override]  # noqa: D102, described in View
            self, path: str | PathLike[str], *, width: Width = None, **state: Unpack[ModelState]
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
        display_mode: DisplayMode = "auto",
        encoder_attention: Any = None,
        decoder_attention: Any = None,
        cross_attention: Any = None,
        encoder_tokens: Any = None,
        decoder_tokens: Any = None,
        include_layers: Numbers | None = None,
        include_heads: Numbers | None = None,
        *,
        scores: Any = None,
        **more: Unpack[ArrayOptions],
    ) -> None: ...
    def __init__(  # type: ignore[misc]  # its first arguments have two names each
        self,
        attention: Any = None,
        tokens: Any = None,
        sentence_b_start: Any = None,
        prettify_tokens: Any = True,
        display_mode: DisplayMode = "auto",
        encoder_attention: Any = None,
        decoder_attention: Any = None,
        cross_attention: Any = None,
        encoder_tokens: Any = None,
        decoder_tokens: Any = None,
        include_layers: Numbers | None = None,
        include_heads: Numbers | None = None,
        *,
        scores: Any = None,
        **more: Any,
    ) -> None:
        """See ``model_view``."""
        comparison, attention = comparison_in(attention)
        trace = resolve(
            "model_view",
            attention,
            tokens,
            sentence_b_start,
            prettify_tokens,
            encoder_attention=encoder_attention,
            decoder_attention=decoder_attention,
            cross_attention=cross_attention,
            encoder_tokens=encoder_tokens,
            decoder_tokens=decoder_tokens,
            **more,
        )
        super().__init__(
            trace,
            include_layers=include_layers,
            include_heads=include_heads,
            display_mode=display_mode,
            scores=scores,
            comparison=comparison,
        )


@overload
def model_view(
    model: Module,
    tokenizer: Any = None,
    text: str | None = None,
    text_pair: str | None = None,
    *,
    html_action: Literal["view"] = "view",
    **options: Unpack[ModelOptions],
) -> None: ...
@overload
def model_view(
    model: Module,
    tokenizer: Any = None,
    text: str | None = None,
    text_pair: str | None = None,
    *,
    html_action: Literal["return"],
    **options: Unpack[ModelOptions],
) -> ModelView: ...
@overload
def model_view(
    trace: AttentionTrace,
    *,
    html_action: Literal["view"] = "view",
    **options: Unpack[Options],
) -> None: ...
@overload
def model_view(
    trace: AttentionTrace, *, html_action: Literal["return"], **options: Unpack[Options]
) -> ModelView: ...
@overload
def model_view(
    attention: Any = None,
    tokens: Any = None,
    sentence_b_start: SupportsIndex | None = None,
    prettify_tokens: bool = True,
    display_mode: DisplayMode = "auto",
    encoder_attention: Any = None,
    decoder_attention: Any = None,
    cross_attention: Any = None,
    encoder_tokens: Any = None,
    decoder_tokens: Any = None,
    include_layers: Numbers | None = None,
    include_heads: Numbers | None = None,
    html_action: Literal["view"] = "view",
    *,
    scores: Any = None,
    **more: Unpack[ArrayOptions],
) -> None: ...
@overload
def model_view(
    attention: Any = None,
    tokens: Any = None,
    sentence_b_start: SupportsIndex | None = None,
    prettify_tokens: bool = True,
    display_mode: DisplayMode = "auto",
    encoder_attention: Any = None,
    decoder_attention: Any = None,
    cross_attention: Any = None,
    encoder_tokens: Any = None,
    decoder_tokens: Any = None,
    include_layers: Numbers | None = None,
    include_heads: Numbers | None = None,
    *,
    html_action: Literal["return"],
    scores: Any = None,
    **more: Unpack[ArrayOptions],
) -> ModelView: ...
def model_view(  # type: ignore[misc]  # its first arguments have two names each
    attention: Any = None,
    tokens: Any = None,
    sentence_b_start: Any = None,
    prettify_tokens: Any = True,
    display_mode: DisplayMode = "auto",
    encoder_attention: Any = None,
    decoder_attention: Any = None,
    cross_attention: Any = None,
    encoder_tokens: Any = None,
    decoder_tokens: Any = None,
    include_layers: Numbers | None = None,
    include_heads: Numbers | None = None,
    html_action: HtmlAction = "view",
    *,
    scores: Any = None,
    **more: Any,
) -> ModelView | None:
    """Show every layer and head as a grid of thumbnails, each of which opens.

    The first argument says what the next three are:

    * a model: ``model_view(model, tokenizer, text, text_pair)``, with the further keywords of
      ``extract`` (``inputs``, ``batch_index``, ``drop_padding``);
    * an ``AttentionTrace``: ``model_view(trace)``;
    * what ``compare(a, b)`` gives: the weights of b minus those of a, in two colours;
    * attention weights: ``model_view(attention, tokens, sentence_b_start, prettify_tokens)``, as in
      BertViz 1.x; for an encoder-decoder model the three ``*_attention`` arguments instead.

    >>> attention = [[[0.25, 0.75], [1.0, 0.0]]]  # (heads, query, key) of the only layer
    >>> view = model_view(attention, ["a", "b"], html_action="return")
    >>> type(view).__name__, len(view.data) > 1000
    ('ModelView', True)

    Args:
        attention: A model, a trace, or weights per layer, each (heads, query, key), with or without
            a batch dimension of one: what Hugging Face models return as ``attentions``.
        tokens: With weights: the tokens, as a list of strings. With a model: its tokenizer.
        sentence_b_start: With weights: position of the second sentence's first token, for the
            sentence filter. With a model: the text.
        prettify_tokens: With weights: show tokens without the tokenizer's own marks (default).
            With a model: the second text.
        display_mode: "light" and "dark" fix the theme; "auto" follows the notebook.
        encoder_attention: Weights of an encoder; needs ``encoder_tokens``.
        decoder_attention: Weights of a decoder's self-attention; needs ``decoder_tokens``.
        cross_attention: Weights of the decoder's look at the encoder; needs both tokens.
        encoder_tokens: The encoder's tokens.
        decoder_tokens: The decoder's tokens.
        include_layers: The layers to ship, by the model's own numbers; by default all.
        include_heads: The heads to ship, by the model's own numbers; by default all.
        html_action: "view" displays at once; "return" gives the ``ModelView``, whose ``data`` is
            the HTML and whose ``save("x.html")`` writes a file.
        scores: Numbers that cells are coloured and sorted by, beside entropy, mean distance and
            weight on the first token: what ``find_patterns`` or ``compare`` gives, or one's own,
            ``{"my score": {(layer, head): 0.5}}``. The first is chosen at the start.
        **more: ``model``, ``tokenizer``, ``text``, ``text_pair``, ``trace`` by name; keywords of
            ``extract`` or of ``AttentionTrace.from_arrays``.

    Returns:
        None, or the view with ``html_action="return"``.

    Raises:
        TypeError: Arguments of the wrong type, or that do not go together.
        ValueError: Numbers out of range, shapes that do not fit.
        NothingCaptured: The model computed no attention that could be captured.
    """
    check_html_action(html_action)
    view = ModelView(
        attention,
        tokens,
        sentence_b_start,
        prettify_tokens,
        display_mode,
        encoder_attention,
        decoder_attention,
        cross_attention,
        encoder_tokens,
        decoder_tokens,
        include_layers,
        include_heads,
        scores=scores,
        **more,
    )
    return finish(view, html_action)
