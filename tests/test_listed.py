"""Small objects that claim to hold more numbers than could ever be read."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
import torch

from bertviz import AttentionTrace, explain_head, extract, find_patterns
from bertviz.listed import MOST_LISTED, refuse_endless
from bertviz.util import format_attention, num_layers


class Long(Sequence[int]):
    """A sequence that would take minutes to read."""

    def __len__(self) -> int:
        return 10**9

    def __getitem__(self, index: Any) -> int:
        return 0


class Fails(Long):
    """A sequence that cannot be read."""

    def __len__(self) -> int:
        return 3

    def __getitem__(self, index: Any) -> int:
        raise OSError("gone")


LONG = [range(10**12), Long(), [range(10**12)], [[Long()] * 2], [[0, 1], Long()], ((Long(),),)]


@pytest.mark.parametrize("value", LONG, ids=range(len(LONG)))
def test_nobody_begins_to_read(value: Any, build: Callable[..., Any]) -> None:
    model = build("bert")
    ids = {"input_ids": torch.tensor([[1, 2]])}
    vectors = torch.eye(2)[None, None]
    trace = AttentionTrace.from_arrays(["a", "b"], queries=vectors, keys=vectors)
    with pytest.raises((ValueError, TypeError), match="weights"):
        AttentionTrace.from_arrays(["a", "b"], value)
    with pytest.raises((ValueError, TypeError), match="attention_mask"):
        AttentionTrace.from_arrays(["a", "b"], vectors, attention_mask=value)
    for name in ("input_ids", "attention_mask") if isinstance(value, list) else ():
        with pytest.raises((ValueError, TypeError), match=name):
            extract(model, inputs=ids | {name: value})
    with pytest.raises((ValueError, TypeError), match="cells"):
        explain_head(trace, 0, 0, cells=value)
    with pytest.raises((ValueError, TypeError), match="mine"):
        find_patterns(trace, patterns={"mine": lambda tokens: value})
    for function in (format_attention, num_layers):
        with pytest.raises((ValueError, TypeError), match="attention"):
            function(value)


def test_what_can_be_read_is_left_to_those_who_read_it() -> None:
    for value in ([], [[]], [[1, 2], [3]], "x" * 10**6, {"a": 1}, 3, None, Fails(), torch.eye(2)):
        refuse_endless("weights", value)
    refuse_endless("weights", range(MOST_LISTED))
    with pytest.raises(ValueError, match="134,217,729 numbers or more"):
        refuse_endless("weights", range(MOST_LISTED + 1))
    held: list[Any] = []
    held.append(held)
    refuse_endless("weights", held)


WIDE = 2 * MOST_LISTED


class Lazy:
    """An array that is made when it is asked for, such as a data set in a file."""

    shape = (WIDE,)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        return np.zeros(WIDE, np.int8)

    def __getitem__(self, index: Any) -> Any:
        raise AssertionError("read item by item")


class Claims(Long):
    """No array, although it has a shape: it would be read item by item."""

    shape = (3, 3)


ARRAYS = {
    "numpy": np.broadcast_to(np.int8(0), WIDE),
    "torch": torch.empty(1).expand(WIDE),
    "lazy": Lazy(),
    "memory": memoryview(bytearray(1)),
}


@pytest.mark.parametrize("kind", ARRAYS)
def test_an_array_may_be_of_any_size(kind: str) -> None:
    value = ARRAYS[kind]
    for given in (value, [value], [[value, value], [value]]):
        refuse_endless("weights", given)
    with pytest.raises(ValueError, match="numbers or more"):
        refuse_endless("weights", [value, range(MOST_LISTED)])


def test_a_shape_alone_makes_no_array() -> None:
    for given in (Claims(), [Claims()]):
        with pytest.raises(ValueError, match="1,000,000,000 numbers or more"):
            refuse_endless("weights", given)
