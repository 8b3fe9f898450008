"""What a screen reader finds, by axe-core, and everything done by keyboard alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import expect

from tests.browser.opened import Opened
from tests.helpers import ROOT, TOKENS, a_head_view, a_model_view, a_neuron_view, weights

AXE = ROOT / "node_modules" / "axe-core" / "axe.min.js"


def vectors(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(2, 3, 7, 16)).astype(np.float32) * 1.4


def gaps(values: np.ndarray) -> np.ndarray:
    """The same with a row and a cell that are missing."""
    values[:, :, 2] = values[:, 1, 0, 0] = np.nan
    return values


VIEWS: dict[str, Callable[[], Any]] = {
    "head": lambda: a_head_view(weights(2, 3), TOKENS, sentence_b_start=4),
    "neuron": lambda: a_neuron_view(
        tokens=TOKENS, queries=vectors(0), keys=vectors(1), sentence_b_start=4
    ),
    "model": lambda: a_model_view(weights(2, 3), TOKENS, sentence_b_start=4),
    "values": lambda: a_head_view(gaps(weights(2, 3) - 0.1), TOKENS, kind="signed"),
    "values of a model": lambda: a_model_view(gaps(weights(2, 3)), TOKENS, kind="unnormalized"),
}
STATES: dict[str, list[dict[str, Any]]] = {
    "head": [
        {},
        {"query": 2},
        {"query": 2, "locked": True},
        {"key": 0, "locked": True, "query": None},
        {"pair": "A→B", "renormalize": True, "heads": [1], "query": None, "key": None},
        {"pair": "All", "mode": "matrix"},
        {"query": 1, "key": 3, "locked": True},
        {"zoom": [1, 5, 0, 4]},
        {"mode": "lines", "zoom": None, "hide": "special", "renormalize": True},
        {"hide": "nothing", "combine": "mean", "heads": [0, 1, 2]},
        {"query": 1, "also": [4], "key": None, "locked": True},
        {"panel": "model"},
    ],
    "neuron": [
        {},
        {"query": 4, "locked": True},
        {"off": [1, 5, 6]},
        {"sort": "contribution"},
        {"detail": False},
    ],
    "model": [
        {},
        {"cell": [1, 2]},
        {"query": 2, "locked": True},
        {"measure": "entropy", "sorted": True},
        {"cell": None},
    ],
    "values": [{}, {"query": 2, "locked": True}, {"query": 1}, {"mode": "matrix"}],
    "values of a model": [{}, {"cell": [1, 2]}],
}


def violations(opened: Opened) -> list[str]:
    """Whatever axe finds in the view; the page around it is the notebook's."""
    opened.page.evaluate(AXE.read_text("utf-8"))
    found = opened.page.evaluate("() => axe.run('.bertviz').then((results) => results.violations)")
    return [
        f"{rule['id']} ({rule['help']}): {node['target']} {node['failureSummary']}"
        for rule in found
        for node in rule["nodes"]
    ]


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("view", VIEWS)
def test_no_violation_in_any_state(page_of: Callable[..., Opened], view: str, theme: str) -> None:
    opened = page_of(VIEWS[view](), theme=theme)
    for state in STATES[view]:
        if state:
            opened.set(**state)
        assert violations(opened) == [], state


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_no_violation_in_an_error(page_of: Callable[..., Opened], theme: str) -> None:
    opened = page_of(
        a_head_view(weights(2, 3), TOKENS).data.replace('"version":1', '"version":99'), theme=theme
    )
    expect(opened.host).to_have_attribute("data-state", "error")
    assert violations(opened) == []


# What has the focus: where it is in its view, and the outline that shows it.
FOCUSED = """(host) => {
  const element = host.shadowRoot.activeElement;
  if (!element) return null;
  const { outlineStyle, outlineWidth } = getComputedStyle(element);
  const value = "value" in element ? element.value : null;
  return { place: element.place ?? 0, name: element.tagName, value,
           outline: outlineStyle === "none" ? 0 : parseFloat(outlineWidth) };
}"""
# What a mouse could use; of a group whose parts arrows reach, one is in the Tab order.
CONTROLS = """(host) => {
  const all = [...host.shadowRoot.querySelectorAll("*")];
  return all.filter((e) => e.matches("button, select, input, summary, a, [tabindex]")
    && e.tabIndex >= 0 && e.checkVisibility({ visibilityProperty: true }))
    .map((e) => e.place ??= window.places = (window.places ?? 0) + 1);
}"""


def tab_stops(opened: Opened) -> list[dict[str, Any]]:
    """Everything that Tab comes to, once around the page."""
    stops: dict[int, dict[str, Any]] = {}
    outside = 0
    while outside < 3 and len(stops) < 100:
        opened.page.keyboard.press("Tab")
        focused = opened.host.evaluate(FOCUSED)
        if focused is None or focused["place"] in stops:
            outside += 1
        else:
            stops[focused["place"]] = focused
    return list(stops.values())


@pytest.mark.parametrize("view", VIEWS)
def test_tab_comes_to_every_control_and_shows_where_it_is(
    page_of: Callable[..., Opened], view: str
) -> None:
    opened = page_of(VIEWS[view]())
    for state in STATES[view]:
        if state:
            opened.set(**state)
        controls = opened.host.evaluate(CONTROLS)
        stops = tab_stops(opened)
        assert sorted(stop["place"] for stop in stops) == sorted(controls), state
        assert [stop for stop in stops if stop["outline"] < 2] == [], state


@pytest.mark.parametrize("view", VIEWS)
def test_every_select_changes_by_keyboard(page_of: Callable[..., Opened], view: str) -> None:
    opened = page_of(VIEWS[view]())
    names = opened.host.locator("select").evaluate_all("all => all.map((e) => e.name)")
    for name in names:
        select = opened.host.locator(f'select[name="{name}"]')
        if not select.is_visible():
            continue
        before, frame = select.input_value(), opened.drawn()["frame"]
        select.focus()
        at_end = select.evaluate("e => e.selectedIndex === e.options.length - 1")
        opened.page.keyboard.press("ArrowUp" if at_end else "ArrowDown")
        opened.wait_for(
            "f => JSON.parse(document.querySelector('.bertviz').dataset.drawn).frame > f", arg=frame
        )
        assert select.input_value() != before, name
        assert opened.host.evaluate("host => host.shadowRoot.activeElement?.name") == name


def test_buttons_work_by_keyboard(page_of: Callable[..., Opened]) -> None:
    opened = page_of(VIEWS["head"]())
    opened.host.locator('select[name="layer"]').focus()
    while opened.host.evaluate("host => host.shadowRoot.activeElement.dataset.head") != "0":
        opened.page.keyboard.press("Tab")
    opened.page.keyboard.press("ArrowRight")
    opened.wait_for("document.querySelector('.bertviz').bertviz.scene().heads.length === 1")
    assert opened.scene("scene.heads") == [1]
    opened.page.keyboard.press("Space")
    opened.settled(heads=[1])
    opened.page.keyboard.press("ArrowRight")
    opened.page.keyboard.press("Shift+Enter")
    opened.settled(heads=[1, 2])
    opened.page.keyboard.press("Enter")
    opened.settled(heads=[2])
    opened.page.keyboard.press("Enter")
    opened.settled(heads=[0, 1, 2])
    opened.host.locator('button[data-mode="matrix"]').focus()
    opened.page.keyboard.press("Enter")
    opened.settled(mode="matrix")

    opened = page_of(VIEWS["model"]())
    opened.host.locator('button[data-layer="0"][data-head="0"]').focus()
    opened.page.keyboard.press("ArrowDown")
    opened.page.keyboard.press("ArrowRight")
    opened.page.keyboard.press("Enter")
    opened.settled(cell=[1, 1])
    opened.page.keyboard.press("Escape")
    opened.settled(cell=None)

    opened = page_of(VIEWS["neuron"]())
    opened.host.locator('button[data-action="detail"]').focus()
    opened.page.keyboard.press("Enter")
    opened.settled(detail=False)
    opened.page.keyboard.press("Enter")
    opened.settled(detail=True)


@pytest.mark.parametrize("view", VIEWS)
def test_nothing_moves_by_itself(page_of: Callable[..., Opened], view: str) -> None:
    """No animation and no transition anywhere, so none that ignores prefers-reduced-motion."""
    opened = page_of(VIEWS[view]())
    moving = opened.host.evaluate(
        """(host) => [...host.shadowRoot.querySelectorAll("*")].filter((e) => {
             const { transitionDuration, animationName, scrollBehavior } = getComputedStyle(e);
             return transitionDuration !== "0s" || animationName !== "none"
               || scrollBehavior === "smooth";
           }).map((e) => e.outerHTML)"""
    )
    assert moving == []
