"""The reading panel and the bars beside the tokens, with real mouse and keyboard."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import expect

from tests.browser.opened import Opened
from tests.helpers import HEADS, TOKENS, a_head_view, weights

LONG = 300
PANEL = '[data-part="reading"]'


@pytest.fixture
def long(page_of: Callable[..., Opened]) -> Opened:
    tokens = [f"t{i}" for i in range(LONG)]
    return page_of(a_head_view(weights(1, 2, LONG), tokens), width=1280)


def ranked(opened: Opened) -> list[tuple[int, str]]:
    """Positions and numbers of the list."""
    lines = opened.host.locator("[data-rank][data-index]")
    found = [(line.get_attribute("data-index"), line) for line in lines.all()]
    return [(int(i or -1), line.locator(".value").inner_text()) for i, line in found]


def written(value: float) -> str:
    return "<0.01" if value < 0.005 else f"{value:.2f}"


def by_size(means: np.ndarray, count: int = 8) -> list[int]:
    order = np.argsort(-means, kind="stable")
    return [int(i) for i in order[:count]]


def test_hover_tells_where_a_token_looks(opened: Opened) -> None:
    opened.token("query", 2).hover()
    opened.settled(query=2)
    means = weights()[0][:, 2].mean(0)
    assert ranked(opened) == [(i, written(means[i])) for i in by_size(means)]
    panel = opened.host.locator(PANEL)
    expect(panel).to_contain_text(f"“{TOKENS[2]}”")
    expect(panel).to_contain_text("Where it looks most")
    expect(panel).to_contain_text(f"mean of {HEADS} heads")
    # Bars: each head's own weight.
    for head in range(HEADS):
        for key, weight in enumerate(weights()[0, head, 2]):
            bar = opened.host.locator(
                f'[data-part="columns"] [data-head="{head}"][data-index="{key}"]'
            )
            if weight >= 0.1:
                expect(bar).to_contain_text(f"{weight:.2f}"[1:])
    opened.token("key", 4).hover()
    opened.settled(key=4, query=None)
    means = weights()[0][:, :, 4].mean(0)
    assert ranked(opened) == [(i, written(means[i])) for i in by_size(means)]
    expect(panel).to_contain_text("Who looks at it most")
    opened.page.mouse.move(2, 2)
    opened.settled(query=None, key=None)
    means = weights()[0].mean((0, 1))
    assert ranked(opened) == [(i, written(means[i])) for i in by_size(means)]


def test_the_text_is_shaded_by_the_weights(opened: Opened) -> None:
    opened.token("query", 2).click()
    opened.settled(query=2, locked=True)
    means = weights()[0][:, 2].mean(0)
    shades = opened.host.evaluate(
        """host => [...host.shadowRoot.querySelectorAll("[data-place]")].map((word) => {
             const color = getComputedStyle(word).backgroundColor;
             const parts = color.match(/[\\d.]+/g).map(Number);
             return parts.length === 4 ? parts[3] : color === "transparent" ? 0 : 1;
           })"""
    )
    np.testing.assert_allclose(shades, 0.6 * np.sqrt(means / means.max()), atol=0.011)
    chosen = opened.host.locator("[data-place].selected")
    assert chosen.all_inner_texts() == [TOKENS[2]]


def test_a_click_on_a_word_locks_it_and_on_a_line_goes_there(long: Opened) -> None:
    long.host.locator('[data-place="7"]').click()
    long.settled(query=7, locked=True)
    means = weights(1, 2, LONG)[0][:, 7].mean(0)
    listed = [i for i, _ in ranked(long)]
    # Weights travel in steps of 1/511, so neighbors in the order may change places.
    np.testing.assert_allclose(means[listed], means[by_size(means)], atol=0.003)
    far = next(i for i in listed if i > 60)
    line = long.host.locator(f'[data-rank][data-index="{far}"]')
    expect(line.locator(".away")).to_have_text("↓")
    line.click()
    expect(long.token("key", far)).to_be_visible()
    long.quiet()
    expect(line.locator(".away")).to_have_text("")
    expect(long.host.locator(f'[data-place="{far}"]')).to_be_visible()
    long.settled(query=7, locked=True)
    assert long.errors == []


def test_search_by_keyboard(long: Opened) -> None:
    long.host.hover()
    long.page.keyboard.press("/")
    field = long.host.locator('input[name="search"]')
    expect(field).to_be_focused()
    long.page.keyboard.type("T29")
    expect(long.host.locator(".search")).to_contain_text("11 found")
    marked = long.host.locator("[data-place].found")
    assert marked.all_inner_texts() == ["t29", *(f"t29{i}" for i in range(10))]
    for position in (29, 290, 291):
        long.page.keyboard.press("Enter")
        long.settled(query=position, locked=True)
    expect(long.host.locator(".search")).to_contain_text("3 of 11")
    expect(long.token("query", 291)).to_be_in_viewport()
    long.page.keyboard.press("Shift+Enter")
    long.settled(query=290, locked=True)
    field.fill("#150")
    long.page.keyboard.press("Enter")
    long.settled(query=150, locked=True)
    long.page.keyboard.press("Escape")
    expect(field).to_have_value("")
    expect(marked).to_have_count(0)
    assert long.errors == []


def test_a_saved_page_opens_with_its_token_in_sight(
    page_of: Callable[..., Opened], tmp_path: Path
) -> None:
    view = a_head_view(weights(1, 2, LONG), [f"t{i}" for i in range(LONG)])
    path = tmp_path / "x.html"
    view.save(path, query=LONG - 1, locked=True)
    opened = page_of(view)
    opened.page.goto(path.as_uri())
    opened.ready()
    opened.settled(query=LONG - 1, locked=True)
    opened.quiet()
    expect(opened.token("query", LONG - 1)).to_be_in_viewport()
    expect(opened.host.locator(f'[data-place="{LONG - 1}"]')).to_be_in_viewport()


@pytest.mark.parametrize(
    ("width", "count", "place"),
    [
        *[(1280, 7, "beside"), (800, 7, "below"), (800, 100, "below"), (800, LONG, "above")],
        *[(390, 7, "below"), (390, LONG, "above")],
    ],
)
def test_the_panel_stands_where_there_is_room(
    page_of: Callable[..., Opened], width: int, count: int, place: str
) -> None:
    tokens = [f"t{i}" for i in range(count)]
    opened = page_of(a_head_view(weights(1, 4, count), tokens), width=width)
    opened.set(query=2, locked=True)

    def box(selector: str) -> Any:
        found = opened.host.locator(selector).first.bounding_box()
        assert found is not None
        return found

    panel, lines, host = box(PANEL), box(".stage"), opened.host.bounding_box()
    assert host is not None
    inside = panel["x"] + panel["width"] <= host["x"] + host["width"]
    assert inside, "it is not cut off"
    found = {
        "beside": panel["x"] >= lines["x"] + lines["width"],
        "below": panel["y"] >= lines["y"] + lines["height"],
        "above": panel["y"] + panel["height"] <= lines["y"],
    }
    assert found[place], (panel, lines)
    if count > 64 and width > 560:
        overview = box(".overview")
        assert overview["x"] >= lines["x"] + lines["width"]
        assert abs(overview["y"] - lines["y"]) < 40, "the overview stands beside the lines"
        assert panel["width"] > lines["width"], "the panel has the whole width"
    # Bars, columns and lines fit without scrolling sideways.
    stage = opened.host.locator(".stage")
    assert stage.evaluate("e => e.scrollWidth <= e.clientWidth")
    last = opened.host.locator('[data-part="columns"] [data-head="mean"] i').first.bounding_box()
    assert last is not None
    assert last["x"] + last["width"] <= host["x"] + host["width"]


def test_the_panel_of_a_matrix_selects_pairs(opened: Opened) -> None:
    opened.host.locator('button[data-mode="matrix"]').click()
    opened.settled(mode="matrix")
    opened.set(query=2, locked=True)
    means = weights()[0][:, 2].mean(0)
    best = by_size(means)[0]
    assert ranked(opened)[0] == (best, written(means[best]))
    opened.host.locator('[data-rank="1"]').click()
    opened.settled(query=2, key=best, locked=True)
    # Of a pair the panel still tells the query's whole row, and the title the pair's number.
    assert ranked(opened)[:3] == [(i, written(means[i])) for i in by_size(means)[:3]]
    title = opened.host.locator('[data-part="title"]')
    expect(title).to_contain_text(f"“{TOKENS[2]}” looks at “{TOKENS[best]}”, {means[best]:.2f}")
    second = by_size(means)[1]
    opened.host.locator('[data-rank="2"]').click()
    opened.settled(query=2, key=second, locked=True)
    expect(title).to_contain_text(f"looks at “{TOKENS[second]}”, {means[second]:.2f}")
    # A word of the text is a token, not a pair with itself.
    opened.host.locator('[data-place="5"]').click()
    opened.settled(query=5, key=None, locked=True)
    assert opened.errors == []


def test_the_title_is_a_sentence(opened: Opened) -> None:
    title = opened.host.locator('[data-part="title"]')
    means = weights()[0].mean((0, 1))
    best = by_size(means)[0]
    said = f"“{TOKENS[best]}” is looked at most, {means[best]:.2f} of a row on average"
    expect(title).to_have_text(f"Layer 0, mean of {HEADS} heads: {said}")
    opened.set(heads=[1], query=4, locked=True)
    row = weights()[0, 1, 4]
    said = f"“{TOKENS[4]}” looks most at “{TOKENS[row.argmax()]}”, {row.max():.2f}"
    expect(title).to_have_text(f"Layer 0, head 1: {said}")
    opened.set(heads=[1], query=None, key=0, locked=True)
    column = weights()[0, 1, :, 0]
    said = f"“{TOKENS[0]}” is looked at most by “{TOKENS[column.argmax()]}”, {column.max():.2f}"
    expect(title).to_have_text(f"Layer 0, head 1: {said}")
    assert title.evaluate("e => getComputedStyle(e).userSelect") != "none"
