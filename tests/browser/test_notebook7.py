"""The views in a real Notebook 7, with every request but the server's own refused."""

from __future__ import annotations

from typing import Any

ARRAYS = """\
import numpy as np
from bertviz import head_view, model_view, neuron_view

vectors = np.random.default_rng(0).normal(size=(2, 3, 4, 8))
weights = np.exp(vectors @ vectors.swapaxes(-1, -2))
weights /= weights.sum(-1, keepdims=True)
tokens = ["a", "b", "c", "d"]
"""


def test_three_views_draw_and_answer(notebook7: Any) -> None:
    name = notebook7.write(
        "views.ipynb",
        [
            ARRAYS,
            "head_view(weights, tokens)",
            "model_view(weights, tokens)",
            "neuron_view(queries=vectors, keys=vectors, tokens=tokens)",
        ],
    )
    opened = notebook7.open(f"notebooks/{name}")
    notebook7.run_all(opened)
    for count in range(3):
        opened.page.locator(".bertviz").nth(count).wait_for(state="attached")
        opened.page.locator(".bertviz").nth(count).scroll_into_view_if_needed()
    opened.ready(3)
    hosts = opened.page.locator(".bertviz")
    token = hosts.nth(0).locator('[data-token="query"][data-index="2"]')
    token.scroll_into_view_if_needed()
    token.hover()
    opened.settled(hosts.nth(0), query=2)
    cell = hosts.nth(1).locator('button[data-layer="1"][data-head="2"]')
    cell.click()
    opened.settled(hosts.nth(1), cell=[1, 2])
    assert opened.drawn(hosts.nth(2))["detail"] is True
    assert opened.requests == []
    assert [error for error in opened.errors if "bertviz" in error or "not defined" in error] == []
