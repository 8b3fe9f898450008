"""Another view on the page, hostile tokens, and output of another version."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import expect

from tests.browser.opened import Opened
from tests.helpers import TOKENS, a_head_view, weights


def test_two_views_are_independent(page_of: Callable[..., Opened]) -> None:
    view = a_head_view(weights(), TOKENS)
    opened = page_of(view, view)
    first, second = opened.page.locator(".bertviz").nth(0), opened.page.locator(".bertviz").nth(1)
    before = opened.drawn(second)
    opened.set(first, layer=1, heads=[3], query=2, locked=True)
    assert opened.drawn(second) == before
    second.locator('[data-token="query"][data-index="1"]').click()
    opened.settled(second, query=1, locked=True)
    opened.page.keyboard.press("Escape")
    opened.settled(second, query=None)
    assert opened.drawn(first)["query"] == 2


def test_hostile_tokens_are_text(page_of: Callable[..., Opened]) -> None:
    tokens = ["</script>", "<img src=x onerror=alert(1)>", "<!--", "\u202e", "\ud800"]
    opened = page_of(a_head_view(weights(1, 1, 5), tokens))
    for index, token in enumerate(tokens[:3]):
        expect(opened.token("query", index)).to_have_text(token)
    assert opened.errors == []
    assert opened.requests == []


def test_an_error_is_a_sentence(page_of: Callable[..., Opened]) -> None:
    fragment = a_head_view(weights(), TOKENS).data.replace('"version":1', '"version":99')
    opened = page_of(fragment)
    expect(opened.host).to_have_attribute("data-state", "error")
    text = opened.host.locator("[role=alert]").inner_text()
    assert text.startswith("The head view could not be drawn: This output has version 99")
