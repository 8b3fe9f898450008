"""The cost of a page in a browser: CPU time of its main thread and of all threads, and memory."""

from __future__ import annotations

import contextlib
import os
import shutil
import statistics
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeAlias

from playwright.sync_api import (
    Browser,
    CDPSession,
    Page,
    Playwright,
)
from playwright.sync_api import Error as PlaywrightError

from costs import processes

QUIET = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"]
Result: TypeAlias = dict[str, float | None]
# By name: what to do in the i-th try.
Actions: TypeAlias = dict[str, Callable[[int], Any]]
# Our views count their pictures; the other pages draw while they handle an event.
FRAME = """() => {
  const drawn = document.querySelector(".bertviz")?.dataset.drawn;
  return drawn ? JSON.parse(drawn).frame : null;
}"""
PAINTED = """(frame) => new Promise((resolve, reject) => {
  setTimeout(() => reject(new Error("nothing was drawn")), 20_000);
  const painted = () => requestAnimationFrame(() => requestAnimationFrame(() => resolve()));
  const later = () => JSON.parse(document.querySelector(".bertviz").dataset.drawn).frame > frame
    ? painted() : requestAnimationFrame(later);
  if (frame === null) painted(); else later();
})"""
REST = """() => document.querySelector(".bertviz")?.bertviz.set(
  {query: null, key: null, locked: false})"""


class Timed:
    """A page, and the CPU time of its main thread."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.session: CDPSession = page.context.new_cdp_session(page)
        self.session.send("Performance.enable", {"timeDomain": "threadTicks"})

    def milliseconds(self) -> float:
        """CPU time so far."""
        metrics = self.session.send("Performance.getMetrics")["metrics"]
        return 1000 * {m["name"]: m["value"] for m in metrics}["TaskDuration"]

    def of(self, action: Callable[[int], None], tries: int = 7) -> float:
        """Median time of an action until it is painted; the action gets the number of the try."""
        found = []
        for i in range(tries):
            before = self.milliseconds()
            frame = self.page.evaluate(FRAME)
            action(i)
            self.page.evaluate(PAINTED, frame)
            found.append(self.milliseconds() - before)
        return statistics.median(found)


class Bench:
    """Open pages and measure them."""

    def __init__(self, playwright: Playwright, patience: float) -> None:
        names = (os.environ.get("CHROMIUM"), "chromium", "chromium-browser", "google-chrome")
        found = (shutil.which(name) for name in names if name)
        self.chromium = next(filter(None, found))
        self.playwright, self.patience = playwright, patience

    @contextlib.contextmanager
    def browser(self) -> Iterator[Browser]:
        """A fresh browser, so that memory left behind by the last page does not count."""
        browser = self.playwright.chromium.launch(executable_path=self.chromium, args=QUIET)
        yield browser
        browser.close()

    def measure(
        self,
        path: Path,
        ready: str,
        actions: Callable[[Page], Actions] = lambda page: {},
        prepare: Callable[[Page], None] = lambda page: None,
        tries: int = 3,
    ) -> Result:
        """Measure the picture, the interactions and the memory of one page."""
        result: Result = {"html": path.stat().st_size / 1e6}
        pictures, threads = [], []
        for last in [False] * (tries - 1) + [True]:
            with self.browser() as browser:
                page = browser.new_page(viewport={"width": 1000, "height": 900})
                prepare(page)
                timed, before = Timed(page), processes.milliseconds()
                page.set_default_timeout(1000 * self.patience)
                try:
                    page.goto(path.as_uri())
                    page.locator(ready).first.wait_for(state="attached")
                    page.evaluate(PAINTED, None)
                except PlaywrightError:  # not in time, or the page crashed
                    return {**result, "picture": None, "memory": processes.megabytes()}
                pictures.append(timed.milliseconds())
                threads.append(processes.milliseconds() - before)
                if last:
                    result["memory"] = processes.settled()
                    for name, action in actions(page).items():
                        page.mouse.move(2, 2)
                        page.evaluate(REST)
                        page.wait_for_timeout(300)
                        try:
                            result[name] = timed.of(action)
                        except PlaywrightError as error:
                            print(f"  {path.name}, {name}: {error}", flush=True)
                            result[name] = None
                    result["memory after"] = processes.settled()
        result["picture"] = statistics.median(pictures)
        result["threads"] = statistics.median(threads)
        return result
