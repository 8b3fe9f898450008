"""A page that is open in the browser, and shorthands for the handles that views have."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from playwright.sync_api import Locator, Page, Request, Route

TIMEOUT = 60_000  # two noisy cores


class Opened:
    """A page with a view, and what went wrong on it."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.requests: list[str] = []
        self.errors: list[str] = []
        page.set_default_timeout(TIMEOUT)
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("console", self._said)

    def _said(self, message: Any) -> None:
        if message.type == "error":
            self.errors.append(message.text)

    def only_allow(self, allowed: Callable[[str], bool]) -> None:
        """Refuse and record every request that is not allowed."""

        def decide(route: Route, request: Request) -> None:
            if allowed(request.url):
                route.continue_()
            else:
                self.requests.append(request.url)
                route.abort()

        self.page.context.route("**/*", decide)

    @property
    def host(self) -> Locator:
        """The only view on the page."""
        return self.page.locator(".bertviz")

    def ready(self, count: int = 1) -> None:
        """Wait until so many views are drawn."""
        hosts = self.page.locator(".bertviz[data-state=ready][data-drawn]")
        hosts.nth(count - 1).wait_for(state="attached")

    def drawn(self, host: Locator | None = None) -> dict[str, Any]:
        """What the view last drew."""
        text = (host or self.host).get_attribute("data-drawn")
        assert text is not None
        return json.loads(text)

    def settled(self, host: Locator | None = None, **wanted: Any) -> dict[str, Any]:
        """Wait until the view has drawn this state."""
        host = host or self.host
        expected = json.dumps(wanted)
        host.evaluate(
            """(host, wanted) => new Promise((resolve, reject) => {
                 const same = () => {
                   const drawn = JSON.parse(host.dataset.drawn);
                   return Object.entries(JSON.parse(wanted)).every(
                     ([key, value]) => JSON.stringify(drawn[key]) === JSON.stringify(value));
                 };
                 if (same()) return resolve();
                 const observer = new MutationObserver(() => {
                   if (same()) { observer.disconnect(); resolve(); }
                 });
                 observer.observe(host, {attributes: true});
                 setTimeout(() => reject(new Error(
                   `wanted ${wanted}, drawn is ${host.dataset.drawn}`)), 20000);
               })""",
            expected,
        )
        return self.drawn(host)

    def quiet(self) -> None:
        """Wait until whatever the last event asked for is drawn, and see that no more follows.

        A change is drawn in the next animation frame, unless layers have to be decoded first. So
        a view is done when three frames in a row have drawn nothing.
        """
        self.page.evaluate(
            """() => new Promise((resolve) => {
                 const views = [...document.querySelectorAll(".bertviz")];
                 const drawn = () => views.map((view) => view.dataset.drawn).join();
                 let [before, still] = [drawn(), 0];
                 const frame = () => {
                   const now = drawn();
                   still = now === before ? still + 1 : 0;
                   before = now;
                   if (still === 3) resolve(); else requestAnimationFrame(frame);
                 };
                 requestAnimationFrame(frame);
               })"""
        )

    def set(self, host: Locator | None = None, **state: Any) -> dict[str, Any]:
        """Change the state through the page API and wait for the picture."""
        host = host or self.host
        frame = self.drawn(host)["frame"]
        host.evaluate("(host, state) => host.bertviz.set(state)", state)
        host.evaluate(
            """(host, frame) => new Promise((resolve) => {
                 const later = () => JSON.parse(host.dataset.drawn).frame > frame
                   ? resolve() : setTimeout(later, 5);
                 later();
               })""",
            frame,
        )
        return self.drawn(host)

    def scene(self, expression: str, host: Locator | None = None) -> Any:
        """A JavaScript expression of `scene`; typed arrays come as lists."""
        return (host or self.host).evaluate(
            """(host) => {
                 const scene = host.bertviz.scene();
                 const value = (EXPRESSION);
                 const plain = (x) => ArrayBuffer.isView(x) ? Array.from(x)
                   : x && x.constructor === Object
                     ? Object.fromEntries(Object.entries(x).map(([k, v]) => [k, plain(v)])) : x;
                 return plain(value);
               }""".replace("EXPRESSION", expression)
        )

    def token(self, side: str, index: int) -> Locator:
        return self.host.locator(f'[data-token="{side}"][data-index="{index}"]')

    def text(self) -> str:
        """All that can be read in the view."""
        return self.host.locator(".view").inner_text()

    def leave(self) -> None:
        """Move the pointer off the view."""
        self.page.mouse.move(2, 2)
