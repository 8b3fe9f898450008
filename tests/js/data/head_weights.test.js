import assert from "node:assert/strict";
import { test } from "node:test";
import { attendAll } from "../../../bertviz/js/data/attention.js";
import { headWeights } from "../../../bertviz/js/data/head_weights.js";
import { neuronsOf } from "../fixtures.js";

const close = (/** @type {number} */ a, /** @type {number} */ b, within = 1e-5) =>
  assert.ok(Math.abs(a - b) < within, `${a} is not ${b}`);

test("weights list what can be seen and keeps the rest of each row", () => {
  const keyCount = 700; // evenly spread: every weight is below what is listed
  const queries = new Float32Array(2);
  const even = neuronsOf({ heads: [0], queryCount: 2, keyCount, headDim: 1, queries });
  const { weight, hidden, start } = headWeights(even, 0);
  assert.equal(weight.length, 0);
  assert.deepEqual(Array.from(start), [0, 0, 0]);
  hidden.forEach((mass) => close(mass, 1, 1e-4));
});

test("a head's weights are those of its queries and keys, by the head's own number", () => {
  const neurons = neuronsOf({ heads: [2, 9], causal: true });
  const { heads, start, key, weight, hidden } = headWeights(neurons, 9);
  assert.deepEqual(heads, [9]);
  const dense = attendAll(neurons, 1);
  for (let query = 0; query < 4; query++) {
    let listed = 0;
    for (let e = start[query]; e < start[query + 1]; e++) {
      close(weight[e], dense[4 * query + key[e]]);
      listed += weight[e];
    }
    close(listed + hidden[query], 1);
  }
});

test("the head that was last asked for is kept", () => {
  const neurons = neuronsOf();
  const first = headWeights(neurons, 0);
  assert.equal(headWeights(neurons, 0), first);
  assert.notEqual(headWeights(neurons, 1), first);
});
