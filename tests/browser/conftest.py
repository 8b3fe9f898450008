"""A real browser for the tests, and the real frontends that notebooks live in.

``page_of(view)`` writes a view (or an HTML fragment) to a file, opens it in Chromium, refuses and
records every request to the outside, collects errors, waits until the view is drawn, and gives an
``Opened``: its ``page``, its ``host`` locator, and shorthands for the handles that views have.

``jupyterlab`` and ``notebook7`` are real servers with their own settings, one per session;
``colab`` serves a page that puts an output where Colab puts it, into a sandboxed frame of another
origin.
"""

from __future__ import annotations

import os
import secrets
import shutil
import threading
from collections.abc import Callable, Iterator
from http.server import ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, sync_playwright

from bertviz.web import page as output
from tests.browser.colab import Pages
from tests.browser.jupyter import Jupyter, jupyter_server
from tests.browser.opened import Opened

QUIET = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    names = (os.environ.get("CHROMIUM"), "chromium", "chromium-browser", "google-chrome")
    found = next(filter(None, (shutil.which(name) for name in names if name)), None)
    assert found, "no Chromium: `make chromium` installs it"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=QUIET)
        yield browser
        browser.close()


@pytest.fixture
def page_of(browser: Browser, tmp_path: Path) -> Iterator[Callable[..., Opened]]:
    contexts = []

    def open_page(
        *views: Any, theme: str = "light", width: int = 1000, height: int = 1000, scale: float = 1
    ) -> Opened:
        fragments = [view if isinstance(view, str) else view.data for view in views]
        path = tmp_path / f"{secrets.token_hex(4)}.html"
        path.write_text(output.document("\n".join(fragments)), encoding="utf-8")
        context = browser.new_context(
            viewport={"width": width, "height": height},
            color_scheme=theme,
            device_scale_factor=scale,
        )
        contexts.append(context)
        opened = Opened(context.new_page())
        opened.only_allow(lambda url: url.startswith("file:"))
        opened.page.goto(path.as_uri())
        opened.page.locator(".bertviz[data-state=ready], .bertviz[data-state=error]").nth(
            len(views) - 1
        ).wait_for(state="attached")
        return opened

    yield open_page
    for context in contexts:
        context.close()


@pytest.fixture(scope="session")
def jupyterlab(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Jupyter]:
    folder = tmp_path_factory.mktemp("jupyterlab")
    options = ["--LabApp.expose_app_in_browser=True", "--LabApp.news_url=None"]
    with jupyter_server("jupyterlab", folder, browser, options) as server:
        yield server


@pytest.fixture(scope="session")
def notebook7(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Jupyter]:
    folder = tmp_path_factory.mktemp("notebook7")
    options = ["--JupyterNotebookApp.expose_app_in_browser=True"]
    with jupyter_server("notebook", folder, browser, options) as server:
        yield server


@pytest.fixture
def colab(browser: Browser) -> Iterator[Callable[..., Opened]]:
    """Opens a page that shows outputs as Colab does: colab(*fragments, way="insert"|"write")."""
    servers = [ThreadingHTTPServer(("127.0.0.1", 0), Pages) for _ in range(2)]
    for server in servers:
        threading.Thread(target=server.serve_forever, daemon=True).start()
    # Two ports are two origins.
    outside, inside = (f"http://127.0.0.1:{server.server_port}" for server in servers)
    contexts = []

    def open_page(*fragments: str, way: str = "insert") -> Opened:
        context = browser.new_context(viewport={"width": 1000, "height": 1500})
        contexts.append(context)
        opened = Opened(context.new_page())
        opened.only_allow(lambda url: url.startswith((outside, inside)))
        opened.page.goto(f"{outside}/notebook")
        for fragment in fragments:
            opened.page.evaluate(
                "([html, way, origin]) => show(html, way, origin)", [fragment, way, inside]
            )
        return opened

    yield open_page
    for context in contexts:
        context.close()
    for server in servers:
        server.shutdown()
