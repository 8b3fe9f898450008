"""Heads, layer, sentence pair, words and hidden tokens: what is chosen is what is drawn."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from playwright.sync_api import expect

from tests.browser.head_view.reading import square
from tests.browser.opened import Opened
from tests.helpers import HEADS, TOKENS, a_head_view, weights


def test_a_click_on_a_head_shows_only_it_and_one_on_the_only_head_all(opened: Opened) -> None:
    square(opened, 1).click()
    opened.settled(heads=[1])
    expect(square(opened, 2)).to_have_attribute("aria-pressed", "false")
    square(opened, 2).click(modifiers=["Shift"])
    opened.settled(heads=[1, 2])
    square(opened, 1).click(modifiers=["Shift"])
    opened.settled(heads=[2])
    square(opened, 2).click(modifiers=["Shift"])
    opened.quiet()
    assert opened.drawn()["heads"] == [2], "the last head stays"
    expect(opened.host.locator(".hint")).to_contain_text("all heads")
    square(opened, 2).click()
    opened.settled(heads=[0, 1, 2, 3])
    expect(opened.host.locator(".hint")).to_contain_text("only this head")


def test_a_head_under_the_pointer_is_shown_alone_for_a_while(opened: Opened) -> None:
    opened.token("query", 1).click()
    square(opened, 3).hover()
    opened.wait_for("document.querySelector('.bertviz').bertviz.scene().heads.length === 1")
    assert opened.scene("scene.heads") == [3]
    np.testing.assert_allclose(opened.scene("scene.edges.weight"), weights()[0, 3, 1], atol=0.002)
    assert opened.drawn()["heads"] == [0, 1, 2, 3], "it is not chosen"
    expect(opened.host.locator('[data-part="title"]')).to_contain_text("Layer 0, head 3: “")
    expect(square(opened, 1)).to_have_attribute("aria-pressed", "true")
    opened.leave()
    opened.wait_for("document.querySelector('.bertviz').bertviz.scene().heads.length === 4")
    square(opened, 0).click()
    opened.settled(heads=[0])
    square(opened, 0).click()
    opened.settled(heads=[0, 1, 2, 3])
    assert opened.scene("scene.heads") == [0, 1, 2, 3], "and not that of the pointer's head"


def test_a_held_finger_adds_a_head(page_of: Callable[..., Opened]) -> None:
    opened = page_of(a_head_view(weights(1, 4), TOKENS), width=420)
    cdp = opened.page.context.new_cdp_session(opened.page)
    cdp.send("Emulation.setTouchEmulationEnabled", {"enabled": True})

    def touch(head: int, milliseconds: int) -> None:
        box = square(opened, head).bounding_box()
        assert box is not None
        point = {"x": box["x"] + box["width"] / 2, "y": box["y"] + box["height"] / 2}
        cdp.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": [point]})
        opened.page.wait_for_timeout(milliseconds)
        cdp.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})

    touch(1, 30)
    opened.settled(heads=[1])
    touch(3, 700)
    opened.settled(heads=[1, 3])
    opened.quiet()
    assert opened.drawn()["heads"] == [1, 3], "the click that ends it is none"
    touch(2, 30)
    opened.settled(heads=[2])
    expect(opened.host.locator(".hint")).to_contain_text("hold")


def test_layer_and_pair(opened: Opened) -> None:
    opened.host.locator('select[name="layer"]').select_option("2")
    opened.settled(layer=2)
    assert abs(max(opened.scene("scene.edges.weight")) - weights()[2].max()) < 0.002
    opened.host.locator('select[name="pair"]').select_option("A→B")
    opened.wait_for("document.querySelector('.bertviz').bertviz.scene().queries.length === 4")
    assert opened.host.locator('[data-token="query"]').all_inner_texts() == TOKENS[:4]
    assert opened.host.locator('[data-token="key"]').all_inner_texts() == TOKENS[4:]
    hidden = np.array(opened.scene("scene.hidden"))
    inside = weights()[2][:, :4, 4:].sum(-1).ravel()
    np.testing.assert_allclose(hidden, 1 - inside, atol=0.002)
    assert "outside A→B" in opened.text()
    opened.host.locator('input[name="renormalize"]').click()
    opened.wait_for("document.querySelector('.bertviz').bertviz.state.renormalize === true")
    opened.quiet()
    edges = opened.scene("scene.edges")
    sums = np.zeros((HEADS, 4))
    np.add.at(sums, (edges["head"], edges["query"]), edges["weight"])
    np.testing.assert_allclose(sums, 1, atol=0.002)
    assert "renormalized over A→B" in opened.text()
    opened.host.locator('select[name="pair"]').select_option("All")
    expect(opened.host.locator('input[name="renormalize"]')).to_be_hidden()


def test_words_hiding_heads_as_one_and_strongest_lines(opened: Opened) -> None:
    true = weights()
    opened.host.locator('select[name="combine"]').select_option("mean")
    opened.wait_for("document.querySelector('.bertviz').bertviz.scene().edges.head[0] === 65535")
    edges = opened.scene("scene.edges")
    mean = true[0].mean(0)
    seen = np.zeros_like(mean)
    seen[edges["query"], edges["key"]] = edges["weight"]
    np.testing.assert_allclose(seen, mean, atol=0.001)
    assert "mean of 4 heads" in opened.text()
    opened.host.locator('input[name="special"]').check()
    opened.wait_for("document.querySelector('.bertviz').bertviz.scene().keys.length === 4")
    assert opened.host.locator('[data-token="key"]').all_inner_texts() == [
        "the",
        "cat",
        "it",
        "sat",
    ]
    outside = 1 - mean[np.ix_([1, 2, 4, 5], [1, 2, 4, 5])].sum(-1).mean()
    assert f"{100 * outside:.0f}% outside the tokens shown" in opened.text()
    opened.host.locator('input[name="renormalize"]').click()
    opened.wait_for(
        """() => { const {weight} = document.querySelector('.bertviz').bertviz.scene().edges;
             return Math.abs(weight.reduce((a, b) => a + b, 0) - 4) < 0.01; }"""
    )
    opened.host.locator('select[name="mass"]').select_option("0.5")
    opened.wait_for("document.querySelector('.bertviz').bertviz.state.mass === 0.5")
    opened.quiet()
    assert len(opened.scene("scene.edges.weight")) < 16
    assert "in weaker lines" in opened.text()
    assert opened.errors == []


def test_words_instead_of_pieces(page_of: Callable[..., Opened]) -> None:
    tokens = ["[CLS]", "straw", "##berry", "[SEP]"]
    opened = page_of(a_head_view(weights(1, 1, 4), tokens))
    opened.host.locator('input[name="words"]').click()
    expect(opened.token("key", 1)).to_have_text("strawberry")
    expect(opened.token("key", 2)).to_have_count(0)
    true = weights(1, 1, 4)[0, 0]
    edges = opened.scene("scene.edges")
    found = dict(zip(zip(edges["query"], edges["key"], strict=True), edges["weight"], strict=True))
    assert abs(found[1, 1] - true[1:3, 1:3].sum(1).mean()) < 0.001
    opened.token("query", 1).click()
    opened.token("key", 1).hover()
    tooltip = opened.host.locator(".tooltip")
    expect(tooltip).to_contain_text("strawberry → strawberry")
    opened.leave()


def test_a_narrow_cell_and_many_heads(page_of: Callable[..., Opened]) -> None:
    opened = page_of(a_head_view(weights(1, 32), TOKENS), width=420)
    overflow = opened.page.evaluate(
        "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    )
    assert overflow <= 0
    assert opened.host.locator("button[data-head]").count() == 32
    square(opened, 31).click()
    opened.settled(heads=[31])


def test_layers_one_after_the_other(opened: Opened) -> None:
    back = opened.host.get_by_role("button", name="Previous layer")
    forward = opened.host.get_by_role("button", name="Next layer")
    expect(back).to_have_attribute("aria-disabled", "true")
    forward.click()
    opened.settled(layer=1)
    opened.page.keyboard.press("Enter")
    opened.settled(layer=2)
    expect(forward).to_have_attribute("aria-disabled", "true")
    forward.click(force=True)  # it stays in the page, or the focus would be lost
    assert opened.drawn()["layer"] == 2
    back.click()
    opened.settled(layer=1)
    expect(opened.host.locator('select[name="layer"]')).to_have_value("1")
