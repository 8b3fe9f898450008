"""Head view: one layer, many heads, which token attends to which.

The question it answers: where do the heads of this layer look, for this text? Queries (the tokens
being updated) stand on the left, keys (the tokens attended to) on the right, and every weight is a
line between them, in the color of its head.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bertviz.views.view import View

if TYPE_CHECKING:
    from typing import SupportsIndex

    from typing_extensions import Unpack

    from bertviz.analysis.comparison import Comparison
    from bertviz.trace import AttentionTrace
    from bertviz.views.options import Numbers, ViewOptions
    from bertviz.views.saving import Format, Target, Width
    from bertviz.web.payload import HeadState


class HeadView(View):
    """One layer's heads, as lines from each query token to the key tokens it attends to.

    >>> from bertviz import AttentionTrace
    >>> trace = AttentionTrace.from_arrays(["a", "b"], [[[0.25, 0.75], [1.0, 0.0]]])
    >>> view = HeadView(trace, heads=[0])
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
            self,
            path: Target,
            *,
            width: Width = None,
            font_size: float | None = None,
            title: str | None = None,
            legend: bool = True,
            mark: bool = True,
            format: Format = None,
            **state: Unpack[HeadState],
        ) -> None: ...

        def svg(  # type: ignore[override]  # noqa: D102, described in View
            self,
            *,
            width: Width = None,
            font_size: float | None = None,
            title: str | None = None,
            legend: bool = True,
            mark: bool = True,
            **state: Unpack[HeadState],
        ) -> str: ...

    def __init__(
        self,
        trace: AttentionTrace | Comparison,
        *,
        layer: SupportsIndex | None = None,
        heads: Numbers | None = None,
        **options: Unpack[ViewOptions],
    ) -> None:
        """Choose what to show.

        Args:
            trace: What to show: a trace, or what ``compare(a, b)`` gives.
            layer: The layer shown first, by the model's own number; by default the first.
            heads: The heads shown first, by the model's own numbers; by default all.
            **options: ``include_layers`` and ``include_heads`` (what the view contains; all by
                default), ``prettify_tokens`` (show tokens without the tokenizer's own marks; the
                default) and ``display_mode`` ("auto", "light" or "dark"), and
                ``nonce``.
        """
        super().__init__(trace, options, layer=layer, heads=heads)
