"""Neuron view: how one head's attention is computed, from query and key vectors to weights.

The question it answers: why does this head look there? For a chosen query token every step stands
in a column: its query vector, the key vectors, their products neuron by neuron, the scores, and the
softmax of the scores. It works for any model that ``extract`` can read, so nothing here depends on
the model.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bertviz.arguments import as_index, offers
from bertviz.errors import a_type
from bertviz.trace.kinds import check_attention
from bertviz.views.lookalikes import refuse_comparison, trace_and_comparison
from bertviz.views.view import View

if TYPE_CHECKING:
    from typing import SupportsIndex

    from typing_extensions import Unpack

    from bertviz.analysis.neurons import HeadExplanation
    from bertviz.trace import AttentionTrace
    from bertviz.views.options import ViewOptions
    from bertviz.views.saving import Format, Target, Width
    from bertviz.web.payload import NeuronState


class NeuronView(View):
    """One head, computed step by step for any query token.

    >>> from bertviz import AttentionTrace
    >>> queries = keys = [[[[1.0, 0.0], [0.0, 1.0]]]]  # layer, head, token, neuron
    >>> trace = AttentionTrace.from_arrays(["a", "b"], queries=queries, keys=keys)
    >>> NeuronView(trace, layer=0, head=0)
    NeuronView(1 layer, 1 head, 2 tokens)
    """

    kind = "neuron"

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
            **state: Unpack[NeuronState],
        ) -> None: ...

        def svg(  # type: ignore[override]  # noqa: D102, described in View
            self,
            *,
            width: Width = None,
            font_size: float | None = None,
            title: str | None = None,
            legend: bool = True,
            mark: bool = True,
            **state: Unpack[NeuronState],
        ) -> str: ...

    def __init__(
        self,
        trace: AttentionTrace,
        *,
        layer: SupportsIndex | None = None,
        head: SupportsIndex | None = None,
        explanation: HeadExplanation | None = None,
        **options: Unpack[ViewOptions],
    ) -> None:
        """Choose what to show.

        Args:
            trace: What to show, with queries and keys.
            layer: The layer shown first, by the model's own number; by default the first.
            head: The head shown first, by the model's own number; by default the first.
            explanation: What ``explain_head(trace, layer, head)`` gave: the view starts with that
                head, its neurons sorted by what they contribute over the whole text, with those
                numbers above them.
            **options: ``include_layers`` and ``include_heads`` (what the view contains; all by
                default), ``prettify_tokens`` (show tokens without the tokenizer's own marks; the
                default) and ``display_mode`` ("auto", "light" or "dark"), and
                ``nonce``.
        """
        refuse_comparison("neuron_view", trace)
        trace, _ = trace_and_comparison(type(self).__name__, trace)
        check_attention(
            "neuron_view",
            trace,
            "show the values with head_view or model_view, or the neurons of the attention with"
            " neuron_view(model, tokenizer, text)",
        )
        if explanation is not None:
            layer, head = _explained(trace, explanation, layer, head)
        super().__init__(
            trace,
            options,
            layer=layer,
            heads=None if head is None else as_index("head", head, "head"),
            heads_name="head",
            explanation=explanation,
        )


def _explained(
    trace: AttentionTrace,
    explanation: HeadExplanation,
    layer: SupportsIndex | None,
    head: SupportsIndex | None,
) -> tuple[int, int]:
    """The head that an explanation describes, with which the view starts.

    Raises:
        TypeError: It is not an explanation.
        ValueError: It is of another head, or of another model.
    """
    if not all(offers(explanation, name) for name in ("contributions", "units", "layer", "head")):
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
