import assert from "node:assert/strict";
import { test } from "node:test";
import { attend, attendAll, keysOf, queryOf, softmax } from "../../../bertviz/js/data/attention.js";
import { neuronsOf } from "../fixtures.js";

const close = (/** @type {number} */ a, /** @type {number} */ b, within = 1e-5) =>
  assert.ok(Math.abs(a - b) < within, `${a} is not ${b}`);
const sum = (/** @type {Iterable<number>} */ values) => [...values].reduce((a, b) => a + b, 0);

test("the columns add up: products to sums, sums and bias to scores, softmax to weights", () => {
  const bias = { data: Float32Array.from({ length: 16 }, (_, i) => i / 9 - 1), shape: [1, 4, 4] };
  const neurons = neuronsOf({ bias });
  for (const slot of [0, 1]) {
    for (let query = 0; query < 4; query++) {
      const row = attend(neurons, slot, query);
      const q = queryOf(neurons, slot).slice(3 * query, 3 * query + 3);
      const exps = [];
      for (let key = 0; key < 4; key++) {
        const k = keysOf(neurons, slot).slice(3 * key, 3 * key + 3);
        const products = row.products.slice(3 * key, 3 * key + 3);
        products.forEach((product, n) => close(product, 0.5 * q[n] * k[n]));
        close(row.sums[key], sum(products));
        close(row.bias[key], bias.data[4 * query + key]);
        close(row.scores[key], row.sums[key] + row.bias[key]);
        exps.push(Math.exp(row.scores[key]));
      }
      row.weights.forEach((w, key) => close(w, exps[key] / sum(exps)));
    }
  }
});

test("a softcap bends the sum before the bias", () => {
  const neurons = neuronsOf({ softcap: 0.7, causal: true });
  const row = attend(neurons, 0, 1);
  close(row.scores[0], 0.7 * Math.tanh(row.sums[0] / 0.7));
  assert.equal(row.scores[2], -Infinity);
});

test("causal rows see nothing after the query; with more keys the last query sees all", () => {
  const square = attend(neuronsOf({ causal: true }), 0, 1).weights;
  assert.deepEqual(
    Array.from(square, (w) => w > 0),
    [true, true, false, false],
  );
  const wide = attend(neuronsOf({ causal: true, queryCount: 2 }), 0, 0).weights;
  assert.deepEqual(
    Array.from(wide, (w) => w > 0),
    [true, true, true, false],
  );
  close(sum(square), 1);
});

test("a sink takes its part", () => {
  const row = attend(neuronsOf({ sinks: [1.5, 0] }), 0, 2);
  close(row.sink, 1 - sum(row.weights));
  const all = sum(Array.from(row.scores, Math.exp)) + Math.exp(1.5);
  close(row.sink, Math.exp(1.5) / all);
});

test("a sink may differ from query to query", () => {
  const neurons = neuronsOf({
    sinks: [
      [0, 9, 0, 0],
      [0, 0, 0, 0],
    ],
  });
  assert.ok(attend(neurons, 0, 1).sink > 0.9);
  assert.ok(attend(neurons, 0, 2).sink < 0.9);
});

test("heads that share keys use the same ones", () => {
  const neurons = neuronsOf({ heads: [4, 5, 6, 7], keyHead: [0, 0, 1, 1] });
  assert.deepEqual(keysOf(neurons, 0), keysOf(neurons, 1));
  assert.notDeepEqual(keysOf(neurons, 1), keysOf(neurons, 2));
});

test("a bias of one head, one row or one key is shared by all", () => {
  const perHead = { data: Float32Array.from([0, -1, -2, -3, 5, 6, 7, 8]), shape: [2, 1, 4] };
  assert.deepEqual(Array.from(attend(neuronsOf({ bias: perHead }), 1, 3).bias), [5, 6, 7, 8]);
  const one = { data: Float32Array.from([2]), shape: [1, 1, 1] };
  assert.deepEqual(Array.from(attend(neuronsOf({ bias: one }), 0, 0).bias), [2, 2, 2, 2]);
});

test("softmax of large scores, and of masks alone", () => {
  close(softmax(Float32Array.from([1000, 999]))[0], 1 / (1 + Math.exp(-1)));
  const even = softmax(Float32Array.from([-Infinity, -Infinity]));
  assert.deepEqual(Array.from(even), [0.5, 0.5]);
});

test("all rows at once are the rows one by one", () => {
  const neurons = neuronsOf({ causal: true, sinks: [0.3, -1], keyHead: [0, 0] });
  const all = attendAll(neurons, 1);
  for (let q = 0; q < 4; q++) {
    attend(neurons, 1, q).weights.forEach((w, k) => close(all[4 * q + k], w, 1e-6));
  }
});

test("without sinks nothing is taken", () => {
  assert.equal(attend(neuronsOf(), 0, 2).sink, 0);
});
