"""The matrix: its pixels against the weights, its cells by mouse and keyboard, and its window."""

from __future__ import annotations

import re

import numpy as np
from playwright.sync_api import expect

from tests.browser.opened import Opened
from tests.helpers import TOKENS, weights


def test_matrix(opened: Opened) -> None:
    opened.set(heads=[1])
    opened.host.locator('button[data-mode="matrix"]').click()
    opened.settled(mode="matrix")
    true = weights()[0, 1]
    values = np.array(opened.scene("scene.matrix.values")).reshape(7, 7)
    np.testing.assert_allclose(values, true, atol=0.002)
    # The canvas shows them: alpha is the weight over the largest.
    plot = opened.host.locator(".matrix .plot")
    box = plot.bounding_box()
    assert box is not None
    alphas = opened.host.evaluate(
        """host => {
             const canvas = host.shadowRoot.querySelector(".matrix canvas");
             const cell = canvas.width / 7;
             const context = canvas.getContext("2d");
             const at = (r, c) =>
               context.getImageData((c + 0.5) * cell, (r + 0.5) * cell, 1, 1).data[3] / 255;
             return Array.from({length: 49}, (_, i) => at(Math.floor(i / 7), i % 7));
           }"""
    )
    np.testing.assert_allclose(alphas, (true / true.max()).ravel(), atol=0.02)
    assert opened.host.locator('[data-token="key"]').all_inner_texts() == TOKENS
    expect(opened.host.locator(".matrix .corner")).to_have_text("key →\nquery ↓")
    expect(plot).to_have_attribute("aria-label", re.compile("queries down, keys across"))
    # Hover, click, keyboard.
    cell = box["width"] / 7
    opened.page.mouse.move(box["x"] + 3.5 * cell, box["y"] + 2.5 * cell)
    opened.settled(query=2, key=3, locked=False)
    tooltip = opened.host.locator(".tooltip:not([hidden])")
    assert "cat → [SEP]" in tooltip.inner_text()
    assert f"head 1  {true[2, 3]:.4f}" in tooltip.inner_text()
    opened.page.mouse.down()
    opened.page.mouse.up()
    opened.settled(query=2, key=3, locked=True)
    opened.page.keyboard.press("ArrowRight")
    opened.settled(query=2, key=4, locked=True)
    opened.page.keyboard.press("Escape")
    opened.settled(query=None, key=None, locked=False)
    # Dragging enlarges a window; a button brings the whole text back.
    opened.page.mouse.move(box["x"] + 1.5 * cell, box["y"] + 2.5 * cell)
    opened.page.mouse.down()
    opened.page.mouse.move(box["x"] + 4.5 * cell, box["y"] + 5.5 * cell, steps=4)
    opened.page.mouse.up()
    opened.wait_for("document.querySelector('.bertviz').bertviz.scene().matrix.rows === 4")
    assert opened.host.evaluate("h => h.bertviz.state.zoom") == [2, 6, 1, 5]
    part = np.array(opened.scene("scene.matrix.values")).reshape(4, 4)
    np.testing.assert_allclose(part, true[2:6, 1:5], atol=0.002)
    opened.host.get_by_role("button", name="whole text").click()
    opened.wait_for("document.querySelector('.bertviz').bertviz.scene().matrix.rows === 7")
    opened.host.locator('button[data-mode="lines"]').click()
    opened.settled(mode="lines")
    expect(opened.token("query", 2)).to_have_count(1)
    assert opened.errors == []
