"""Values that are not attention in a real browser: their colors, their gaps, mouse and keyboard."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import expect

from bertviz import AttentionTrace, HeadView, ModelView, head_view, model_view
from tests.browser.model_view.cells import cell
from tests.browser.opened import Opened

TOKENS = ["the", "cat", "sat", "on", "it"]
VALUES = 30 * np.random.default_rng(3).normal(size=(2, 3, 5, 5))
VALUES[:, :, 2] = np.nan
VALUES[0, 1, 4, 0] = np.nan
BLUE, ORANGE = [0x0B, 0x62, 0xC4], [0xD9, 0x58, 0x0D]  # positive and negative, in the light theme
# Not what a reader should meet where numbers are not attention.
CLAIMS = ("attention", "attend", "weight", "mass", "renormalize", "verified", "entropy")

# The color in the middle of each cell, and how much of each cell is painted.
CELLS = """host => {
  const canvas = host.shadowRoot.querySelector(".matrix canvas");
  const size = canvas.width / 5, context = canvas.getContext("2d");
  return Array.from({length: 25}, (_, i) => {
    const [x, y] = [(i % 5) * size, Math.floor(i / 5) * size];
    const {data} = context.getImageData(x, y, size, size);
    const middle = 4 * (Math.floor(size / 2) * Math.floor(size) + Math.floor(size / 2));
    let painted = 0;
    for (let p = 3; p < data.length; p += 4) if (data[p]) painted++;
    return [...data.slice(middle, middle + 4), painted / (data.length / 4)];
  });
}"""
EVERY_WORD = """async host => [...host.shadowRoot.querySelectorAll("*")].flatMap((e) => [
    ...[...e.childNodes].filter((n) => n.nodeType === 3).map((n) => n.data),
    ...[...e.attributes].filter((a) => /^(aria-|title|alt|value)/.test(a.name)).map((a) => a.value),
  ]).concat(document.title, await host.bertviz.svg()).join(" ")"""


def words(opened: Opened) -> str:
    """All that is read, spoken, shown on hovering, hidden, or saved as a figure, in lower case."""
    every = str(opened.host.evaluate(EVERY_WORD)).lower()
    return re.sub('font-weight|base64,[^"]*', "", every)


@pytest.fixture
def trace() -> AttentionTrace:
    return AttentionTrace.from_arrays(TOKENS, VALUES, kind="signed")


def test_a_cell_has_the_color_of_its_value(
    page_of: Callable[..., Opened], trace: AttentionTrace
) -> None:
    opened = page_of(HeadView(trace, heads=[1]))
    opened.set(mode="matrix")
    true = VALUES[0, 1]
    largest = np.nanmax(np.abs(true))
    for (*color, alpha, painted), value in zip(
        opened.host.evaluate(CELLS), true.ravel(), strict=True
    ):
        if np.isnan(value):
            assert 0.1 < painted < 0.7, "hatched: neither blank nor a color"
            continue
        assert painted == pytest.approx(1)
        assert alpha / 255 == pytest.approx(abs(value) / largest, abs=0.006)
        # Colors are kept multiplied by their opacity, so pale ones are rounded.
        np.testing.assert_allclose(color, BLUE if value > 0 else ORANGE, atol=0.6 * 255 / alpha + 1)
    expect(opened.host.locator(".footer")).to_contain_text(f"+{largest:.1f}")
    expect(opened.host.locator(".footer")).to_contain_text("missing: 6 of 25 values")
    assert opened.errors == []


def test_missing_values_by_mouse_and_keyboard(
    page_of: Callable[..., Opened], trace: AttentionTrace
) -> None:
    opened = page_of(HeadView(trace))
    tooltip = opened.host.locator(".tooltip")
    opened.token("query", 4).click()
    opened.settled(query=4, locked=True)
    opened.token("key", 0).hover()
    expect(tooltip).to_contain_text("head 1  missing")
    expect(tooltip).to_contain_text(f"head 0  {VALUES[0, 0, 4, 0]:+.2f}".replace("-", "−"))
    edges = opened.scene("scene.edges")
    true = [VALUES[0, h, 4, k] for h, k in zip(edges["head"], edges["key"], strict=True)]
    np.testing.assert_allclose(edges["weight"], true, atol=1e-2)
    # By keyboard, up to the row without values.
    opened.token("query", 4).focus()
    for position in (3, 2):
        opened.page.keyboard.press("ArrowUp")
        opened.settled(query=position, locked=True)
    expect(opened.host.locator('[data-head="mean"]')).to_have_text(["–"] * 5)
    expect(opened.host.locator(".as-lines .sr")).to_have_text("query sat: all values missing")
    opened.page.keyboard.press("Escape")
    opened.settled(query=None, locked=False)
    # In the matrix.
    opened.host.locator('button[data-mode="matrix"]').click()
    opened.settled(mode="matrix")
    opened.host.locator(".matrix .plot").first.focus()
    for _ in range(2):
        opened.page.keyboard.press("ArrowDown")
    opened.settled(query=2, key=0, locked=True)
    spoken = opened.host.locator(".matrix .sr")
    expect(spoken.first).to_contain_text("head 0  missing")
    expect(spoken.nth(1)).to_have_text("")  # one voice is enough
    assert opened.errors == []


STATES: dict[str, list[dict[str, Any]]] = {
    "head": [
        {},
        {"query": 1, "locked": True},
        {"mode": "matrix", "key": 2, "locked": True},
        {"pair": "A→B", "hide": "first"},
        {"mode": "lines", "pair": "All", "zoom": [0, 3, 0, 3]},
    ],
    "model": [{}, {"cell": [1, 2]}, {"query": 3, "locked": True}, {"view": "head", "heads": [1]}],
}


@pytest.mark.parametrize("kind", ["signed", "unnormalized"])
@pytest.mark.parametrize("show", [head_view, model_view])
@pytest.mark.parametrize("stacks", [1, 2])
def test_nothing_claims_to_be_attention(
    page_of: Callable[..., Opened], show: Callable[..., Any], kind: str, stacks: int
) -> None:
    values = VALUES if kind == "signed" else np.abs(VALUES)
    if stacks == 1:
        view = show(values, TOKENS, 3, kind=kind, html_action="return")
    else:
        names = ("encoder", "decoder", "cross")
        given: dict[str, Any] = {f"{name}_attention": list(values) for name in names}
        given |= {"encoder_tokens": TOKENS, "decoder_tokens": TOKENS}
        view = show(**given, kind=kind, html_action="return")
    opened = page_of(view, width=1100)
    opened.page.evaluate("document.title = ''")  # the test's own page has one of its own
    for state in STATES[view.kind]:
        opened.set(**state)
        for hovered in (
            '[data-token="query"]',
            '[data-token="key"]',
            "button[data-layer]",
            ".plot",
        ):
            target = opened.host.locator(f"{hovered}:visible").first
            if target.count():
                target.hover(force=True)
            said = words(opened)
            assert f"{kind} values" in said
            for claim in CLAIMS:
                assert claim not in said.replace("not attention", ""), (state, claim)


def test_a_saved_page_claims_nothing_either(trace: AttentionTrace, tmp_path: Path) -> None:
    for view in (HeadView(trace), ModelView(trace)):
        view.save(tmp_path / "x.html")
        around = re.sub("<script.*</script>", "", (tmp_path / "x.html").read_text(), flags=re.S)
        assert "attention" not in around.lower()


def test_the_model_view_opens_a_head_and_hands_it_over(
    page_of: Callable[..., Opened], trace: AttentionTrace
) -> None:
    opened = page_of(ModelView(trace), width=1100)
    largest = np.nanmax(np.abs(VALUES))
    expect(opened.host.locator(".footer")).to_contain_text(f"√ value−{largest:.1f}+{largest:.1f}")
    expect(opened.host.locator(".footer")).to_contain_text("missing: 31 of 150 values")
    cell(opened, 1, 2).click()
    opened.settled(cell=[1, 2])
    full = np.nanmax(np.abs(VALUES[1]))
    expect(opened.host.locator(".footer")).to_contain_text(f"full strength: ±{full:.1f}")
    expect(opened.host.locator('button[data-action="neuron-view"]')).to_be_hidden()
    opened.host.locator('button[data-action="head-view"]').click()
    opened.settled(heads=[2], layer=1)
    edges = opened.scene("scene.edges")
    true = [VALUES[1, 2, q, k] for q, k in zip(edges["query"], edges["key"], strict=True)]
    np.testing.assert_allclose(edges["weight"], true, atol=1e-2)
    np.testing.assert_allclose(edges["opacity"], np.abs(true) / full, atol=1e-3)
    assert opened.errors == []
