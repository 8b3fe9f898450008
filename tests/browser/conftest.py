"""A real browser for the tests, and the real frontends that notebooks live in.

``page_of(view)`` writes a view (or an HTML fragment) to a file, opens it in Chromium, refuses and
records every request to the outside, collects errors, waits until the view is drawn, and gives an
``Opened``: its ``page``, its ``host`` locator, and shorthands for the handles that views have.

``jupyterlab`` and ``notebook7`` are real servers with their own settings, one per session;
``colab`` serves a page that puts an output where Colab puts it, into a sandboxed frame of another
origin.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import shutil
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Page, Request, Route, sync_playwright

from bertviz.web import page as output

ROOT = Path(__file__).parents[2]
TIMEOUT = 60_000  # two noisy cores
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
            """(host, expression) => {
                 const scene = host.bertviz.scene();
                 const value = new Function("scene", `return ${expression}`)(scene);
                 const plain = (x) => ArrayBuffer.isView(x) ? Array.from(x)
                   : x && x.constructor === Object
                     ? Object.fromEntries(Object.entries(x).map(([k, v]) => [k, plain(v)])) : x;
                 return plain(value);
               }""",
            expression,
        )

    def token(self, side: str, index: int) -> Locator:
        return self.host.locator(f'[data-token="{side}"][data-index="{index}"]')

    def text(self) -> str:
        """All that can be read in the view."""
        return self.host.locator(".view").inner_text()

    def leave(self) -> None:
        """Move the pointer off the view."""
        self.page.mouse.move(2, 2)


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


# --- Jupyter ---------------------------------------------------------------------------------


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Jupyter:
    """A real server with a folder of notebooks, and pages on it."""

    def __init__(self, url: str, token: str, folder: Path, browser: Browser) -> None:
        self.url, self.token, self.folder, self.browser = url, token, folder, browser

    def open(self, path: str, *, theme: str = "light") -> Opened:
        context = self.browser.new_context(
            viewport={"width": 1300, "height": 900}, color_scheme=theme
        )
        opened = Opened(context.new_page())
        opened.only_allow(lambda url: url.startswith((self.url, "data:", "blob:")))
        separator = "&" if "?" in path else "?"
        opened.page.goto(f"{self.url}{path}{separator}token={self.token}")
        opened.page.wait_for_function("window.jupyterapp !== undefined")
        return opened

    def run_all(self, opened: Opened) -> None:
        """Run the notebook that is open, once its kernel is there."""
        opened.page.wait_for_function(
            """() => {
                 const shell = window.jupyterapp.shell;
                 const panel = shell.currentWidget;
                 const session = panel?.sessionContext ?? panel?.context?.sessionContext;
                 return session?.session?.kernel?.status === "idle";
               }"""
        )
        opened.page.evaluate("window.jupyterapp.commands.execute('notebook:run-all-cells')")

    def write(self, name: str, cells: list[str], *, outputs: bool = True) -> str:
        """A notebook of code cells; its path on the server."""
        notebook = {
            "cells": [
                {
                    "cell_type": "code",
                    "id": f"cell-{i}",
                    "metadata": {},
                    "execution_count": None,
                    "outputs": [],
                    "source": source,
                }
                for i, source in enumerate(cells)
            ],
            "metadata": {
                "kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}
            },
            "nbformat": 4,
            "nbformat_minor": 5,
        }
        (self.folder / name).write_text(json.dumps(notebook), encoding="utf-8")
        return name


@contextlib.contextmanager
def jupyter_server(
    application: str, folder: Path, browser: Browser, extra: list[str]
) -> Iterator[Jupyter]:
    port, token = free_port(), secrets.token_hex(16)
    notebooks = folder / "notebooks"
    notebooks.mkdir()
    environment = dict(
        os.environ,
        JUPYTER_CONFIG_DIR=str(folder / "config"),
        JUPYTER_DATA_DIR=str(folder / "data"),
        JUPYTER_RUNTIME_DIR=str(folder / "runtime"),
        JUPYTERLAB_SETTINGS_DIR=str(folder / "settings"),
        JUPYTERLAB_WORKSPACES_DIR=str(folder / "workspaces"),
        JUPYTER_PREFER_ENV_PATH="1",
        IPYTHONDIR=str(folder / "ipython"),
        PYTHONPATH=os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH")))),
    )
    log = (folder / "server.log").open("w")
    server = subprocess.Popen(
        [
            *(sys.executable, "-m", application, "--no-browser", "--allow-root"),
            f"--port={port}",
            "--ServerApp.port_retries=0",
            f"--IdentityProvider.token={token}",
            f"--ServerApp.root_dir={notebooks}",
            *extra,
        ],
        env=environment,
        stdout=log,
        stderr=log,
    )
    url = f"http://127.0.0.1:{port}/"
    try:
        deadline = time.monotonic() + 90
        while True:
            try:
                urllib.request.urlopen(f"{url}api/status?token={token}", timeout=2).close()
                break
            except OSError:
                if server.poll() is not None or time.monotonic() > deadline:
                    raise RuntimeError((folder / "server.log").read_text()) from None
                time.sleep(0.2)
        yield Jupyter(url, token, notebooks, browser)
    finally:
        server.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            server.wait(15)
        server.kill()
        log.close()


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


# --- Colab -----------------------------------------------------------------------------------

# Colab shows every output in a frame of an origin of its own; a message brings the HTML, and the
# frame puts it in and runs its scripts.
FRAME = b"""<!DOCTYPE html><html><body><script>
addEventListener("message", ({data}) => {
  if (data.way === "write") {
    document.open();
    document.write(data.html);
    document.close();
    return;
  }
  const box = document.createElement("div");
  box.innerHTML = data.html;
  document.body.append(box);
  for (const old of box.querySelectorAll("script")) {
    const fresh = document.createElement("script");
    fresh.textContent = old.textContent;
    old.replaceWith(fresh);
  }
});
parent.postMessage("ready", "*");
</script></body></html>"""
NOTEBOOK = b"""<!DOCTYPE html><html><body><script>
function show(html, way, origin) {
  return new Promise((resolve) => {
    const frame = document.createElement("iframe");
    frame.setAttribute("sandbox", "allow-scripts allow-same-origin");
    frame.style = "width: 900px; height: 700px; border: 0; display: block";
    frame.src = origin + "/frame";
    addEventListener("message", ({source}) => {
      if (source !== frame.contentWindow) return;
      frame.contentWindow.postMessage({html, way}, "*");
      resolve();
    });
    document.body.append(frame);
  });
}
</script></body></html>"""


class _Pages(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        body = {"/frame": FRAME, "/notebook": NOTEBOOK}.get(self.path)
        self.send_response(200 if body else 404)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.end_headers()
        self.wfile.write(body or b"")

    def log_message(self, *args: object) -> None:
        """Quiet."""


@pytest.fixture
def colab(browser: Browser) -> Iterator[Callable[..., Opened]]:
    """Opens a page that shows outputs as Colab does: colab(*fragments, way="insert"|"write")."""
    servers = [ThreadingHTTPServer(("127.0.0.1", 0), _Pages) for _ in range(2)]
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
