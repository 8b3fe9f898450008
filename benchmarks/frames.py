"""What a reader feels: main-thread time in Chromium, `python benchmarks/frames.py`.

A head view of 12 x 12 heads (one layer at 4,096 tokens) with structured random attention, beside a
bare canvas that shows one head of the same length. Main-thread time is what the browser's own
counter says (TaskDuration): until the first picture, per hover, per head toggle, per layer switch;
and the same for the neuron view and its what-if. Medians of several tries.
"""

from __future__ import annotations

import argparse
import base64
import os
import shutil
import statistics
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from playwright.sync_api import CDPSession, Page, sync_playwright

from bertviz import HeadView, NeuronView

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


def vectors(layers: int, heads: int, tokens: int) -> np.ndarray:
    """Queries and keys whose attention has bands, a sink and an even part, as real heads have."""
    rng = np.random.default_rng(0)
    base = rng.normal(size=(layers, heads, tokens, 64)).astype(np.float32)
    smooth = base.copy()
    for shift in range(1, 4):
        smooth[:, :, shift:] += base[:, :, :-shift] / (shift + 1)
    smooth[:, :, 0] *= 2.0
    return smooth * 0.9


def weights_of(q: np.ndarray) -> np.ndarray:
    """Softmax of q·q/8, a layer at a time."""
    out = np.empty((*q.shape[:3], q.shape[2]), np.float32)
    for layer in range(q.shape[0]):
        scores = q[layer] @ q[layer].swapaxes(-1, -2) / 8
        scores -= scores.max(-1, keepdims=True)
        np.exp(scores, out=scores)
        out[layer] = scores / scores.sum(-1, keepdims=True)
    return out


class Timed:
    """A page and its browser's count of main-thread seconds."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.session: CDPSession = page.context.new_cdp_session(page)
        self.session.send("Performance.enable")

    def seconds(self) -> float:
        """So far."""
        metrics = self.session.send("Performance.getMetrics")["metrics"]
        return {m["name"]: m["value"] for m in metrics}["TaskDuration"]

    def of(self, do: str, tries: int = 7) -> float:
        """Median milliseconds of a state change until it is drawn; `i` counts the tries."""
        found = []
        for i in range(tries):
            before = self.seconds()
            self.page.evaluate(
                """([code, i]) => new Promise((resolve) => {
                     const host = document.querySelector(".bertviz");
                     const frame = JSON.parse(host.dataset.drawn).frame;
                     host.bertviz.set(new Function("i", `return (${code})`)(i));
                     const later = () => JSON.parse(host.dataset.drawn).frame > frame
                       ? requestAnimationFrame(resolve) : setTimeout(later, 4);
                     later();
                   })""",
                [do, i],
            )
            found.append(1000 * (self.seconds() - before))
        return statistics.median(found)


def main() -> None:
    """Print a block per length."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tokens", nargs="*", type=int, default=[128, 512, 4096])
    options = parser.parse_args()
    names = ("chromium", "chromium-browser", "google-chrome")
    chromium = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, names)))
    with sync_playwright() as playwright, tempfile.TemporaryDirectory() as folder:
        browser = playwright.chromium.launch(
            executable_path=chromium, args=["--no-sandbox", "--disable-gpu"]
        )

        def first(html: str, name: str) -> tuple[Timed, float]:
            path = Path(folder) / f"{name}.html"
            path.write_text(html, encoding="utf-8")
            times: list[float] = []
            timed: Any = None
            for _ in range(3):
                if timed is not None:
                    timed.page.close()
                timed = Timed(browser.new_page(viewport={"width": 1000, "height": 900}))
                timed.page.goto(path.as_uri())
                ready = timed.page.locator("[data-state=ready]")
                ready.wait_for(state="attached", timeout=120_000)
                times.append(1000 * timed.seconds())
            return timed, statistics.median(times)

        for tokens in options.tokens:
            layers = 12 if tokens <= 512 else 1
            q = vectors(layers, 12, tokens)
            weights = weights_of(q)
            one = base64.b64encode(weights[0, 0].tobytes()).decode()
            bare, floor = first(BARE % (one, tokens), "bare")
            bare.page.close()
            head = HeadView(weights)
            data = head._document()
            del weights
            page, picture = first(data, "head")
            print(f"{tokens} tokens, {layers} x 12 heads: {len(data) / 1e6:.1f} MB of HTML")
            ratio = picture / floor
            print(
                f"  first picture {picture:6.0f} ms = {ratio:.1f} x a bare canvas ({floor:.0f} ms)"
            )
            rows = {
                "hover a query": "{query: 3 + i}",
                "hover a key": "{key: 3 + i, query: null}",
                "toggle a head": "{query: null, key: null, heads: i % 2 ? [0, 1] : [0, 1, 2]}",
                "layer switch": "{heads: [...Array(12).keys()], layer: i + 1}",
                "matrix": "{mode: i % 2 ? 'lines' : 'matrix'}",
            }
            for name, code in rows.items():
                if name == "layer switch" and layers == 1:
                    continue
                print(f"  {name:14} {page.of(code):6.1f} ms")
            page.page.close()
            neuron, picture = first(NeuronView(queries=q[:, :, :, :], keys=q)._document(), "neuron")
            print(f"  neuron view: first picture {picture:.0f} ms")
            print(f"  hover a query  {neuron.of('{query: 3 + i}'):6.1f} ms")
            print(f"  what-if        {neuron.of('{off: [i]}'):6.1f} ms")
            neuron.page.close()
        browser.close()


if __name__ == "__main__":
    main()
