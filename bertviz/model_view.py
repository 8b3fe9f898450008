"""Model view: all layers and heads at once, as a grid of small pictures.

``ModelView`` is the object; here a call on a model, a trace or arrays makes one and displays it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, overload

from bertviz.views.display import finish
from bertviz.views.model import ModelView
from bertviz.views.old_names import OFFERED, old_name
from bertviz.views.signatures import Signatures
from bertviz.views.sources import read

if TYPE_CHECKING:
    from typing import SupportsIndex

    from torch.nn import Module
    from typing_extensions import Unpack

    from bertviz.analysis.comparison import Comparison
    from bertviz.trace import AttentionTrace
    from bertviz.views.options import DisplayMode, Numbers, ViewOptions
    from bertviz.views.signatures import ArrayOptions, ExtractOptions, SourceOptions

    class Options(ViewOptions, total=False):
        """What may be chosen with a trace."""

        measures: Any

    class ModelOptions(Options, ExtractOptions, total=False):
        """What may be chosen with a model."""

    class AnyOptions(Options, SourceOptions, total=False):
        """All keywords."""


__all__ = ["model_view", *OFFERED[__name__]]

SIGNATURES = Signatures.of(
    ModelView,
    order=(
        *("attention", "tokens", "sentence_b_start", "prettify_tokens", "display_mode"),
        *("encoder_attention", "decoder_attention", "cross_attention"),
        *("encoder_tokens", "decoder_tokens", "include_layers", "include_heads", "html_action"),
    ),
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
    trace: AttentionTrace | Comparison,
    *,
    html_action: Literal["view"] = "view",
    **options: Unpack[Options],
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
    html_action: Literal["view"] = "view",
    *,
    measures: Any = None,
    nonce: str | None = None,
    **more: Unpack[ArrayOptions],
) -> None: ...
@overload
def model_view(
    *source: Any, html_action: Literal["return"], **options: Unpack[AnyOptions]
) -> ModelView: ...
def model_view(*arguments: Any, **keywords: Any) -> ModelView | None:  # noqa: D417
    """Show every layer and head as a grid of thumbnails, each of which opens.

    The first argument, or the names that are used, say what is shown:

    * a model: ``model_view(model, tokenizer, text, text_pair)``, with the further keywords of
      ``extract``;
    * an ``AttentionTrace``: ``model_view(trace)``;
    * what ``compare(a, b)`` gives: the weights of b minus those of a, in two colors;
    * attention weights, or what a model returned:
      ``model_view(attention, tokens, sentence_b_start, prettify_tokens, ...)``, in the order of
      BertViz 1.x; for an encoder-decoder model the three ``*_attention`` arguments instead.

    >>> attention = [[[0.25, 0.75], [1.0, 0.0]]]  # (heads, query, key) of the only layer
    >>> view = model_view(attention, ["a", "b"], html_action="return")
    >>> type(view).__name__, len(view.data) > 1000
    ('ModelView', True)

    Args:
        model: A model (``torch.nn.Module``).
        tokenizer: Its tokenizer.
        text: The text that the model reads.
        text_pair: The second text.
        trace: In place of a model: a trace or a comparison.
        attention: In place of a model: weights per layer, each (heads, query, key), with or without
            a batch dimension of one: what Hugging Face models return as ``attentions``. Values that
            are not attention are passed with ``kind="signed"`` or ``kind="unnormalized"``.
        tokens: With arrays: the tokens, as a list of strings.
        sentence_b_start: With arrays: position of the second sentence's first token, for the
            sentence filter.
        measures: Numbers to show below heads and to sort them by, beside entropy, mean distance and
            weight on the first token: what ``find_patterns`` or ``compare`` gives, or your own,
            ``{"mine": {(layer, head): 0.5}}``. The first is chosen at the start.
        encoder_attention: Weights of an encoder; needs ``encoder_tokens``.
        decoder_attention: Weights of a decoder's self-attention; needs ``decoder_tokens``.
        cross_attention: Weights of the decoder's attention to the encoder; needs both tokens.
        encoder_tokens: The encoder's tokens.
        decoder_tokens: The decoder's tokens.
        include_layers: The layers the view contains, by the model's own numbers; by default all.
        include_heads: The heads it contains, by the model's own numbers; by default all.
        prettify_tokens: Whether to show tokens without the tokenizer's own marks; by default yes.
        display_mode: "light" and "dark" fix the theme; "auto" follows the notebook.
        nonce: What the output's script carries, where a page's Content-Security-Policy asks for it.
        html_action: "view" displays at once; "return" gives the ``ModelView``, whose ``data`` is
            the HTML and whose ``save("x.html")`` writes a file.
        more: Keywords of ``extract``, or of ``AttentionTrace.from_arrays``.

    Returns:
        None, or the view with ``html_action="return"``.

    Raises:
        TypeError: Arguments of the wrong type, or that do not go together.
        ValueError: Numbers out of range, shapes that do not fit.
        NothingCaptured: The model computed no attention that could be captured.
    """
    call = read(SIGNATURES, arguments, keywords)
    return finish(ModelView(call.shown, **call.options), call.html_action)


# What Shift-Tab in Jupyter shows first, as an editor shows the first overload.
model_view.__signature__ = SIGNATURES.model  # type: ignore[attr-defined]


def __getattr__(name: str) -> Any:
    return old_name(__name__, name)
