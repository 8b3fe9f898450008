"""Two, ten and thirty views on a page: each is alone with its reader, and gone when it is gone."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Locator

from tests.browser.opened import Opened
from tests.helpers import TOKENS, a_head_view, a_model_view, a_neuron_view


def view(i: int) -> Any:
    """Head, neuron and model views in turn, each of its own numbers."""
    rng = np.random.default_rng(i)
    vectors = [rng.normal(size=(2, 3, 7, 16)).astype(np.float32) for _ in range(2)]
    if i % 3 == 1:
        return a_neuron_view(tokens=TOKENS, queries=vectors[0], keys=vectors[1])
    scores = vectors[0] @ vectors[1].swapaxes(-1, -2)
    weights = np.exp(scores - scores.max(-1, keepdims=True))
    weights /= weights.sum(-1, keepdims=True)
    return (a_model_view if i % 3 else a_head_view)(weights, TOKENS)


def drawn(opened: Opened) -> list[str]:
    """What every view last drew."""
    return opened.page.locator(".bertviz").evaluate_all("all => all.map((h) => h.dataset.drawn)")


def unchanged(opened: Opened, before: list[str], *touched: int) -> None:
    """The other views have drawn nothing since."""
    opened.quiet()
    now = drawn(opened)
    others = [i for i in range(len(before)) if i not in touched]
    assert [now[i] for i in others] == [before[i] for i in others]


@pytest.mark.parametrize("count", [2, 10, 30])
def test_views_do_not_touch_each_other(page_of: Callable[..., Opened], count: int) -> None:
    opened = page_of(*[view(i) for i in range(count)])
    opened.ready(count)
    hosts = opened.page.locator(".bertviz")
    kinds = hosts.evaluate_all("all => all.map((host) => host.dataset.view)")
    assert kinds == [("head", "neuron", "model")[i % 3] for i in range(count)]
    opened.leave()

    def token(host: Locator, index: int) -> Locator:
        return host.locator(f'[data-token="query"][data-index="{index}"]')

    # Hovering one, then locking it, then another: only these draw.
    first, last = 0, count - 1 if count % 3 != 0 else count - 2  # a head or a neuron view
    token(hosts.nth(first), 2).scroll_into_view_if_needed()
    before = drawn(opened)
    token(hosts.nth(first), 2).hover()
    opened.settled(hosts.nth(first), query=2, locked=False)
    unchanged(opened, before, first)
    token(hosts.nth(first), 2).click()
    opened.settled(hosts.nth(first), query=2, locked=True)
    opened.leave()  # or the views between would scroll by under the pointer
    token(hosts.nth(last), 5).scroll_into_view_if_needed()
    token(hosts.nth(last), 5).hover()
    opened.settled(hosts.nth(last), query=5, locked=False)
    unchanged(opened, before, first, last)
    # Escape belongs to the view under the pointer, or with the focus.
    token(hosts.nth(last), 5).click()
    opened.settled(hosts.nth(last), query=5, locked=True)
    opened.page.keyboard.press("Escape")
    opened.settled(hosts.nth(last), locked=False)
    opened.settled(hosts.nth(first), query=2, locked=True)
    unchanged(opened, before, first, last)
    assert opened.errors == []


def listeners(opened: Opened) -> int:
    """How many handlers of keys the document has, as the browser's own tools count them."""
    session = opened.page.context.new_cdp_session(opened.page)
    found = session.send("Runtime.evaluate", {"expression": "document"})["result"]["objectId"]
    all_of_them = session.send("DOMDebugger.getEventListeners", {"objectId": found})["listeners"]
    session.detach()
    return sum(listener["type"] == "keydown" for listener in all_of_them)


def collect(opened: Opened) -> None:
    """Let the browser forget what nothing refers to."""
    session = opened.page.context.new_cdp_session(opened.page)
    for _ in range(2):  # between the two, timers and finalizers have their turn
        session.send("HeapProfiler.collectGarbage")
        opened.page.evaluate("new Promise((resolve) => setTimeout(resolve))")
    session.detach()


def test_a_view_that_leaves_the_page_leaves_nothing_behind(page_of: Callable[..., Opened]) -> None:
    opened = page_of(*[view(i) for i in range(3)])
    opened.ready(3)
    page = opened.page
    with_all = listeners(opened)
    assert with_all >= 3
    page.evaluate(
        """() => {
             const hosts = [...document.querySelectorAll(".bertviz")];
             window.gone = hosts.map((host) => new WeakRef(host));
             hosts.concat(...document.querySelectorAll("script")).forEach((e) => e.remove());
           }"""
    )
    for _ in range(20):
        collect(opened)
        if page.evaluate("window.gone.every((host) => !host.deref())"):
            break
    assert page.evaluate("window.gone.map((host) => Boolean(host.deref()))") == [False] * 3
    page.keyboard.press("Escape")
    page.evaluate("document.body.dataset.theme = 'dark'")
    assert listeners(opened) == 0
    assert opened.errors == []


def test_a_view_out_of_the_page_waits_and_comes_back(page_of: Callable[..., Opened]) -> None:
    """As when a notebook takes out what is scrolled away."""
    opened = page_of(view(0))
    host = opened.host
    opened.set(query=2, locked=True)
    frame = opened.drawn()["frame"]
    opened.page.evaluate("window.away = document.querySelector('.bertviz'); away.remove()")
    opened.page.evaluate("document.body.dataset.theme = 'dark'")
    opened.page.keyboard.press("Escape")
    # A view draws in an animation frame, or after 100 ms where there are none.
    opened.page.evaluate("new Promise((resolve) => setTimeout(resolve, 100))")
    opened.quiet()
    state = json.loads(opened.page.evaluate("away.dataset.drawn"))
    assert (state["frame"], state["locked"]) == (frame, True), "nobody sees it: it draws nothing"
    opened.page.evaluate("document.body.append(away)")
    opened.wait_for("away.shadowRoot.querySelector('.view').dataset.theme === 'dark'")
    opened.token("query", 2).hover()
    opened.page.keyboard.press("Escape")
    opened.settled(host, query=None, locked=False)
    assert opened.errors == []
