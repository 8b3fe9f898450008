"""What scripts make formulas, layers and blocks of is checked when they are made."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from bertviz.trace import AttentionBlock, Formula, LayerAttention, Tokens

QUERIES, KEYS = torch.ones(4, 3, 6), torch.ones(2, 5, 6)
MADE: dict[str, Any] = {
    "formula": Formula(QUERIES, KEYS, 0.5),
    "layer": LayerAttention(0, "", (0, 1, 2, 3), Formula(QUERIES, KEYS, 0.5)),
    "block": AttentionBlock(
        "cross",
        "cross",
        Tokens.read(list("xyz")),
        Tokens.read(list("abcde")),
        (LayerAttention(0, "", (0, 1, 2, 3), Formula(QUERIES, KEYS, 0.5)),),
    ),
}
WEIGHTS = torch.ones(4, 3, 5) / 5
WRONG: list[tuple[str, dict[str, Any], str]] = [
    ("formula", {"queries": "x"}, "queries='x' is a str: expected a floating-point tensor"),
    ("formula", {"queries": np.ones((4, 3, 6))}, "queries=.* is a ndarray: expected"),
    ("formula", {"keys": torch.ones(5, 6)}, r"keys has shape \(5, 6\): expected"),
    ("formula", {"keys": torch.ones(2, 5, 7)}, r"keys has shape \(2, 5, 7\), queries"),
    ("formula", {"keys": torch.ones(0, 5, 6)}, "keys has shape .*: expected at least one head"),
    ("formula", {"queries": QUERIES.int()}, "queries is of type torch.int32"),
    ("formula", {"queries": QUERIES.to_sparse()}, "queries is a sparse or nested tensor"),
    ("formula", {"scaling": "1"}, "scaling='1' is a str"),
    ("formula", {"scaling": float("nan")}, "scaling=nan is not finite"),
    ("formula", {"softcap": 0}, "softcap=0.0 is too small"),
    ("formula", {"softcap": "x"}, "softcap='x' is a str"),
    ("formula", {"sinks": torch.ones(3)}, r"sinks has shape \(3,\): expected"),
    ("formula", {"sinks": torch.ones(4, 5)}, r"sinks has shape \(4, 5\): expected"),
    ("formula", {"mask": torch.ones(5)}, r"mask has shape \(5,\): expected"),
    ("formula", {"mask": torch.ones(2, 1, 5)}, r"mask has shape \(2, 1, 5\): expected"),
    ("formula", {"mask": torch.ones(1, 5, 5)}, r"mask has shape \(1, 5, 5\): expected"),
    ("formula", {"mask": torch.ones(1, 1, 5).long()}, "mask is of type torch.int64"),
    ("formula", {"position_bias": torch.ones(1, 3, 5) > 0}, "position_bias is of type torch.bool"),
    ("formula", {"causal": 1}, "causal=1 is an int: expected True or False"),
    ("formula", {"rotary": None}, "rotary=None is a NoneType: expected True or False"),
    ("formula", {"key_heads": (0, 1, 2, 0)}, r"key_heads=\[0, 1, 2, 0\] does not fit"),
    ("formula", {"key_heads": (0, 1)}, "key_heads=.* does not fit"),
    ("formula", {"key_heads": "0011"}, "key_heads='0011' is a str"),
    ("layer", {"index": "1"}, "index='1' is a str"),
    ("layer", {"index": -1}, "index=-1 is out of range"),
    ("layer", {"name": None}, "name=None is a NoneType"),
    ("layer", {"heads": (0, 1, 2)}, "heads=.* holds 3 numbers, but formula has 4 heads"),
    ("layer", {"heads": (0, 1, 2, -3)}, "heads=.* holds a number twice or below 0"),
    ("layer", {"heads": (0, 1, 2, 2)}, "heads=.* holds a number twice or below 0"),
    ("layer", {"heads": "0123"}, "heads='0123' is a str"),
    ("layer", {"formula": QUERIES}, "formula=.* is a Tensor: expected a Formula"),
    ("layer", {"formula": None}, "formula and given_weights of layer 0 are both None"),
    ("layer", {"given_weights": WEIGHTS.numpy()}, "given_weights=.* is a ndarray"),
    ("layer", {"given_weights": WEIGHTS[0]}, r"given_weights has shape \(3, 5\)"),
    ("layer", {"given_weights": WEIGHTS.to("meta")}, "given_weights is on the meta device"),
    ("layer", {"given_weights": WEIGHTS.mT}, r"given_weights has shape \(4, 5, 3\), but formula"),
    ("layer", {"given_causal": "yes"}, "given_causal='yes' is a str"),
    ("layer", {"formula": Formula(QUERIES.to("meta"), KEYS, 1)}, "queries is on the meta device"),
    ("layer", {"formula": Formula(QUERIES, KEYS, 1, mask=torch.ones(1, 1, 7))}, "mask has shape"),
    ("block", {"name": 3}, "name=3 is an int"),
    ("block", {"kind": "self"}, "kind='self' is unknown: expected 'encoder', 'decoder' or 'cross'"),
    ("block", {"query": ["x"]}, r"query=\['x'\] is a list: expected Tokens"),
    (
        "block",
        {"key": Tokens.read(list("abc"))},
        r"layers\[0\] has 3 queries and 5 keys, but query has 3",
    ),
    ("block", {"layers": ["x"]}, r"layers\[0\]='x' is a str: expected a LayerAttention"),
    ("block", {"layers": 3}, "layers=3 is an int: expected a list of LayerAttention"),
]


@pytest.mark.parametrize(("part", "changes", "message"), WRONG)
def test_what_does_not_fit_is_named(part: str, changes: dict[str, Any], message: str) -> None:
    with pytest.raises((TypeError, ValueError), match=message):
        replace(MADE[part], **changes)


def test_what_fits_becomes_plain_python() -> None:
    scaling: Any = np.float32(0.5)
    formula = Formula(QUERIES, KEYS, scaling, softcap=torch.tensor(2), key_heads=[1, 1, 0, 0])  # type: ignore[arg-type]
    assert (formula.scaling, formula.softcap, formula.key_heads) == (0.5, 2.0, (1, 1, 0, 0))
    assert type(formula.scaling) is float
    heads: Any = np.arange(4)
    layer = LayerAttention(np.int64(2), "", heads, formula)  # type: ignore[arg-type]
    assert (layer.index, layer.heads) == (2, (0, 1, 2, 3))
    assert type(layer.index) is int
