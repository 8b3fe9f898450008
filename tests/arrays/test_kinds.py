"""What is not attention: passed with its kind it is kept, without it is told."""

from __future__ import annotations

import re
import warnings
from typing import Any

import numpy as np
import pytest
import torch

from bertviz import AttentionTrace
from tests.helpers import a_head_view, weights

TOKENS = ["a", "b", "c"]
SIGNED = np.random.default_rng(0).normal(size=(2, 2, 3, 3))


@pytest.mark.parametrize("form", [np.asarray, torch.tensor, lambda v: v.tolist()])
@pytest.mark.parametrize("kind", ["signed", "unnormalized"])
def test_values_are_kept_with_their_kind(form: Any, kind: str) -> None:
    values = SIGNED if kind == "signed" else 7 * np.abs(SIGNED)
    values = values.copy()
    values[1, 0, 2] = np.nan
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        trace = AttentionTrace.from_arrays(TOKENS, form(values), kind=kind)
    assert trace.kind == kind
    assert repr(trace) == f"AttentionTrace({kind} values, encoder: 2 layers, 3 x 3 tokens)"
    [block] = trace.blocks.values()
    found = np.stack([layer.weights().numpy() for layer in block.layers])
    np.testing.assert_allclose(found, values, rtol=1e-6)


def test_two_stacks_of_tokens_and_three_stacks_of_values() -> None:
    cross = AttentionTrace.from_arrays(
        weights=SIGNED[..., :2, :], query_tokens=["x", "y"], key_tokens=TOKENS, kind="signed"
    )
    assert [block.kind for block in cross.blocks.values()] == ["cross"]
    view = a_head_view(
        encoder_attention=SIGNED,
        cross_attention=SIGNED,
        encoder_tokens=TOKENS,
        decoder_tokens=TOKENS,
        kind="signed",
    )
    assert view.trace.kind == "signed"
    assert list(view.trace.blocks) == ["encoder", "cross"]
    with pytest.raises(ValueError, match="kind='encoder' is said by the names of the arguments"):
        a_head_view(encoder_attention=SIGNED, encoder_tokens=TOKENS, kind="encoder")


@pytest.mark.parametrize(
    ("values", "kind", "message"),
    [
        (SIGNED, "unnormalized", "no numbers below zero: pass kind='signed'"),
        (SIGNED, None, "result of a softmax. .* kind='signed' (any numbers)"),
        (1e-4 * SIGNED, None, "result of a softmax. .* kind='signed' (any numbers)"),
        (2 * np.abs(SIGNED), None, "result of a softmax. .* kind='unnormalized' (none below zero)"),
        (np.full((1, 3, 3), np.nan), None, "holds NaN at layer 0, .* NaN stands for missing ones"),
        (np.full((1, 3, 3), np.inf), "signed", "inf at layer 0, head 0, query 0, key 0: expected"),
        (np.full((1, 3, 3), -1e31), "signed", "-1e+31 at layer 0, .* divide them by one number"),
        (SIGNED, "gradient", "kind='gradient' is unknown: expected 'encoder', .* 'unnormalized'"),
    ],
)
def test_numbers_that_are_not_of_their_kind(values: Any, kind: Any, message: str) -> None:
    pattern = re.escape(message).replace(r"\.\*", ".*").replace(r"\ ", " ")
    with pytest.raises(ValueError, match=pattern):
        AttentionTrace.from_arrays(TOKENS, values, kind=kind)


def test_a_kind_is_a_string_and_goes_with_values_alone() -> None:
    with pytest.raises(TypeError, match="kind=3 is an int: expected a string"):
        AttentionTrace.from_arrays(TOKENS, SIGNED, kind=3)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="kind='signed' does not go with queries and keys"):
        AttentionTrace.from_arrays(TOKENS, queries=SIGNED, keys=SIGNED, kind="signed")


def test_rows_that_do_not_sum_to_one_are_told_once_with_the_worst() -> None:
    values = weights(2, 2, 3)
    values[0, 1, 2] *= 0.9
    values[1, 0, 1] = [0.8, 0.9, 0.3]
    with pytest.warns(UserWarning, match=r"attention has 2 rows that do not sum to 1: ") as caught:
        a_head_view(values, TOKENS)
    [told] = caught
    assert "query 1 of layer 1, head 0 sums to 2." in str(told.message)
    for how in ("kind='attention'", "model.eval()", "kind='signed'", "kind='unnormalized'"):
        assert how in str(told.message)
    assert told.filename == __file__, "the caller's line"


@pytest.mark.parametrize(
    ("sums", "told"),
    [([1.2, 1.5], 1), ([1.5, 1.2], 0), ([1.5, 1.5], 0), ([0.5, 1.2], 0), ([1.001, 1.2], 1)],
)
def test_the_row_that_is_named_is_the_furthest_from_one(sums: list[float], told: int) -> None:
    """Above or below, and of equals the first."""
    values = weights(2, 1, 3)
    values[0, 0, 0], values[1, 0, 0] = sums[0] / 3, sums[1] / 3
    expected = f"query 0 of layer {told}, head 0 sums to {sums[told]:.4g}"
    with pytest.warns(UserWarning, match=re.escape(expected)):
        AttentionTrace.from_arrays(TOKENS, values)


def test_attention_is_not_told() -> None:
    whole = torch.tensor(weights(2, 2, 64, 1))
    masked = weights(1, 1, 3)
    masked[0, 0, 1] = 0  # a row that is masked entirely
    sliced = weights(1, 1, 5)[..., :3, :3]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for dtype in (torch.float64, torch.float32, torch.float16, torch.bfloat16):
            AttentionTrace.from_arrays(weights=whole.to(dtype))
        AttentionTrace.from_arrays(TOKENS, masked)
        assert AttentionTrace.from_arrays(TOKENS, sliced, kind="attention").kind == "attention"
