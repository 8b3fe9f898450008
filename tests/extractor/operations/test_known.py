"""What is known of a tensor, and when it is known no longer."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from bertviz.extractor.operations.after import Fate, Weights
from bertviz.extractor.operations.known import UNSEEN, Known
from bertviz.extractor.operations.products import Lost
from tests.extractor.operations.test_after import product


def held(known: Known, tensor: Any) -> Any:
    return known.among([tensor], {}).get(id(tensor))


def test_arguments_are_known_wherever_they_stand() -> None:
    known, tensors = Known(), [torch.ones(2) for _ in range(4)]
    assert known.among(tensors, {}) == {}
    for number, tensor in enumerate(tensors[:3]):
        known.remember(tensor, number)
    found = known.among([tensors[0], [tensors[1]], 1], {"x": (tensors[2], None), "y": tensors[3]})
    assert found == {id(tensors[0]): 0, id(tensors[1]): 1, id(tensors[2]): 2}


def test_what_is_forgotten() -> None:
    known, one, other = Known(), torch.ones(2), torch.ones(2)
    known.remember(one, 1)
    known.remember(other, 2)
    known.forget(one)
    known.forget("no tensor")
    assert (held(known, one), held(known, other)) == (None, 2)
    known.remember(other, None)
    assert held(known, other) is None


def test_what_is_known_of_a_tensor_ends_with_the_next_change_of_its_memory() -> None:
    known, scores, weights = Known(), torch.ones(4), torch.ones(2, 3, 5)
    known.remember(scores, product())
    known.remember(weights, Weights.begin(Fate("a", None, None), weights, 2))
    assert held(known, scores).path == "a"
    assert held(known, weights).changed is None
    scores[:2].add_(1)  # through a view
    weights.mul_(2)
    lost = held(known, scores)
    assert isinstance(lost, Lost)
    assert (lost.path, lost.reason) == (
        *("a", f"its scores go through {UNSEEN}, which cannot be followed"),
    )
    assert held(known, weights).changed == UNSEEN
    known.remember(scores, product())
    assert not isinstance(held(known, scores), Lost), "it was remembered since"


def test_the_first_change_of_weights_is_the_one_that_is_told() -> None:
    known, weights = Known(), torch.ones(2, 3, 5)
    begun, twice = Weights.begin(Fate("a", None, None), weights, 2), weights * 2
    known.remember(twice, begun.after("mul", twice, (weights, 2), {}, weights))
    twice.add_(2)
    assert held(known, twice).changed == "mul"


def test_in_inference_mode_changes_are_not_counted() -> None:
    with torch.inference_mode():
        known, scores = Known(), torch.ones(4)
        known.remember(scores, product())
        scores.add_(1)
        assert not isinstance(held(known, scores), Lost)


@pytest.mark.parametrize("what", ["a lost product", 3])
def test_other_things_stay_what_they_are(what: Any) -> None:
    known, tensor = Known(), torch.ones(4)
    known.remember(tensor, what)
    tensor.add_(1)
    assert held(known, tensor) == what
