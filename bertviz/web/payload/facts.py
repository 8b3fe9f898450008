"""What a payload says besides attention: the model, the tokens, measures, an explanation."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bertviz.analysis.neurons import HeadExplanation
    from bertviz.trace import AttentionTrace, Tokens


def of_tokens(tokens: Tokens) -> dict[str, Any]:
    """One side of a block."""
    words, text = tokens.words, tokens.text
    has_subwords = len(set(words)) < len(words)
    return {
        "text": list(text),
        "raw": None if text == tokens.strings else list(tokens.strings),
        "sentences": None if tokens.sentences is None else list(tokens.sentences),
        "words": {"of": list(words), "text": list(tokens.word_text)} if has_subwords else None,
        "special": [position for position, special in enumerate(tokens.special) if special],
    }


def of_model(trace: AttentionTrace) -> dict[str, Any]:
    """The model that a trace was captured from."""
    model = {"name": trace.model_name, "dtype": trace.dtype, "exactness": trace.exactness}
    return model | ({"skipped": dict(trace.skipped)} if trace.skipped else {})


def of_models(comparison: Any) -> dict[str, Any]:
    """Both models of a comparison; a difference may be off by the sum of both errors."""
    a, b = comparison.a, comparison.b
    names = [trace.model_name or "arrays" for trace in (a, b)]
    called = comparison.names
    exactness = None
    if a.exactness is not None and b.exactness is not None:
        both = [each["max_difference"] for each in (a.exactness, b.exactness)]
        exactness = {
            **b.exactness,
            "max_difference": sum(both),
            "note": f"{called[0]} differs from its model by {both[0]:.1e},"
            f" {called[1]} by {both[1]:.1e}",
        }
    skipped = {**a.skipped, **b.skipped}
    return {
        "name": names[0] if names[0] == names[1] else f"{names[1]} minus {names[0]}",
        "dtype": b.dtype if a.dtype == b.dtype else f"{b.dtype} and {a.dtype}",
        "exactness": exactness,
    } | ({"skipped": skipped} if skipped else {})


def of_measure(measure: Mapping[str, Any], blocks: list[dict[str, Any]]) -> dict[str, Any]:
    """A measure for the heads that are shipped, in their order.

    Args:
        measure: In the form of ``measures.measures_of``.
        blocks: The payload's blocks.
    """

    def aligned(values: Mapping[str, Any], read: Callable[[Any], Any]) -> list[list[list[Any]]]:
        in_blocks = []
        for block in blocks:
            of_block = values.get(block["name"], {})
            of_layers = [(of_block.get(row["index"], {}), row["heads"]) for row in block["layers"]]
            in_blocks.append([[read(row.get(h)) for h in heads] for row, heads in of_layers])
        return in_blocks

    null, labels = measure["null"], measure.get("labels")
    return {
        "name": measure["name"],
        "diverging": measure["diverging"],
        "values": aligned(measure["values"], _rounded),
        "null": None if null is None else aligned(null, _rounded),
        **({} if labels is None else {"labels": aligned(labels, lambda label: label)}),
    }


def of_explanation(explanation: HeadExplanation) -> dict[str, Any]:
    """Neurons that belong together (pairs of a rotary model) share what they contribute."""
    each = [0.0] * sum(map(len, explanation.units))
    for unit, value in zip(explanation.units, explanation.contributions, strict=True):
        for neuron in unit:
            each[neuron] = value / len(unit)
    return {
        **{name: getattr(explanation, name) for name in ("block", "layer", "head", "what")},
        "contributions": each,
    }


def _rounded(value: float | None) -> float | None:
    return None if value is None else float(f"{value:.5g}")
