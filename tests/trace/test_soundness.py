"""What does not fit is named before there is a trace to use; what just fits is let through."""

from __future__ import annotations

import dataclasses
import math
import re
from typing import Any

import pytest
import torch

from bertviz import AttentionTrace
from bertviz.trace import AttentionBlock, Formula, LayerAttention, Tokens
from bertviz.trace.soundness import check_trace

HEADS, QUERIES, KEYS, DIM = 4, 3, 5, 6


def formula(**changes: Any) -> Formula:
    """Queries and keys of a cross-attention whose heads share keys, two each."""
    given: dict[str, Any] = {
        "queries": torch.ones(HEADS, QUERIES, DIM),
        "keys": torch.ones(2, KEYS, DIM),
        "scaling": 0.5,
    }
    return Formula(**{**given, **changes})


def trace_of(layer: LayerAttention, kind: Any = "attention", **changes: Any) -> AttentionTrace:
    queries, keys = Tokens.read(["x", "y", "z"]), Tokens.read(list("abcde"))
    block = AttentionBlock("cross", "cross", queries, keys, (layer,))
    return AttentionTrace({"cross": dataclasses.replace(block, **changes)}, kind=kind)


def computed(**changes: Any) -> AttentionTrace:
    return trace_of(LayerAttention(7, "", (0, 1, 2, 3), formula(**changes)))


def given(values: Any, kind: Any = "attention") -> AttentionTrace:
    weights = torch.zeros(HEADS, QUERIES, KEYS)
    weights[2, 1, 4] = values
    return trace_of(LayerAttention(7, "", (0, 1, 2, 3), given_weights=weights), kind)


ROW = torch.zeros(1, 1, KEYS)
FITS: dict[str, dict[str, Any]] = {
    "key heads of its own": {"key_heads": (1, 1, 0, 0)},
    "mask of each head": {"mask": torch.zeros(HEADS, QUERIES, KEYS)},
    "mask of a row": {"mask": torch.zeros(1, QUERIES, 1), "position_bias": ROW},
    "mask of bools": {"mask": torch.ones(1, 1, KEYS, dtype=torch.bool)},
    "lowest mask": {"mask": torch.full((1, 1, KEYS), torch.finfo(torch.float32).min)},
    "infinite mask": {"mask": torch.full((1, 1, KEYS), -math.inf)},
    "sinks": {"sinks": torch.zeros(HEADS)},
    "sinks of each query": {"sinks": torch.zeros(HEADS, QUERIES)},
    "softcap": {"softcap": 1e-29},
    "large softcap": {"softcap": 9e29},
    "large scaling": {"scaling": -1e37},
    "large queries": {"queries": torch.full((HEADS, QUERIES, DIM), -4e37)},
    "half precision": {"keys": torch.ones(2, KEYS, DIM, dtype=torch.float16)},
}


@pytest.mark.parametrize("name", FITS)
def test_what_fits_is_let_through(name: str) -> None:
    check_trace(computed(**FITS[name]))


MISFITS: list[tuple[dict[str, Any], str]] = [
    ({"keys": torch.ones(3, KEYS, DIM)}, "4 heads cannot share 3 heads of keys evenly"),
    ({"keys": torch.full((2, KEYS, DIM), math.nan)}, "keys holds NaN"),
    ({"queries": torch.full((HEADS, QUERIES, DIM), 6e37)}, "so large that q·k overflows"),
    ({"keys": torch.full((2, KEYS, DIM), -6e37)}, "so large that q·k overflows"),
    ({"queries": torch.full((HEADS, QUERIES, DIM), math.inf)}, "so large that q·k overflows"),
    ({"scaling": 6e37}, "so large that q·k overflows"),
    ({"scaling": -6e37}, "so large that q·k overflows"),
    ({"scaling": 1e300, "queries": torch.zeros(HEADS, QUERIES, DIM)}, "q·k overflows"),
    ({"keys": torch.zeros(2, KEYS, DIM), "queries": torch.full((HEADS, QUERIES, DIM), 3.1e38)}, "q·k overflows"),  # noqa: E501
    ({"softcap": 1e30}, "softcap is 1e+30"),
    ({"softcap": 1e-30}, "softcap is 1e-30"),
    ({"position_bias": ROW + 3.1e38}, "position_bias holds numbers that overflow"),
    ({"position_bias": ROW + 2e38, "mask": ROW + 2e38}, "position_bias holds numbers that"),
    ({"mask": ROW + 3.1e38}, "mask holds numbers that overflow"),
    ({"sinks": torch.full((HEADS,), math.inf)}, "sinks holds numbers that overflow"),
    ({"sinks": torch.full((HEADS,), -math.inf)}, "sinks holds numbers that overflow"),
    ({"sinks": torch.tensor([0.0, 0.0, 0.0, math.nan])}, "sinks holds NaN"),
]  # fmt: skip


@pytest.mark.parametrize(("changes", "message"), MISFITS)
def test_a_formula_whose_parts_do_not_fit(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=f"block 'cross', layer 7: .*{re.escape(message)}"):
        check_trace(computed(**changes))


def test_numbers_that_add_up_to_too_much() -> None:
    """No term overflows by itself: q·k, a bias and a mask are added."""
    part = {"queries": torch.full((HEADS, QUERIES, DIM), 3e37), "scaling": 1.0}  # q·k: 1.8e38
    check_trace(computed(**part))
    check_trace(computed(**part, mask=ROW - 2e38))
    with pytest.raises(ValueError, match="position_bias holds numbers that overflow"):
        check_trace(computed(**part, position_bias=ROW + 2e38))
    # A softcap bounds q·k, so the same bias fits.
    check_trace(computed(**part, position_bias=ROW + 2e38, softcap=50.0))


@pytest.mark.parametrize("number", [0.0, 1.0, 1.0009, -0.0009])
def test_weights_may_be_off_by_rounding(number: float) -> None:
    check_trace(given(number))


@pytest.mark.parametrize(
    ("number", "kind", "message"),
    [
        (1.002, "attention", "given_weights holds 1.002: expected 0..1"),
        (-0.002, "attention", "given_weights holds -0.002: expected 0..1"),
        (math.nan, "attention", "given_weights holds NaN"),
        (-1e-20, "unnormalized", "given_weights holds -1e-20: expected 0..1e+30"),
        (2e30, "unnormalized", "given_weights holds 2e+30: expected 0..1e+30"),
        (2e30, "signed", "given_weights holds 2e+30: expected -1e+30..1e+30"),
        (-2e30, "signed", "given_weights holds -2e+30: expected -1e+30..1e+30"),
        (math.inf, "signed", "given_weights holds"),
    ],
)
def test_values_that_are_not_of_their_kind(number: float, kind: str, message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(f"block 'cross', layer 7: {message}")):
        check_trace(given(number, kind))


def test_values_of_their_kind() -> None:
    for number in (math.nan, 1e30, -1e30, 0.0):
        check_trace(given(number, "signed"))
        check_trace(given(abs(number), "unnormalized"))


def test_weights_beside_a_formula_are_both_checked() -> None:
    layer = LayerAttention(7, "", (0, 1, 2, 3), formula(), torch.zeros(HEADS, QUERIES, KEYS))
    check_trace(trace_of(layer))
    with pytest.raises(ValueError, match=r"given_weights has shape \(4, 3, 4\), but formula"):
        check_trace(trace_of(dataclasses.replace(layer, given_weights=torch.zeros(4, 3, 4))))
    wrong = formula(keys=torch.full((2, KEYS, DIM), math.nan))
    with pytest.raises(ValueError, match="layer 7: keys holds NaN"):
        check_trace(trace_of(dataclasses.replace(layer, formula=wrong)))


TOKENS = Tokens.read(["x", "y", "z"])
BLOCKS: list[tuple[dict[str, Any], str]] = [
    ({"layers": ()}, "block 'cross' has no layers"),
    ({"layers": (), "query": TOKENS[:0]}, "block 'cross': query has no tokens"),
    ({"layers": (), "key": TOKENS[:0]}, "block 'cross': key has no tokens"),
    ({"query": dataclasses.replace(TOKENS, text=("x",))}, "query has 3 strings, but 1 in text"),
    ({"query": dataclasses.replace(TOKENS, words=(0, 1))}, "query has 3 strings, but 2 in words"),
    ({"query": dataclasses.replace(TOKENS, special=())}, "3 strings, but 0 in special"),
    ({"query": dataclasses.replace(TOKENS, sentences=(0, 1))}, "3 strings, but 2 in sentences"),
    ({"query": dataclasses.replace(TOKENS, sentences=(0, 0, 0))}, "has 1 sentences: expected two"),
    ({"query": dataclasses.replace(TOKENS, sentences=(0, 1, 2))}, "has 3 sentences: expected two"),
    ({"query": dataclasses.replace(TOKENS, words=(1, 1, 2))}, "not numbered from 0 without gaps"),
    ({"query": dataclasses.replace(TOKENS, words=(0, 2, 2))}, "not numbered from 0 without gaps"),
    ({"query": dataclasses.replace(TOKENS, words=(0, 1, 0))}, "not numbered from 0 without gaps"),
]  # fmt: skip


@pytest.mark.parametrize(("changes", "message"), BLOCKS)
def test_a_block_whose_parts_do_not_fit(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(message)):
        check_trace(trace_of(LayerAttention(7, "", (0, 1, 2, 3), formula()), **changes))


def test_layers_and_heads_have_numbers_of_their_own() -> None:
    layer = LayerAttention(7, "", (0, 1, 2, 3), formula())
    check_trace(trace_of(layer, layers=(layer, dataclasses.replace(layer, index=8))))
    with pytest.raises(ValueError, match=r"has two layers of one number: \[7, 7\]"):
        check_trace(trace_of(layer, layers=(layer, layer)))
    none = formula(queries=torch.ones(0, QUERIES, DIM))
    with pytest.raises(ValueError, match="layer 7 has no heads"):
        check_trace(trace_of(LayerAttention(7, "", (), none)))


def test_words_and_sentences_that_fit() -> None:
    tokens = dataclasses.replace(TOKENS, words=(0, 0, 1), sentences=(0, 1, 1))
    check_trace(trace_of(LayerAttention(7, "", (0, 1, 2, 3), formula()), query=tokens))
