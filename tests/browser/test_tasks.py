"""What readers ask, answered from what is visible by mouse and keyboard, without the page API."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Locator, expect

from bertviz import AttentionTrace, HeadView, ModelView, NeuronView, extract, find_patterns
from bertviz.demo import SENTENCE_A, SENTENCE_B, load_demo_model
from tests.browser.opened import Opened

LAYER = 2
NUMBER = r"[−+]?\d+(?:\.\d+)?"


@pytest.fixture(scope="module")
def trace() -> AttentionTrace:
    model, tokenizer = load_demo_model()
    return extract(model, tokenizer, SENTENCE_A, SENTENCE_B)


def weights(trace: AttentionTrace, layer: int = LAYER) -> np.ndarray:
    """(heads, query, key)."""
    return trace.blocks["encoder"].layers[layer].weights().numpy()


def number(text: str) -> float:
    """A number as a page writes it."""
    return float(text.replace("−", "-").replace("<", ""))


def numbers(pattern: str, text: str) -> list[float]:
    """What stands in a sentence where the pattern has an N."""
    found = re.search(pattern.replace("N", f"({NUMBER})"), text)
    assert found is not None, f"{text!r} says nothing of {pattern!r}"
    return [number(group) for group in found.groups()]


def title(opened: Opened) -> Locator:
    return opened.host.locator('[data-part="title"]')


def panel(opened: Opened) -> str:
    """The reading panel as text."""
    return opened.host.locator('[data-part="reading"]').inner_text()


def listed(opened: Opened) -> list[tuple[int, float]]:
    """Positions and numbers of "Where it looks most", as they are read."""
    text = panel(opened).partition("Where it looks most")[2]
    lines = re.findall(r"^(\d+)\n(?:.+\n)+?(<?\d\.\d\d)$", text, re.M)
    return [(int(position), number(value)) for position, value in lines]


def test_where_does_the_last_token_look(
    page_of: Callable[..., Opened], trace: AttentionTrace
) -> None:
    opened = page_of(HeadView(trace, layer=LAYER), width=1280)
    tokens = trace.blocks["encoder"].query_tokens
    opened.host.locator('[data-token="query"]').last.click()
    row = weights(trace)[:, -1].mean(0)
    best = int(row.argmax())
    expect(title(opened)).to_contain_text(f"“{tokens[-1]}” looks most at “{tokens[best]}”, ")
    (said,) = numbers("”, N$", title(opened).inner_text())
    assert abs(said - row[best]) < 0.0051
    order = np.argsort(-row)
    found = listed(opened)
    assert len(found) == 8
    for (position, value), expected in zip(found, order, strict=False):
        assert abs(row[position] - row[expected]) < 1e-4, "in this order"
        assert abs(value - row[position]) < 0.0051
    held, rest = numbers("These 8 hold N of the row, 11 others N", panel(opened))
    assert abs(held - row[order[:8]].sum()) < 0.0051
    assert abs(rest - row[order[8:]].sum()) < 0.0051


def test_which_head_is_previous_token(
    page_of: Callable[..., Opened], trace: AttentionTrace
) -> None:
    opened = page_of(ModelView(trace, measures=find_patterns(trace)), width=1280)
    choice = opened.host.get_by_label("Measure")
    choice.focus()
    opened.page.keyboard.type("previous token")
    opened.page.keyboard.press("Enter")
    expect(title(opened)).to_contain_text("Previous token: largest in layer ")
    layer, head, share = numbers(r"layer N, head N \(N\)", title(opened).inner_text())
    shares = np.array(
        [
            weights(trace, i).diagonal(-1, axis1=1, axis2=2).mean(-1)
            for i in range(len(trace.blocks["encoder"].layers))
        ]
    )
    assert (layer, head) == np.unravel_index(shares.argmax(), shares.shape)
    assert abs(share - shares.max()) < 0.0051
    # It is opened from there, and its lines go to the token before.
    opened.host.get_by_role("button", name=f"Layer {layer:.0f}, head {head:.0f}:").click()
    expect(title(opened)).to_contain_text(f"Layer {layer:.0f}, head {head:.0f}")
    opened.token("query", 3).click()
    tokens = trace.blocks["encoder"].query_tokens
    expect(title(opened)).to_contain_text(f"“{tokens[3]}” looks most at “{tokens[2]}”")


def test_how_much_goes_to_the_other_sentence(
    page_of: Callable[..., Opened], trace: AttentionTrace
) -> None:
    opened = page_of(HeadView(trace, layer=LAYER), width=1280)
    opened.host.get_by_label("Sentences").select_option(label="A→B")
    opened.host.locator('[data-token="query"]', has_text="store").first.click()
    expect(opened.host.locator('[data-part="reading"]')).to_contain_text("locked")
    block = trace.blocks["encoder"]
    assert block.key.sentences is not None
    start = block.key.sentences.index(1)
    row = weights(trace)[:, block.query_tokens.index("store")].mean(0)
    held, rest, elsewhere = numbers(
        "These 8 hold N of the row, 3 others N; N lies on tokens that are not shown", panel(opened)
    )
    assert abs(held + rest - row[start:].sum()) < 0.0101
    assert abs(elsewhere - row[:start].sum()) < 0.0051
    for position, value in listed(opened):
        assert position >= start
        assert abs(value - row[position]) < 0.0051


def test_the_second_largest_weight_of_head_seven(
    page_of: Callable[..., Opened], trace: AttentionTrace
) -> None:
    opened = page_of(HeadView(trace, layer=LAYER), width=1280)
    opened.host.get_by_role("button", name="Head 7", exact=True).click()
    expect(title(opened)).to_contain_text("head 7: ")
    words = trace.blocks["encoder"].query_tokens
    asked = words.index("bought")
    opened.token("query", 0).focus()
    for _ in range(asked):
        opened.page.keyboard.press("ArrowDown")
    expect(title(opened)).to_contain_text("“bought” looks most at")
    row = weights(trace)[7, asked]
    second = int(np.argsort(-row)[1])
    position, value = listed(opened)[1]
    assert position == second
    assert abs(value - row[second]) < 0.0051
    # With more digits under the pointer.
    opened.token("key", second).hover()
    tooltip = opened.host.locator(".tooltip")
    expect(tooltip).to_contain_text(f"bought → {words[second]}")
    (exact,) = numbers("head 7  N", tooltip.inner_text())
    assert abs(exact - row[second]) < 0.00011


def test_a_figure_as_wide_as_a_column(
    page_of: Callable[..., Opened], trace: AttentionTrace, tmp_path: Path
) -> None:
    view = HeadView(trace, layer=LAYER, heads=[7])
    opened = page_of(view, width=1280)
    opened.token("query", 5).click()
    said = title(opened)
    expect(said).to_contain_text("“store” looks most at")
    with opened.page.expect_download() as saved:
        opened.host.get_by_role("button", name="SVG").click()
    drawn = saved.value.path().read_text("utf-8")
    assert said.inner_text() in re.sub("<[^>]+>", "", drawn), "the sentence of the page"
    view.save(tmp_path / "column.pdf", query=5, locked=True, width="3.25in", font_size=8)
    box = re.search(rb"MediaBox ?\[0 0 ([\d.]+)", (tmp_path / "column.pdf").read_bytes())
    assert box is not None
    assert float(box[1]) == pytest.approx(234)


def test_softmax_explained_to_a_class(
    page_of: Callable[..., Opened], trace: AttentionTrace
) -> None:
    opened = page_of(NeuronView(trace, layer=LAYER, head=7), width=1280)
    block = trace.blocks["encoder"]
    opened.token("query", 5).click()
    opened.token("key", 15).click()
    steps = opened.host.locator('[data-part="steps"]')
    words = block.query_tokens
    expect(steps).to_contain_text(f"How “{words[5]}” comes to look at “{words[15]}”")
    text = steps.inner_text()
    score, largest, distance = numbers(r"products\s+N\s+minus the row’s largest, N\s+N\s", text)
    size, total, weight = numbers(r"exp of it\s+N\s+divided by .*, N: softmax\s+N", text)
    # What is read is consistent, and it is what the model computes.
    assert abs(score - largest - distance) < 0.06
    assert abs(np.exp(distance) - size) < 0.00051 + 0.001 * size
    assert abs(size / total - weight) < 0.0011
    scores = block.layers[LAYER].scores()[7, 5].numpy()
    assert abs(score - scores[15]) < 0.0001
    assert abs(largest - scores.max()) < 0.051
    assert abs(weight - weights(trace)[7, 5, 15]) < 0.00051
    # The column of scores beside it: softmax of what is read gives the weights that are read.
    read = opened.host.locator(".numbers span").all_inner_texts()
    columns = np.array([number(value) for value in read]).reshape(-1, 2)
    exps = np.exp(columns[:, 0])
    np.testing.assert_allclose(exps / exps.sum(), columns[:, 1], atol=0.06)
    # What softmax is, is said where it stands.
    opened.host.get_by_role("button", name="softmax").first.focus()
    expect(opened.host.locator(".tooltip")).to_contain_text("divided by their sum")
    assert opened.errors == []
