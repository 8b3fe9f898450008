"""Light and dark: the page's theme, unless one is asked for."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.browser.opened import Opened
from tests.helpers import TOKENS, a_head_view, weights


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_theme_is_that_of_the_page(page_of: Callable[..., Opened], theme: str) -> None:
    opened = page_of(a_head_view(weights(), TOKENS), theme=theme)
    assert opened.host.locator(".view").get_attribute("data-theme") == theme
    other = "light" if theme == "dark" else "dark"
    opened.page.emulate_media(color_scheme=other)
    opened.host.locator(f".view[data-theme={other}]").wait_for()


def test_a_theme_that_is_asked_for_stays(page_of: Callable[..., Opened]) -> None:
    opened = page_of(a_head_view(weights(), TOKENS, display_mode="dark"), theme="light")
    assert opened.host.locator(".view").get_attribute("data-theme") == "dark"
