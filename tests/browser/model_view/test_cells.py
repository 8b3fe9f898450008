"""A cell for every head: numbers, keyboard, filters, thumbnails, and very many heads."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from tests.browser.model_view.cells import cell
from tests.browser.opened import Opened
from tests.helpers import TOKENS, a_model_view, weights


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
    view = a_model_view(weights(), TOKENS, include_layers=[0, 2], include_heads=[1, 3])
    opened = page_of(view)
    assert opened.host.locator("button[data-layer]").count() == 4
    cell(opened, 2, 3).click()
    opened.settled(cell=[2, 3], layer=2)
    assert cell(opened, 1, 1).count() == 0


def test_thumbnails_show_what_is_there(page_of: Callable[..., Opened]) -> None:
    """A head that looks at itself has level lines, one that looks at the first has a fan."""
    both = np.zeros((1, 2, 6, 6))
    both[0, 0] = np.eye(6)
    both[0, 1, :, 0] = 1
    opened = page_of(a_model_view(both, list("abcdef")))
    opened.set(measure=None)
    opened.settled(measure=None)
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
    opened = page_of(a_model_view(weights(layers, heads), TOKENS), width=1100)
    box = cell(opened, layers - 1, heads - 1).bounding_box()
    assert box is not None
    assert box["width"] >= 15
    cell(opened, layers - 1, heads - 1).click()
    opened.settled(cell=[layers - 1, heads - 1])
    assert opened.errors == []
