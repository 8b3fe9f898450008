"""Two traces of the same tokens."""

from __future__ import annotations

import pytest

from bertviz import AttentionTrace
from tests.analysis.comparison.traces import distributions


@pytest.fixture
def both() -> tuple[AttentionTrace, AttentionTrace]:
    tokens = ["a", "b", "c", "<d>"]
    one, other = (AttentionTrace.from_arrays(tokens, weights=distributions(x)) for x in (0, 1))
    return one, other
