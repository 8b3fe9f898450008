"""Each door accepts all forms that mean the same, and refuses everything else by name."""

from __future__ import annotations

import itertools
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
import torch

from bertviz.arguments import (
    as_choice,
    as_flag,
    as_index,
    as_indices,
    as_items,
    as_number,
    offers,
)
from bertviz.errors import short


class Raises:
    """Whatever it is asked, it raises."""

    def _raise(self, *_: Any) -> Any:
        raise RuntimeError("inside")

    __repr__ = __len__ = __iter__ = __index__ = __float__ = __fspath__ = _raise  # type: ignore[assignment]
    __getattr__ = _raise


@pytest.mark.parametrize("value", [2, np.int64(2), np.uint8(2), np.array(2), torch.tensor(2)])
def test_whatever_is_an_integer_becomes_an_int(value: Any) -> None:
    found = as_index("layer", value, "layer")
    assert (found, type(found)) == (2, int)
    assert as_indices("heads", [value], "head") == [2]


@pytest.mark.parametrize(
    "value",
    [
        *(None, True, np.bool_(True), torch.tensor(True), 1.5, 2.0, float("nan"), "2", b"2", 1j),
        *([2], {2}, object(), Raises(), np.array([1, 2]), torch.tensor(0.5), np.float32(2)),
        *(torch.tensor(2, device="meta"), np.datetime64("2020"), int),
    ],
    ids=lambda value: type(value).__name__,
)
def test_whatever_is_none_is_named(value: Any) -> None:
    with pytest.raises(TypeError, match=r"^layer=.* is an? \w+: expected a layer number"):
        as_index("layer", value, "layer")


@pytest.mark.parametrize("value", [10**30, -(10**400), 10**5000], ids=["30", "400", "5000"])
def test_numbers_beyond_anything_are_out_of_range(value: int) -> None:
    with pytest.raises(ValueError, match=r"^window=.* is out of range: expected an integer"):
        as_index("window", value)
    with pytest.raises(ValueError, match=r"^heads holds .*, which is out of range"):
        as_indices("heads", [0, value], "head")


@pytest.mark.parametrize(
    "value", [0.5, np.float32(0.5), np.array(0.5), torch.tensor(0.5), Fraction(1, 2)]
)
def test_whatever_is_a_number_becomes_a_float(value: Any) -> None:
    found = as_number("scaling", value)
    assert (found, type(found)) == (0.5, float)


@pytest.mark.parametrize(
    ("value", "error", "message"),
    [
        ("0.5", TypeError, "scaling='0.5' is a str: expected a number"),
        (True, TypeError, "scaling=True is a bool"),
        (np.bool_(True), TypeError, "scaling=.*True.* is a bool"),
        (None, TypeError, "scaling=None is a NoneType"),
        (np.array([0.5]), TypeError, r"scaling=array\(\[0.5\]\) is a ndarray"),
        (1j, TypeError, "scaling=1j is a complex"),
        (Raises(), TypeError, "scaling=<a Raises> is a Raises"),
        (float("nan"), ValueError, "scaling=nan is not finite"),
        (np.float16("inf"), ValueError, "is not finite"),
        (10**400, ValueError, "scaling=10000.* is not finite"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_whatever_is_no_number_is_named(value: Any, error: Any, message: str) -> None:
    with pytest.raises(error, match=message):
        as_number("scaling", value)


@pytest.mark.parametrize(
    "value", [("a", "b"), iter("ab"), np.array(["a", "b"]), {0: "a", 1: "b"}.values()]
)
def test_whatever_has_an_order_is_read(value: Any) -> None:
    assert as_items("tokens", value, "expected a list") == ["a", "b"]


@pytest.mark.parametrize(
    ("value", "error", "message"),
    [
        ({"a", "b"}, TypeError, "tokens is a set, which has no order: expected a list"),
        ({"a": 1}, TypeError, "is a dict: expected a list"),
        ("ab", TypeError, "tokens='ab' is a str"),
        (3, TypeError, "tokens=3 is an int"),
        (np.array(3), TypeError, r"tokens=array\(3\) is a ndarray"),
        (torch.tensor(3), TypeError, "is a Tensor"),
        (Raises(), TypeError, r"is a Raises that cannot be read \(RuntimeError\('inside'\)\)"),
        (itertools.count(), ValueError, "tokens holds more than 1,000,000 items"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_whatever_has_none_is_named(value: Any, error: Any, message: str) -> None:
    with pytest.raises(error, match=message):
        as_items("tokens", value, "expected a list")


def test_flags_and_choices() -> None:
    assert as_flag("verify", np.bool_(False)) is False
    for value in (0, "yes", None, np.array(True), torch.tensor(True), Raises()):
        with pytest.raises(TypeError, match=r"verify=.*: expected True or False"):
            as_flag("verify", value)
    assert type(as_choice("mode", np.str_("a"), ["a", "b"])) is str
    with pytest.raises(ValueError, match=r"mode='c' is unknown: expected 'a' or 'b'\."):
        as_choice("mode", "c", ["a", "b"])
    for value in (None, 0, ["a"], np.array(["a", "b"]), Raises()):
        with pytest.raises(TypeError, match=r"mode=.*: expected 'a' or 'b'\."):
            as_choice("mode", value, ["a", "b"])


def test_errors_can_write_anything() -> None:
    assert short(Raises()) == "<a Raises>"
    assert short(10**5000) == "<an int>"
    assert short(np.zeros((2, 2))) == "array([[0., 0.], [0., 0.]])"
    assert not offers(Raises(), "shape")
