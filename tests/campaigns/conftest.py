"""Campaigns: attacks with random material, short in `make test`, long in `make soak`.

Each campaign attacks one promise many times and asserts that nothing got through. `rounds` says
how many times; `random` is seeded by `BERTVIZ_SEED`, and the seed is part of every failure.
"""

from __future__ import annotations

import os
from collections.abc import Callable

import numpy as np
import pytest


@pytest.fixture(scope="session")
def rounds() -> Callable[[int, int], int]:
    """How many rounds: few in `make test`, many in `make soak`."""
    soaking = bool(os.environ.get("BERTVIZ_SOAK"))
    return lambda few, many: many if soaking else few


@pytest.fixture
def seed() -> int:
    """The seed of the campaign: BERTVIZ_SEED, or 0."""
    return int(os.environ.get("BERTVIZ_SEED", "0"))


@pytest.fixture
def random(seed: int) -> np.random.Generator:
    """Random material, the same for the same seed."""
    return np.random.default_rng(seed)
