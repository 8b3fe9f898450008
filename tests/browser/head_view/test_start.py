"""What the head view shows before anybody touches it, and the handles it offers."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from playwright.sync_api import expect

from tests.browser.head_view.reading import square
from tests.browser.opened import Opened
from tests.helpers import HEADS, TOKENS, a_head_view, weights


def test_it_starts_with_the_first_layer_all_heads_and_all_lines(opened: Opened) -> None:
    drawn = opened.drawn()
    assert drawn == {
        "block": "encoder",
        "layer": 0,
        "heads": [0, 1, 2, 3],
        "query": None,
        "key": None,
        "locked": False,
        "frame": 1,
        "mode": "lines",
    }
    edges = opened.scene("scene.edges")
    true = weights()[0]
    assert len(edges["weight"]) > 150
    for head, query, key, weight in zip(
        *(edges[name] for name in ("head", "query", "key", "weight")), strict=True
    ):
        assert abs(weight - true[head, query, key]) < 0.002
    gain = opened.scene("scene.gain")
    np.testing.assert_allclose(edges["opacity"], np.array(edges["weight"]) * gain, atol=1e-6)
    assert opened.errors == []
    assert opened.requests == []


def test_handles(opened: Opened) -> None:
    host = opened.host
    expect(host).to_have_attribute("data-view", "head")
    for index, token in enumerate(TOKENS):
        for side in ("query", "key"):
            expect(opened.token(side, index)).to_have_text(token)
    options = host.locator('select[name="layer"] option')
    assert [options.nth(i).get_attribute("value") for i in range(options.count())] == [
        "0",
        "1",
        "2",
    ]
    assert host.locator('select[name="pair"] option').all_inner_texts() == [
        "All",
        "A→A",
        "B→B",
        "A→B",
        "B→A",
    ]
    assert host.locator('select[name="block"]').count() == 0
    assert [square(opened, head).inner_text() for head in range(HEADS)] == ["0", "1", "2", "3"]
    state = host.evaluate("host => host.bertviz.state")
    assert state["pair"] == "All"


@pytest.mark.parametrize("term", ["query", "key", "not drawn"])
def test_terms_explain_themselves(page_of: Callable[..., Opened], term: str) -> None:
    opened = page_of(a_head_view(weights(1, 2, 80), [f"t{i}" for i in range(80)]))
    button = opened.host.locator(f'button[data-term="{term}"]')
    tooltip = opened.host.locator(".tooltip")
    for show in (button.hover, button.focus):
        show()
        expect(tooltip).to_be_visible()
        expect(tooltip).to_contain_text({"not drawn": "no line"}.get(term, f"The {term} is"))
        opened.page.keyboard.press("Escape")
        expect(tooltip).to_be_hidden()
        opened.page.mouse.move(1, 1)


def test_tokens_of_bytes_stand_in_line(page_of: Callable[..., Opened]) -> None:
    tokens = ["ĠThe", "Ġcat", "s", "Ċ", "  two", "end "]
    opened = page_of(a_head_view(weights(1, 1, 6), tokens))
    for side, edge in (("query", "right"), ("key", "left")):
        shown = opened.host.locator(f'[data-token="{side}"]')
        assert shown.all_inner_texts() == ["The", "cat", "s", "⏎", "two", "end"]
        # Where their letters end, or begin.
        edges = shown.evaluate_all(
            """(all, edge) => all.map((element) => {
                 const range = document.createRange();
                 range.selectNodeContents(element);
                 return Math.round(range.getBoundingClientRect()[edge]);
               })""",
            edge,
        )
        assert max(edges) - min(edges) <= 1, (side, edges)
