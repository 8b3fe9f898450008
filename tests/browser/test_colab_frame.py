"""Outputs shown as Colab shows them: each in a sandboxed frame of another origin."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from playwright.sync_api import expect

from tests.helpers import a_head_view, a_neuron_view

TOKENS = ["the", "cat", "sat", "</script>", "<!--"]


def random_weights(seed: int = 0) -> np.ndarray:
    weights = np.random.default_rng(seed).random((2, 3, 5, 5))
    return weights / weights.sum(-1, keepdims=True)


@pytest.mark.parametrize("way", ["insert", "write"])
def test_output_comes_alive_in_a_frame_of_another_origin(colab: Callable, way: str) -> None:
    opened = colab(a_head_view(random_weights(), TOKENS).data, way=way)
    frame = opened.page.frame_locator("iframe")
    host = frame.locator(".bertviz[data-state=ready]")
    host.wait_for()
    token = host.locator('[data-token="query"][data-index="1"]')
    token.click()
    opened.settled(host, query=1, locked=True)
    expect(host.locator('[data-token="key"][data-index="3"]')).to_have_text("</script>")
    assert opened.requests == []
    assert opened.errors == []


def test_two_outputs_are_independent(colab: Callable) -> None:
    vectors = np.random.default_rng(1).normal(size=(2, 3, 5, 4))
    opened = colab(
        a_head_view(random_weights(), TOKENS).data,
        a_neuron_view(queries=vectors, keys=vectors, tokens=TOKENS).data,
    )
    first = opened.page.frame_locator("iframe >> nth=0").locator(".bertviz[data-state=ready]")
    second = opened.page.frame_locator("iframe >> nth=1").locator(".bertviz[data-state=ready]")
    first.wait_for()
    second.wait_for()
    before = opened.drawn(second)
    opened.set(first, layer=1, heads=[2])
    assert opened.drawn(second) == before
    assert opened.drawn(first)["heads"] == [2]
    assert opened.requests == []
    assert opened.errors == []
