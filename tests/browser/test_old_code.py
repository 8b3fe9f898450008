"""What old code gets, in a browser: the views are drawn, also where one HTML is used twice."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.browser.opened import Opened
from tests.campaigns.old_modules import PAIR
from tests.campaigns.old_views import BERT, VIEWS

RETURNED = {
    "by position": BERT + "view = head_view(attention, tokens, sentence_b_start, True, 2, [3, 5], "
    "html_action='return')",
    "empty choices": BERT + "view = model_view(attention, tokens, include_layers=[], "
    "include_heads=[], display_mode=None, html_action='return')",
    "show": PAIR + "view = show(model, model_type, tokenizer, sentence_a, sentence_b, layer=2, "
    "head=0, html_action='return')",
    "generate in parts": VIEWS["generate in parts"].code.replace(
        "model_view(", "view = model_view(html_action='return', "
    ),
    "letters": (
        "import torch\nfrom bertviz import head_view\n"
        "attention = [torch.softmax(torch.randn(1, 2, 8, 8), -1)]\n"
        "view = head_view(attention, 'MKTAYIAK', html_action='return')"
    ),
}


@pytest.fixture
def view_of(hub: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Any]:
    """Run old code, which makes a ``view``."""
    monkeypatch.chdir(hub)

    def run(code: str) -> Any:
        names: dict[str, Any] = {}
        exec(code, names)
        return names["view"]

    return run


@pytest.mark.parametrize("name", RETURNED)
def test_it_is_drawn(
    name: str, view_of: Callable[[str], Any], page_of: Callable[..., Opened]
) -> None:
    opened = page_of(view_of(RETURNED[name]))
    opened.ready()
    assert opened.errors == []


def test_one_html_twice_in_a_page(
    view_of: Callable[[str], Any], page_of: Callable[..., Opened]
) -> None:
    """``data`` stays the same, so a page may hold it twice: each copy draws itself."""
    html = view_of(RETURNED["by position"]).data
    opened = page_of(html, html)
    opened.ready(2)
    hosts = opened.page.locator(".bertviz")
    first, second = (hosts.nth(n).locator("[data-token=query]").count() for n in (0, 1))
    assert first == second > 0


def test_data_that_was_set_is_drawn(
    view_of: Callable[[str], Any], page_of: Callable[..., Opened]
) -> None:
    view = view_of(RETURNED["by position"])
    view.data = f"<h1>A heading</h1>{view.data}"
    opened = page_of(view._repr_html_())
    opened.ready()
    assert opened.page.locator("h1").inner_text() == "A heading"
