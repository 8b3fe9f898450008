"""Masks and biases that layers share are kept once, for as long as they are the same."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from bertviz.extractor.records import CPU
from bertviz.extractor.sharing import Sharing


def numbers(*shape: int) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(0))


def test_a_term_of_any_number_of_axes_is_this_texts_part() -> None:
    sharing = Sharing(1, CPU)
    for shape in ((5,), (4, 5), (2, 4, 5), (3, 2, 4, 5), (1, 2, 4, 5)):
        term = numbers(*shape)
        found = sharing.copy(term, 5)
        assert found is not None
        whole = term.expand(3, 2, 4, 5)[1]
        assert torch.equal(found.expand(2, 4, 5), whole)
        assert found.ndim == 3
        cut = sharing.copy(term, 3)
        assert cut is not None
        assert torch.equal(cut.expand(2, 4, 3), whole[..., :3])
        assert found.shape[2] == 5, "each number of keys has its own"
    one = numbers(3, 1, 4, 1)
    found = sharing.copy(one, 5)
    assert found is not None
    assert found.shape == (1, 4, 1), "the same for all keys"
    assert sharing.copy(None, 5) is None


def test_a_term_is_shared_as_long_as_it_is_the_same() -> None:
    sharing, term = Sharing(0, CPU), numbers(1, 1, 4, 5)
    first = sharing.copy(term, 5)
    assert sharing.copy(term, 5) is first
    assert sharing.copy(term[:, :, :3], 5) is not first
    assert sharing.near(first, CPU) is first
    assert sharing.near(None, CPU) is None
    term[..., 3, 4] += 1
    second = sharing.copy(term, 5)
    assert first is not None
    assert second is not None
    assert float((second - first).abs().sum()) == pytest.approx(1)
    expanded = sharing.copy(numbers(1, 1, 1, 5).expand(1, 2, 4, 5), 5)
    assert expanded is not None
    assert expanded.shape == (1, 1, 5)


def test_masked_pairs_are_kept_as_those_that_are_seen() -> None:
    sharing, hidden = Sharing(0, CPU), numbers(1, 4, 5) > 0
    seen = sharing.seen_of(hidden)
    assert torch.equal(seen, ~hidden)
    assert sharing.seen_of(hidden) is seen
    away = Sharing(0, torch.device("meta"))
    kept = away.seen_of(hidden)
    assert kept.device.type == "meta"
    near = away.near(kept, CPU)
    assert near is not None
    assert torch.equal(near, ~hidden)
