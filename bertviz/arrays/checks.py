"""Checks that arrays fit the tokens and each other; errors use the caller's argument names."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from bertviz.arguments import as_index, as_items, as_number, axes_of, offers
from bertviz.arrays.conversion import as_tensor
from bertviz.arrays.kinds import HOW
from bertviz.errors import short
from bertviz.trace.tokens import strings_of

if TYPE_CHECKING:
    from torch import Tensor

    from bertviz.trace import Formula

# Weights in half precision may exceed 1 through rounding.
TOLERANCE = 1e-3
# They are never negative, while attention × gradient is often that small.
NEGATIVE = 1e-6
FLOAT32_MAX = 3.4e38


def kept_positions(mask: Any, batch_index: int | None, queries: int, keys: int) -> list[int]:
    """Positions that are not padding."""
    flags = as_tensor("attention_mask", mask)
    shape = tuple(flags.shape)
    if flags.ndim == 2 and shape[0]:
        row = (batch_index or 0) if shape[0] > 1 else 0
        if not -shape[0] <= row < shape[0]:
            raise ValueError(
                f"attention_mask has shape {shape}, a row for each of {shape[0]} texts, and"
                f" batch_index={row} is not among them."
            )
        flags = flags[row]
    if tuple(flags.shape) != (queries,) or queries != keys:
        raise ValueError(
            f"attention_mask has shape {shape}, the arrays have {queries} queries and"
            f" {keys} keys: expected one number per token, for queries and keys that are the same"
            " tokens."
        )
    if not bool(((flags == 0) | (flags == 1)).all()):
        raise ValueError(
            "attention_mask holds numbers other than 0 and 1: expected 1 for tokens and 0 for"
            " padding, as the tokenizer gives it."
        )
    kept = [i for i, seen in enumerate(flags.tolist()) if seen]
    if not kept:
        raise ValueError("attention_mask is 0 everywhere, so nothing would be left.")
    return kept


def check_tokens(
    side: str,
    tokens: Sequence[str] | None,
    layers: Sequence[Tensor],
    axis: int,
    name: str,
    what: str,
) -> tuple[str, ...]:
    """The tokens of one side, checked against every layer.

    Args:
        side: What the tokens were passed as.
        tokens: The tokens; positions name them by default.
        layers: The arrays.
        axis: Which axis of theirs has the tokens.
        name: What the arrays were passed as.
        what: "query" or "key".
    """
    lengths = [int(layer.shape[axis]) for layer in layers]
    for index, length in enumerate(lengths):
        if length != lengths[0]:
            raise ValueError(
                f"{name}[{index}] has {length} positions where {name}[0] has {lengths[0]}: all"
                " layers of a block share their tokens."
            )
    if tokens is None:
        return tuple(map(str, range(lengths[0])))
    if isinstance(tokens, str):
        raise TypeError(
            f"{side} is one string: expected a list of {lengths[0]} strings, one per position, such"
            " as tokenizer.convert_ids_to_tokens(inputs.input_ids[0]) gives."
        )
    strings = strings_of(side, tokens)
    if len(strings) != lengths[0]:
        raise ValueError(
            f"{side} holds {len(strings)} strings, {name} of shape {tuple(layers[0].shape)} has"
            f" {lengths[0]} {what} positions: expected one string per position. Padding and special"
            " tokens count; take the tokens from the same input_ids that the model read."
        )
    return strings


def check_weights(name: str, layers: Sequence[Tensor]) -> None:
    """Refuse weights that cannot be the result of a softmax."""
    for index, layer in enumerate(layers):
        bad = layer.isnan()
        if bad.any():
            head, row, key = (int(i) for i in bad.nonzero()[0])
            raise ValueError(
                f"{name} holds NaN at layer {index}, head {head}, query {row}, key {key}: expected"
                " weights in 0..1. A row that is masked entirely gives NaN in a softmax; drop such"
                f" rows (padding), or fill them with 0; {HOW}."
            )
        low, high = float(layer.min()), float(layer.max())
        if low < -NEGATIVE or high > 1 + TOLERANCE:
            worst = low if low < -NEGATIVE else high
            hint = "If these are scores, apply a softmax over keys first"
            if low >= 0 and bool((layer == 0).any()):
                hint = (
                    "If the model was in train mode, its dropout set some weights to 0 and enlarged"
                    f" the others: call model.eval() and run it again. {hint}"
                )
            raise ValueError(
                f"{name} holds {worst:.4g} in layer {index}: expected weights in 0..1, each row the"
                f" result of a softmax. {hint}; {HOW}."
            )


def check_vectors(
    queries: list[Tensor], keys: list[Tensor], weights: list[Tensor] | None
) -> tuple[list[Tensor], list[Tensor]]:
    """Queries and keys, once they fit each other and the weights."""
    if len(queries) != len(keys) or (weights is not None and len(weights) != len(queries)):
        counts = f"queries {len(queries)}, keys {len(keys)}"
        if weights is not None:
            counts += f", weights {len(weights)}"
        raise ValueError(f"The arrays differ in their number of layers: {counts}.")
    for index, (query, key) in enumerate(zip(queries, keys, strict=True)):
        shapes = f"queries[{index}] {tuple(query.shape)} and keys[{index}] {tuple(key.shape)}"
        if query.shape[-1] != key.shape[-1]:
            raise ValueError(f"{shapes} differ in head_dim, their last axis.")
        if query.shape[0] % key.shape[0]:
            raise ValueError(
                f"{shapes} do not fit: the number of heads must be a multiple of the number of key"
                " heads."
            )
        for name, tensor in (("queries", query), ("keys", key)):
            if not bool(tensor.float().isfinite().all()):
                raise ValueError(
                    f"{name} holds NaN or infinity, or a number too large for float32, in layer"
                    f" {index}."
                )
        if weights is not None:
            expected = (query.shape[0], query.shape[1], key.shape[1])
            if tuple(weights[index].shape) != tuple(expected):
                raise ValueError(
                    f"weights[{index}] has shape {tuple(weights[index].shape)}, {shapes} give"
                    f" {tuple(expected)}."
                )
    return queries, keys


def check_scores(formula: Formula, index: int) -> None:
    """Refuse queries and keys whose products float32 cannot hold: their softmax would be NaN."""
    import torch

    queries, keys = formula.queries.double(), formula.keys.double()
    factor = max(1.0, abs(formula.scaling))
    # No product, and no part of its sum, is larger than the product of the lengths.
    largest = float(queries.norm(dim=-1).max()) * float(keys.norm(dim=-1).max()) * factor
    if largest < torch.finfo(torch.float32).max:
        return
    # Lengths may exceed what the products themselves do not.
    for place in range(formula.num_heads):
        if not bool(formula.scores([place]).isfinite().all()):
            raise ValueError(
                f"queries and keys overflow float32 in layer {index}, head {place}: their products"
                f" reach about {largest:.1e}, and a softmax of infinity is NaN. Scale them down, or"
                " pass a smaller scaling."
            )


def scales_of(scaling: Any, vectors: tuple[list[Tensor], list[Tensor]] | None) -> list[float]:
    """The factor on q·k of each layer.

    Args:
        scaling: One number, or one per layer; None for 1/√head_dim.
        vectors: Queries and keys per layer; None if there are none.
    """
    if vectors is None:
        if scaling is not None:
            raise ValueError("scaling was given without queries and keys, which it scales.")
        return []
    count = len(vectors[0])
    if scaling is None:
        return [1 / math.sqrt(query.shape[-1]) for query in vectors[0]]
    expected = "expected one number, or one per layer"
    if not offers(scaling, "__iter__") or (offers(scaling, "shape") and axes_of(scaling) == 0):
        scaling = [_scale("scaling", scaling, expected)] * count
    each = as_items("scaling", scaling, expected)
    if len(each) != count:
        raise ValueError(
            f"scaling holds {len(each)} numbers for {count} layers: pass one, or one per layer."
        )
    return [_scale(f"scaling[{i}]", number, expected) for i, number in enumerate(each)]


def _scale(name: str, value: Any, expected: str) -> float:
    number = as_number(name, value, expected)
    if abs(number) > FLOAT32_MAX:
        raise ValueError(f"{name}={short(value)} is too large for float32: {expected}.")
    return number


def sentences_of(start: Any, tokens: tuple[str, ...]) -> tuple[int, ...] | None:
    """The sentence of each token, from where the second one starts."""
    if start is None:
        return None
    start = as_index("sentence_b_start", start)
    if not 0 < start < len(tokens):
        raise ValueError(
            f"sentence_b_start={start} is out of range: expected the position of the second"
            f" sentence's first token, 1 to {len(tokens) - 1}, or None for one sentence."
        )
    return tuple(int(position >= start) for position in range(len(tokens)))
