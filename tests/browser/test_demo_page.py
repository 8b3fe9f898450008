"""The page that `make demo` writes, opened from disk."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import Browser

from tests.browser.opened import Opened
from tests.helpers import ROOT

PAGE = ROOT / "demo" / "quickstart.html"


def test_three_views_are_alive_without_a_network(browser: Browser, tmp_path: Path) -> None:
    assert PAGE.exists(), "`make demo` writes it"
    context = browser.new_context(viewport={"width": 1300, "height": 900})
    opened = Opened(context.new_page())
    opened.only_allow(lambda url: url.startswith("file:"))
    opened.page.goto(PAGE.as_uri())
    opened.ready(4)
    hosts = opened.page.locator(".bertviz")
    views = [hosts.nth(i).get_attribute("data-view") for i in range(hosts.count())]
    assert views == ["model", "head", "neuron", "neuron"]
    hosts.nth(0).locator('button[data-layer="0"][data-head="2"]').click()
    opened.settled(hosts.nth(0), cell=[0, 2])
    token = hosts.nth(1).locator('[data-token="query"][data-index="15"]')
    assert token.inner_text() == "straw"
    token.click()
    opened.settled(hosts.nth(1), query=15, locked=True)
    hosts.nth(2).locator('[data-token="query"][data-index="4"]').hover()
    opened.settled(hosts.nth(2), query=4)
    weights = opened.scene("scene.columns.weights", hosts.nth(2))
    assert max(range(len(weights)), key=weights.__getitem__) == 3, "head (0, 2): previous token"
    assert opened.requests == []
    assert opened.errors == []
    context.close()
