"""The model view in a real browser: every head at a glance, and one of them opened."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Locator, expect

from bertviz import AttentionTrace, ModelView
from tests.helpers import TOKENS, Difference, a_model_view, weights

from .conftest import Opened


@pytest.fixture
def opened(page_of: Callable[..., Opened]) -> Opened:
    return page_of(a_model_view(weights(), TOKENS, sentence_b_start=4), width=1100)


def cell(opened: Opened, layer: int, head: int) -> Locator:
    return opened.host.locator(f'button[data-layer="{layer}"][data-head="{head}"]')


def test_a_cell_for_every_head(opened: Opened) -> None:
    assert opened.host.locator("button[data-layer][data-head]").count() == 12
    assert opened.drawn()["cell"] is None
    edges = opened.scene("scene.edges")
    true = weights()
    assert len(edges["weight"]) > 500
    for layer, head, query, key, weight in zip(
        *(edges[name] for name in ("layer", "head", "query", "key", "weight")), strict=True
    ):
        assert abs(weight - true[layer, head, query, key]) < 0.002
    assert edges["opacity"] == edges["weight"]
    assert opened.errors == []


def test_a_click_opens_a_second_closes(opened: Opened) -> None:
    cell(opened, 1, 2).click()
    opened.settled(cell=[1, 2])
    expect(cell(opened, 1, 2)).to_have_attribute("aria-pressed", "true")
    assert "Layer 1 · Head 2" in opened.text()
    opened.token("query", 3).hover()
    opened.settled(query=3)
    np.testing.assert_allclose(
        sorted(opened.scene("scene.edges.weight")), sorted(weights()[1, 2, 3]), atol=0.002
    )
    opened.token("key", 3).hover()
    opened.settled(query=None, key=3)
    opened.token("key", 3).click()
    opened.settled(key=3, locked=True)
    opened.page.keyboard.press("Escape")
    opened.settled(key=None, cell=[1, 2])
    opened.page.keyboard.press("Escape")
    opened.settled(cell=None)
    cell(opened, 0, 0).click()
    opened.settled(cell=[0, 0])
    cell(opened, 0, 0).click()
    opened.settled(cell=None)


def test_cells_stay_where_they_are_when_one_opens(opened: Opened) -> None:
    before = cell(opened, 2, 3).bounding_box()
    cell(opened, 2, 3).click()
    opened.settled(cell=[2, 3])
    assert cell(opened, 2, 3).bounding_box() == before


def test_keyboard(opened: Opened) -> None:
    cell(opened, 0, 0).focus()
    for key in ("ArrowRight", "ArrowDown", "ArrowDown", "ArrowLeft", "ArrowRight"):
        opened.page.keyboard.press(key)
    opened.page.keyboard.press("Enter")
    opened.settled(cell=[2, 1])


def test_included_layers_and_heads_keep_their_numbers(page_of: Callable[..., Opened]) -> None:
    view = a_model_view(weights(), TOKENS, include_layers=[0, 2], include_heads=[1, 3])
    opened = page_of(view)
    assert opened.host.locator("button[data-layer]").count() == 4
    cell(opened, 2, 3).click()
    opened.settled(cell=[2, 3], layer=2)
    assert cell(opened, 1, 1).count() == 0


def test_cells_by_a_measure(opened: Opened) -> None:
    opened.host.locator('select[name="measure"]').select_option("entropy")
    opened.settled(measure="entropy")
    opened.host.locator('select[name="sorted"]').select_option("yes")
    opened.settled(sorted=True)
    true = weights()
    entropy = -(true * np.log2(true)).sum(-1).mean(-1)
    order = np.dstack(np.unravel_index(np.argsort(-entropy, axis=None), entropy.shape))[0]
    cells = opened.host.locator("button[data-layer][data-head]")
    shown = [
        (
            int(cells.nth(i).get_attribute("data-layer")),
            int(cells.nth(i).get_attribute("data-head")),
        )
        for i in range(cells.count())
    ]
    assert shown == [tuple(pair) for pair in order.tolist()]
    boxes = [cells.nth(i).bounding_box() for i in range(5)]
    assert boxes[0]["x"] < boxes[3]["x"]  # type: ignore[index]
    assert boxes[4]["y"] > boxes[3]["y"]  # type: ignore[index]
    layer, head = shown[0]
    expect(cell(opened, layer, head)).to_have_attribute(
        "aria-label",
        f"Layer {layer}, head {head}: entropy (bits) {entropy.max():.3f}, {layer}·{head}",
    )
    assert f"{entropy.max():.2f}" in opened.text()
    cell(opened, layer, head).click()
    opened.settled(cell=[layer, head])


def test_thumbnails_show_what_is_there(page_of: Callable[..., Opened]) -> None:
    """A head that looks at itself has level lines, one that looks at the first has a fan."""
    both = np.zeros((1, 2, 6, 6))
    both[0, 0] = np.eye(6)
    both[0, 1, :, 0] = 1
    opened = page_of(a_model_view(both, list("abcdef")))
    data = opened.host.evaluate(
        """host => {
             const root = host.shadowRoot;
             const canvas = root.querySelector("canvas");
             const at = canvas.getBoundingClientRect();
             return Array.from(root.querySelectorAll("button[data-layer]"), (button) => {
               const b = button.getBoundingClientRect();
               const x = Math.round(b.right - at.left - 0.2 * b.width);
               const y = Math.round(b.top - at.top);
               const column = canvas.getContext("2d").getImageData(x, y, 1, Math.round(b.height));
               const rgb = Array.from(column.data);
               const rows = [];
               for (let i = 0; i < rgb.length; i += 4) rows.push(rgb[i] + rgb[i + 1] + rgb[i + 2]);
               return rows;
             });
           }"""
    )
    dark = [np.flatnonzero(np.array(rows) < max(rows) - 60) / len(rows) for rows in data]
    assert dark[0].min() < 0.3
    assert dark[0].max() > 0.7, "level lines over the whole cell"
    assert dark[1].max() < 0.45, "a fan that closes at the top"


@pytest.mark.parametrize(("layers", "heads"), [(12, 12), (32, 32)])
def test_many_heads(page_of: Callable[..., Opened], layers: int, heads: int) -> None:
    opened = page_of(a_model_view(weights(layers, heads), TOKENS), width=1100)
    box = cell(opened, layers - 1, heads - 1).bounding_box()
    assert box is not None
    assert box["width"] >= 15
    cell(opened, layers - 1, heads - 1).click()
    opened.settled(cell=[layers - 1, heads - 1])
    assert opened.errors == []


# --- scores -------------------------------------------------------------------------------------


class Scores:
    """What an analysis gives: numbers by block, layer and head, with a sign or without."""

    def __init__(self, values: dict[int, dict[int, float | None]], **more: Any) -> None:
        self.measure = {"name": "a score", "values": {"encoder": values}, "null": None, **more}

    def measures(self) -> list[dict[str, Any]]:
        return [self.measure]


def test_a_score_colours_sorts_and_speaks(page_of: Callable[..., Opened]) -> None:
    scores = {
        "mine": {(layer, head): layer + head / 10 for layer in range(3) for head in range(4)},
        "other": {(2, 1): 0.5},
    }
    opened = page_of(a_model_view(weights(), TOKENS, measures=scores), width=1100)
    assert opened.drawn()["measure"] == "mine"
    select = opened.host.locator('select[name="measure"]')
    expect(select).to_have_value("mine")
    assert select.locator('optgroup[label="measures"] option').all_inner_texts() == [
        "mine",
        "other",
    ]
    assert opened.scene("scene.range") == [0, 2.3]
    assert "mine\n0.00\n2.30" in opened.text()
    cell(opened, 2, 3).hover()
    expect(opened.host.locator(".tooltip")).to_contain_text("Layer 2, head 3: mine 2.300")
    opened.host.locator('select[name="sorted"]').select_option("yes")
    opened.settled(sorted=True)
    first = opened.host.locator("button[data-layer]").first
    assert first.get_attribute("data-layer") == "2"
    assert first.get_attribute("data-head") == "3"
    select.select_option("other")
    opened.settled(measure="other")
    assert "– not available" in opened.text()
    expect(cell(opened, 0, 0)).to_have_attribute(
        "aria-label", "Layer 0, head 0: other not available, 0·0"
    )
    # Cells without a number come last.
    assert first.get_attribute("data-head") == "1"
    select.select_option("layer")
    opened.settled(measure=None, sorted=False)


def test_a_score_is_shown_beside_its_null(page_of: Callable[..., Opened]) -> None:
    null = {"encoder": {1: {2: 0.125}}}
    opened = page_of(a_model_view(weights(), TOKENS, measures=Scores({1: {2: 0.75}}, null=null)))
    label = "Layer 1, head 2: a score 0.750, by chance 0.125"
    expect(cell(opened, 1, 2)).to_have_attribute("aria-label", label)
    cell(opened, 1, 2).click()
    opened.settled(cell=[1, 2])
    assert "a score 0.750, by chance 0.125" in opened.text()


COLOUR = """(host, [layer, head]) => {
  const root = host.shadowRoot;
  const canvas = root.querySelector(".grid canvas");
  const at = canvas.getBoundingClientRect();
  const b = root.querySelector(`[data-layer="${layer}"][data-head="${head}"]`)
    .getBoundingClientRect();
  const scale = canvas.width / at.width;
  const x = (b.left - at.left + b.width / 2) * scale, y = (b.top - at.top + 2) * scale;
  return Array.from(canvas.getContext("2d").getImageData(Math.round(x), Math.round(y), 1, 1).data);
}"""


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_score_with_a_sign_parts_at_zero(page_of: Callable[..., Opened], theme: str) -> None:
    scores = Scores({0: {0: -0.4, 1: 0.0, 2: 0.4, 3: None}}, diverging=True)
    view = a_model_view(weights(1), TOKENS, measures=scores)
    opened = page_of(view, theme=theme)
    below, zero, above, none = (opened.host.evaluate(COLOUR, [0, head]) for head in range(4))
    assert below[0] > below[2] + 30, "orange below zero"
    assert above[2] > above[0] + 30, "blue above"
    assert max(zero[:3]) - min(zero[:3]) < 15
    assert none[:3] == zero[:3], "no number, no colour"
    assert opened.scene("scene.range") == [-0.4, 0.4]
    assert "(negative · positive)\n−0.40\n+0.40" in opened.text()
    assert "+0.400" in (cell(opened, 0, 2).get_attribute("aria-label") or "")


def test_thousands_of_heads_are_tiles(page_of: Callable[..., Opened]) -> None:
    """Tiles of a score need no weights; what is under the pointer gets its own."""
    many = weights(40, 40)
    scores = {"mine": {(layer, head): layer / 40 for layer in range(40) for head in range(40)}}
    opened = page_of(a_model_view(many, TOKENS, measures=scores), width=1100)
    box = cell(opened, 39, 39).bounding_box()
    assert box is not None
    assert box["width"] >= 9
    assert opened.scene("scene.edges.weight.length") == 0, "no layer is decoded"
    first, last = (opened.host.evaluate(COLOUR, [layer, 5]) for layer in (0, 39))
    assert first != last
    cell(opened, 20, 7).hover()
    tooltip = opened.host.locator(".tooltip")
    expect(tooltip).to_contain_text("Layer 20, head 7: mine 0.500")
    expect(tooltip.locator("canvas")).to_be_visible()
    cell(opened, 20, 7).click()
    opened.settled(cell=[20, 7])
    opened.token("query", 2).hover()
    opened.settled(query=2)
    np.testing.assert_allclose(opened.scene("scene.edges.weight"), many[20, 7, 2], atol=0.002)
    assert opened.errors == []


def test_many_heads_begin_with_a_measure(page_of: Callable[..., Opened]) -> None:
    opened = page_of(a_model_view(weights(40, 40), TOKENS), width=1100)
    assert opened.drawn()["measure"] == "entropy"


# --- scrolling ----------------------------------------------------------------------------------


def test_numbers_stay_when_the_grid_scrolls(page_of: Callable[..., Opened]) -> None:
    opened = page_of(a_model_view(weights(60, 40), TOKENS), width=480)
    scroller = opened.host.locator(".scroller")
    label = opened.host.locator('.across [data-column="20"]')
    number = opened.host.locator('.down [data-row="40"]')
    scroller.evaluate("box => box.scrollTo(120, 60)")

    def aligned() -> bool:
        column, row = cell(opened, 0, 20).bounding_box(), cell(opened, 40, 0).bounding_box()
        head, layer = label.bounding_box(), number.bounding_box()
        assert column is not None
        assert row is not None
        assert head is not None
        assert layer is not None
        middle = head["x"] + head["width"] / 2 - column["x"] - column["width"] / 2
        height = layer["y"] + layer["height"] / 2 - row["y"] - row["height"] / 2
        return abs(middle) < 1.5 and abs(height) < 1.5

    opened.quiet()
    assert aligned()
    # The last cell can be reached.
    cell(opened, 59, 39).click()
    opened.settled(cell=[59, 39])
    assert opened.host.evaluate("host => host.scrollWidth <= host.clientWidth")


def test_a_cell_that_opens_below_comes_into_sight(page_of: Callable[..., Opened]) -> None:
    opened = page_of(a_model_view(weights(32, 32), TOKENS), width=800, height=700)
    detail = opened.host.locator(".detail")
    cell(opened, 2, 3).click()
    opened.settled(cell=[2, 3])
    expect(detail).to_be_in_viewport(ratio=0.5)
    # The page API moves nothing.
    opened.page.evaluate("scrollTo(0, 0)")
    opened.set(cell=[3, 3])
    assert opened.page.evaluate("scrollY") == 0


# --- the opened cell ----------------------------------------------------------------------------


def test_the_pointer_isolates_both_sides_of_a_cell(opened: Opened) -> None:
    cell(opened, 1, 2).click()
    opened.settled(cell=[1, 2])
    true = weights()[1, 2]
    for side, axis in (("query", 0), ("key", 1)):
        opened.token(side, 4).hover()
        opened.settled(**{side: 4})
        edges = opened.scene("scene.edges")
        assert set(edges[side]) == {4}
        np.testing.assert_allclose(edges["weight"], true.take(4, axis), atol=0.002)
    opened.leave()
    opened.settled(query=None, key=None, cell=[1, 2])
    opened.token("query", 1).click()
    opened.settled(query=1, locked=True)
    opened.token("key", 5).hover()
    expect(opened.host.locator(".tooltip")).to_contain_text(f"{true[1, 5]:.4f}"[:5])


def test_keyboard_opens_closes_and_keeps_its_place(opened: Opened) -> None:
    cell(opened, 0, 0).focus()
    for key in ("ArrowDown", "End", "ArrowLeft", "Home", "ArrowRight", "Enter"):
        opened.page.keyboard.press(key)
    opened.settled(cell=[1, 1])
    focused = "host => ['layer', 'head'].map(k => host.shadowRoot.activeElement?.dataset[k])"
    assert opened.host.evaluate(focused) == ["1", "1"]
    ring = "host => getComputedStyle(host.shadowRoot.activeElement).outlineStyle"
    assert opened.host.evaluate(ring) == "solid"
    # From a token inside, Esc lets go, closes, and the cell has the focus again.
    opened.token("query", 0).focus()
    opened.page.keyboard.press("ArrowDown")
    opened.settled(query=1, locked=True)
    opened.page.keyboard.press("Escape")
    opened.settled(query=None, cell=[1, 1])
    opened.page.keyboard.press("Escape")
    opened.settled(cell=None)
    assert opened.host.evaluate(focused) == ["1", "1"]
    # Another order moves cells, not the focus' head.
    opened.set(measure="entropy", sorted=True)
    assert opened.host.evaluate(focused) == ["1", "1"]


# --- hand-over ----------------------------------------------------------------------------------


def vectors(layers: int = 3, heads: int = 4, width: int = 8) -> dict[str, Any]:
    rng = np.random.default_rng(3)
    shape = (layers, heads, len(TOKENS), width)
    return {name: rng.normal(size=shape).astype(np.float32) for name in ("queries", "keys")}


def test_a_cell_opens_in_the_head_view_and_back(opened: Opened) -> None:
    opened.set(measure="entropy", sorted=True)
    cell(opened, 1, 2).click()
    opened.settled(cell=[1, 2])
    opened.host.locator('button[data-action="head-view"]').click()
    drawn = opened.settled(layer=1, heads=[2], mode="lines")
    assert "cell" not in drawn, "data-drawn has the keys of the view in force"
    expect(opened.host).to_have_attribute("data-view", "head")
    edges = opened.scene("scene.edges")
    true = weights()[1, 2][edges["query"], edges["key"]]
    np.testing.assert_allclose(edges["weight"], true, atol=0.002)
    opened.token("query", 3).click()
    opened.settled(query=3, locked=True)
    opened.host.locator('button[data-head="0"]').click()
    opened.settled(heads=[0, 2])
    opened.host.locator('button[data-action="back"]').click()
    drawn = opened.settled(cell=[1, 2], measure="entropy", sorted=True, query=None, locked=False)
    assert "mode" not in drawn
    expect(opened.host).to_have_attribute("data-view", "model")
    # Once more, and back by the keyboard, in steps.
    opened.host.locator('button[data-action="head-view"]').click()
    opened.settled(heads=[2], mode="lines", query=None)
    opened.token("key", 1).click()
    opened.settled(key=1, locked=True)
    opened.page.keyboard.press("Escape")
    opened.settled(key=None, mode="lines")
    opened.page.mouse.move(300, 20)
    opened.page.keyboard.press("Escape")
    opened.settled(cell=[1, 2])
    opened.page.keyboard.press("Escape")
    opened.settled(cell=None)
    assert opened.errors == []


def test_a_cell_opens_in_the_neuron_view(page_of: Callable[..., Opened]) -> None:
    trace = AttentionTrace.from_arrays(tokens=TOKENS, **vectors())
    opened = page_of(ModelView(trace), width=1200)
    cell(opened, 2, 1).click()
    opened.settled(cell=[2, 1])
    opened.host.locator('button[data-action="neuron-view"]').click()
    opened.settled(layer=2, heads=[1], detail=True)
    expect(opened.host).to_have_attribute("data-view", "neuron")
    query = opened.drawn()["query"]
    shown = opened.scene("scene.columns.weights")
    np.testing.assert_allclose(
        shown, trace.blocks["encoder"].layers[2].weights([1])[0, query], atol=0.002
    )
    opened.host.locator('select[name="head"]').select_option("3")
    opened.settled(heads=[3])
    opened.page.keyboard.press("Escape")
    opened.settled(cell=[2, 1])
    expect(opened.host).to_have_attribute("data-view", "model")
    assert opened.errors == []


def test_neurons_that_were_not_shipped_are_a_call_away(page_of: Callable[..., Opened]) -> None:
    long = [f"t{i}" for i in range(600)]
    rng = np.random.default_rng(0)
    vectors = rng.normal(size=(1, 2, 600, 512)).astype(np.float32)
    trace = AttentionTrace.from_arrays(tokens=long, queries=vectors, keys=vectors)
    for view, call in (
        (ModelView(trace), "neuron_view(trace, layer=0, head=1)"),
        (a_model_view(weights(), TOKENS), "neuron_view(model, tokenizer, text, layer=0, head=1)"),
    ):
        opened = page_of(view, width=1100)
        opened.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
        cell(opened, 0, 1).click()
        opened.settled(cell=[0, 1])
        opened.host.locator('button[data-action="neuron-view"]').click()
        line = opened.host.locator(".call input")
        expect(line).to_have_value(call)
        expect(line).to_be_visible()
        opened.host.locator('button[data-action="copy"]').click()
        expect(opened.host.locator('button[data-action="copy"]')).to_have_text("Copied")
        assert opened.page.evaluate("navigator.clipboard.readText()") == call
        expect(opened.host).to_have_attribute("data-view", "model")


def test_two_views_hand_over_on_their_own(page_of: Callable[..., Opened]) -> None:
    opened = page_of(a_model_view(weights(), TOKENS), a_model_view(weights(), TOKENS), width=1100)
    first, second = (opened.page.locator(".bertviz").nth(i) for i in range(2))
    second.locator('[data-layer="0"][data-head="1"]').click()
    opened.settled(second, cell=[0, 1])
    second.locator('button[data-action="head-view"]').click()
    opened.settled(second, heads=[1], layer=0)
    expect(second).to_have_attribute("data-view", "head")
    expect(first).to_have_attribute("data-view", "model")
    assert opened.drawn(first)["cell"] is None
    first.locator('[data-layer="2"][data-head="0"]').hover()
    opened.page.keyboard.press("Escape")
    opened.quiet()
    expect(second).to_have_attribute("data-view", "head")


# --- comparisons --------------------------------------------------------------------------------


@pytest.fixture
def comparison() -> Difference:
    a, b = (AttentionTrace.from_arrays(TOKENS, weights(seed=seed)) for seed in (0, 1))
    return Difference(a, b)


def test_a_comparison_cell_by_cell(page_of: Callable[..., Opened], comparison: Difference) -> None:
    opened = page_of(ModelView(comparison), width=1100)
    true = comparison.weights(1, [2])[0].numpy()
    assert opened.drawn()["measure"] == "difference"
    assert "more in b\nmore in a\nopacity: √|b − a|" in opened.text()
    cell(opened, 1, 2).click()
    opened.settled(cell=[1, 2])
    opened.token("query", 3).click()
    opened.settled(query=3, locked=True)
    edges = opened.scene("scene.edges")
    np.testing.assert_allclose(edges["weight"], true[3, edges["key"]], atol=0.002)
    np.testing.assert_allclose(edges["opacity"], np.abs(edges["weight"]), atol=1e-6)
    strongest = int(np.abs(true[3]).argmax())
    opened.token("key", strongest).hover()
    sign = "+" if true[3, strongest] > 0 else "−"
    shown = f"head 2  {sign}{abs(true[3, strongest]):.4f}"[:-1]  # the last digit is a step's
    expect(opened.host.locator(".tooltip")).to_contain_text(shown)
    expect(opened.host.locator(".detail")).to_contain_text("b − a")
    # On into the head view, and the way to the neurons of each.
    opened.host.locator('button[data-action="neuron-view"]').click()
    call = "neuron_view(comparison.b, layer=1, head=2)"
    expect(opened.host.locator(".call input")).to_have_value(call)
    opened.host.locator('button[data-action="head-view"]').click()
    opened.settled(heads=[2], layer=1, query=3)
    edges = opened.scene("scene.edges")
    np.testing.assert_allclose(edges["weight"], true[3, edges["key"]], atol=0.002)
    assert opened.errors == []


def test_a_thumbnail_of_a_comparison_has_two_colours(page_of: Callable[..., Opened]) -> None:
    """A head that looked at itself and now looks at the first token."""
    own, first = np.eye(6)[None, None], np.zeros((1, 1, 6, 6))
    first[..., 0] = 1
    a, b = (AttentionTrace.from_arrays(list("abcdef"), x) for x in (own, first))
    opened = page_of(ModelView(Difference(a, b)))
    opened.set(measure=None)
    colours = opened.host.evaluate(
        """host => {
             const canvas = host.shadowRoot.querySelector(".grid canvas");
             const {data} = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
             let blue = 0, orange = 0;
             for (let i = 0; i < data.length; i += 4) {
               if (data[i + 2] > data[i] + 60) blue++;
               if (data[i] > data[i + 2] + 60) orange++;
             }
             return [blue, orange];
           }"""
    )
    assert min(colours) > 100
