"""The neuron view in a real browser: its columns add up, and answer mouse and keyboard."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import expect

from bertviz import AttentionTrace, NeuronView, explain_head, extract
from tests.browser.opened import Opened
from tests.helpers import a_neuron_view
from tests.models import batch_of

TOKENS = ["[CLS]", "the", "cat", "sat", "[SEP]"]
VECTORS = np.random.default_rng(0).normal(size=(2, 2, 3, 5, 8)) * 1.5


@pytest.fixture
def opened(page_of: Callable[..., Opened]) -> Opened:
    view = a_neuron_view(queries=VECTORS[0], keys=VECTORS[1], tokens=TOKENS, layer=1, head=2)
    return page_of(view)


def expected(layer: int, head: int, query: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    products = VECTORS[0, layer, head, query] * VECTORS[1, layer, head] / np.sqrt(8)
    scores = products.sum(-1)
    exps = np.exp(scores)
    return products, scores, exps / exps.sum()


def check_columns(opened: Opened, layer: int, head: int, query: int) -> None:
    columns = opened.scene("scene.columns")
    products, scores, weights = expected(layer, head, query)
    np.testing.assert_allclose(columns["products"], products.ravel(), atol=1e-5)
    np.testing.assert_allclose(columns["scores"], scores, atol=1e-5)
    np.testing.assert_allclose(columns["weights"], weights, atol=1e-6)
    np.testing.assert_allclose(columns["queries"], VECTORS[0, layer, head].ravel(), atol=1e-6)
    np.testing.assert_allclose(columns["keys"], VECTORS[1, layer, head].ravel(), atol=1e-6)


def test_it_starts_open_with_a_token_selected(opened: Opened) -> None:
    drawn = opened.drawn()
    assert (drawn["layer"], drawn["heads"], drawn["detail"]) == (1, [2], True)
    assert drawn["query"] == 2
    assert opened.scene("scene.shape") == {"query": 5, "key": 5, "headDim": 8}
    check_columns(opened, 1, 2, 2)
    text = opened.text()
    for word in ("query q", "key k", "q × k", "score", "softmax", "not checked"):
        assert word in text
    assert opened.errors == []


def test_the_numbers_beside_the_bars_are_the_weights(opened: Opened) -> None:
    shown = opened.host.locator(".numbers span").all_inner_texts()
    _, scores, weights = expected(1, 2, 2)
    for weight in weights:
        assert f"{weight:.2f}" in shown
    for score in scores:
        number = f"{score:+.1f}".replace("-", "−")
        assert number in shown or abs(score) < 0.05


def test_hover_and_click_a_query(opened: Opened) -> None:
    opened.token("query", 4).hover()
    opened.settled(query=4, locked=False)
    check_columns(opened, 1, 2, 4)
    opened.token("query", 1).click()
    opened.settled(query=1, locked=True)
    opened.token("query", 3).hover()
    opened.quiet()
    assert opened.drawn()["query"] == 1
    opened.page.keyboard.press("Escape")
    assert opened.settled(locked=False)["query"] is not None, "open columns always have a query"


def test_plus_and_minus(opened: Opened) -> None:
    button = opened.host.locator('button[data-action="detail"]')
    expect(button).to_be_visible()
    button.click()
    opened.settled(detail=False)
    opened.token("query", 0).hover()
    opened.settled(query=0)
    edges = opened.host.evaluate(
        "h => h.shadowRoot.querySelectorAll('.closed [data-token]').length"
    )
    assert edges == 10
    button.click()
    opened.settled(detail=True)
    button.focus()
    opened.page.keyboard.press("Enter")
    opened.settled(detail=False)


def test_layer_and_head(opened: Opened) -> None:
    opened.host.locator('select[name="layer"]').select_option("0")
    opened.settled(layer=0)
    opened.host.locator('select[name="head"]').select_option("1")
    opened.settled(heads=[1])
    check_columns(opened, 0, 1, opened.drawn()["query"])


def test_a_neuron_says_its_number_and_value(opened: Opened) -> None:
    pane = opened.host.locator(".open .pane canvas").nth(0)
    box = pane.bounding_box()
    assert box is not None
    q = opened.token("query", 3).bounding_box()
    assert q is not None
    # Across the stripes of the row until the tooltip names the last neuron of q.
    found = set()
    for x in range(int(q["x"] + q["width"] + 4), int(box["x"] + box["width"]), 4):
        opened.page.mouse.move(x, q["y"] + 12)
        text = opened.host.evaluate(
            "h => h.shadowRoot.querySelector('.tooltip:not([hidden])')?.textContent ?? ''"
        )
        if text.startswith("neuron"):
            found.add("\n".join(text.split("\n")[:2]))
    for neuron in range(8):
        value = f"{VECTORS[0, 1, 2, 3, neuron]:+.4f}".replace("-", "−")
        assert f"neuron {neuron} of sat\nq = {value}" in found


def less(query: int, off: list[int]) -> np.ndarray:
    """The weights of layer 1, head 2 without some neurons."""
    products = VECTORS[0, 1, 2, query] * VECTORS[1, 1, 2] / np.sqrt(8)
    exps = np.exp(np.delete(products, off, axis=1).sum(-1))
    return exps / exps.sum()


def test_what_if(opened: Opened) -> None:
    """Neurons are switched by the mouse, and scores and softmax form anew beside the true ones."""
    box = opened.host.locator(".open .pane canvas").nth(0).bounding_box()
    q = opened.token("query", 0).bounding_box()
    key = opened.token("key", 3).bounding_box()
    assert box is not None
    assert q is not None
    assert key is not None
    opened.page.mouse.click(q["x"] + q["width"] + 20, key["y"] + 12)
    off = opened.host.evaluate("h => h.bertviz.state.off")
    assert len(off) == 1
    opened.settled(off=off)
    assert opened.drawn()["query"] == 2, "a click on a neuron selects no other token"
    expected = less(2, off)
    np.testing.assert_allclose(opened.scene("scene.whatIf.weights"), expected, atol=1e-5)
    check_columns(opened, 1, 2, 2)
    shown = opened.host.locator(".numbers span").all_inner_texts()
    for weight in expected:
        assert f"{weight:.2f}" in shown
    assert f"Without neuron {off[0]}, " in opened.text()
    opened.page.mouse.click(q["x"] + q["width"] + 20, key["y"] + 12)
    opened.settled(off=[])
    assert opened.scene("scene.whatIf") is None


def test_keep_the_top_and_sort(opened: Opened) -> None:
    opened.host.locator('input[name="top"]').fill("2")
    opened.wait_for("document.querySelector('.bertviz').bertviz.state.off.length === 6")
    products = VECTORS[0, 1, 2, 2] * VECTORS[1, 1, 2] / np.sqrt(8)
    weights = expected(1, 2, 2)[2]
    contribution = (weights[:, None] * (products - products.mean(0))).sum(0)
    np.testing.assert_allclose(opened.scene("scene.contribution"), contribution, atol=1e-5)
    kept = sorted(np.argsort(-contribution)[:2].tolist())
    off = [n for n in range(8) if n not in kept]
    assert opened.host.evaluate("h => h.bertviz.state.off") == off
    np.testing.assert_allclose(opened.scene("scene.whatIf.weights"), less(2, off), atol=1e-5)
    opened.host.locator('select[name="sort"]').select_option("contribution")
    opened.settled(sort="contribution")
    assert opened.scene("scene.order") == np.argsort(-contribution, kind="stable").tolist()
    check_columns(opened, 1, 2, 2)  # in the model's order, whatever the sorting
    assert "What if: only" in opened.text()
    assert "the strongest 2 of 8" in opened.text()
    opened.host.locator('input[name="top"]').fill("8")
    opened.settled(off=[])
    weakest = int(np.argmin(contribution))
    opened.set(off=[int(np.argmax(contribution))])
    expect(opened.host.locator(".range").first).to_contain_text("7 of 8")
    assert "the strongest" not in opened.text()
    opened.set(off=[weakest])
    expect(opened.host.locator(".range").first).to_contain_text("the strongest 7 of 8")
    opened.host.locator('button[data-action="reset"]').click()
    opened.settled(off=[])
    opened.set(off=[1])
    opened.host.locator('select[name="head"]').select_option("0")
    opened.settled(heads=[0], off=[])


def test_before_and_after_stand_beside_the_bars(opened: Opened) -> None:
    opened.set(off=[0, 1, 2, 3, 5])
    before, after = expected(1, 2, 2)[2], less(2, [0, 1, 2, 3, 5])
    pairs = [(f"{a:.2f}", f"{b:.2f}") for a, b in zip(before, after, strict=True)]
    changed = [pair for pair in pairs if pair[0] != pair[1]]
    assert changed
    shown = {
        half: opened.host.locator(f".number.{half}").all_inner_texts()
        for half in ("before", "after")
    }
    for a, b in changed:
        assert a in shown["before"]
        assert b in shown["after"]
    for a, b in pairs:
        assert a == b or (a, b) in zip(shown["before"], shown["after"], strict=True)


def test_a_pair_step_by_step(opened: Opened) -> None:
    def steps() -> dict[str, str]:
        found = opened.host.locator("[data-step]").evaluate_all(
            "all => all.map((e) => [e.dataset.step, e.querySelector('b').textContent])"
        )
        return dict(found)

    products, scores, weights = expected(1, 2, 2)
    panel = opened.host.locator('[data-part="steps"]')
    best = int(weights.argmax())
    expect(panel).to_contain_text(f"How “{TOKENS[2]}” comes to look at “{TOKENS[best]}”")
    assert steps()["score"] == f"{scores[best]:+.4f}".replace("-", "−")
    assert steps()["distance"] == "0"
    other = int(weights.argmin())
    opened.token("key", other).click()
    opened.settled(key=other, query=2, locked=True)
    sizes = np.exp(scores - scores.max())
    assert steps()["size"] == f"{sizes[other]:.3f}"
    assert steps()["weight"] == f"{weights[other]:.3f}"
    expect(panel).to_contain_text(f"sum of these, {sizes.sum():.3f}")
    # The bars begin where the one before ends, and are as high as the products say.
    bars = panel.locator("rect").evaluate_all(
        "all => all.map((e) => [+e.getAttribute('y'), +e.getAttribute('height')])"
    )
    ends = np.concatenate([[0], products[other].cumsum()])
    scale = 84 / (ends.max() - ends.min())
    for (y, height), a, b in zip(bars, ends[:-1], ends[1:], strict=True):
        assert abs(height - max(0.75, scale * abs(b - a))) < 0.01
        assert abs(y - (4 + scale * (ends.max() - max(a, b)))) < 0.01
    # At another temperature all take part, and the model's own numbers stay.
    slider = opened.host.locator('input[name="temperature"]')
    slider.focus()
    for _ in range(8):
        opened.page.keyboard.press("ArrowRight")
    opened.wait_for("document.querySelector('.bertviz').bertviz.state.temperature === 2")
    opened.quiet()
    warm = np.exp(scores / 2) / np.exp(scores / 2).sum()
    np.testing.assert_allclose(opened.scene("scene.whatIf.weights"), warm, atol=1e-6)
    np.testing.assert_allclose(opened.scene("scene.columns.weights"), weights, atol=1e-6)
    assert steps()["weight"] == f"{warm[other]:.3f}"
    expect(panel).to_contain_text(f"model {weights[other]:.3f}")
    assert "At temperature 2, " in opened.text()
    opened.set(off=[4], temperature=0.5)
    left = scores - products[:, 4]
    cold = np.exp(2 * left) / np.exp(2 * left).sum()
    np.testing.assert_allclose(opened.scene("scene.whatIf.weights"), cold, atol=1e-5)
    assert "Without neuron 4, at temperature 0.5, " in opened.text()
    assert opened.errors == []


def test_an_explanation_is_shown_and_sorts(page_of: Callable[..., Opened]) -> None:
    trace = AttentionTrace.from_arrays(TOKENS, queries=VECTORS[0], keys=VECTORS[1])
    explanation = explain_head(trace, 1, 2, "previous token")
    opened = page_of(NeuronView(trace, explanation=explanation), width=1200)
    assert opened.settled(sort="explanation")["heads"] == [2]
    values = np.array(explanation.contributions)
    np.testing.assert_allclose(opened.scene("scene.contribution"), values, atol=1e-6)
    assert opened.scene("scene.order") == np.argsort(-values, kind="stable").tolist()
    assert "contribution to previous token" in opened.text()
    # The bars above the products are as long as the numbers say, the largest first.
    strip = opened.host.locator("canvas.strip")
    heights = strip.evaluate(
        """(canvas) => {
             const {width, height} = canvas;
             const {data} = canvas.getContext("2d").getImageData(0, 0, width, height);
             return Array.from({length: 8}, (_, i) => {
               const x = Math.floor(((i + 0.4) * width) / 8);
               let n = 0;
               for (let y = 0; y < height; y++) n += data[4 * (y * width + x) + 3] > 200;
               return n;
             });
           }"""
    )
    largest = np.sort(values)[::-1]
    expected_heights = 8 * np.abs(largest) / np.abs(values).max()
    np.testing.assert_allclose(heights, expected_heights, atol=1.6)
    opened.host.locator('input[name="top"]').fill("2")
    kept = np.argsort(-values)[:2]
    opened.settled(off=sorted(set(range(8)) - set(kept.tolist())))
    opened.host.locator('select[name="head"]').select_option("0")
    assert opened.settled(heads=[0])["sort"] == "contribution", "it is of one head"
    assert "contribution to this row" in opened.text()


def test_a_bias_has_a_column_and_a_mask_is_said(
    page_of: Callable[..., Opened], build: Callable[..., Any]
) -> None:
    t5 = page_of(NeuronView(extract(build("t5"), inputs=batch_of("t5"), batch_index=0)))
    assert "bias" in t5.host.locator(".headings").first.inner_text()
    columns = t5.scene("scene.columns")
    products = np.array(columns["products"]).reshape(-1, 8).sum(-1)
    np.testing.assert_allclose(products + columns["bias"], columns["scores"], rtol=1e-4, atol=1e-4)
    gpt2 = page_of(NeuronView(extract(build("gpt2"), inputs=batch_of("gpt2"), batch_index=0)))
    gpt2.set(query=1)
    assert gpt2.host.locator(".numbers span").all_inner_texts().count("masked") == 7
    assert gpt2.host.locator('[data-token="query"]').count() == 9
    llama = page_of(NeuronView(extract(build("llama"), inputs=batch_of("llama"), batch_index=0)))
    assert "shared by heads 0–1" in llama.text()


def test_a_long_text(page_of: Callable[..., Opened]) -> None:
    vectors = np.random.default_rng(1).normal(size=(1, 1, 512, 64))
    opened = page_of(a_neuron_view(queries=vectors, keys=vectors), width=1300)
    opened.token("query", opened.drawn()["query"]).scroll_into_view_if_needed()
    opened.set(query=500, locked=True)
    assert opened.host.locator("[data-token]").count() < 200
    weights = np.array(opened.scene("scene.columns.weights"))
    assert abs(weights.sum() - 1) < 1e-4
    assert opened.errors == []


def test_terms_explain_themselves(opened: Opened) -> None:
    """By keyboard and by mouse; Escape closes the sentence and keeps what is selected."""
    tooltip = opened.host.locator(".tooltip")
    softmax = opened.host.locator('.open button[data-term="softmax"]')
    softmax.focus()
    expect(tooltip).to_contain_text("divided by their sum")
    expect(softmax).to_have_accessible_description(tooltip.inner_text())
    opened.page.keyboard.press("Escape")
    expect(tooltip).to_be_hidden()
    assert opened.drawn()["query"] == 2
    opened.host.locator('.open button[data-term="score"]').hover()
    expect(tooltip).to_contain_text("before softmax")
    opened.token("query", 2).hover()
    expect(tooltip).not_to_contain_text("before softmax")
    # A tap ends in a click.
    opened.host.locator('.open button[data-term="key"]').dispatch_event("click")
    expect(tooltip).to_contain_text("by which a token is found")
