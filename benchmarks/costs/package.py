"""Another project's package in a folder of its own, and the page that it makes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from functools import partial
from pathlib import Path

import numpy as np
from playwright.sync_api import Page

from costs.attention import Shown
from costs.browser import Actions, Bench, Result

MAKE = """
import json, sys, time
import IPython.display, numpy as np, torch
sys.path.insert(0, sys.argv[1])
torch.set_num_threads(1)
attention = np.load(sys.argv[2])
tokens = json.loads(sys.argv[3])
%s
assert module.__file__.startswith(sys.argv[1]), module.__file__
start = time.process_time()
html = %s
seconds = time.process_time() - start
with open(sys.argv[4], "w", encoding="utf-8") as file:
    file.write("<!DOCTYPE html><meta charset=utf-8><body>" + html)
print(json.dumps(seconds))
"""


class Package:
    """A package without its dependencies, of which those it needs are here already."""

    name: str
    requirements: tuple[str, ...]
    # Before the clock starts: imports ``module``, and may change ``attention``, an array of layers,
    # heads, queries and keys. Then an expression: the HTML of ``attention`` and ``tokens``.
    prepare: str
    html: str
    # What is there when the picture is complete.
    complete: str

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.package = folder / self.name
        pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps"]
        subprocess.run([*pip, "--target", self.package, *self.requirements], check=True)

    def page(self, shown: Shown) -> tuple[Path, float]:
        """The page as a file, and the CPU seconds it took in Python, imports aside."""
        array, target = self.folder / "weights.npy", self.folder / f"{self.name}.html"
        np.save(array, shown.weights)
        made = (MAKE % (self.prepare, self.html), self.package, array)
        done = subprocess.run(
            [sys.executable, "-c", *made, json.dumps(shown.tokens), target],
            cwd=self.folder,
            env={key: value for key, value in os.environ.items() if key != "PYTHONPATH"},
            capture_output=True,
            text=True,
            check=True,
        )
        array.unlink()
        return target, float(json.loads(done.stdout))

    def actions(self, page: Page, tokens: int) -> Actions:
        """What a reader does with the page."""
        raise NotImplementedError

    def serve(self, page: Page) -> None:
        """Serve the files that the page requests, if any."""

    def measure(self, bench: Bench, shown: Shown) -> Result:
        """What the page costs in Python and in the browser."""
        path, python = self.page(shown)
        actions = partial(self.actions, tokens=shown.weights.shape[-1])
        result = bench.measure(path, self.complete, actions, self.serve, tries=1)
        path.unlink()
        return {"python": python} | result
