"""Numbers of a trace by short names: its tokens, the weights of a head, measures of heads."""

from __future__ import annotations

import dataclasses
import json
import subprocess
from typing import Any

import numpy as np
import pytest
import torch

from bertviz import AttentionTrace, ModelView
from tests.helpers import NODE, ROOT

TOKENS = ["[CLS]", "the", "straw", "##berry", "[SEP]"]
QUERIES, KEYS = np.random.default_rng(1).normal(size=(2, 2, 3, 5, 8))
TRACE = AttentionTrace.from_arrays(TOKENS, queries=QUERIES, keys=KEYS)

# The page's own functions, given every weight.
SCRIPT = """
import { measured, MEASURES } from "./bertviz/js/data/measures.js";
import { text } from "node:stream/consumers";
const { heads } = JSON.parse(await text(process.stdin));
const [queries, keys] = [heads[0].length, heads[0][0].length];
const rows = heads.flat();
const weights = {
  heads: heads.map((_, head) => head), queries, keys,
  start: Uint32Array.from({ length: rows.length + 1 }, (_, row) => row * keys),
  key: Uint16Array.from(rows.flatMap((row) => row.map((_, key) => key))),
  weight: Float64Array.from(rows.flat()),
  hidden: new Float32Array(rows.length),
};
const found = Object.entries(MEASURES).map(([name, { label }]) => [
  label, weights.heads.map((head) => measured(weights, head, name)),
]);
process.stdout.write(JSON.stringify(found));
"""


def two_blocks() -> AttentionTrace:
    [encoder] = TRACE.blocks.values()
    cross = dataclasses.replace(encoder, name="cross", kind="cross")
    return dataclasses.replace(TRACE, blocks={"encoder": encoder, "cross": cross})


def test_measures_are_the_page_s_numbers() -> None:
    weights = TRACE.blocks["encoder"].layers[1].weights().double().tolist()
    command = [NODE, "--input-type=module", "-e", SCRIPT]
    made = subprocess.run(
        command, input=json.dumps({"heads": weights}).encode(), cwd=ROOT, capture_output=True
    )
    assert made.returncode == 0, made.stderr.decode()
    page = json.loads(made.stdout)
    own = TRACE.measures()
    assert [measure["name"] for measure in own] == [label for label, _ in page]
    for measure, (_, numbers) in zip(own, page, strict=True):
        found = [measure["values"]["encoder"][1][head] for head in range(3)]
        assert found == pytest.approx(numbers, abs=1e-9)
    shipped = ModelView(TRACE, measures=TRACE)._payload["measures"]
    assert [measure["name"] for measure in shipped] == [measure["name"] for measure in own]


def test_measures_of_masked_and_pointed_rows() -> None:
    weights = [[[1.0, 0.0, 0.0], [0.0, 0.0, 1.0], [0.25, 0.25, 0.5]]]
    entropy, distance, first = AttentionTrace.from_arrays(weights=weights).measures()
    assert entropy["values"] == {"encoder": {0: {0: pytest.approx(0.5)}}}
    assert distance["values"] == {"encoder": {0: {0: pytest.approx((0 + 1 + 0.75) / 3)}}}
    assert first["values"] == {"encoder": {0: {0: pytest.approx(1.25 / 3)}}}
    values = AttentionTrace.from_arrays(weights=[[[-1.0]]], kind="signed")
    with pytest.raises(ValueError, match="measures was given a trace of signed values"):
        values.measures()


def test_weights_of_a_head() -> None:
    layer = TRACE.blocks["encoder"].layers[1]
    torch.testing.assert_close(TRACE.weights(1, 2), layer.weights(2)[0])
    cut = dataclasses.replace(layer, index=7)
    block = dataclasses.replace(TRACE.blocks["encoder"], name="cross", kind="cross", layers=[cut])
    both = dataclasses.replace(TRACE, blocks={**TRACE.blocks, "cross": block})
    torch.testing.assert_close(both.weights(7, 0), layer.weights(0)[0])


def test_tokens() -> None:
    assert TRACE.tokens == tuple(TOKENS)
    assert two_blocks().tokens == tuple(TOKENS), "all blocks are of one text"
    cross = AttentionTrace.from_arrays(
        weights=[[[0.5, 0.5]]], query_tokens=["x"], key_tokens=["y", "z"]
    )
    with pytest.raises(ValueError, match=r"trace.blocks\['cross'\].query_tokens or .key_tokens"):
        _ = cross.tokens


@pytest.mark.parametrize(
    ("layer", "head", "kind", "message"),
    [
        (2, 0, ValueError, "2"),
        (0, 3, ValueError, "head=3 is out of range: layer 0 has heads 0 to 2"),
        ("0", 0, TypeError, "layer='0' is a str: expected a layer number"),
        (0, [0], TypeError, r"head=\[0\] is a list: expected a head number"),
    ],
)
def test_other_numbers_are_refused(layer: Any, head: Any, kind: Any, message: str) -> None:
    with pytest.raises(kind, match=message):
        TRACE.weights(layer, head)


def test_several_blocks_are_named_with_the_way_to_each() -> None:
    trace = two_blocks()
    with pytest.raises(ValueError, match="layer=1 is in several blocks, 'encoder', 'cross'") as e:
        trace.weights(1, 2)
    call = str(e.value).split("use ")[1].rstrip(".")
    torch.testing.assert_close(eval(call, {"trace": trace}), TRACE.weights(1, 2))
