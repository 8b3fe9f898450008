import assert from "node:assert/strict";
import { test } from "node:test";
import { edgesOf } from "../../../bertviz/js/data/edges.js";
import { cellsOf } from "../../../bertviz/js/data/cells.js";
import { random, weightsOf } from "../fixtures.js";

const next = random(5);
/** @param {number} heads @param {number} n */
const softmaxed = (heads, n) =>
  Array.from({ length: heads }, () =>
    Array.from({ length: n }, () => {
      const row = Array.from({ length: n }, () => next() ** 6);
      const sum = row.reduce((a, b) => a + b, 0);
      return row.map((value) => value / sum);
    }),
  );
/** @param {number} n */
const all = (n) => Int32Array.from({ length: n }, (_, i) => i);

test("a cell is the mean weight of the drawn heads", () => {
  const dense = softmaxed(3, 7);
  const weights = weightsOf([0, 1, 2], dense, 0);
  const options = { heads: [0, 2], queries: all(7), keys: all(7), query: null, key: null };
  const { rows, columns, values, max } = cellsOf(edgesOf(weights, options), 2, 7, 7);
  assert.deepEqual([rows, columns], [7, 7]);
  for (let q = 0; q < 7; q++) {
    for (let k = 0; k < 7; k++) {
      const mean = (dense[0][q][k] + dense[2][q][k]) / 2;
      assert.ok(Math.abs(values[7 * q + k] - mean) < 1e-6);
    }
  }
  assert.equal(max, Math.max(...values));
});

test("what is not listed lies evenly on the keys that are not listed; rows stay whole", () => {
  const weights = weightsOf([0, 1], softmaxed(2, 40), 0.05);
  const options = { heads: [0, 1], queries: all(40), keys: all(40), query: null, key: null };
  const { values } = cellsOf(edgesOf(weights, options), 2, 40, 40);
  for (let q = 0; q < 40; q++) {
    const sum = values.subarray(40 * q, 40 * q + 40).reduce((a, b) => a + b, 0);
    assert.ok(Math.abs(sum - 1) < 0.006, `${sum}`);
  }
  assert.ok(Math.min(...values) > 0, "nothing looks empty");
});

test("a long text is binned, and its rows add up as before", () => {
  const weights = weightsOf([0], softmaxed(1, 90), 0);
  const options = { heads: [0], queries: all(90), keys: all(90), query: null, key: null };
  const { rows, values } = cellsOf(edgesOf(weights, options), 1, 90, 90, 30);
  assert.equal(rows, 30);
  for (let r = 0; r < 30; r++) {
    const sum = values.subarray(30 * r, 30 * r + 30).reduce((a, b) => a + b, 0);
    assert.ok(Math.abs(sum - 1) < 1e-4);
  }
});

test("a window is a slice", () => {
  const dense = softmaxed(1, 9);
  const weights = weightsOf([0], dense, 0);
  const [queries, keys] = [all(9).subarray(2, 5), all(9).subarray(4, 9)];
  const edges = edgesOf(weights, { heads: [0], queries, keys, query: null, key: null });
  const { values } = cellsOf(edges, 1, 3, 5);
  assert.ok(Math.abs(values[5 + 2] - dense[0][3][6]) < 1e-6);
});
