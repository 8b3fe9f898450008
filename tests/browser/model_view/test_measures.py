"""Cells colored, ordered and labeled by a measure, built in or passed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import expect

from tests.browser.model_view.cells import COLOR, cell
from tests.browser.opened import Opened
from tests.helpers import TOKENS, a_model_view, weights


def test_cells_by_a_measure(opened: Opened) -> None:
    opened.host.locator('select[name="measure"]').select_option("entropy")
    opened.settled(measure="entropy")
    opened.host.locator('select[name="sorted"]').select_option("yes")
    opened.settled(sorted=True)
    true = weights()
    entropy = -(true * np.log2(true)).sum(-1).mean(-1)
    order = np.dstack(np.unravel_index(np.argsort(-entropy, axis=None), entropy.shape))[0]
    cells = opened.host.locator("button[data-layer][data-head]")
    shown = [
        (
            int(cells.nth(i).get_attribute("data-layer")),
            int(cells.nth(i).get_attribute("data-head")),
        )
        for i in range(cells.count())
    ]
    assert shown == [tuple(pair) for pair in order.tolist()]
    boxes = [cells.nth(i).bounding_box() for i in range(5)]
    assert boxes[0]["x"] < boxes[3]["x"]  # type: ignore[index]
    assert boxes[4]["y"] > boxes[3]["y"]  # type: ignore[index]
    layer, head = shown[0]
    expect(cell(opened, layer, head)).to_have_attribute(
        "aria-label",
        f"Layer {layer}, head {head}: entropy (bits) {entropy.max():.3f}, {layer}·{head}",
    )
    assert f"{entropy.max():.2f}" in opened.text()
    cell(opened, layer, head).click()
    opened.settled(cell=[layer, head])


class Scores:
    """What an analysis gives: numbers by block, layer and head, with a sign or without."""

    def __init__(self, values: dict[int, dict[int, float | None]], **more: Any) -> None:
        self.measure = {"name": "a score", "values": {"encoder": values}, "null": None, **more}

    def measures(self) -> list[dict[str, Any]]:
        return [self.measure]


def test_a_score_colours_sorts_and_speaks(page_of: Callable[..., Opened]) -> None:
    scores = {
        "mine": {(layer, head): layer + head / 10 for layer in range(3) for head in range(4)},
        "other": {(2, 1): 0.5},
    }
    opened = page_of(a_model_view(weights(), TOKENS, measures=scores), width=1100)
    assert opened.drawn()["measure"] == "mine"
    select = opened.host.locator('select[name="measure"]')
    expect(select).to_have_value("mine")
    assert select.locator('optgroup[label="measures"] option').all_inner_texts() == [
        "mine",
        "other",
    ]
    assert opened.scene("scene.range") == [0, 2.3]
    assert "bar: mine, 0.00 to 2.30" in opened.text()
    cell(opened, 2, 3).hover()
    expect(opened.host.locator(".tooltip")).to_contain_text("Layer 2, head 3: mine 2.300")
    opened.host.locator('select[name="sorted"]').select_option("yes")
    opened.settled(sorted=True)
    first = opened.host.locator("button[data-layer]").first
    assert first.get_attribute("data-layer") == "2"
    assert first.get_attribute("data-head") == "3"
    select.select_option("other")
    opened.settled(measure="other")
    assert "– not available" in opened.text()
    expect(cell(opened, 0, 0)).to_have_attribute(
        "aria-label", "Layer 0, head 0: other not available, 0·0"
    )
    # Cells without a number come last.
    assert first.get_attribute("data-head") == "1"
    select.select_option("none")
    opened.settled(measure=None, sorted=False)


def test_a_score_is_shown_beside_its_null(page_of: Callable[..., Opened]) -> None:
    null = {"encoder": {1: {2: 0.125}}}
    opened = page_of(a_model_view(weights(), TOKENS, measures=Scores({1: {2: 0.75}}, null=null)))
    label = "Layer 1, head 2: a score 0.750, by chance 0.125"
    expect(cell(opened, 1, 2)).to_have_attribute("aria-label", label)
    cell(opened, 1, 2).click()
    opened.settled(cell=[1, 2])
    assert "a score 0.750, by chance 0.125" in opened.text()


def test_labels_are_written_on_their_heads(page_of: Callable[..., Opened]) -> None:
    labels = {"encoder": {0: {0: "previous token", 1: "same token in the other sentence"}}}
    scores = Scores({0: {0: 0.9, 1: 0.5}}, labels=labels, null={"encoder": {0: {0: 0.1}}})
    opened = page_of(a_model_view(weights(1), TOKENS, measures=scores), width=1280)
    expect(cell(opened, 0, 0)).to_have_text("previous token")
    expect(cell(opened, 0, 1)).to_have_text("")  # no room
    expect(cell(opened, 0, 2)).to_have_text("")  # none
    said = "Layer 0, head 0: previous token 0.900, by chance 0.100"
    expect(cell(opened, 0, 0)).to_have_attribute("aria-label", said + ", previous token")
    cell(opened, 0, 1).hover()
    tooltip = opened.host.locator(".tooltip")
    expect(tooltip).to_contain_text("same token in the other sentence 0.500")
    cell(opened, 0, 2).hover()
    expect(tooltip).to_contain_text("no clear pattern")
    expect(opened.host.locator('[data-part="title"]')).to_have_text(
        "4 heads in 1 layer, 2 with a clear pattern:"
        " previous token 1, same token in the other sentence 1"
    )
    cell(opened, 0, 0).click()
    opened.settled(cell=[0, 0])
    assert "previous token 0.900, by chance 0.100" in opened.text()


# The colors of a cell's bar, from its left to its right.
BAR = """(host, [layer, head]) => {
  const root = host.shadowRoot;
  const canvas = root.querySelector(".grid canvas");
  const at = canvas.getBoundingClientRect();
  const b = root.querySelector(`[data-layer="${layer}"][data-head="${head}"]`)
    .getBoundingClientRect();
  const [x, y] = [b.left - at.left, b.bottom - at.top - 4].map(Math.round);
  const {data} = canvas.getContext("2d").getImageData(x, y, Math.round(b.width), 1);
  return Array.from({length: data.length / 4}, (_, i) => Array.from(data.slice(4 * i, 4 * i + 3)));
}"""


def bar_of(opened: Opened, layer: int, head: int) -> np.ndarray:
    return np.array(opened.host.evaluate(BAR, [layer, head]), dtype=int)


def rgb(color: str) -> list[int]:
    return [int(color[i : i + 2], 16) for i in (1, 3, 5)]


THEMES = {  # accent, positive, negative
    "light": ("#0969da", "#0b62c4", "#d9580d"),
    "dark": ("#58a6ff", "#58a6ff", "#ff9248"),
}


def share(row: np.ndarray, color: str) -> float:
    """Which part of a cell's width has a color."""
    return float((row == rgb(color)).all(1).mean())


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_bar_is_as_long_as_its_number(page_of: Callable[..., Opened], theme: str) -> None:
    scores = {"mine": {(0, head): value for head, value in enumerate((0.8, 0.4, 0.1, 0))}}
    opened = page_of(a_model_view(weights(1), TOKENS, measures=scores), theme=theme)
    parts = [share(bar_of(opened, 0, head), THEMES[theme][0]) for head in range(4)]
    assert 0.75 < parts[0] < 1
    np.testing.assert_allclose(np.array(parts) / parts[0], [1, 0.5, 0.125, 0], atol=0.03)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_score_with_a_sign_parts_at_zero(page_of: Callable[..., Opened], theme: str) -> None:
    scores = Scores({0: {0: -0.4, 1: 0.0, 2: 0.4, 3: None}}, diverging=True)
    view = a_model_view(weights(1), TOKENS, measures=scores)
    opened = page_of(view, theme=theme)
    _, positive, negative = THEMES[theme]
    below, zero, above, none = (bar_of(opened, 0, head) for head in range(4))
    half = len(below) // 2
    assert share(below[:half], negative) > 0.7
    assert share(below[half + 1 :], negative) == share(below, positive) == 0
    assert share(above[half + 1 :], positive) > 0.7
    assert share(above[: half - 1], positive) == share(above, negative) == 0
    for row in (zero, none):
        assert share(row, positive) == share(row, negative) == 0
    assert opened.scene("scene.range") == [-0.4, 0.4]
    assert "−0.40 to +0.40" in opened.text()
    assert "+0.400" in (cell(opened, 0, 2).get_attribute("aria-label") or "")


def test_thousands_of_heads_are_tiles(page_of: Callable[..., Opened]) -> None:
    """Tiles of a score need no weights; what is under the pointer gets its own."""
    many = weights(40, 40)
    scores = {"mine": {(layer, head): layer / 40 for layer in range(40) for head in range(40)}}
    opened = page_of(a_model_view(many, TOKENS, measures=scores), width=1100)
    box = cell(opened, 39, 39).bounding_box()
    assert box is not None
    assert box["width"] >= 9
    assert opened.scene("scene.edges.weight.length") == 0, "no layer is decoded"
    first, last = (opened.host.evaluate(COLOR, [layer, 5]) for layer in (0, 39))
    assert first != last
    cell(opened, 20, 7).hover()
    tooltip = opened.host.locator(".tooltip")
    expect(tooltip).to_contain_text("Layer 20, head 7: mine 0.500")
    expect(tooltip.locator("canvas")).to_be_visible()
    cell(opened, 20, 7).click()
    opened.settled(cell=[20, 7])
    opened.token("query", 2).hover()
    opened.settled(query=2)
    np.testing.assert_allclose(opened.scene("scene.edges.weight"), many[20, 7, 2], atol=0.002)
    assert opened.errors == []


def test_heads_begin_with_what_tells_them_apart(page_of: Callable[..., Opened]) -> None:
    opened = page_of(a_model_view(weights(), TOKENS))
    assert opened.drawn()["measure"] == "first"
    first = weights()[..., 0].mean(-1)
    layer, head = np.unravel_index(first.argmax(), first.shape)
    largest = f"largest in layer {layer}, head {head} ({first.max():.2f})"
    expect(opened.host.locator('[data-part="title"]')).to_contain_text(largest)


def test_many_heads_begin_with_a_measure(page_of: Callable[..., Opened]) -> None:
    opened = page_of(a_model_view(weights(40, 40), TOKENS), width=1100)
    assert opened.drawn()["measure"] == "entropy"
