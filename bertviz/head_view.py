"""Head view: one layer, many heads, which token looks at which.

The question it answers: where do the heads of this layer look, for this text? Queries (the tokens
being updated) stand on the left, keys (the tokens attended to) on the right, and every weight is a
line between them, in the colour of its head.
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
    from bertviz.web.payload import HeadState

    class Options(SharedOptions, total=False):
        """What a call on a model or a trace may choose."""

        layer: SupportsIndex | None
        heads: Numbers | None

    class ModelOptions(Options, ExtractOptions, total=False):
        """Likewise, with the keywords of ``extract``."""


class HeadView(View):
    """The object behind ``head_view``: same arguments, without ``html_action``.

    >>> view = HeadView([[[0.25, 0.75], [1.0, 0.0]]], ["a", "b"], heads=[0])
    >>> view
    HeadView(1 layer, 1 head, 2 tokens)
    >>> view.save("attention.jpg")
    Traceback (most recent call last):
        ...
    ValueError: path='attention.jpg' ends in '.jpg': expected one of .html, .svg, .png, .pdf, such as 'attention.html'.
    """  # noqa: E501

    kind = "head"

    if TYPE_CHECKING:  # with the state keys of this view

        def save(  # type: ignore[override]  # noqa: D102, described in View
            self, path: str | PathLike[str], *, width: Width = None, **state: Unpack[HeadState]
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
        layer: SupportsIndex | None = None,
        heads: Numbers | None = None,
        encoder_attention: Any = None,
        decoder_attention: Any = None,
        cross_attention: Any = None,
        encoder_tokens: Any = None,
        decoder_tokens: Any = None,
        include_layers: Numbers | None = None,
        *,
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
        layer: SupportsIndex | None = None,
        heads: Numbers | None = None,
        encoder_attention: Any = None,
        decoder_attention: Any = None,
        cross_attention: Any = None,
        encoder_tokens: Any = None,
        decoder_tokens: Any = None,
        include_layers: Numbers | None = None,
        *,
        include_heads: Numbers | None = None,
        display_mode: DisplayMode = "auto",
        **more: Any,
    ) -> None:
        """See ``head_view``."""
        comparison, attention = comparison_in(attention)
        trace = resolve(
            "head_view",
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
            layer=layer,
            heads=heads,
            include_layers=include_layers,
            include_heads=include_heads,
            display_mode=display_mode,
            comparison=comparison,
        )


@overload
def head_view(
    model: Module,
    tokenizer: Any = None,
    text: str | None = None,
    text_pair: str | None = None,
    *,
    html_action: Literal["view"] = "view",
    **options: Unpack[ModelOptions],
) -> None: ...
@overload
def head_view(
    model: Module,
    tokenizer: Any = None,
    text: str | None = None,
    text_pair: str | None = None,
    *,
    html_action: Literal["return"],
    **options: Unpack[ModelOptions],
) -> HeadView: ...
@overload
def head_view(
    trace: AttentionTrace, *, html_action: Literal["view"] = "view", **options: Unpack[Options]
) -> None: ...
@overload
def head_view(
    trace: AttentionTrace, *, html_action: Literal["return"], **options: Unpack[Options]
) -> HeadView: ...
@overload
def head_view(
    attention: Any = None,
    tokens: Any = None,
    sentence_b_start: SupportsIndex | None = None,
    prettify_tokens: bool = True,
    layer: SupportsIndex | None = None,
    heads: Numbers | None = None,
    encoder_attention: Any = None,
    decoder_attention: Any = None,
    cross_attention: Any = None,
    encoder_tokens: Any = None,
    decoder_tokens: Any = None,
    include_layers: Numbers | None = None,
    html_action: Literal["view"] = "view",
    *,
    include_heads: Numbers | None = None,
    display_mode: DisplayMode = "auto",
    **more: Unpack[ArrayOptions],
) -> None: ...
@overload
def head_view(
    attention: Any = None,
    tokens: Any = None,
    sentence_b_start: SupportsIndex | None = None,
    prettify_tokens: bool = True,
    layer: SupportsIndex | None = None,
    heads: Numbers | None = None,
    encoder_attention: Any = None,
    decoder_attention: Any = None,
    cross_attention: Any = None,
    encoder_tokens: Any = None,
    decoder_tokens: Any = None,
    include_layers: Numbers | None = None,
    *,
    html_action: Literal["return"],
    include_heads: Numbers | None = None,
    display_mode: DisplayMode = "auto",
    **more: Unpack[ArrayOptions],
) -> HeadView: ...
def head_view(  # type: ignore[misc]  # its first arguments have two names each
    attention: Any = None,
    tokens: Any = None,
    sentence_b_start: Any = None,
    prettify_tokens: Any = True,
    layer: SupportsIndex | None = None,
    heads: Numbers | None = None,
    encoder_attention: Any = None,
    decoder_attention: Any = None,
    cross_attention: Any = None,
    encoder_tokens: Any = None,
    decoder_tokens: Any = None,
    include_layers: Numbers | None = None,
    html_action: HtmlAction = "view",
    *,
    include_heads: Numbers | None = None,
    display_mode: DisplayMode = "auto",
    **more: Any,
) -> HeadView | None:
    """Show one layer's heads as lines from each query token to the key tokens it attends to.

    The first argument says what the next three are:

    * a model: ``head_view(model, tokenizer, text, text_pair)``, with the further keywords of
      ``extract`` (``inputs``, ``batch_index``, ``drop_padding``);
    * an ``AttentionTrace``: ``head_view(trace)``;
    * what ``compare(a, b)`` gives: the weights of b minus those of a, in two colours;
    * attention weights: ``head_view(attention, tokens, sentence_b_start, prettify_tokens)``, as in
      BertViz 1.x; for an encoder-decoder model the three ``*_attention`` arguments instead.

    >>> attention = [[[0.25, 0.75], [1.0, 0.0]]]  # (heads, query, key) of the only layer
    >>> view = head_view(attention, ["a", "b"], html_action="return")
    >>> type(view).__name__, len(view.data) > 1000
    ('HeadView', True)

    Args:
        attention: A model, a trace, or weights per layer, each (heads, query, key), with or without
            a batch dimension of one: what Hugging Face models return as ``attentions``.
        tokens: With weights: the tokens, as a list of strings. With a model: its tokenizer.
        sentence_b_start: With weights: position of the second sentence's first token, for the
            sentence filter. With a model: the text.
        prettify_tokens: With weights: show tokens without the tokenizer's own marks (default).
            With a model: the second text.
        layer: The layer shown first, by the model's own number; by default the first.
        heads: The heads shown first, by the model's own numbers; by default all.
        encoder_attention: Weights of an encoder; needs ``encoder_tokens``.
        decoder_attention: Weights of a decoder's self-attention; needs ``decoder_tokens``.
        cross_attention: Weights of the decoder's look at the encoder; needs both tokens.
        encoder_tokens: The encoder's tokens.
        decoder_tokens: The decoder's tokens.
        include_layers: The layers to ship, by the model's own numbers; by default all.
        html_action: "view" displays at once; "return" gives the ``HeadView``, whose ``data`` is the
            HTML and whose ``save("x.html")`` writes a file.
        include_heads: The heads to ship, by the model's own numbers; by default all.
        display_mode: "light" and "dark" fix the theme; "auto" follows the notebook.
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
    view = HeadView(
        attention,
        tokens,
        sentence_b_start,
        prettify_tokens,
        layer,
        heads,
        encoder_attention,
        decoder_attention,
        cross_attention,
        encoder_tokens,
        decoder_tokens,
        include_layers,
        include_heads=include_heads,
        display_mode=display_mode,
        **more,
    )
    return finish(view, html_action)
