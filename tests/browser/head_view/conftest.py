"""A head view of three layers and two sentences."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.browser.opened import Opened
from tests.helpers import TOKENS, a_head_view, weights


@pytest.fixture
def opened(page_of: Callable[..., Opened]) -> Opened:
    return page_of(a_head_view(weights(), TOKENS, sentence_b_start=4))
