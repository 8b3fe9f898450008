"""The difference of two traces, cell by cell and as thumbnails."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from playwright.sync_api import expect

from bertviz import AttentionTrace, ModelView
from tests.browser.model_view.cells import cell
from tests.browser.opened import Opened
from tests.helpers import TOKENS, Difference, weights


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
