"""Neurons of rotary models are judged in pairs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch

from bertviz import AttentionTrace, explain_head, extract


def test_pairs_of_a_rotary_model_do_not_depend_on_the_place() -> None:
    """One rotated pair holds the match: its contribution is the same however far it is turned."""
    tokens = list("abcde")
    base = torch.zeros(5, 4)
    base[:, 0] = 3.0
    for pairs, partner in (("halves", 2), ("interleaved", 1)):
        found = []
        for turned in (0.0, 0.7):
            queries = base.clone()
            angle = torch.tensor(turned)
            queries[:, 0], queries[:, partner] = 3 * angle.cos(), 3 * angle.sin()
            keys = queries.clone()
            keys[1:] *= -1
            trace = AttentionTrace.from_arrays(tokens, queries=queries[None], keys=keys[None])
            found.append(explain_head(trace, 0, 0, "first token", pairs=pairs))  # type: ignore[arg-type]
        assert found[0].units[0] == (0, partner)
        assert found[0].top == found[1].top == ((0, partner),)
        assert found[0].contributions == pytest.approx(found[1].contributions, abs=1e-5)
        assert "1 of 2 pairs of neurons" in str(found[1])
        assert f"0+{partner}" in str(found[1])


def test_a_rotary_model_is_told_by_its_trace(
    build: Callable[[str], Any], word_tokenizer: Callable[..., Any]
) -> None:
    trace = extract(build("llama"), word_tokenizer(), "i went to the store .")
    found = explain_head(trace, 1, 3, "previous token")
    assert found.units == ((0, 4), (1, 5), (2, 6), (3, 7))
    alone = explain_head(trace, 1, 3, "previous token", pairs=None)
    sums = [alone.contributions[n] + alone.contributions[n + 4] for n in range(4)]
    assert found.contributions == pytest.approx(sums, abs=1e-6)
    assert found.assumed_pairs
    assert "It is assumed that neurons n and n + half are rotated together, as in Llama" in str(
        found
    )
    said = explain_head(trace, 1, 3, "previous token", pairs="interleaved")
    assert said.units[0] == (0, 1)
    assert "assumed" not in str(said)
