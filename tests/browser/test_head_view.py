"""The head view in a real browser, by mouse and keyboard, and its pixels against its numbers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import expect

from bertviz.web import figures
from tests.helpers import HEADS, TOKENS, a_head_view, weights

from .conftest import Opened


@pytest.fixture
def opened(page_of: Callable[..., Opened]) -> Opened:
    return page_of(a_head_view(weights(), TOKENS, sentence_b_start=4))


def square(opened: Opened, head: int) -> Any:
    return opened.host.locator(f'button[data-head="{head}"]')


def test_it_starts_with_the_first_layer_all_heads_and_all_lines(opened: Opened) -> None:
    drawn = opened.drawn()
    assert drawn == {
        "block": "encoder",
        "layer": 0,
        "heads": [0, 1, 2, 3],
        "query": None,
        "key": None,
        "locked": False,
        "frame": 1,
        "mode": "lines",
    }
    edges = opened.scene("scene.edges")
    true = weights()[0]
    assert len(edges["weight"]) > 150
    for head, query, key, weight in zip(
        *(edges[name] for name in ("head", "query", "key", "weight")), strict=True
    ):
        assert abs(weight - true[head, query, key]) < 0.002
    gain = opened.scene("scene.gain")
    np.testing.assert_allclose(edges["opacity"], np.array(edges["weight"]) * gain, atol=1e-6)
    assert opened.errors == []
    assert opened.requests == []


def test_handles(opened: Opened) -> None:
    host = opened.host
    expect(host).to_have_attribute("data-view", "head")
    for index, token in enumerate(TOKENS):
        for side in ("query", "key"):
            expect(opened.token(side, index)).to_have_text(token)
    options = host.locator('select[name="layer"] option')
    assert [options.nth(i).get_attribute("value") for i in range(options.count())] == [
        "0",
        "1",
        "2",
    ]
    assert host.locator('select[name="pair"] option').all_inner_texts() == [
        "All",
        "A→A",
        "B→B",
        "A→B",
        "B→A",
    ]
    assert host.locator('select[name="block"]').count() == 0
    assert [square(opened, head).inner_text() for head in range(HEADS)] == ["0", "1", "2", "3"]
    state = host.evaluate("host => host.bertviz.state")
    assert state["pair"] == "All"


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


def test_head_squares(opened: Opened) -> None:
    square(opened, 1).click()
    opened.settled(heads=[0, 2, 3])
    expect(square(opened, 1)).to_have_attribute("aria-pressed", "false")
    square(opened, 1).click()
    opened.settled(heads=[0, 1, 2, 3])
    square(opened, 2).dblclick()
    opened.settled(heads=[2])
    square(opened, 2).click()
    opened.quiet()
    assert opened.drawn()["heads"] == [2], "the last head stays"
    square(opened, 2).dblclick()
    opened.settled(heads=[0, 1, 2, 3])


def test_layer_and_pair(opened: Opened) -> None:
    opened.host.locator('select[name="layer"]').select_option("2")
    opened.settled(layer=2)
    assert abs(max(opened.scene("scene.edges.weight")) - weights()[2].max()) < 0.002
    opened.host.locator('select[name="pair"]').select_option("A→B")
    opened.page.wait_for_function(
        "document.querySelector('.bertviz').bertviz.scene().queries.length === 4"
    )
    assert opened.host.locator('[data-token="query"]').all_inner_texts() == TOKENS[:4]
    assert opened.host.locator('[data-token="key"]').all_inner_texts() == TOKENS[4:]
    hidden = np.array(opened.scene("scene.hidden"))
    inside = weights()[2][:, :4, 4:].sum(-1).ravel()
    np.testing.assert_allclose(hidden, 1 - inside, atol=0.002)
    assert "outside A→B" in opened.text()
    opened.host.locator('button[data-action="renormalize"]').click()
    opened.page.wait_for_function(
        "document.querySelector('.bertviz').bertviz.state.renormalize === true"
    )
    opened.quiet()
    edges = opened.scene("scene.edges")
    sums = np.zeros((HEADS, 4))
    np.add.at(sums, (edges["head"], edges["query"]), edges["weight"])
    np.testing.assert_allclose(sums, 1, atol=0.002)
    assert "renormalized over A→B" in opened.text()
    opened.host.locator('select[name="pair"]').select_option("All")
    expect(opened.host.locator('button[data-action="renormalize"]')).to_be_hidden()


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


def pixels(opened: Opened, which: int = 0) -> np.ndarray:
    """What one of the two canvases shows, (y, x, rgba)."""
    size, data = opened.host.evaluate(
        """(host, which) => {
             const canvas = host.shadowRoot.querySelectorAll(".pane canvas")[which];
             const {width, height} = canvas;
             const {data} = canvas.getContext("2d").getImageData(0, 0, width, height);
             return [[height, width, 4], Array.from(data)];
           }""",
        which,
    )
    return np.array(data, dtype=float).reshape(size)


@pytest.mark.parametrize("weight", [0.2, 0.55, 1.0])
def test_the_opacity_drawn_is_the_weight(page_of: Callable[..., Opened], weight: float) -> None:
    """One head, one line: its pixels have the weight as their alpha."""
    matrix = np.zeros((1, 1, 3, 3))
    matrix[0, 0, 1, 1] = weight
    opened = page_of(a_head_view(matrix, ["a", "b", "c"]))
    alpha = pixels(opened)[..., 3] / 255
    row = alpha[36 - 3 : 36 + 3, alpha.shape[1] // 2]  # a level line in the second row
    assert abs(row.max() - weight) < 0.01
    opened.token("query", 1).hover()
    opened.settled(query=1)
    touched = pixels(opened, 1)[..., 3] / 255
    box = opened.token("key", 1).bounding_box()
    assert box is not None
    pane = opened.host.locator(".pane canvas").nth(1).bounding_box()
    assert pane is not None
    inside = touched[36, int(box["x"] - pane["x"] + box["width"] / 2)]
    assert abs(inside - weight) < 0.01, "the box behind the key token"


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
    opened.page.wait_for_function(
        "document.querySelector('.bertviz').bertviz.scene().matrix.rows === 4"
    )
    assert opened.host.evaluate("h => h.bertviz.state.zoom") == [2, 6, 1, 5]
    part = np.array(opened.scene("scene.matrix.values")).reshape(4, 4)
    np.testing.assert_allclose(part, true[2:6, 1:5], atol=0.002)
    opened.host.get_by_role("button", name="whole text").click()
    opened.page.wait_for_function(
        "document.querySelector('.bertviz').bertviz.scene().matrix.rows === 7"
    )
    opened.host.locator('button[data-mode="lines"]').click()
    opened.settled(mode="lines")
    expect(opened.token("query", 2)).to_have_count(1)
    assert opened.errors == []


def test_several_tokens_by_mouse_and_keyboard(opened: Opened) -> None:
    opened.token("query", 1).click()
    opened.token("query", 4).click(modifiers=["Shift"])
    opened.settled(query=4, locked=True)
    assert sorted(set(opened.scene("scene.edges.query"))) == [1, 4]
    chosen = opened.host.locator('[data-token="query"][aria-selected="true"]')
    assert chosen.all_inner_texts() == ["the", "it"]
    # A box is the mean over both.
    first = weights()[0, 0][[1, 4]].mean(0)
    assert f"{weights()[0][:, [1, 4]].mean((0, 1)).max():.2f}" in opened.text()
    ink = pixels(opened, 1)
    box = opened.token("key", int(first.argmax())).bounding_box()
    pane = opened.host.locator(".pane canvas").nth(1).bounding_box()
    assert box is not None
    assert pane is not None
    y, x = int(box["y"] - pane["y"] + 5), int(box["x"] - pane["x"] + 4)
    assert abs(ink[y, x, 3] / 255 - first.max()) < 0.02
    opened.token("query", 4).click(modifiers=["Shift"])
    opened.settled(query=1)
    opened.token("query", 1).focus()
    opened.page.keyboard.press("Shift+ArrowDown")
    opened.settled(query=2)
    assert opened.host.evaluate("h => h.bertviz.state.also") == [1]
    opened.page.keyboard.press("Escape")
    opened.settled(query=None, locked=False)


def test_words_hiding_heads_as_one_and_strongest_lines(opened: Opened) -> None:
    true = weights()
    opened.host.locator('select[name="combine"]').select_option("mean")
    opened.page.wait_for_function(
        "document.querySelector('.bertviz').bertviz.scene().edges.head[0] === 65535"
    )
    edges = opened.scene("scene.edges")
    mean = true[0].mean(0)
    seen = np.zeros_like(mean)
    seen[edges["query"], edges["key"]] = edges["weight"]
    np.testing.assert_allclose(seen, mean, atol=0.001)
    assert "mean of 4 heads" in opened.text()
    opened.host.locator('select[name="hide"]').select_option("special")
    opened.page.wait_for_function(
        "document.querySelector('.bertviz').bertviz.scene().keys.length === 4"
    )
    assert opened.host.locator('[data-token="key"]').all_inner_texts() == [
        "the",
        "cat",
        "it",
        "sat",
    ]
    outside = 1 - mean[np.ix_([1, 2, 4, 5], [1, 2, 4, 5])].sum(-1).mean()
    assert f"outside the tokens shown {outside:.2f}" in opened.text()
    opened.host.locator('button[data-action="renormalize"]').click()
    opened.page.wait_for_function(
        """() => { const {weight} = document.querySelector('.bertviz').bertviz.scene().edges;
             return Math.abs(weight.reduce((a, b) => a + b, 0) - 4) < 0.01; }"""
    )
    opened.host.locator('select[name="mass"]').select_option("0.5")
    opened.page.wait_for_function("document.querySelector('.bertviz').bertviz.state.mass === 0.5")
    opened.quiet()
    assert len(opened.scene("scene.edges.weight")) < 16
    assert "in weaker lines" in opened.text()
    assert opened.errors == []


def test_words_instead_of_pieces(page_of: Callable[..., Opened]) -> None:
    tokens = ["[CLS]", "straw", "##berry", "[SEP]"]
    opened = page_of(a_head_view(weights(1, 1, 4), tokens))
    opened.host.locator('button[data-action="words"]').click()
    expect(opened.token("key", 1)).to_have_text("strawberry")
    expect(opened.token("key", 2)).to_have_count(0)
    true = weights(1, 1, 4)[0, 0]
    edges = opened.scene("scene.edges")
    found = dict(zip(zip(edges["query"], edges["key"], strict=True), edges["weight"], strict=True))
    assert abs(found[1, 1] - true[1:3, 1:3].sum(1).mean()) < 0.001
    opened.token("query", 1).click()
    opened.token("key", 1).hover()
    tooltip = opened.host.locator(".tooltip")
    expect(tooltip).to_contain_text("strawberry → strawberry")
    opened.leave()


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
    opened.page.wait_for_function(wait)
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
    opened.page.wait_for_function(
        "JSON.stringify(document.querySelector('.bertviz').bertviz.state.zoom) === '[30,80,30,60]'"
    )
    plot.focus()
    opened.page.keyboard.press("ArrowDown")
    opened.page.wait_for_function("document.querySelector('.bertviz').bertviz.state.zoom[0] === 36")
    opened.page.keyboard.press("Escape")
    opened.page.wait_for_function("document.querySelector('.bertviz').bertviz.state.zoom === null")
    assert opened.errors == []


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_saved_is_what_is_shown(page_of: Callable[..., Opened], theme: str) -> None:
    view = a_head_view(weights(), TOKENS, sentence_b_start=4, display_mode=theme)
    opened = page_of(view)
    opened.set(query=2, heads=[1, 3], locked=True)
    with opened.page.expect_download() as svg:
        opened.host.locator('button[data-action="svg"]').click()
    assert svg.value.suggested_filename == "head_view.svg"
    saved = svg.value.path().read_text("utf-8")
    payload = {**view._payload, "state": {"query": 2, "heads": [1, 3], "locked": True}}
    width = opened.host.locator(".view").evaluate("v => v.clientWidth - 32")
    assert saved == figures.svg(payload, width), "the same figure as without a browser"
    with opened.page.expect_download() as png:
        opened.host.locator('button[data-action="png"]').click()
    assert png.value.path().read_bytes().startswith(b"\x89PNG")
    assert opened.errors == []
    assert opened.requests == []


def test_a_head_that_looks_everywhere_does_not_look_empty(page_of: Callable[..., Opened]) -> None:
    """At 512 tokens every weight of it is below what is listed."""
    n = 512
    even = page_of(a_head_view(np.full((1, 1, n, n), 1 / n), [str(i) for i in range(n)]))
    assert even.scene("scene.edges.weight") == []
    ink = pixels(even)[..., 3] / 255
    assert ink.mean() > 0.02
    even.token("query", 5).hover()
    even.settled(query=5)
    assert (pixels(even, 1)[..., 3] > 0).mean() > 0.2
    assert "hidden mass 1.00, shaded" in even.text()
    even.set(mode="matrix")
    values = np.array(even.scene("scene.matrix.values"))
    np.testing.assert_allclose(values, 1 / n, atol=1e-5)


def test_two_views_are_independent(page_of: Callable[..., Opened]) -> None:
    view = a_head_view(weights(), TOKENS)
    opened = page_of(view, view)
    first, second = opened.page.locator(".bertviz").nth(0), opened.page.locator(".bertviz").nth(1)
    before = opened.drawn(second)
    opened.set(first, layer=1, heads=[3], query=2, locked=True)
    assert opened.drawn(second) == before
    second.locator('[data-token="query"][data-index="1"]').click()
    opened.settled(second, query=1, locked=True)
    opened.page.keyboard.press("Escape")
    opened.settled(second, query=None)
    assert opened.drawn(first)["query"] == 2


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_theme_is_that_of_the_page(page_of: Callable[..., Opened], theme: str) -> None:
    opened = page_of(a_head_view(weights(), TOKENS), theme=theme)
    assert opened.host.locator(".view").get_attribute("data-theme") == theme
    other = "light" if theme == "dark" else "dark"
    opened.page.emulate_media(color_scheme=other)
    opened.host.locator(f".view[data-theme={other}]").wait_for()


def test_a_theme_that_is_asked_for_stays(page_of: Callable[..., Opened]) -> None:
    opened = page_of(a_head_view(weights(), TOKENS, display_mode="dark"), theme="light")
    assert opened.host.locator(".view").get_attribute("data-theme") == "dark"


def test_what_cannot_be_saved_is_said(page_of: Callable[..., Opened]) -> None:
    n = 700
    opened = page_of(a_head_view(np.full((1, 1, n, n), 1 / n), [f"t{i}" for i in range(n)]))
    opened.host.locator('button[data-action="png"]').click()
    said = opened.host.locator(".save [role=alert]")
    expect(said).to_contain_text("Not saved: the picture is too large for a PNG. Select a window")
    opened.set(zoom=[0, 20, 0, 20])
    with opened.page.expect_download() as png:
        opened.host.locator('button[data-action="png"]').click()
    assert png.value.suggested_filename == "head_view.png"
    expect(said).to_have_text("")


# Ink and the mean difference between neighbours: at once after a change, and when nothing moves.
INK = """(host) => new Promise((resolve, reject) => {
  setTimeout(() => reject(new Error("it never became sharp")), 20_000);
  const canvas = host.shadowRoot.querySelector(".pane canvas");
  const ink = () => {
    const {width, height} = canvas;
    const {data} = canvas.getContext("2d").getImageData(0, 0, width, height);
    let [sum, steps] = [0, 0];
    for (let i = 3; i < data.length; i += 4) {
      sum += data[i];
      if (i > 4) steps += Math.abs(data[i] - data[i - 4]);
    }
    return [sum, steps];
  };
  const observer = new MutationObserver(() => {
    observer.disconnect();
    const moving = ink();
    const sharpened = () => {
      const now = ink();
      if (now[1] !== moving[1]) resolve([moving, now]); else requestAnimationFrame(sharpened);
    };
    sharpened();
  });
  observer.observe(host, {attributes: true, attributeFilter: ["data-drawn"]});
  host.bertviz.set({heads: [...Array(11).keys()]});
})"""


def test_many_lines_are_sharp_once_nothing_moves(page_of: Callable[..., Opened]) -> None:
    opened = page_of(a_head_view(weights(1, 12, 60), [f"t{i}" for i in range(60)]))
    moving, sharp = opened.host.evaluate(INK)
    assert abs(moving[0] / sharp[0] - 1) < 0.05, "the same picture"
    assert moving[1] < 0.8 * sharp[1], "coarser"


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


def test_hostile_tokens_are_text(page_of: Callable[..., Opened]) -> None:
    tokens = ["</script>", "<img src=x onerror=alert(1)>", "<!--", "\u202e", "\ud800"]
    opened = page_of(a_head_view(weights(1, 1, 5), tokens))
    for index, token in enumerate(tokens[:3]):
        expect(opened.token("query", index)).to_have_text(token)
    assert opened.errors == []
    assert opened.requests == []


def test_a_narrow_cell_and_many_heads(page_of: Callable[..., Opened]) -> None:
    opened = page_of(a_head_view(weights(1, 32), TOKENS), width=420)
    overflow = opened.page.evaluate(
        "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    )
    assert overflow <= 0
    assert opened.host.locator("button[data-head]").count() == 32
    square(opened, 31).click()
    opened.settled(heads=list(range(31)))


def test_an_error_is_a_sentence(page_of: Callable[..., Opened]) -> None:
    fragment = a_head_view(weights(), TOKENS).data.replace('"version":1', '"version":99')
    opened = page_of(fragment)
    expect(opened.host).to_have_attribute("data-state", "error")
    text = opened.host.locator("[role=alert]").inner_text()
    assert text.startswith("The attention view could not be drawn: This output has version 99")
