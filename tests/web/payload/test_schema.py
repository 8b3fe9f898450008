"""A payload is JSON of one version, the same each time."""

from __future__ import annotations

import json

import pytest

from bertviz.web import payload
from tests.helpers import decoded
from tests.web.payload.traces import weights_trace


def test_a_payload_is_json_and_the_same_each_time() -> None:
    trace = weights_trace(30, 2.0)
    first, second = (json.dumps(payload.build(trace, "head"), allow_nan=False) for _ in range(2))
    assert first == second


def test_the_other_version_is_refused_by_the_page() -> None:
    data = payload.build(weights_trace(3, 1.0), "head") | {"version": 99}
    with pytest.raises(
        AssertionError, match="has version 99 of the data, but its script reads version 1"
    ):
        decoded(data)
