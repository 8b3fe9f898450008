"""The matrix: its pixels against the weights, its cells by mouse and keyboard, and its window."""

from __future__ import annotations

import re
from collections.abc import Callable

import numpy as np
from playwright.sync_api import expect

from tests.browser.head_view.reading import square
from tests.browser.opened import Opened
from tests.helpers import TOKENS, a_head_view, weights


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


def test_heads_have_a_matrix_each(page_of: Callable[..., Opened]) -> None:
    opened = page_of(a_head_view(weights(), TOKENS), width=1280)
    opened.host.locator('button[data-mode="matrix"]').click()
    opened.settled(mode="matrix", heads=[0, 1, 2, 3])
    true = weights()[0]
    shown = opened.scene("scene.matrices")
    assert [matrix["head"] for matrix in shown] == [0, 1, 2, 3]
    plots = opened.host.locator(".multiple:visible .plot")
    for head in range(4):
        values = np.array(shown[head]["values"]).reshape(7, 7)
        np.testing.assert_allclose(values, true[head], atol=0.002)
        # One scale for all: alpha is the root of the weight over the largest of all heads.
        alphas = plots.nth(head).evaluate(
            """plot => {
                 const canvas = plot.querySelector("canvas");
                 const cell = canvas.width / 7;
                 const context = canvas.getContext("2d");
                 const at = (r, c) =>
                   context.getImageData((c + 0.5) * cell, (r + 0.5) * cell, 1, 1).data[3] / 255;
                 return Array.from({length: 49}, (_, i) => at(Math.floor(i / 7), i % 7));
               }"""
        )
        np.testing.assert_allclose(alphas, np.sqrt(true[head] / true.max()).ravel(), atol=0.03)
        expect(plots.nth(head)).to_have_attribute("aria-label", re.compile(f"of head {head},"))
    assert f"{true.max():.2f}" in opened.text()
    # The pointer on one selects in all, and tells that head's weight.
    box = plots.nth(2).bounding_box()
    assert box is not None
    cell = box["width"] / 7
    opened.page.mouse.move(box["x"] + 3.5 * cell, box["y"] + 2.5 * cell)
    opened.settled(query=2, key=3, locked=False)
    tooltip = opened.host.locator(".tooltip:not([hidden])")
    expect(tooltip).to_contain_text(f"head 2  {true[2, 2, 3]:.4f}")
    for head in range(4):
        bars = plots.nth(head).locator(".bar:visible")
        expect(bars).to_have_count(2)
        place = plots.nth(head).bounding_box()
        down = bars.first.bounding_box()
        assert place is not None
        assert down is not None
        assert abs(down["y"] - place["y"] - 2 * cell) < 1.5
    opened.page.mouse.down()
    opened.page.mouse.up()
    opened.settled(query=2, key=3, locked=True)
    opened.page.keyboard.press("ArrowDown")
    opened.settled(query=3, key=3, locked=True)
    opened.page.keyboard.press("Escape")
    opened.settled(query=None, key=None)
    # A head under the pointer stands out; the matrices stay where they are.
    square(opened, 2).hover()
    expect(opened.host.locator(".multiple.back:visible")).to_have_count(3)
    expect(opened.host.locator(".multiple:not(.back):visible")).to_contain_text("2")
    assert plots.nth(2).bounding_box() == box
    opened.page.mouse.move(1, 1)
    expect(opened.host.locator(".multiple.back")).to_have_count(0)
    # A head's number shows it alone, as the one large matrix; its mean and sum are one matrix, too.
    opened.host.locator('[data-only="1"]').click()
    opened.settled(heads=[1], mode="matrix")
    assert opened.host.locator(".multiple:visible").count() == 0
    assert opened.scene("scene.matrix.rows") == 7
    opened.set(heads=[0, 1], combine="mean")
    opened.settled(heads=[0, 1])
    values = np.array(opened.scene("scene.matrix.values")).reshape(7, 7)
    np.testing.assert_allclose(values, true[:2].mean(0), atol=0.002)
    assert opened.errors == []


def test_a_window_is_that_of_all_matrices(page_of: Callable[..., Opened]) -> None:
    opened = page_of(a_head_view(weights(), TOKENS), width=1280)
    opened.set(mode="matrix", heads=[0, 3])
    opened.settled(mode="matrix", heads=[0, 3])
    box = opened.host.locator(".multiple:visible .plot").nth(1).bounding_box()
    assert box is not None
    cell = box["width"] / 7
    opened.page.mouse.move(box["x"] + 1.5 * cell, box["y"] + 2.5 * cell)
    opened.page.mouse.down()
    opened.page.mouse.move(box["x"] + 4.5 * cell, box["y"] + 5.5 * cell, steps=4)
    opened.page.mouse.up()
    opened.wait_for("document.querySelector('.bertviz').bertviz.scene().matrices?.[0].rows === 4")
    for matrix, head in zip(opened.scene("scene.matrices"), (0, 3), strict=True):
        part = np.array(matrix["values"]).reshape(4, 4)
        np.testing.assert_allclose(part, weights()[0, head, 2:6, 1:5], atol=0.002)
    opened.host.get_by_role("button", name="whole text").click()
    opened.wait_for("document.querySelector('.bertviz').bertviz.scene().matrices?.[0].rows === 7")
