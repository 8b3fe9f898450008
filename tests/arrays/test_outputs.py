"""What a model or ``generate`` returned is taken apart by its own names, and steps become rows."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
import torch

from bertviz import AttentionTrace
from bertviz.arrays.outputs import is_generated, parts_of, whole_rows


@dataclass
class Output(OrderedDict[str, Any]):
    """A model's output as transformers has it: fields that are None are not among the items."""

    attentions: Any = None
    cross_attentions: Any = None
    decoder_attentions: Any = None
    encoder_attentions: Any = None

    def __post_init__(self) -> None:
        for name in self.__dataclass_fields__:
            if getattr(self, name) is not None:
                self[name] = getattr(self, name)


@dataclass
class Beams(Output):
    """What beam search gives."""

    beam_indices: Any = None


def test_the_attentions_of_an_output_by_the_names_of_the_arguments() -> None:
    one, other = (torch.ones(1),), (torch.zeros(1),)
    assert parts_of(Output(attentions=one)) == {"attention": one}
    assert parts_of({"attentions": one, "logits": 3}) == {"attention": one}
    found = parts_of(Output(encoder_attentions=one, cross_attentions=other))
    assert found == {"encoder_attention": one, "cross_attention": other}
    assert parts_of(Output(decoder_attentions=one)) == {"decoder_attention": one}


@pytest.mark.parametrize("nothing", [None, (), (None, None), [None]])
def test_an_output_without_attention_says_so(nothing: Any) -> None:
    """Under sdpa the field is missing, None, or holds None for each layer."""
    assert parts_of(Output(attentions=nothing)) == {"attention": None}
    both = parts_of(Output(attentions=nothing, cross_attentions=(torch.ones(1),)))
    assert both == {"cross_attention": (torch.ones(1),)}


def test_what_is_no_output_is_left_alone() -> None:
    for value in (None, [torch.ones(1)], torch.ones(1), {"a": 1}, {}):
        assert parts_of(value) is None
    partly = (None, torch.ones(1))
    assert parts_of({"attentions": partly}) == {"attention": partly}


def test_beam_search_is_refused() -> None:
    with pytest.raises(
        ValueError, match=r"is a Beams: beam search .*generate\(\.\.\., num_beams=1"
    ):
        parts_of(Beams(decoder_attentions=((torch.ones(1, 1, 1, 1),),)))


def test_which_attentions_are_those_of_generate() -> None:
    layer = torch.ones(1, 2, 3, 3)
    assert is_generated([[layer, layer], (layer, layer)])
    assert is_generated(((np.ones((1, 2, 3, 3)),),))
    for other in (
        [],
        [layer],
        [[]],
        [[layer], []],
        [[layer], layer],
        [[layer[0]]],
        [[layer, layer[0]]],
        [[layer], [layer.tolist()]],
        {0: [layer]},
        layer[None],
        3,
    ):
        assert not is_generated(other)


def numbered(heads: int, queries: int, keys: int, first: int) -> torch.Tensor:
    count = heads * queries * keys
    return torch.arange(first, first + count, dtype=torch.float32).view(heads, queries, keys)


def test_steps_are_rows_below_each_other() -> None:
    steps = [[numbered(2, 2, 2, 1)], [numbered(2, 1, 3, 10)], [numbered(2, 1, 4, 20)]]
    [whole] = whole_rows(steps, "attention")
    assert whole.tolist() == [
        [[1, 2, 0, 0], [3, 4, 0, 0], [10, 11, 12, 0], [20, 21, 22, 23]],
        [[5, 6, 0, 0], [7, 8, 0, 0], [13, 14, 15, 0], [24, 25, 26, 27]],
    ]


def test_a_cache_of_fixed_size_and_a_sliding_one() -> None:
    # Room for more keys than there are tokens: what lies behind the last one is cut.
    fixed = [[numbered(1, 1, 5, 1)], [numbered(1, 1, 5, 10)]]
    [whole] = whole_rows(fixed, "attention")
    assert whole.tolist() == [[[1, 2], [10, 11]]]
    # The last two keys: they end where the step does.
    sliding = [[numbered(1, 2, 2, 1)], [numbered(1, 1, 2, 10)], [numbered(1, 1, 2, 20)]]
    [whole] = whole_rows(sliding, "attention")
    assert whole.tolist() == [[[1, 2, 0, 0], [3, 4, 0, 0], [0, 10, 11, 0], [0, 0, 20, 21]]]


def test_cross_attention_has_all_keys_in_every_step() -> None:
    steps = [[numbered(1, 1, 3, 1), numbered(1, 1, 3, 4)], [numbered(1, 1, 3, 7)] * 2]
    first, second = whole_rows(steps, "cross_attention")
    assert first.tolist() == [[[1, 2, 3], [7, 8, 9]]]
    assert second.tolist() == [[[4, 5, 6], [7, 8, 9]]]


def test_steps_that_cannot_be_put_together() -> None:
    with pytest.raises(
        ValueError, match=r"attention\[1\] and attention\[0\] differ in their layer"
    ):
        whole_rows([[numbered(2, 1, 1, 0)], [numbered(2, 1, 2, 0)] * 2], "attention")
    square = numbered(1, 2, 2, 0)
    with pytest.raises(ValueError, match="holds 2 steps with as many queries each: expected the p"):
        whole_rows([[square], [square]], "attention")
    # A prompt alone is one step; steps of one token each have no prompt.
    assert whole_rows([[square]], "attention")[0].tolist() == square.tolist()
    assert whole_rows([[square], [square], [numbered(1, 1, 5, 0)]], "attention")[0].shape[1] == 5
    [rows] = whole_rows([[numbered(1, 1, 1, 3)], [numbered(1, 1, 2, 4)]], "attention")
    assert rows.tolist() == [[[3, 0], [4, 5]]]


def test_steps_become_a_trace_of_the_tokens_that_were_read() -> None:
    steps = [
        [torch.tensor([[[[1.0, 0], [0.5, 0.5]]]])],
        [torch.tensor([[[[0.2, 0.3, 0.5]]]])],
    ]
    for tokens in (["a", "b", "c"], ["a", "b", "c", "written last"]):
        trace = AttentionTrace.from_arrays(tokens, steps)
        [block] = trace.blocks.values()
        assert (block.kind, block.query_tokens) == ("decoder", ("a", "b", "c"))
        expected = torch.tensor([[[1.0, 0, 0], [0.5, 0.5, 0], [0.2, 0.3, 0.5]]])
        assert torch.equal(block.layers[0].weights(), expected)
    for tokens in (["a", "b"], ["a", "b", "c", "d", "e"]):
        with pytest.raises(ValueError, match=r"tokens holds \d strings, weights of shape"):
            AttentionTrace.from_arrays(tokens, steps)
    assert AttentionTrace.from_arrays(weights=steps).blocks["decoder"].query_tokens[-1] == "2"
