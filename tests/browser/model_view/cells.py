"""The cells of the model view: the button of a head, and the color its cell is painted in."""

from __future__ import annotations

from playwright.sync_api import Locator

from tests.browser.opened import Opened


def cell(opened: Opened, layer: int, head: int) -> Locator:
    return opened.host.locator(f'button[data-layer="{layer}"][data-head="{head}"]')


COLOR = """(host, [layer, head]) => {
  const root = host.shadowRoot;
  const canvas = root.querySelector(".grid canvas");
  const at = canvas.getBoundingClientRect();
  const b = root.querySelector(`[data-layer="${layer}"][data-head="${head}"]`)
    .getBoundingClientRect();
  const scale = canvas.width / at.width;
  const x = (b.left - at.left + b.width / 2) * scale, y = (b.top - at.top + 2) * scale;
  return Array.from(canvas.getContext("2d").getImageData(Math.round(x), Math.round(y), 1, 1).data);
}"""
