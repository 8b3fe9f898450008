"""View objects survive what caches and other processes do with objects."""

from __future__ import annotations

import copy
import json
import pickle
from collections.abc import Callable

import pytest
import torch

from bertviz import AttentionTrace, HeadView, ModelView, NeuronView
from bertviz.views.view import View
from tests.helpers import Difference, weights
from tests.views.texts import TOKENS, state

VIEWS = [HeadView, ModelView, NeuronView]
COPIES: dict[str, Callable[[View], View]] = {
    "copy": copy.copy,
    "deepcopy": copy.deepcopy,
    "pickle": lambda view: pickle.loads(pickle.dumps(view)),
}


def traces_can_be_pickled() -> bool:
    try:
        pickle.dumps(AttentionTrace.from_arrays(TOKENS, weights(tokens=3)))
    except TypeError:
        return False
    return True


@pytest.mark.skipif(not traces_can_be_pickled(), reason="a trace holds a read-only mapping")
@pytest.mark.parametrize("way", COPIES)
@pytest.mark.parametrize("cls", VIEWS)
def test_copies_are_the_same_view(trace: AttentionTrace, cls: type[View], way: str) -> None:
    view = cls(trace, include_layers=[1, 2], display_mode="dark")  # type: ignore[call-arg]
    again = COPIES[way](view)
    assert type(again) is cls
    assert again._payload == view._payload
    assert repr(again) == repr(view)
    assert len(again.data) == len(view.data)
    name = next(iter(trace.blocks))
    torch.testing.assert_close(
        again.trace.blocks[name].layers[1].weights(), trace.blocks[name].layers[1].weights()
    )


def test_a_copy_shows_the_same_trace(trace: AttentionTrace) -> None:
    view = HeadView(trace, layer=2, heads=[1])
    again = copy.copy(view)
    assert again.trace is trace
    assert state(again) == state(view)


@pytest.mark.parametrize("cls", VIEWS)
def test_a_payload_is_plain_data(trace: AttentionTrace, cls: type[View]) -> None:
    payload = cls(trace)._payload  # type: ignore[call-arg, arg-type]
    assert pickle.loads(pickle.dumps(payload)) == copy.deepcopy(payload) == payload
    assert json.loads(json.dumps(payload)) == payload
    compared = HeadView(Difference(trace, trace))._payload  # type: ignore[arg-type]
    assert json.loads(json.dumps(compared)) == compared
