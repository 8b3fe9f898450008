"""The parts of a trace that are shown, as a payload."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from bertviz.trace.settings import plainly
from bertviz.web.payload import facts, sparse, values, vectors
from bertviz.web.payload.chunks import Chunks
from bertviz.web.payload.schema import VERSION, Theme, ViewName

if TYPE_CHECKING:
    from bertviz.trace import AttentionBlock, AttentionTrace, LayerAttention


@plainly()
def build(
    trace: AttentionTrace,
    view: ViewName,
    *,
    state: Mapping[str, Any] | None = None,
    include_layers: Collection[int] | None = None,
    include_heads: Collection[int] | None = None,
    display_mode: Theme = "auto",
    measures: Sequence[Mapping[str, Any]] = (),
    comparison: Any = None,
    explanation: Any = None,
) -> dict[str, Any]:
    """Serialize a trace for one view.

    Args:
        trace: What was captured.
        view: "head" and "model" ship weights, "neuron" ships queries and keys; "model" ships those
            too where they are small.
        state: Where the view starts: any of ``STATE[view]``.
        include_layers: The model's own layer numbers to ship; all by default.
        include_heads: The model's own head numbers to ship; all by default.
        display_mode: "light" and "dark" fix the theme, "auto" follows the notebook.
        measures: Numbers per head, in the form of ``measures.measures_of``.
        comparison: What ``compare`` gives: its differences are shipped in place of weights.
            ``trace`` is then its b.
        explanation: What ``explain_head`` gives, for the neuron view.

    Returns:
        A dict of JSON types, in the schema of ``bertviz.web.payload.schema``.

    >>> from bertviz.trace import AttentionTrace
    >>> trace = AttentionTrace.from_arrays(tokens=["a", "b"], weights=[[[0.25, 0.75], [1.0, 0.0]]])
    >>> payload = build(trace, "head")
    >>> payload["blocks"][0]["layers"][0]["weights"]
    {'chunk': 0, 'listed': 3, 'steps': 65535}

    Raises:
        ValueError: There are more key tokens than the page has numbers for.
    """
    shipped = list(_shipped(trace, include_layers, include_heads))
    for block, _ in shipped:
        _check_size(block)
    layers = [pair for _, pairs in shipped for pair in pairs]
    size = vectors.size_of(layers)
    small = size is not None and size / 2 <= vectors.BESIDE_BYTES
    # Neurons belong to a single trace, so a comparison has none.
    with_neurons = view == "neuron" or (view == "model" and small and comparison is None)
    with_weights = view != "neuron"
    fine = sum(len(h) * math.prod(layer.shape) for layer, h in layers) <= sparse.FINE_WEIGHTS
    chunks = Chunks()
    shared = vectors.Vectors(chunks, large=view == "model" or (size or 0) > vectors.FLOAT32_BYTES)
    blocks = []
    for block, pairs in shipped:
        rows = []
        for layer, heads in pairs:
            row: dict[str, Any] = {"index": layer.index, "name": layer.name, "heads": heads}
            row |= {"weights": None, "less": None, "neurons": None}
            if with_weights and trace.kind != "attention":
                row |= values.values_of(chunks, layer, heads, fine, trace.kind)
            elif with_weights:
                row |= sparse.weights_of(chunks, block.name, layer, heads, fine, comparison)
            if with_neurons:
                row["neurons"] = shared.neurons(layer, heads)
            rows.append(row)
        blocks.append(_block(block, rows))
    return {
        "version": VERSION,
        "view": view,
        "kind": trace.kind,
        "theme": display_mode,
        "model": _model(trace, comparison),
        "blocks": blocks,
        "difference": comparison is not None,
        **({} if comparison is None else {"names": list(comparison.names)}),
        "measures": [facts.of_measure(measure, blocks) for measure in measures],
        "explanation": None if explanation is None else facts.of_explanation(explanation),
        "neurons": "here" if with_neurons else "none" if size is None else "left out",
        "state": dict(state or {}),
        "chunks": chunks.encoded,
    }


def _check_size(block: AttentionBlock) -> None:
    keys = len(block.key)
    if keys > sparse.MOST_KEYS:
        raise ValueError(
            f"Block {block.name!r} has {keys:,} key tokens: a view shows up to"
            f" {sparse.MOST_KEYS:,}. Show a part of the text, such as trace.window(0, 2048), or of"
            " your own arrays."
        )


def _shipped(
    trace: AttentionTrace,
    include_layers: Collection[int] | None,
    include_heads: Collection[int] | None,
) -> Iterator[tuple[AttentionBlock, list[tuple[LayerAttention, list[int]]]]]:
    """The blocks that have something to ship: their layers, and which heads of each."""
    for block in trace.blocks.values():
        layers = []
        for layer in block.layers:
            heads = [h for h in layer.heads if include_heads is None or h in include_heads]
            if heads and (include_layers is None or layer.index in include_layers):
                layers.append((layer, heads))
        if layers:
            yield block, layers


def _model(trace: AttentionTrace, comparison: Any) -> dict[str, Any]:
    return facts.of_model(trace) if comparison is None else facts.of_models(comparison)


def _block(block: AttentionBlock, layers: list[dict[str, Any]]) -> dict[str, Any]:
    query, key = facts.of_tokens(block.query), facts.of_tokens(block.key)
    return {
        "name": block.name,
        "kind": block.kind,
        "query": query,
        "key": None if query == key and block.kind != "cross" else key,
        "layers": layers,
    }
