"""What a page saves is what Python saves without a browser, for every view and in its states."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from bertviz import HeadView, ModelView, NeuronView
from bertviz.trace import AttentionTrace
from bertviz.views.view import View
from bertviz.web import figures
from tests.browser.opened import Opened

TOKENS = ["[CLS]", "the", "straw", "##berry", "sat", "[SEP]"]
QUERIES, KEYS = np.random.default_rng(0).normal(size=(2, 2, 3, 6, 8)) * 1.5
TRACE = AttentionTrace.from_arrays(TOKENS, queries=QUERIES, keys=KEYS, sentence_b_start=3)


def page_svg(opened: Opened) -> str:
    return str(opened.host.evaluate("host => host.bertviz.svg()"))


@pytest.mark.parametrize(
    ("cls", "state"),
    [
        (HeadView, {"mode": "matrix", "query": 1, "key": 2, "locked": True}),
        (HeadView, {"words": True, "hide": "special", "combine": "sum", "mass": 0.5}),
        (ModelView, {}),
        (ModelView, {"measure": "entropy", "sorted": True}),
        (ModelView, {"cell": [1, 2], "key": 3, "locked": True}),
        (NeuronView, {"query": 4, "off": [1, 5], "sort": "contribution"}),
        (NeuronView, {"detail": False, "query": 1, "also": [2], "locked": True}),
    ],
)
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_page_and_python_draw_the_same(
    page_of: Callable[..., Opened], cls: type[View], state: dict[str, Any], theme: str
) -> None:
    view = cls(TRACE, display_mode=theme)
    opened = page_of(view, width=1300)
    if state:
        opened.set(**state)
    width = int(opened.host.locator(".view").evaluate("v => v.clientWidth - 32"))
    payload = {**view._payload, "state": state}
    assert page_svg(opened) == figures.svg(payload, usual=width)
    assert opened.errors == []


def test_a_head_opened_from_the_model_view_is_saved_as_such(page_of: Callable[..., Opened]) -> None:
    opened = page_of(ModelView(TRACE))
    opened.set(cell=[1, 2])
    opened.host.locator('button[data-action="head-view"]').click()
    opened.settled(mode="lines")
    with opened.page.expect_download() as saved:
        opened.host.locator('button[data-action="svg"]').click()
    assert saved.value.suggested_filename == "head_view.svg"
    text = saved.value.path().read_text("utf-8")
    assert "<title>Head view. Layer 1, head 2: " in text
