import assert from "node:assert/strict";
import { test } from "node:test";
import { edgesOf } from "../../../bertviz/js/data/edges.js";
import { rowsOf } from "../../../bertviz/js/data/row_mass.js";
import { cutsOf } from "../../../bertviz/js/data/strongest.js";
import { weightsOf } from "../fixtures.js";

const rows = [
  [0.5, 0.3, 0.15, 0.05],
  [0.25, 0.25, 0.25, 0.25],
  [0, 0, 1, 0],
  [0.1, 0.2, 0.3, 0.4],
];
const all = Int32Array.from([0, 1, 2, 3]);
const cuts = (/** @type {number} */ mass, keys = all) => {
  const weights = weightsOf([0], [rows], 0.01);
  return cutsOf(weights, mass, keys, rowsOf(keys, 4));
};
const about = (/** @type {Iterable<number>} */ values) =>
  Array.from(values, (value) => Math.round(1e4 * value) / 1e4);

test("the fewest weights that hold a part of the row; equal ones go together", () => {
  assert.deepEqual(about(cuts(0.75).least), [0.3, 0.25, 1, 0.2]);
  assert.deepEqual(Array.from(cuts(0.75).count), [2, 4, 1, 3]);
  assert.deepEqual(about(cuts(0.5).least), [0.5, 0.25, 1, 0.3]);
  assert.deepEqual(Array.from(cuts(0.5).count), [1, 4, 1, 2]);
});

test("the part is of what the row has on the keys that are shown", () => {
  const shown = Int32Array.from([1, 2]);
  assert.deepEqual(about(cuts(0.5, shown).least), [0.3, 0.25, 1, 0.3]);
  assert.deepEqual(Array.from(cuts(0.5, shown).count), [1, 2, 1, 1]);
});

test("the count of the picture is the count of its lines", () => {
  const weights = weightsOf([0], [rows], 0.01);
  for (const mass of [1, 0.75, 0.5, 0.25]) {
    const options = { heads: [0], queries: all, keys: all, query: null, key: null, mass };
    const edges = edgesOf(weights, options);
    assert.equal(edges.count, edges.edges.weight.length, `${mass}`);
  }
});
