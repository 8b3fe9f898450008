"""What a comparison says, and in which order; which parts of two traces it looks at."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
import torch

from bertviz import AttentionTrace, Comparison, compare
from bertviz.analysis.comparison.differences import differences
from bertviz.trace import AttentionBlock, Formula, LayerAttention, Tokens


def trace_of(weights: Any, name: str | None = None, kind: Any = "encoder") -> AttentionTrace:
    trace = AttentionTrace.from_arrays(["a", "b"], torch.tensor(weights), kind=kind)
    return dataclasses.replace(trace, model_name=name)


EVEN = [[0.5, 0.5], [0.5, 0.5]]
FIRST = [[1.0, 0.0], [1.0, 0.0]]
HALF = [[1.0, 0.0], [0.5, 0.5]]


@pytest.fixture
def comparison() -> Comparison:
    a = trace_of([[EVEN, EVEN], [EVEN, EVEN]], "One")
    return compare(a, trace_of([[EVEN, HALF], [FIRST, HALF]], "Other"))


def test_the_largest_differences_come_first_and_equal_ones_in_order(comparison: Comparison) -> None:
    order = [(row.layer, row.head) for row in comparison.largest()]
    assert order == [(1, 0), (0, 1), (1, 1), (0, 0)]
    assert [row.total_variation for row in comparison.largest()] == [0.5, 0.25, 0.25, 0]
    assert [row[:2] for row in comparison.largest(2)] == [(1, 0), (0, 1)]
    with pytest.raises(ValueError, match="count=0 gives nothing"):
        comparison.largest(0)


def test_a_summary_names_both_and_the_mean(comparison: Comparison) -> None:
    text = str(comparison)
    assert text.startswith(
        "One (a) and Other (b): 4 heads, whose weights differ by 0.25 on average (total variation)"
    )
    lines = text.splitlines()[3:7]
    assert [line.split()[:4] for line in lines] == [
        ["encoder", "1", "0", "0.50"],
        ["encoder", "0", "1", "0.25"],
        ["encoder", "1", "1", "0.25"],
        ["encoder", "0", "0", "0.00"],
    ]
    assert text.endswith("says little about models trained separately.")
    assert "Left out" not in text


def test_a_summary_has_ten_lines_and_says_what_is_left_out() -> None:
    many = trace_of([[EVEN] * 12])
    comparison = compare(many, many)
    assert len(comparison._lines()) == 10
    assert len(comparison.rows()) == 12
    left = {"encoder": (("x", "y"), ("z",)), "decoder": ((), ("w",)), "cross": ((), ())}
    notes = dataclasses.replace(comparison, left_out=left)._notes()
    assert notes.startswith("Left out in encoder, of a x y; of b z. Left out in decoder, of b w. H")


def test_each_block_is_compared_with_its_own() -> None:
    def both(encoder: Any, cross: Any) -> AttentionTrace:
        blocks = {
            kind: trace_of([[weights]], kind=kind).blocks[kind]
            for kind, weights in (("encoder", encoder), ("cross", cross))
        }
        return AttentionTrace(blocks)

    comparison = compare(both(EVEN, EVEN), both(EVEN, FIRST))
    assert [(row.block, row.total_variation) for row in comparison.differences] == [
        ("encoder", 0.0),
        ("cross", 0.5),
    ]
    assert comparison.largest()[0].total_variation == 0
    assert comparison.largest(block="cross")[0].total_variation == 0.5
    assert comparison.weights(0, block="cross").tolist() == [[[0.5, -0.5]] * 2]
    assert comparison.weights(0).abs().sum() == 0
    kinds = compare(both(EVEN, EVEN), both(EVEN, FIRST)).b
    wrong = dataclasses.replace(
        kinds,
        blocks={
            "encoder": dataclasses.replace(kinds.blocks["encoder"], kind="decoder"),
            "cross": kinds.blocks["cross"],
        },
    )
    with pytest.raises(ValueError, match="Block 'encoder' is 'encoder' in a and 'decoder' in b"):
        compare(kinds, wrong)


def test_keys_are_compared_like_queries() -> None:
    def cross(keys: list[str]) -> AttentionTrace:
        return AttentionTrace.from_arrays(
            weights=torch.full((1, 1, 1, len(keys)), 1 / len(keys)),
            query_tokens=["q"],
            key_tokens=keys,
        )

    with pytest.raises(ValueError, match="The key tokens of block 'cross' differ from position 1"):
        compare(cross(["a", "b"]), cross(["a", "c"]))
    with pytest.raises(ValueError, match="no token in common in block 'cross'"):
        compare(cross(["a", "b"]), cross(["x"]), align="tokens")
    aligned = compare(cross(["a", "b", "c"]), cross(["a", "c"]), align="tokens")
    assert aligned.blocks["cross"].key_tokens == ("a", "c")


def test_weight_that_lies_elsewhere_is_one_more_key() -> None:
    """A sink takes a half of every row; the rest of a row never becomes negative."""

    def layer(*rows: list[float]) -> LayerAttention:
        return LayerAttention(0, "", (0,), given_weights=torch.tensor([list(rows)]))

    [(variation, divergence, entropy)] = differences(layer([0.25, 0.25]), layer([0.5, 0.5]))
    assert variation == pytest.approx(0.5)
    assert divergence == pytest.approx(0.3113, abs=1e-4)
    assert entropy == pytest.approx(-0.5)
    [(variation, divergence, entropy)] = differences(layer([0.5, 0.5001]), layer([0.5, 0.5]))
    assert variation == pytest.approx(0, abs=1e-4)
    [(variation, divergence, entropy)] = differences(layer([1.0, 0.0]), layer([0.0, 1.0]))
    assert (variation, divergence, entropy) == (1.0, 1.0, 0.0)


def test_long_texts_are_compared_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    generator = torch.Generator().manual_seed(0)
    one, other = (
        LayerAttention(
            0,
            "",
            (0, 1),
            Formula(*torch.randn(2, 2, 5, 3, generator=generator).unbind(), scaling=1.0),
        )
        for _ in range(2)
    )
    whole = differences(one, other)
    for at_once in (1, 20, 30, 10**6):
        monkeypatch.setattr("bertviz.analysis.comparison.differences.AT_ONCE", at_once)
        found = differences(one, other)
        assert torch.tensor(found).sub(torch.tensor(whole)).abs().max() < 1e-6
    assert whole != differences(one, one)


def test_words_left_out_are_told_by_side() -> None:
    def text(*tokens: str) -> AttentionTrace:
        count = len(tokens)
        weights = torch.full((1, count, count), 1 / count)
        held = Tokens.read(tokens)
        layer = LayerAttention(0, "", (0,), given_weights=weights)
        return AttentionTrace(
            {"encoder": AttentionBlock("encoder", "encoder", held, held, (layer,))}
        )

    comparison = compare(text("a", "x", "b"), text("a", "b", "y", "z"), align="tokens")
    assert comparison.left_out == {"encoder": (("x",), ("y", "z"))}
    assert comparison.blocks["encoder"].query_tokens == ("a", "b")
    [row] = comparison.differences
    # Two thirds on a and b against a half: a sixth lies elsewhere.
    assert row.total_variation == pytest.approx(1 / 6)
