"""The tour: its steps stand beside what they explain, and it is left as it was found."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from playwright.sync_api import expect

from bertviz import AttentionTrace, HeadView, ModelView, NeuronView
from tests.browser.opened import Opened
from tests.helpers import TOKENS

RNG = np.random.default_rng(3)
TRACE = AttentionTrace.from_arrays(
    TOKENS, **{name: RNG.normal(size=(2, 3, len(TOKENS), 8)) for name in ("queries", "keys")}
)
PARTS = {
    HeadView: [".stage", ".column.query", ".heads", None, '[data-part="reading"]'],
    ModelView: [".cells", 'select[name="measure"]', ".title-line", ".detail", ".badge"],
    NeuronView: [
        ".column.query",
        *(f'[data-term="{term}"]' for term in ("query", "product", "softmax")),
        '[data-part="steps"]',
    ],
}


@pytest.mark.parametrize("cls", PARTS)
@pytest.mark.parametrize("width", [390, 1280])
def test_five_steps_stand_beside_their_parts(
    page_of: Callable[..., Opened], cls: type, width: int
) -> None:
    opened = page_of(cls(TRACE), width=width)
    if cls is ModelView:
        opened.set(cell=[1, 2])
    before = opened.drawn()
    opened.host.locator('[data-action="tour"]').click()
    card = opened.host.locator(".tour")
    seen = set()
    for i, part in enumerate(PARTS[cls]):
        expect(card).to_contain_text(f"{i + 1} of 5")
        seen.add(card.locator("p").inner_text())
        framed, shown = opened.host.locator(".toured").bounding_box(), card.bounding_box()
        assert framed is not None
        assert shown is not None
        assert shown["x"] >= 0
        assert shown["x"] + shown["width"] <= width
        if part is not None:
            box = opened.host.locator(part).first.bounding_box()
            assert box is not None
            for edge, size in (("x", "width"), ("y", "height")):
                assert abs(framed[edge] + 4 - box[edge]) < 1
                assert abs(framed[size] - 8 - box[size]) < 1
        opened.page.keyboard.press("ArrowRight")
    expect(card).to_be_hidden()
    assert len(seen) == 5
    assert opened.host.evaluate("h => h.shadowRoot.activeElement.dataset.action") == "tour"
    assert opened.drawn() == before, "keys of the tour move nothing else"


def test_escape_ends_it_and_lets_the_selection_be(page_of: Callable[..., Opened]) -> None:
    opened = page_of(HeadView(TRACE))
    opened.token("query", 2).click()
    opened.settled(query=2, locked=True)
    opened.host.locator('[data-action="tour"]').click()
    opened.page.keyboard.press("ArrowLeft")
    expect(opened.host.locator(".tour")).to_contain_text("1 of 5")
    opened.page.keyboard.press("Escape")
    expect(opened.host.locator(".tour")).to_be_hidden()
    assert opened.drawn()["query"] == 2
    opened.page.keyboard.press("Escape")
    opened.settled(query=None)
