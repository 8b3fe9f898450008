"""Checks what was captured against what the model computed: a number, or an error.

Comparing our weights with the softmax of our own scores proves nothing. So they are compared with
the model's own numbers, in two ways: in the same run, what each attention returned is compared with
our weights times its values (or its weights with ours, where it returns them); and where the model
can return its attention, a separate run on its eager kernel is compared.

The first comparison decides: attention that does not explain what the module returned is not shown.
The second may differ for the model's own reasons: some architectures compute something else on
another kernel.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from torch import Tensor
from transformers import PreTrainedModel

from bertviz.extractor.capture import Capture
from bertviz.extractor.inputs import Reading
from bertviz.extractor.records import Keep
from bertviz.extractor.running import captured
from bertviz.trace import AttentionTrace, LayerAttention
from bertviz.trace.masks import hidden_by
from bertviz.trace.settings import plainly

# The largest difference of weights that rounding explains, by what the model computes in. Kernels
# in half precision round what they sum up; T5, whose scores are large, differs by 4e-6 in float32.
TOLERANCE = {"float64": 1e-4, "float32": 1e-4, "float16": 1e-2, "bfloat16": 6e-2}
# A run on the eager kernel holds the weights of all layers at once.
MOST_EAGER_BYTES = 4 << 30


class NotReproduced(RuntimeError):  # noqa: N818, like NothingCaptured
    """What was captured does not explain what the model computed; the message says where."""


def report(
    reading: Reading,
    capture: Capture,
    trace: AttentionTrace,
    positions: Mapping[str, tuple[Sequence[int], Sequence[int]]],
) -> dict[str, Any]:
    """Compare a trace with the model.

    Args:
        reading: The model and what it read.
        capture: The capture of a run with ``check`` on.
        trace: The trace made from it.
        positions: Per block the query and key positions that the trace has.

    Returns:
        ``max_difference``, ``dtype``, ``layers`` (per block, the largest difference per layer),
        ``terms`` (what beside q·k enters the scores), ``compared_with``, and ``note`` where the
        eager run disagrees.

    Raises:
        NotReproduced: Weights do not explain what the model computed.
    """
    own = {record.path: 0.0 for record in capture.records}
    for record in capture.records:
        if not record.heads:
            continue
        if record.difference is None:
            raise NotReproduced(
                f"{record.path} could not be checked: it returned nothing that its attention could"
                " be compared with."
            )
        own[record.path] = max(own[record.path], record.difference)
    tolerance = TOLERANCE.get(trace.dtype, 1e-4)
    layers: dict[str, list[float]] = {}
    for name, block in trace.blocks.items():
        layers[name] = [own[layer.name] for layer in block.layers]
        for layer, difference in zip(block.layers, layers[name], strict=True):
            if not difference <= tolerance:
                raise NotReproduced(
                    f"The attention of layer {layer.index} ({layer.name}) cannot be reproduced:"
                    f" what was captured differs from what the model computed by {difference:.1e},"
                    f" where rounding in {trace.dtype} explains {tolerance:.0e}. It is not shown;"
                    " please report the model."
                )
    found: dict[str, Any] = {
        "max_difference": max(max(values) for values in layers.values()),
        "dtype": trace.dtype,
        "layers": layers,
        "terms": terms_of(trace),
        "compared_with": "what each attention returned in the same run",
        "note": None,
    }
    eager, why = eager_differences(reading, trace, positions)
    if eager is None:
        found["note"] = why
        return found
    largest = max(max(values) for values in eager.values())
    if largest <= tolerance:
        found["compared_with"] += ", and the model's own attention on its eager kernel"
        found["layers"] = {
            name: [max(pair) for pair in zip(values, eager.get(name, values), strict=True)]
            for name, values in layers.items()
        }
        found["max_difference"] = max(found["max_difference"], largest)
    else:
        found["note"] = (
            f"on its eager kernel the model computes other attention (by {largest:.1e}) than on the"
            " one it ran on"
        )
    return found


@plainly()
def terms_of(trace: AttentionTrace) -> list[str]:
    """What enters the scores beside q·k, of all layers."""
    terms: list[str] = []
    for block in trace.blocks.values():
        for layer in block.layers:
            formula = layer.explained
            if formula.causal or formula.mask is not None:
                terms.append("mask")
            if _is_window(formula.mask):
                terms.append("sliding window")
            if formula.position_bias is not None:
                terms.append("bias")
            if formula.softcap is not None:
                terms.append("softcap")
            if formula.sinks is not None:
                terms.append("sink")
            if layer.num_key_value_heads < layer.num_heads:
                terms.append("grouped keys")
    return sorted(set(terms))


def _is_window(mask: Tensor | None) -> bool:
    """Whether the first visible key moves along with the query."""
    if mask is None or mask.shape[-2] < 2:
        return False
    first = (~hidden_by(mask))[0].int().argmax(-1)  # the first key that each query sees
    return bool(first[-1] > first[0])


def _set_eager(mirror: PreTrainedModel) -> None:
    mirror.set_attn_implementation("eager")


def eager_differences(
    reading: Reading,
    trace: AttentionTrace,
    positions: Mapping[str, tuple[Sequence[int], Sequence[int]]],
) -> tuple[dict[str, list[float]] | None, str]:
    """Per block and layer, from the model's own attention; or why there is none to compare with."""
    model, row = reading.model, reading.row
    if not isinstance(model, PreTrainedModel):
        return None, "the model offers no attention of its own"
    can = getattr(type(model), "_can_set_attn_implementation", None)
    if getattr(model.config, "_attn_implementation", None) != "eager" and (
        not callable(can) or not can()
    ):
        return None, "the model chooses its kernel when it is made, so it has no eager run"
    size = sum(
        4 * layer.num_heads * layer.shape[0] * layer.shape[1]
        for block in trace.blocks.values()
        for layer in block.layers
    )
    if size > MOST_EAGER_BYTES:
        return None, "the text is too long for the model's eager kernel"
    none = Keep(row=row, layers=frozenset({-1}))
    asked = reading.with_inputs(output_attentions=True)
    try:
        _, output = captured(asked, none, prepare=_set_eager)
    except Exception as error:  # the user's own run went well; this one is an extra
        return None, f"the model's eager run failed: {type(error).__name__}: {error}"
    offered = _offered(output)
    found: dict[str, list[float]] = {}
    for name, block in trace.blocks.items():
        queries, keys = positions[name]
        for own in offered:
            differences = _differences(block.layers, own, row, queries, keys)
            if differences is not None and (
                name not in found or max(differences) < max(found[name])
            ):
                found[name] = differences
    if not found:
        return None, "the model returns no attention as one row per query and head"
    return found, ""


def _offered(output: Any) -> list[Sequence[Tensor]]:
    """Every list of attentions in a model's output, nested ones included."""
    offered: list[Sequence[Tensor]] = []
    if not hasattr(output, "items"):
        return offered
    for name, value in output.items():
        if name.endswith("attentions") and isinstance(value, list | tuple):
            layers = [layer for layer in value if isinstance(layer, Tensor) and layer.ndim == 4]
            if layers:
                offered.append(layers)
        elif hasattr(value, "items"):
            offered += _offered(value)
    return offered


@plainly()
def _differences(
    layers: Sequence[LayerAttention],
    own: Sequence[Tensor],
    row: int,
    queries: Sequence[int],
    keys: Sequence[int],
) -> list[float] | None:
    """The largest difference of each layer; None where these are not its attentions."""
    found = []
    for place, layer in enumerate(layers):
        number = layer.index if layer.index < len(own) else place
        if number >= len(own) or own[number].shape[0] <= row:
            return None
        theirs = own[number][row]
        if theirs.shape[0] <= max(layer.heads) or theirs.shape[1] <= max(queries):
            return None
        if theirs.shape[2] <= max(keys):
            return None
        theirs = theirs[list(layer.heads)][:, list(queries)][:, :, list(keys)].float()
        ours = layer.weights().to(theirs.device)
        if ours.shape != theirs.shape:
            return None
        rows = (ours - theirs).abs().amax(-1)
        visible = layer.visible()
        if visible is not None:  # rows of padding see nothing; kernels fill them arbitrarily
            rows = rows.mul(visible.any(-1).to(rows))
        found.append(float(rows.max()))
    return found
