"""What the save buttons give, and what they say when there is nothing to give."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from playwright.sync_api import expect

from bertviz.web import figures
from tests.browser.opened import Opened
from tests.helpers import TOKENS, a_head_view, weights


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_saved_is_what_is_shown(page_of: Callable[..., Opened], theme: str) -> None:
    view = a_head_view(weights(), TOKENS, sentence_b_start=4, display_mode=theme)
    opened = page_of(view)
    opened.set(query=2, heads=[1, 3], locked=True)
    with opened.page.expect_download() as svg:
        opened.host.locator('button[data-action="svg"]').click()
    assert svg.value.suggested_filename == "head_view.svg"
    saved = svg.value.path().read_text("utf-8")
    payload = {**view._payload, "state": {"query": 2, "heads": [1, 3], "locked": True}}
    width = opened.host.locator(".view").evaluate("v => v.clientWidth - 32")
    assert saved == figures.svg(payload, usual=width), "the same figure as without a browser"
    with opened.page.expect_download() as png:
        opened.host.locator('button[data-action="png"]').click()
    assert png.value.path().read_bytes().startswith(b"\x89PNG")
    assert opened.errors == []
    assert opened.requests == []


def test_what_cannot_be_saved_is_said(page_of: Callable[..., Opened]) -> None:
    n = 700
    opened = page_of(a_head_view(np.full((1, 1, n, n), 1 / n), [f"t{i}" for i in range(n)]))
    opened.host.locator('button[data-action="png"]').click()
    said = opened.host.locator(".save [role=alert]")
    expect(said).to_contain_text("Not saved: the picture is too large for a PNG. Select a window")
    opened.set(zoom=[0, 20, 0, 20])
    with opened.page.expect_download() as png:
        opened.host.locator('button[data-action="png"]').click()
    assert png.value.suggested_filename == "head_view.png"
    expect(said).to_have_text("")
