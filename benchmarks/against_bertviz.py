"""How do the views compare with others? `python benchmarks/against_bertviz.py`.

For every length: structured random attention of 12 x 12 heads (one layer at 4,096 tokens), and the
demo model's real attention (6 x 12 heads), with all layers in the page. Measured in one run, for
a page with one bare canvas that shows one head (the floor), our views, and BertViz's head view:

* bytes of HTML, and Python's CPU seconds next to a forward pass of BERT-base at that length, with
  one thread;
* CPU time of the browser's main thread: until the first complete picture (median of three; also on
  all threads of all its processes), then for every interaction with a real mouse (median of seven);
* memory of all processes of the browser, with a separate browser per page: the proportional set
  size, when the picture is there and again after all interactions.

Then one layer of 12 heads, in our head view, in CircuitsVis and in Inspectus.

Other packages are installed from PyPI into folders of their own, without their dependencies; the
three files that BertViz's page takes from a CDN come from npm and are served locally. jQuery 2.0.0
is not on npm; 2.1.0 is the next version. A page that is not drawn in time is given up, those of
CircuitsVis and Inspectus after 60 s.
"""

from __future__ import annotations

import argparse
import base64
import statistics
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from costs.attention import Shown, real, structured
from costs.bertviz1 import BertViz
from costs.browser import Actions, Bench, Result
from costs.interactions import VIEWS, of_head_view, of_one_layer
from costs.others import CircuitsVis, Inspectus
from costs.table import bound, table, verdict
from playwright.sync_api import (
    Page,
    sync_playwright,
)
from transformers import BertConfig, BertModel

from bertviz import (
    HeadView,
    ModelView,
    NeuronView,
    extract,
)
from bertviz.web.page import document

BARE = """<!DOCTYPE html><body><canvas width=700 height=744></canvas><script>
const bytes = atob("%s"), n = %d, weights = new Float32Array(n * n);
const raw = new Uint8Array(bytes.length);
for (let i = 0; i < raw.length; i++) raw[i] = bytes.charCodeAt(i);
weights.set(new Float32Array(raw.buffer));
const context = document.querySelector("canvas").getContext("2d");
for (let q = 0; q < n; q++) for (let k = 0; k < n; k++) {
  const weight = weights[q * n + k];
  if (weight < 1 / 255) continue;
  context.globalAlpha = weight;
  context.beginPath(); context.moveTo(150, 24 * q + 12); context.lineTo(450, 24 * k + 12);
  context.stroke();
}
document.body.dataset.state = "ready";
</script>"""


def seconds(action: Callable[[], Any]) -> float:
    """CPU time of all threads, in seconds."""
    start = time.process_time()
    action()
    return time.process_time() - start


def against_forward(tokens: int) -> None:
    """Views of a BERT-base with random weights, alternating with its forward pass; medians.

    Random weights spread attention evenly: the most weights have to be listed.
    """
    model = BertModel(BertConfig()).eval()
    ids = torch.randint(1000, 20000, (1, tokens))
    trace = extract(model, inputs={"input_ids": ids})
    print(f"BERT-base, random weights, {tokens} tokens: Python next to a forward pass")
    for name, view in (("head", HeadView), ("model", ModelView), ("neuron", NeuronView)):
        took, share = [], []
        for _ in range(5):
            with torch.no_grad():
                forward = seconds(lambda: model(input_ids=ids))
            took.append(seconds(lambda view=view: view(trace).data))
            share.append(took[-1] / forward)
        size = len(view(trace).data) / 1e6
        cells = (
            (f"{size:.3g} MB of HTML", size, bound("html", name, tokens)),
            (f"{statistics.median(took):.3g} s", 0, None),
            (f"{statistics.median(share):.2f} x a forward", statistics.median(share), 1),
        )
        print(f"  {name:8}" + "".join(f"{text + verdict(*of):>36}" for text, *of in cells))
    print(flush=True)


def ours(
    bench: Bench, make: Callable[[], Any], actions: Callable[[Page], Actions], folder: Path
) -> Result:
    """What a view of ours costs in Python and in the browser."""
    python: float = statistics.median(seconds(lambda: make().data) for _ in range(3))
    path = folder / "page.html"
    path.write_text(make()._document(), encoding="utf-8")
    return {"python": python} | bench.measure(path, ".bertviz[data-state=ready]", actions)


def compare(bench: Bench, bertviz: BertViz | None, shown: Shown, folder: Path) -> None:
    tokens = shown.weights.shape[-1]
    print(shown.name, flush=True)
    one = base64.b64encode(shown.weights[0, 0].tobytes()).decode()
    path = folder / "page.html"
    path.write_text(BARE % (one, tokens), encoding="utf-8")
    bare = bench.measure(path, "[data-state=ready]")
    results: dict[str, Result] = {}
    for name, make in shown.views.items():
        results[name] = ours(bench, make, VIEWS[name], folder)
    if bertviz is not None:
        results[bertviz.name] = bertviz.measure(bench, shown)
    for result in results.values():
        for row, over, of in (
            ("floor", "picture", "picture"),
            ("threads floor", "threads", "threads"),
            ("share", "memory", "memory"),
            ("share after", "memory after", "memory"),
        ):
            value, floor = result.get(over), bare[of]
            if value and floor:
                result[row] = value / floor
    print(
        f"  a bare canvas: {bare['picture']:.0f} ms, {bare['threads']:.0f} ms on all threads,"
        f" {bare['memory']:.0f} MB"
    )
    table(results, tokens, bench.patience)


def beside_others(bench: Bench, folder: Path) -> None:
    """Our head view of one layer, CircuitsVis and Inspectus."""
    others = [CircuitsVis(folder), Inspectus(folder)]
    for tokens in (128, 512):
        shown = structured(tokens, layers=1)
        print(shown.name, flush=True)
        results = {"head": ours(bench, shown.views["head"], of_one_layer, folder)}
        for other in others:
            results[other.name] = other.measure(bench, shown)
        table(results, tokens, bench.patience)


def many(bench: Bench, folder: Path) -> None:
    """One, ten and thirty views of the demo model on one page."""
    shown = real(128)
    path = folder / "page.html"
    for count in (1, 10, 30):
        makes = [shown.views[("head", "neuron", "model")[i % 3]] for i in range(count)]
        path.write_text(document("\n".join(make().data for make in makes)), encoding="utf-8")
        ready = f":nth-match(.bertviz[data-state=ready], {count})"
        result = bench.measure(path, ready, of_head_view, tries=1)
        print(
            f"{count:3} views on a page, {shown.name}: {result['html']:.1f} MB of HTML, ready after"
            f" {result['picture']:.0f} ms, {result['memory']:.0f} MB; hover"
            f" {result['hover a query']:.1f} ms, toggle a head {result['toggle a head']:.1f} ms",
            flush=True,
        )


def main() -> None:
    """Print one table per attention."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tokens", nargs="*", type=int, default=[128, 512, 4096])
    parser.add_argument("--patience", type=float, default=180, help="seconds for a page")
    parser.add_argument("--alone", action="store_true", help="without BertViz")
    parser.add_argument("--no-others", action="store_true", help="without CircuitsVis, Inspectus")
    parser.add_argument("--no-real", action="store_true", help="without the demo model")
    parser.add_argument("--no-many", action="store_true", help="without thirty views")
    options = parser.parse_args()
    torch.set_num_threads(1)
    warnings.filterwarnings("ignore", message=".*MB of HTML")
    with sync_playwright() as playwright, tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        bench = Bench(playwright, options.patience)
        bertviz = None if options.alone else BertViz(folder)
        for tokens in options.tokens:
            # BertViz takes 1.7 GB of HTML at 512 tokens, and would take tens of gigabytes beyond.
            theirs = bertviz if tokens <= 512 else None
            if tokens <= 512:
                against_forward(tokens)
            compare(bench, theirs, structured(tokens), folder)
            if tokens <= 512 and not options.no_real:
                compare(bench, theirs, real(tokens), folder)
        if not options.no_others:
            beside_others(Bench(playwright, min(options.patience, 60)), folder)
        if not options.no_many:
            many(bench, folder)


if __name__ == "__main__":
    main()
