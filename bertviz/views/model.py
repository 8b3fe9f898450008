"""Model view: all layers and heads at once, as a grid of small pictures.

The question it answers: which heads are worth a closer look? Layers go down, heads go across; a
click opens a head with its tokens beside it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bertviz.views.lookalikes import is_comparison
from bertviz.views.view import View

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from bertviz.analysis.comparison import Comparison
    from bertviz.trace import AttentionTrace
    from bertviz.views.options import ViewOptions
    from bertviz.views.saving import Format, Target, Width
    from bertviz.web.payload import ModelState


class ModelView(View):
    """Every layer and head, as a grid of thumbnails that open.

    >>> from bertviz import AttentionTrace
    >>> ModelView(AttentionTrace.from_arrays(["a", "b"], [[[0.25, 0.75], [1.0, 0.0]]]))
    ModelView(1 layer, 1 head, 2 tokens)
    """

    kind = "model"

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
            **state: Unpack[ModelState],
        ) -> None: ...

        def svg(  # type: ignore[override]  # noqa: D102, described in View
            self,
            *,
            width: Width = None,
            font_size: float | None = None,
            title: str | None = None,
            legend: bool = True,
            mark: bool = True,
            **state: Unpack[ModelState],
        ) -> str: ...

    def __init__(
        self,
        trace: AttentionTrace | Comparison,
        *,
        measures: Any = None,
        **options: Unpack[ViewOptions],
    ) -> None:
        """Choose what to show.

        Args:
            trace: What to show: a trace, or what ``compare(a, b)`` gives.
            measures: Numbers to show below heads and to sort by, beside entropy, mean distance
                and weight on the first token: what ``find_patterns`` or ``compare`` gives, or your
                own, ``{"mine": {(layer, head): 0.5}}``. The first is chosen at the start. By
                default those of a comparison.
            **options: ``include_layers`` and ``include_heads`` (what the view contains; all by
                default), ``prettify_tokens`` (show tokens without the tokenizer's own marks; the
                default) and ``display_mode`` ("auto", "light" or "dark"), and
                ``nonce``.
        """
        if measures is None and is_comparison(trace):
            measures = trace
        super().__init__(trace, options, measures=measures)
