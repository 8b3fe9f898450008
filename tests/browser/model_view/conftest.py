"""A model view of three layers and four heads."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.browser.opened import Opened
from tests.helpers import TOKENS, a_model_view, weights


@pytest.fixture
def opened(page_of: Callable[..., Opened]) -> Opened:
    return page_of(a_model_view(weights(), TOKENS, sentence_b_start=4), width=1100)
