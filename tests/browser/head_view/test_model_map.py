"""All heads of the model at the selected row, beside the lines: with a real mouse and keyboard."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import expect

from tests.browser.head_view.reading import square
from tests.browser.opened import Opened
from tests.helpers import TOKENS, a_head_view, weights

LAYERS, HEADS = 3, 4
TRUE = weights(LAYERS, HEADS)
TRUE[..., 0] += 2  # most heads look at the first token most
TRUE /= TRUE.sum(-1, keepdims=True)
MAP = '[data-part="map"]'


@pytest.fixture
def opened(page_of: Callable[..., Opened]) -> Opened:
    found = page_of(a_head_view(TRUE, TOKENS), width=1280)
    found.host.get_by_role("button", name="Model", exact=True).click()
    expect(found.host.locator(MAP)).not_to_contain_text("to come")
    return found


def strongest(rows: np.ndarray, count: int = 8) -> list[tuple[str, str, str]]:
    """(head, token, value) of (layer, head, position), without the first token."""
    rest = rows.copy()
    rest[..., 0] = 0
    order = np.argsort(-rest.max(-1).ravel(), kind="stable")[:count]
    places = [divmod(int(i), HEADS) for i in order]
    return [
        (f"{layer}.{head}", TOKENS[rest[layer, head].argmax()], f"{rest[layer, head].max():.2f}")
        for layer, head in places
    ]


def listed(opened: Opened) -> list[tuple[str, str, str]]:
    found = []
    for line in opened.host.locator(f"{MAP} [data-rank][data-cell]").all():
        texts = [line.locator(part).inner_text() for part in (".position", "b", ".value")]
        found.append((texts[0], texts[1], texts[2]))
    return found


def center(opened: Opened, layer: int, head: int) -> tuple[float, float]:
    """Where a head's cell is, below its number and right of its layer's."""
    down = opened.host.locator(f'{MAP} [data-layer="{layer}"]').first.bounding_box()
    across = opened.host.locator(f"{MAP} .head-numbers span").nth(head).bounding_box()
    assert down
    assert across
    return across["x"] + across["width"] / 2, down["y"] + down["height"] / 2


def test_the_list_has_the_strongest_heads_of_the_model(opened: Opened) -> None:
    assert listed(opened) == strongest(TRUE.mean(2))
    opened.token("query", 3).click()
    opened.settled(query=3, locked=True)
    assert listed(opened) == strongest(TRUE[:, :, 3])
    title = f"Strongest heads, “{TOKENS[0]}” left out"
    expect(opened.host.locator(MAP)).to_contain_text(title)
    opened.token("key", 2).click()
    opened.settled(key=2, locked=True)
    assert {place for place, *_ in listed(opened)} <= {
        f"{layer}.{head}" for layer in range(LAYERS) for head in range(HEADS)
    }
    expect(opened.host.locator(MAP)).to_contain_text("a bar per query")


def test_a_click_on_a_head_shows_it_alone_and_on_a_number_its_layer(opened: Opened) -> None:
    opened.token("query", 3).click()
    opened.settled(query=3, locked=True)
    opened.page.mouse.click(*center(opened, 2, 1))
    opened.settled(layer=2, heads=[1], query=3, locked=True)
    expect(square(opened, 1)).to_have_attribute("aria-pressed", "true")
    opened.host.locator(f'{MAP} button[data-layer="1"]').first.click()
    opened.settled(layer=1, heads=[1], query=3)
    first = strongest(TRUE[:, :, 3])[0][0].split(".")
    line = opened.host.locator(f'{MAP} [data-rank="1"]')
    line.focus()
    opened.page.keyboard.press("Enter")
    opened.settled(layer=int(first[0]), heads=[int(first[1])], query=3)


def test_the_pointer_is_told_what_a_head_looks_at(opened: Opened) -> None:
    opened.token("query", 3).click()
    opened.settled(query=3, locked=True)
    opened.page.mouse.move(*center(opened, 1, 2))
    row = TRUE[1, 2, 3]
    tooltip = opened.host.locator(".tooltip")
    expect(tooltip).to_contain_text("Layer 1, head 2")
    expect(tooltip).to_contain_text(f"most at “{TOKENS[row.argmax()]}”, {row.max():.2f}")


def test_the_bars_are_drawn_as_high_as_the_root_of_the_weight(opened: Opened) -> None:
    """The heights of ink in a cell of the canvas, token by token."""
    opened.token("query", 3).click()
    opened.settled(query=3, locked=True)
    x, y = center(opened, 1, 2)
    # A cell is 33 by 21 pixels; its ground is the only color that is not ink.
    cell: Any = opened.host.evaluate(
        """(host, [x, y]) => {
             const canvas = host.shadowRoot.querySelector('[data-part="map"] canvas');
             const box = canvas.getBoundingClientRect();
             const [left, top] = [x - box.left - 16.5, y - box.top - 10.5].map(Math.round);
             return Array.from(canvas.getContext("2d").getImageData(left, top, 33, 21).data);
           }""",
        [x, y],
    )
    pixels = np.array(cell).reshape(21, 33, 4)
    assert (pixels[..., 3] == 255).all()  # nothing beside the cell
    ink = 1 - (pixels[..., :3].sum(-1) - pixels[-1, 1, :3].sum()) / (
        pixels[0, 1, :3].sum() - pixels[-1, 1, :3].sum()
    )
    for token, weight in enumerate(TRUE[1, 2, 3]):
        height = ink[:, int((token + 0.4) * 33 / len(TOKENS))].sum()
        assert abs(height - 21 * np.sqrt(weight)) <= 1, (token, weight)


def test_the_panel_goes_with_a_saved_page(page_of: Callable[..., Opened], tmp_path: Path) -> None:
    view = a_head_view(TRUE, TOKENS)
    view.save(tmp_path / "saved.html", panel="model", query=2, locked=True)
    opened = page_of(view, width=1280)
    opened.page.goto((tmp_path / "saved.html").as_uri())
    opened.ready()
    expect(opened.host.locator(MAP)).not_to_contain_text("to come")
    assert listed(opened) == strongest(TRUE[:, :, 2])
    opened.host.get_by_role("button", name="Text", exact=True).click()
    expect(opened.host.locator(MAP)).to_be_hidden()
    expect(opened.host.locator('[data-part="reading"]')).to_contain_text("Where it looks most")
