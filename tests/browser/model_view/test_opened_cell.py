"""One cell opened: its lines, its tokens, and the way back, by mouse and keyboard."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from playwright.sync_api import expect

from tests.browser.model_view.cells import cell
from tests.browser.opened import Opened
from tests.helpers import a_model_view, weights


def test_a_click_opens_a_second_closes(opened: Opened) -> None:
    cell(opened, 1, 2).click()
    opened.settled(cell=[1, 2])
    expect(cell(opened, 1, 2)).to_have_attribute("aria-pressed", "true")
    assert "Layer 1 · Head 2" in opened.text()
    opened.token("query", 3).hover()
    opened.settled(query=3)
    np.testing.assert_allclose(
        sorted(opened.scene("scene.edges.weight")), sorted(weights()[1, 2, 3]), atol=0.002
    )
    opened.token("key", 3).hover()
    opened.settled(query=None, key=3)
    opened.token("key", 3).click()
    opened.settled(key=3, locked=True)
    opened.page.keyboard.press("Escape")
    opened.settled(key=None, cell=[1, 2])
    opened.page.keyboard.press("Escape")
    opened.settled(cell=None)
    cell(opened, 0, 0).click()
    opened.settled(cell=[0, 0])
    cell(opened, 0, 0).click()
    opened.settled(cell=None)


def test_the_pointer_isolates_both_sides_of_a_cell(opened: Opened) -> None:
    cell(opened, 1, 2).click()
    opened.settled(cell=[1, 2])
    true = weights()[1, 2]
    for side, axis in (("query", 0), ("key", 1)):
        opened.token(side, 4).hover()
        opened.settled(**{side: 4})
        edges = opened.scene("scene.edges")
        assert set(edges[side]) == {4}
        np.testing.assert_allclose(edges["weight"], true.take(4, axis), atol=0.002)
    opened.leave()
    opened.settled(query=None, key=None, cell=[1, 2])
    opened.token("query", 1).click()
    opened.settled(query=1, locked=True)
    opened.token("key", 5).hover()
    expect(opened.host.locator(".tooltip")).to_contain_text(f"{true[1, 5]:.4f}"[:5])


def test_keyboard_opens_closes_and_keeps_its_place(opened: Opened) -> None:
    cell(opened, 0, 0).focus()
    for key in ("ArrowDown", "End", "ArrowLeft", "Home", "ArrowRight", "Enter"):
        opened.page.keyboard.press(key)
    opened.settled(cell=[1, 1])
    focused = "host => ['layer', 'head'].map(k => host.shadowRoot.activeElement?.dataset[k])"
    assert opened.host.evaluate(focused) == ["1", "1"]
    ring = "host => getComputedStyle(host.shadowRoot.activeElement).outlineStyle"
    assert opened.host.evaluate(ring) == "solid"
    # From a token inside, Esc lets go, closes, and the cell has the focus again.
    opened.token("query", 0).focus()
    opened.page.keyboard.press("ArrowDown")
    opened.settled(query=1, locked=True)
    opened.page.keyboard.press("Escape")
    opened.settled(query=None, cell=[1, 1])
    opened.page.keyboard.press("Escape")
    opened.settled(cell=None)
    assert opened.host.evaluate(focused) == ["1", "1"]
    # Another order moves cells, not the focus' head.
    opened.set(measure="entropy", sorted=True)
    assert opened.host.evaluate(focused) == ["1", "1"]


def test_names_are_whole_where_there_is_room(page_of: Callable[..., Opened]) -> None:
    tokens = [f"uncharacteristically{i}" for i in range(6)]
    opened = page_of(a_model_view(weights(2, 2, 6), tokens), width=1280)
    opened.set(cell=[0, 1])
    opened.settled(cell=[0, 1])
    names = opened.host.locator('.detail [data-token="key"]')
    assert names.evaluate_all("all => all.every((e) => e.scrollWidth <= e.clientWidth)")
    box = opened.host.locator(".detail").bounding_box()
    assert box is not None
    assert 400 < box["x"] + box["width"] <= 1280
