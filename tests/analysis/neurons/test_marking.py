"""Which pairs count, for which queries, and what their neurons do: plain numbers, at the edges."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
import torch

from bertviz import AttentionTrace, HeadExplanation, explain_head
from bertviz.analysis.neurons.marking import Marked, marked
from bertviz.analysis.neurons.units import carrying, paired, ranked
from bertviz.trace import AttentionBlock, Formula, LayerAttention, Tokens

COUNT = 5


def block_of(**terms: Any) -> AttentionBlock:
    """One layer of heads 3 and 4, with random queries and keys."""
    generator = torch.Generator().manual_seed(2)
    queries, keys = (2 * torch.randn(2, 2, COUNT, 4, generator=generator)).unbind()
    layer = LayerAttention(1, "", (3, 4), Formula(queries, keys, 0.5, **terms))
    tokens = Tokens.read(list("abcde"))
    return AttentionBlock("encoder", "encoder", tokens, tokens, (layer,))


def mark(block: AttentionBlock, pattern: Any = None, cells: Any = None, window: int = 2) -> Marked:
    return marked(block, block.layers[0], 4, pattern, cells, window)


MASK = torch.zeros(1, COUNT, COUNT)
MASK[:, :, 1] = -1e30  # padding: a query whose key nobody sees
MASK[:, 3, 4] = -1e30


def test_pairs_that_are_masked_do_not_count() -> None:
    found = mark(block_of(mask=MASK), "next token")
    # Query 0's next key is masked, query 1 is padding, query 3's next key is masked.
    assert found.exists.tolist() == [False, False, True, False, False]
    assert found.pairs.nonzero().tolist() == [[1, 2], [2, 3]]
    assert found.queries == 1
    assert found.uniform == pytest.approx(1 / 4)
    layer = block_of(mask=MASK).layers[0]
    weights = layer.weights(4)[0]
    assert torch.equal(found.weights, weights)
    assert found.mass(weights) == pytest.approx(float(weights[2, 3]))


def test_pairs_without_others_beside_them_do_not_count() -> None:
    found = mark(block_of(causal=True), "self")
    assert found.exists.tolist() == [False, True, True, True, True], "query 0 has no other key"
    assert found.uniform == pytest.approx((1 / 2 + 1 / 3 + 1 / 4 + 1 / 5) / 4)
    every = torch.ones(COUNT, COUNT)
    every[2, 0] = 0
    assert mark(block_of(), cells=every).exists.tolist() == [False, False, True, False, False]
    with pytest.raises(ValueError, match="the given query–key pairs exists for no query"):
        mark(block_of(), cells=torch.ones(COUNT, COUNT))


def test_lifts_are_even_over_pairs_and_zero_in_sum() -> None:
    found = mark(block_of(causal=True), "local window", window=1)
    expected = torch.zeros(COUNT, COUNT)
    for q in range(2, COUNT):
        expected[q, : q + 1] = -1 / (q + 1)
        expected[q, q - 1 : q + 1] += 1 / 2
    torch.testing.assert_close(found.lifts, expected)


def test_lifts_of_the_strongest_keys_are_the_weights_themselves() -> None:
    block = block_of(mask=MASK)
    found = mark(block)
    weights = block.layers[0].weights(4)[0]
    assert (found.what, found.exists.tolist()) == (
        "its strongest keys",
        [True, False, True, True, True],
    )
    seen = found.unmasked.float()
    expected = (weights - seen / seen.sum(1, keepdim=True)) * found.exists[:, None]
    torch.testing.assert_close(found.lifts, expected)
    assert found.pairs.sum(1).tolist() == [1] * COUNT
    assert found.pairs.int().argmax(1).tolist() == weights.argmax(1).tolist()


def test_queries_of_another_text_have_no_padding() -> None:
    """In cross-attention a key that nobody sees is not a query."""
    block = block_of(mask=MASK)
    cross = dataclasses.replace(block, name="cross", kind="cross")
    assert mark(cross, "first token").exists.tolist() == [True] * COUNT
    assert mark(block, "first token").exists.tolist() == [True, False, True, True, True]


def test_pairs_in_every_form_are_the_same() -> None:
    matrix = torch.zeros(COUNT, COUNT)
    matrix[0, 1] = matrix[3, 2] = 1
    expected = mark(block_of(), cells=matrix).lifts
    for cells in (
        matrix.numpy(),
        matrix.bool(),
        matrix.tolist(),
        {(0, 1), (3, 2)},
        [(3, 2), (0, 1)],
    ):
        assert torch.equal(mark(block_of(), cells=cells).lifts, expected)
    with pytest.raises(TypeError, match=r"cells holds 1\.0, a float"):
        mark(block_of(), cells=[(0, 1.0)])


def test_the_default_window_is_two() -> None:
    block = block_of()
    trace = AttentionTrace({"encoder": block})
    assert explain_head(trace, 1, 4, "local window").rows() == (
        explain_head(trace, 1, 4, "local window", window=2).rows()
    )
    with pytest.raises(ValueError, match="local window exists for no query"):
        explain_head(trace, 1, 4, "local window", window=4)
    assert explain_head(trace, 1, 4, "local window", window=3).queries == 2


def test_heads_and_layers_by_the_models_own_numbers() -> None:
    block = block_of()
    found = explain_head(AttentionTrace({"encoder": block}, model_name="Bert"), 1, 4, "self")
    assert (found.model_name, found.block, found.layer, found.head) == ("Bert", "encoder", 1, 4)
    assert found.mass == pytest.approx(float(block.layers[0].weights(4)[0].diagonal().mean()))
    assert found.assumed_pairs is False
    rotated = AttentionTrace({"encoder": block_of(rotary=True)})
    assert explain_head(rotated, 1, 4, "self").assumed_pairs is True
    assert explain_head(rotated, 1, 4, "self", pairs="halves").assumed_pairs is False
    assert explain_head(rotated, 1, 4, "self").units == ((0, 2), (1, 3))


def test_random_sets_are_the_same_every_time_and_as_large_as_the_top() -> None:
    trace = AttentionTrace({"encoder": block_of()})
    one, other = (explain_head(trace, 1, 3, "previous token") for _ in range(2))
    assert one.without_random == other.without_random
    assert one.only_random == other.only_random
    formula = block_of().layers[0].explained
    layer = block_of().layers[0]
    masses = []
    for neurons in torch.combinations(torch.arange(4), len(one.top)).tolist():
        queries = torch.zeros_like(formula.queries)
        queries[..., neurons] = formula.queries[..., neurons]
        part = dataclasses.replace(layer, formula=dataclasses.replace(formula, queries=queries))
        masses.append(float(part.weights(3)[0].diagonal(-1).mean()))
    # Twenty draws from so few sets find all of them.
    assert one.only_random[0] == pytest.approx(min(masses), abs=1e-6)
    assert one.only_random[2] == pytest.approx(max(masses), abs=1e-6)
    assert one.only_random[0] < one.only_random[1] < one.only_random[2]


# --- units -----------------------------------------------------------------------------------


def test_the_fewest_units_that_make_four_fifths() -> None:
    assert carrying([4.0, 4.0, 2.0]) == [0, 1], "exactly 80 % is enough"
    assert carrying([4.0, 3.9, 2.1]) == [0, 1, 2]
    assert carrying([-1.0, 5.0, -2.0]) == [1]
    assert ranked([1.0, 2.0, 2.0, -1.0]) == [1, 2, 0, 3]


def test_neurons_that_are_rotated_together() -> None:
    assert paired(6, "halves", 4) == ((0, 2), (1, 3), (4,), (5,))
    assert paired(6, "interleaved", None) == ((0, 1), (2, 3), (4, 5))
    assert paired(3, None, None) == ((0,), (1,), (2,))
    assert paired(4, "halves", 4) == paired(4, "halves", None) == ((0, 2), (1, 3))
    for dim in (0, -2, 3, 6):
        with pytest.raises(ValueError, match=f"from 2 to head_dim, 4, got {dim}"):
            paired(4, "halves", dim)


# --- what readers see ------------------------------------------------------------------------


def explained(**changes: Any) -> HeadExplanation:
    given: dict[str, Any] = {
        "model_name": None,
        "block": "encoder",
        "layer": 1,
        "head": 2,
        "what": "self",
        "assumed_pairs": False,
        "units": tuple((n,) for n in range(10)),
        "contributions": (5.0, 3.0, 1.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0, -2.0),
        "added": 0.0,
        "top": ((0,), (1,)),
        "queries": 4,
        "uniform": 0.125,
        "mass": 0.5,
        "without_top": 0.25,
        "only_top": 0.375,
        "without_random": (0.1, 0.2, 0.3),
        "only_random": (0.4, 0.5, 0.6),
    }
    return HeadExplanation(**{**given, **changes})


def test_rows_hold_shares_of_what_is_positive() -> None:
    rows = explained().rows()
    assert rows[0] == {"neurons": (0,), "contribution": 5.0, "share": 0.5, "top": True}
    assert rows[-1] == {"neurons": (9,), "contribution": -2.0, "share": -0.2, "top": False}
    nothing = explained(contributions=(0.0,) * 10).rows()
    assert [row["share"] for row in nothing] == [0.0] * 10
    found = explained(units=((2, 3), (0, 1)), contributions=(1.0, 2.0), top=((0, 1),))
    assert (found.neurons, found.concentration) == ((0, 1, 2, 3), 0.5)


def test_a_summary_names_where_it_is_and_what_counts() -> None:
    text = str(explained())
    begin = "layer 1, head 2: self. 2 of 10 neurons make 80% of what lifts these keys: 0, 1."
    assert text.startswith(begin)
    lines = [line.split("  ") for line in text.splitlines()[2:7]]
    cells = [[cell.strip() for cell in line if cell.strip()] for line in lines]
    assert cells[1:] == [
        ["as it is", "0.50"],
        ["without them", "0.25", "0.20 (0.10 to 0.30)"],
        ["with only them", "0.38", "0.50 (0.40 to 0.60)"],
        ["uniform attention", "0.12"],
    ]
    assert text.endswith("gives different neurons.")
    assert "bias" not in text
    assert "assumed" not in text
    assert str(explained(model_name="M", block="cross")).startswith("M, cross, layer 1, head 2")
    assert str(explained(model_name="M", block="decoder")).startswith("M, layer 1, head 2")


def test_a_summary_lists_eight_units_and_counts_the_rest() -> None:
    units = tuple((n,) for n in range(10))
    assert ": 0, 1, 2, 3, 4, 5, 6, 7." in str(explained(top=units[:8]))
    assert ": 0, 1, 2, 3, 4, 5, 6, 7 and 2 more." in str(explained(top=units))


def test_a_summary_tells_the_bias_unless_it_is_tiny() -> None:
    for added in (0.005, -0.005, 0.5):
        told = f"adds to the scores lifts these keys by {added:.2f}, all neurons together by 8.00. "
        assert told in str(explained(added=added))
    for added in (0.0049, -0.0049):
        assert "adds to the scores" not in str(explained(added=added))
    both = explained(added=0.5, assumed_pairs=True)
    assert both._notes().index("The bias") < both._notes().index("It is assumed that neurons")
