"""The model view in a real browser: every head at a glance, and one of them opened."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from playwright.sync_api import Locator, expect

from bertviz import ModelView

from .conftest import Opened
from .test_head_view import TOKENS, weights


@pytest.fixture
def opened(page_of: Callable[..., Opened]) -> Opened:
    return page_of(ModelView(weights(), TOKENS, sentence_b_start=4), width=1100)


def cell(opened: Opened, layer: int, head: int) -> Locator:
    return opened.host.locator(f'button[data-layer="{layer}"][data-head="{head}"]')


def test_a_cell_for_every_head(opened: Opened) -> None:
    assert opened.host.locator("button[data-layer][data-head]").count() == 12
    assert opened.drawn()["cell"] is None
    edges = opened.scene("scene.edges")
    true = weights()
    assert len(edges["weight"]) > 500
    for layer, head, query, key, weight in zip(
        *(edges[name] for name in ("layer", "head", "query", "key", "weight")), strict=True
    ):
        assert abs(weight - true[layer, head, query, key]) < 0.002
    assert edges["opacity"] == edges["weight"]
    assert opened.errors == []


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


def test_cells_stay_where_they_are_when_one_opens(opened: Opened) -> None:
    before = cell(opened, 2, 3).bounding_box()
    cell(opened, 2, 3).click()
    opened.settled(cell=[2, 3])
    assert cell(opened, 2, 3).bounding_box() == before


def test_keyboard(opened: Opened) -> None:
    cell(opened, 0, 0).focus()
    for key in ("ArrowRight", "ArrowDown", "ArrowDown", "ArrowLeft", "ArrowRight"):
        opened.page.keyboard.press(key)
    opened.page.keyboard.press("Enter")
    opened.settled(cell=[2, 1])


def test_included_layers_and_heads_keep_their_numbers(page_of: Callable[..., Opened]) -> None:
    view = ModelView(weights(), TOKENS, include_layers=[0, 2], include_heads=[1, 3])
    opened = page_of(view)
    assert opened.host.locator("button[data-layer]").count() == 4
    cell(opened, 2, 3).click()
    opened.settled(cell=[2, 3], layer=2)
    assert cell(opened, 1, 1).count() == 0


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
        "aria-label", f"Layer {layer}, head {head}: entropy (bits) {entropy.max():.3f}"
    )
    assert f"{entropy.max():.2f}" in opened.text()
    cell(opened, layer, head).click()
    opened.settled(cell=[layer, head])


def test_thumbnails_show_what_is_there(page_of: Callable[..., Opened]) -> None:
    """A head that looks at itself has level lines, one that looks at the first has a fan."""
    both = np.zeros((1, 2, 6, 6))
    both[0, 0] = np.eye(6)
    both[0, 1, :, 0] = 1
    opened = page_of(ModelView(both, list("abcdef")))
    data = opened.host.evaluate(
        """host => {
             const root = host.shadowRoot;
             const canvas = root.querySelector("canvas");
             const at = canvas.getBoundingClientRect();
             return Array.from(root.querySelectorAll("button[data-layer]"), (button) => {
               const b = button.getBoundingClientRect();
               const x = Math.round(b.right - at.left - 0.2 * b.width);
               const y = Math.round(b.top - at.top);
               const column = canvas.getContext("2d").getImageData(x, y, 1, Math.round(b.height));
               const rgb = Array.from(column.data);
               const rows = [];
               for (let i = 0; i < rgb.length; i += 4) rows.push(rgb[i] + rgb[i + 1] + rgb[i + 2]);
               return rows;
             });
           }"""
    )
    dark = [np.flatnonzero(np.array(rows) < max(rows) - 60) / len(rows) for rows in data]
    assert dark[0].min() < 0.3
    assert dark[0].max() > 0.7, "level lines over the whole cell"
    assert dark[1].max() < 0.45, "a fan that closes at the top"


@pytest.mark.parametrize(("layers", "heads"), [(12, 12), (32, 32)])
def test_many_heads(page_of: Callable[..., Opened], layers: int, heads: int) -> None:
    opened = page_of(ModelView(weights(layers, heads), TOKENS), width=1100)
    box = cell(opened, layers - 1, heads - 1).bounding_box()
    assert box is not None
    assert box["width"] >= 15
    cell(opened, layers - 1, heads - 1).click()
    opened.settled(cell=[layers - 1, heads - 1])
    assert opened.errors == []
