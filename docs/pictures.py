"""Take README's screenshots: `python docs/pictures.py`, with the demo extra and Chromium."""

import os
import shutil
import tempfile
from pathlib import Path

from playwright.sync_api import sync_playwright

from bertviz import HeadView, ModelView, NeuronView, extract
from bertviz.demo import SENTENCE_A, SENTENCE_B, load_demo_model

# The view, its options, theme, width and scale, and the state to show.
PICTURES = {
    "head_view": (HeadView, {"layer": 2, "heads": [1, 4, 7, 9]}, "dark", 1240, 1, {"query": 15}),
    "model_view": (ModelView, {}, "light", 1120, 1, {"cell": [0, 2]}),
    "neuron_view": (NeuronView, {"layer": 0, "head": 2}, "light", 1300, 1, {"query": 5}),
}


def main() -> None:
    """Draw each view in a real browser and save a screenshot."""
    model, tokenizer = load_demo_model()
    trace = extract(model, tokenizer, SENTENCE_A, SENTENCE_B)
    names = ("chromium", "chromium-browser", "google-chrome")
    chromium = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, names)))
    with sync_playwright() as playwright, tempfile.TemporaryDirectory() as folder:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        for name, (view, options, theme, width, scale, state) in PICTURES.items():
            path = Path(folder) / f"{name}.html"
            view(trace, **options).save(path)
            page = browser.new_page(
                viewport={"width": width, "height": 900},
                color_scheme=theme,
                device_scale_factor=scale,
                bypass_csp=True,  # to wait for a function, Playwright evaluates a text
            )
            page.goto(path.as_uri())
            host = page.locator(".bertviz[data-state=ready]")
            host.evaluate("(host, state) => host.bertviz.set({...state, locked: true})", state)
            page.wait_for_function(
                "JSON.parse(document.querySelector('.bertviz').dataset.drawn).frame > 1"
            )
            page.evaluate("document.body.style.margin = '12px'")
            page.wait_for_timeout(300)  # redrawn for the new width, and sharp
            page.screenshot(
                path=Path(__file__).with_name(f"{name}.png"),
                clip={**host.bounding_box(), "x": 0, "y": 0, "width": width}
                | {"height": host.bounding_box()["height"] + 24},
            )
        browser.close()


if __name__ == "__main__":
    main()
