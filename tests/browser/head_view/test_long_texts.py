"""Long texts and long tokens: a window, scrolling, and an ellipsis."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from playwright.sync_api import expect

from tests.browser.opened import Opened
from tests.helpers import a_head_view, weights


def test_the_overview_has_a_window(page_of: Callable[..., Opened]) -> None:
    n = 100
    true = weights(1, 2, n)
    opened = page_of(a_head_view(true, [f"t{i}" for i in range(n)]))
    assert opened.host.evaluate("h => h.bertviz.state.mass") == 0.5, "the strongest lines"
    plot = opened.host.locator(".overview .plot")
    box = plot.bounding_box()
    assert box is not None

    def at(key: int, query: int) -> tuple[float, float]:
        return box["x"] + box["width"] * key / n, box["y"] + box["height"] * query / n

    opened.page.mouse.move(*at(20, 10))
    opened.page.mouse.down()
    opened.page.mouse.move(*at(50, 60), steps=4)
    opened.page.mouse.up()
    wait = "document.querySelector('.bertviz').bertviz.scene().queries.length === 50"
    opened.wait_for(wait)
    assert opened.host.evaluate("h => h.bertviz.state.zoom") == [10, 60, 20, 50]
    np.testing.assert_allclose(
        np.array(opened.scene("scene.rows.listed")) + np.array(opened.scene("scene.hidden")),
        1,
        atol=0.002,
    )
    assert "outside the window" in opened.text()
    # Dragging the window moves it.
    opened.page.mouse.move(*at(30, 30))
    opened.page.mouse.down()
    opened.page.mouse.move(*at(40, 50), steps=4)
    opened.page.mouse.up()
    opened.wait_for(
        "JSON.stringify(document.querySelector('.bertviz').bertviz.state.zoom) === '[30,80,30,60]'"
    )
    plot.focus()
    opened.page.keyboard.press("ArrowDown")
    opened.wait_for("document.querySelector('.bertviz').bertviz.state.zoom[0] === 36")
    opened.page.keyboard.press("Escape")
    opened.wait_for("document.querySelector('.bertviz').bertviz.state.zoom === null")
    assert opened.errors == []


def test_a_long_text_scrolls_inside_and_reaches_its_end(page_of: Callable[..., Opened]) -> None:
    n = 512
    tokens = [f"token{i}" for i in range(n)]
    opened = page_of(a_head_view(weights(1, 2, n), tokens))
    box = opened.host.bounding_box()
    assert box is not None
    assert box["height"] < 1000
    assert opened.host.locator("[data-token]").count() < 200, "what is in view"
    opened.token("query", 3).click()
    opened.settled(query=3, locked=True)
    opened.page.keyboard.press("End")
    opened.settled(query=n - 1)
    expect(opened.token("query", n - 1)).to_be_in_viewport()
    heights = opened.host.evaluate(
        "h => Array.from(h.shadowRoot.querySelectorAll('.pane canvas'), c => c.height)"
    )
    assert max(heights) < 2000
    assert opened.errors == []


def test_a_long_token_is_cut_and_whole_in_the_tooltip(page_of: Callable[..., Opened]) -> None:
    word = "Donaudampfschifffahrtsgesellschaftskapitän" * 3
    opened = page_of(a_head_view(weights(1, 1, 2), [word, "b"]))
    token = opened.token("query", 0)
    expect(token).to_have_text(word)
    box = token.bounding_box()
    assert box is not None
    assert box["width"] < 200
    token.hover()
    opened.host.locator(".tooltip").wait_for()
    assert word in opened.host.locator(".tooltip").inner_text()
