"""From a phone to a wide screen: nothing is cut off, controls keep their line, touch finds them."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from bertviz import AttentionTrace, HeadView, ModelView, NeuronView
from tests.browser.opened import Opened

TOKENS = ["[CLS]", "i", "went", "to", "the", "store", ".", "[SEP]", "at", "the", "[SEP]"]
RNG = np.random.default_rng(5)
TRACE = AttentionTrace.from_arrays(
    TOKENS,
    **{name: RNG.normal(size=(6, 12, len(TOKENS), 16)) for name in ("queries", "keys")},
    sentence_b_start=8,
)
VIEWS = {"head": HeadView, "model": ModelView, "neuron": NeuronView}
CUT = """(host) => {
  const root = host.shadowRoot.querySelector(".view");
  const around = root.getBoundingClientRect();
  const controls = root.querySelectorAll(".toolbar *, .choices *, .title-line, .footer");
  return [...controls].filter((e) => e.checkVisibility({ visibilityProperty: true })
    && !e.closest(".squares") && !e.closest("select"))
    .filter((e) => e.getBoundingClientRect().right > around.right + 0.5
      || e.getBoundingClientRect().left < around.left - 0.5)
    .map((e) => e.outerHTML.slice(0, 90));
}"""


def rows_of(opened: Opened, selector: str) -> int:
    """How many lines the visible children of an element take."""
    middles: list[float] = opened.host.evaluate(
        """(host, selector) => [...host.shadowRoot.querySelectorAll(selector)]
             .filter((e) => e.checkVisibility()).map((e) => e.getBoundingClientRect())
             .filter((r) => r.width).map((r) => (r.top + r.bottom) / 2)""",
        selector,
    )
    middles.sort()
    return 1 + sum(b - a > 8 for a, b in itertools.pairwise(middles))


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 760, 1280, 1600])
def test_no_control_is_cut_and_nothing_scrolls_sideways(
    page_of: Callable[..., Opened], view: str, theme: str, width: int
) -> None:
    opened = page_of(VIEWS[view](TRACE), theme=theme, width=width)
    if view == "model":
        opened.set(cell=[1, 2], measure="entropy")
    assert opened.host.evaluate(CUT) == []
    assert opened.page.evaluate("document.documentElement.scrollWidth") <= width
    assert opened.errors == []


@pytest.mark.parametrize("width", [760, 1000, 1280, 1600])
def test_the_toolbar_keeps_its_line_and_the_mark_stays_in_it(
    page_of: Callable[..., Opened], width: int
) -> None:
    opened = page_of(HeadView(TRACE), width=width)
    lines = 2 if width < 1000 else 1  # of the toolbar, the heads' included
    assert rows_of(opened, ".toolbar > *") == lines
    assert rows_of(opened, ".choices > *") == 1
    mark, layer = (
        opened.host.locator(selector).bounding_box()
        for selector in (".badge", 'select[name="layer"]')
    )
    assert mark is not None
    assert layer is not None
    assert abs(mark["y"] + mark["height"] / 2 - layer["y"] - layer["height"] / 2) < 2


def test_twice_as_large_as_zoom_makes_it(page_of: Callable[..., Opened]) -> None:
    """A page of 1,280 px at 200 % has 640 CSS pixels, and two of the screen's for each."""
    opened = page_of(HeadView(TRACE), width=640, scale=2)
    assert opened.host.evaluate(CUT) == []
    sharp: Any = opened.host.evaluate(
        """(host) => { const c = host.shadowRoot.querySelector(".pane canvas");
             return c.width / c.getBoundingClientRect().width; }"""
    )
    assert abs(sharp - 2) < 0.05


def test_forced_colors_keep_which_heads_are_on(page_of: Callable[..., Opened]) -> None:
    opened = page_of(HeadView(TRACE, heads=[0, 3]))
    opened.page.emulate_media(forced_colors="active")
    looks: list[str] = opened.host.evaluate(
        """(host) => [...host.shadowRoot.querySelectorAll("button[data-head]")].map((e) => {
             const s = getComputedStyle(e);
             return [s.backgroundColor, s.borderTopColor, s.fontWeight].join(" "); })"""
    )
    on, off = {looks[0], looks[3]}, {look for i, look in enumerate(looks) if i not in (0, 3)}
    assert not on & off


def test_columns_that_go_on_fade_at_the_edge_until_the_end_is_reached(
    page_of: Callable[..., Opened],
) -> None:
    opened = page_of(NeuronView(TRACE), width=390)
    stage = opened.host.locator(".open > .stage")

    def fades() -> bool:
        return bool(stage.evaluate("e => getComputedStyle(e).maskImage !== 'none'"))

    assert fades()
    stage.evaluate("e => { e.scrollLeft = 10000; }")
    opened.wait_for("!document.querySelector('.bertviz').shadowRoot.querySelector('.goes-on')")
    assert not fades()
    wide = page_of(NeuronView(TRACE), width=1280)
    assert wide.host.locator(".goes-on").count() == 0
