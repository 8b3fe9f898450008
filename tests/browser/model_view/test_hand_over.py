"""From a cell into the head view or the neuron view, and back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from playwright.sync_api import expect

from bertviz import AttentionTrace, ModelView
from tests.browser.model_view.cells import cell
from tests.browser.opened import Opened
from tests.helpers import TOKENS, a_model_view, weights


def vectors(layers: int = 3, heads: int = 4, width: int = 8) -> dict[str, Any]:
    rng = np.random.default_rng(3)
    shape = (layers, heads, len(TOKENS), width)
    return {name: rng.normal(size=shape).astype(np.float32) for name in ("queries", "keys")}


def test_a_cell_opens_in_the_head_view_and_back(opened: Opened) -> None:
    opened.set(measure="entropy", sorted=True)
    cell(opened, 1, 2).click()
    opened.settled(cell=[1, 2])
    opened.host.locator('button[data-action="head-view"]').click()
    drawn = opened.settled(layer=1, heads=[2], mode="lines")
    assert "cell" not in drawn, "data-drawn has the keys of the view in force"
    expect(opened.host).to_have_attribute("data-view", "head")
    edges = opened.scene("scene.edges")
    true = weights()[1, 2][edges["query"], edges["key"]]
    np.testing.assert_allclose(edges["weight"], true, atol=0.002)
    opened.token("query", 3).click()
    opened.settled(query=3, locked=True)
    opened.host.locator('button[data-head="0"]').click(modifiers=["Shift"])
    opened.settled(heads=[0, 2])
    opened.host.locator('button[data-action="back"]').click()
    drawn = opened.settled(cell=[1, 2], measure="entropy", sorted=True, query=None, locked=False)
    assert "mode" not in drawn
    expect(opened.host).to_have_attribute("data-view", "model")
    # Once more, and back by the keyboard, in steps.
    opened.host.locator('button[data-action="head-view"]').click()
    opened.settled(heads=[2], mode="lines", query=None)
    opened.token("key", 1).click()
    opened.settled(key=1, locked=True)
    opened.page.keyboard.press("Escape")
    opened.settled(key=None, mode="lines")
    opened.page.mouse.move(300, 20)
    opened.page.keyboard.press("Escape")
    opened.settled(cell=[1, 2])
    opened.page.keyboard.press("Escape")
    opened.settled(cell=None)
    assert opened.errors == []


def test_a_cell_opens_in_the_neuron_view(page_of: Callable[..., Opened]) -> None:
    trace = AttentionTrace.from_arrays(tokens=TOKENS, **vectors())
    opened = page_of(ModelView(trace), width=1200)
    cell(opened, 2, 1).click()
    opened.settled(cell=[2, 1])
    opened.host.locator('button[data-action="neuron-view"]').click()
    opened.settled(layer=2, heads=[1], detail=True)
    expect(opened.host).to_have_attribute("data-view", "neuron")
    query = opened.drawn()["query"]
    shown = opened.scene("scene.columns.weights")
    np.testing.assert_allclose(
        shown, trace.blocks["encoder"].layers[2].weights([1])[0, query], atol=0.002
    )
    opened.host.locator('select[name="head"]').select_option("3")
    opened.settled(heads=[3])
    opened.page.keyboard.press("Escape")
    opened.settled(cell=[2, 1])
    expect(opened.host).to_have_attribute("data-view", "model")
    assert opened.errors == []


def test_neurons_that_were_not_shipped_are_a_call_away(page_of: Callable[..., Opened]) -> None:
    long = [f"t{i}" for i in range(600)]
    rng = np.random.default_rng(0)
    vectors = rng.normal(size=(1, 2, 600, 512)).astype(np.float32)
    trace = AttentionTrace.from_arrays(tokens=long, queries=vectors, keys=vectors)
    for view, call in (
        (ModelView(trace), "neuron_view(trace, layer=0, head=1)"),
        (a_model_view(weights(), TOKENS), "neuron_view(model, tokenizer, text, layer=0, head=1)"),
    ):
        opened = page_of(view, width=1100)
        opened.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
        cell(opened, 0, 1).click()
        opened.settled(cell=[0, 1])
        opened.host.locator('button[data-action="neuron-view"]').click()
        line = opened.host.locator(".call input")
        expect(line).to_have_value(call)
        expect(line).to_be_visible()
        opened.host.locator('button[data-action="copy"]').click()
        expect(opened.host.locator('button[data-action="copy"]')).to_have_text("Copied")
        assert opened.page.evaluate("navigator.clipboard.readText()") == call
        expect(opened.host).to_have_attribute("data-view", "model")


def test_two_views_hand_over_on_their_own(page_of: Callable[..., Opened]) -> None:
    opened = page_of(a_model_view(weights(), TOKENS), a_model_view(weights(), TOKENS), width=1100)
    first, second = (opened.page.locator(".bertviz").nth(i) for i in range(2))
    second.locator('[data-layer="0"][data-head="1"]').click()
    opened.settled(second, cell=[0, 1])
    second.locator('button[data-action="head-view"]').click()
    opened.settled(second, heads=[1], layer=0)
    expect(second).to_have_attribute("data-view", "head")
    expect(first).to_have_attribute("data-view", "model")
    assert opened.drawn(first)["cell"] is None
    first.locator('[data-layer="2"][data-head="0"]').hover()
    opened.page.keyboard.press("Escape")
    opened.quiet()
    expect(second).to_have_attribute("data-view", "head")
