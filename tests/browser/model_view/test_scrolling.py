"""A grid larger than the page, and a cell that opens below what is in sight."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import expect

from tests.browser.model_view.cells import cell
from tests.browser.opened import Opened
from tests.helpers import TOKENS, a_model_view, weights


def test_numbers_stay_when_the_grid_scrolls(page_of: Callable[..., Opened]) -> None:
    opened = page_of(a_model_view(weights(60, 40), TOKENS), width=480)
    scroller = opened.host.locator(".scroller")
    label = opened.host.locator('.across [data-column="20"]')
    number = opened.host.locator('.down [data-row="40"]')
    scroller.evaluate("box => box.scrollTo(120, 60)")

    def aligned() -> bool:
        column, row = cell(opened, 0, 20).bounding_box(), cell(opened, 40, 0).bounding_box()
        head, layer = label.bounding_box(), number.bounding_box()
        assert column is not None
        assert row is not None
        assert head is not None
        assert layer is not None
        middle = head["x"] + head["width"] / 2 - column["x"] - column["width"] / 2
        height = layer["y"] + layer["height"] / 2 - row["y"] - row["height"] / 2
        return abs(middle) < 1.5 and abs(height) < 1.5

    opened.quiet()
    assert aligned()
    # The last cell can be reached.
    cell(opened, 59, 39).click()
    opened.settled(cell=[59, 39])
    assert opened.host.evaluate("host => host.scrollWidth <= host.clientWidth")


def test_a_cell_that_opens_below_comes_into_sight(page_of: Callable[..., Opened]) -> None:
    opened = page_of(a_model_view(weights(32, 32), TOKENS), width=800, height=700)
    detail = opened.host.locator(".detail")
    cell(opened, 2, 3).click()
    opened.settled(cell=[2, 3])
    expect(detail).to_be_in_viewport(ratio=0.5)
    # The page API moves nothing.
    opened.page.evaluate("scrollTo(0, 0)")
    opened.set(cell=[3, 3])
    assert opened.page.evaluate("scrollY") == 0
