"""Tokens are previewed, locked and released, by mouse and keyboard."""

from __future__ import annotations

from typing import Any

from playwright.sync_api import expect

from tests.browser.opened import Opened
from tests.helpers import HEADS, weights


def test_hover_previews_and_leaves_nothing_behind(opened: Opened) -> None:
    opened.token("query", 2).hover()
    assert opened.settled(query=2)["locked"] is False
    assert set(opened.scene("scene.edges.query")) == {2}
    assert opened.scene("scene.gain") == 1, "hovered lines have their full weight"
    opened.token("key", 5).hover()
    opened.settled(query=None, key=5)
    opened.leave()
    opened.settled(query=None, key=None)


def test_click_locks_escape_clears(opened: Opened) -> None:
    opened.token("query", 2).click()
    opened.settled(query=2, locked=True)
    opened.token("key", 6).hover()
    opened.quiet()
    assert opened.drawn()["query"] == 2, "a locked token stays"
    opened.leave()
    opened.quiet()
    assert opened.drawn()["locked"] is True
    opened.token("query", 4).click()
    opened.settled(query=4, locked=True)
    opened.page.keyboard.press("Escape")
    opened.settled(query=None, locked=False)


def test_a_second_click_unlocks(opened: Opened) -> None:
    opened.token("key", 3).click()
    opened.settled(key=3, locked=True)
    opened.token("key", 3).click()
    opened.settled(locked=False)


def test_keyboard_reaches_everything(opened: Opened) -> None:
    names = []
    opened.page.mouse.move(2, 2)
    for _ in range(24):
        opened.page.keyboard.press("Tab")
        names.append(
            opened.host.evaluate(
                """host => { const e = host.shadowRoot.activeElement;
                   return e && (e.name || e.dataset.head || e.dataset.token || e.textContent); }"""
            )
        )
    for wanted in ("layer", "pair", "0", "1", "2", "3", "query", "key"):
        assert wanted in names
    opened.token("query", 0).focus()
    for key, query in (("ArrowDown", 1), ("ArrowDown", 2), ("ArrowUp", 1), ("End", 6), ("Home", 0)):
        opened.page.keyboard.press(key)
        opened.settled(query=query, locked=True)
    opened.page.keyboard.press("ArrowRight")
    opened.settled(query=None, key=0, locked=True)
    opened.page.keyboard.press("ArrowDown")
    opened.settled(key=1)


def test_keys_that_come_faster_than_pictures_all_count(opened: Opened) -> None:
    opened.token("query", 0).focus()
    opened.host.evaluate(
        """host => ["ArrowDown", "ArrowDown", "ArrowDown", "ArrowDown", "ArrowUp"].forEach(key =>
             host.shadowRoot.activeElement.dispatchEvent(
               new KeyboardEvent("keydown", {key, bubbles: true})))"""
    )
    opened.settled(query=3, locked=True)
    opened.page.keyboard.press("ArrowDown")
    opened.settled(query=4, locked=True)
    opened.token("query", 1).click()
    opened.page.keyboard.press("ArrowUp")
    opened.settled(query=0, locked=True)


def test_several_tokens_by_mouse_and_keyboard(opened: Opened) -> None:
    opened.token("query", 1).click()
    opened.token("query", 4).click(modifiers=["Shift"])
    opened.settled(query=4, locked=True)
    assert sorted(set(opened.scene("scene.edges.query"))) == [1, 4]
    chosen = opened.host.locator('[data-token="query"][aria-selected="true"]')
    assert chosen.all_inner_texts() == ["the", "it"]
    # A bar is the mean over both.
    assert f"{weights()[0][:, [1, 4]].mean((0, 1)).max():.2f}" in opened.text()
    first = weights()[0, 0][[1, 4]].mean(0)
    bar = f'[data-part="columns"] [data-head="0"][data-index="{first.argmax()}"]'
    expect(opened.host.locator(bar)).to_contain_text(f"{first.max():.2f}"[1:])
    opened.token("query", 4).click(modifiers=["Shift"])
    opened.settled(query=1)
    opened.token("query", 1).focus()
    opened.page.keyboard.press("Shift+ArrowDown")
    opened.settled(query=2)
    assert opened.host.evaluate("h => h.bertviz.state.also") == [1]
    opened.page.keyboard.press("Escape")
    opened.settled(query=None, locked=False)


def test_numbers_on_hover(opened: Opened) -> None:
    opened.token("query", 2).click()
    opened.settled(query=2, locked=True)
    opened.token("key", 4).hover()
    tooltip = opened.host.locator(".tooltip")
    tooltip.wait_for()
    text = tooltip.inner_text()
    assert text.startswith("cat → it")
    for head in range(HEADS):
        assert f"head {head}  {weights()[0, head, 2, 4]:.4f}" in text


def test_nothing_jumps(opened: Opened) -> None:
    def boxes() -> Any:
        return opened.host.evaluate(
            """host => [host, ...host.shadowRoot.querySelectorAll("[data-token], button, select")]
                 .map((e) => { const b = e.getBoundingClientRect();
                               return [b.x, b.y, b.width, b.height]; })"""
        )

    before = boxes()
    opened.token("query", 2).hover()
    opened.settled(query=2)
    assert boxes() == before
    opened.token("query", 2).click()
    opened.settled(locked=True)
    assert boxes() == before


def test_a_resting_pointer_does_not_redraw(opened: Opened) -> None:
    opened.token("query", 2).hover()
    frame = opened.settled(query=2)["frame"]
    # The tooltip comes last, 0.45 s after the pointer came to rest.
    expect(opened.host.locator(".tooltip")).to_be_visible()
    opened.quiet()
    assert opened.drawn()["frame"] <= frame + 1
    # A hand is never quite still, and the browser asks again when something moves underneath.
    box = opened.token("query", 2).bounding_box()
    assert box is not None
    for step in range(6):
        opened.page.mouse.move(box["x"] + 4 + step % 2, box["y"] + box["height"] / 2)
    for _ in range(3):
        opened.token("query", 2).dispatch_event("pointerover")
        opened.quiet()
    assert opened.drawn()["frame"] <= frame + 1
