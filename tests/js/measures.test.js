import assert from "node:assert/strict";
import { test } from "node:test";
import { measured, MEASURES } from "../../bertviz/js/data/measures.js";
import { modelScene } from "../../bertviz/js/scenes/model.js";
import { initialState, nextState } from "../../bertviz/js/state.js";
import { layerOf, payloadOf, random, sourceOf, tokens, weightsOf } from "./fixtures.js";

const N = 8;
const next = random(11);
const dense = Array.from({ length: 3 }, (_, h) =>
  Array.from({ length: N }, () => {
    const row = Array.from({ length: N }, () => next() ** (1 + 4 * h));
    const sum = row.reduce((a, b) => a + b, 0);
    return row.map((value) => value / sum);
  }),
);
/** @type {Record<string, (row: number[], query: number) => number>} */
const plainly = {
  entropy: (row) => row.reduce((bits, w) => bits - (w > 0 ? w * Math.log2(w) : 0), 0),
  distance: (row, query) => row.reduce((sum, w, key) => sum + w * Math.abs(key - query), 0),
  first: (row) => row[0],
};

for (const name of Object.keys(MEASURES)) {
  test(`${name} is the mean over the queries`, () => {
    const weights = weightsOf([4, 5, 6], dense, 0);
    dense.forEach((rows, h) => {
      const mean = rows.reduce((sum, row, q) => sum + plainly[name](row, q), 0) / N;
      assert.ok(Math.abs(measured(weights, 4 + h, name) - mean) < 1e-5);
    });
  });
}

test("an even head has its entropy and distance, though nothing of it is listed", () => {
  const n = 300;
  const even = [Array.from({ length: n }, () => Array(n).fill(1 / n))];
  const weights = weightsOf([0], even, 0.01);
  assert.equal(weights.weight.length, 0);
  assert.ok(Math.abs(measured(weights, 0, "entropy") - Math.log2(n)) < 1e-3);
  const distance = (n * n - 1) / (3 * n); // of two positions at random
  assert.ok(Math.abs(measured(weights, 0, "distance") - distance) < 1e-2);
});

const block = {
  name: "encoder",
  kind: "encoder",
  query: tokens([..."abcdefgh"]),
  key: null,
  layers: [layerOf(2, [0, 1, 2]), layerOf(5, [0, 1, 2])],
};
const payload = payloadOf({ view: "model", blocks: [block] });
const turned = [dense[2], dense[0], dense[1]];
const source = sourceOf(payload, [
  [weightsOf([0, 1, 2], dense, 0), weightsOf([0, 1, 2], turned, 0)],
]);
const start = initialState(payload, { cell: null, measure: null, sorted: false });

test("cells are coloured and sorted by a measure; edges stay those of the model", () => {
  const plain = modelScene(source, start);
  assert.deepEqual(plain.cells.map((c) => [c.layer.index, c.head, c.row, c.column]).slice(2, 4), [
    [2, 2, 0, 2],
    [5, 0, 1, 0],
  ]);
  assert.equal(plain.range, null);
  const state = nextState(payload, start, { measure: "entropy", sorted: true });
  const { cells, range } = modelScene(source, state);
  const values = cells.map((c) => /** @type {number} */ (c.value));
  assert.deepEqual(values, [...values].sort((a, b) => b - a));
  assert.deepEqual(range, [values[5], values[0]]);
  assert.deepEqual([cells[0].fraction, cells[5].fraction], [1, 0]);
  assert.deepEqual(cells.map((c) => [c.row, c.column]), [[0, 0], [0, 1], [0, 2], [1, 0], [1, 1], [1, 2]]);
  const edges = (/** @type {any} */ s) => Array.from(modelScene(source, s).edges.weight).sort();
  assert.deepEqual(edges(state), edges(start));
});

test("an unknown measure is none, and nothing is sorted without one", () => {
  assert.equal(nextState(payload, start, { measure: "size" }).measure, null);
  assert.equal(nextState(payload, start, { sorted: true }).sorted, false);
  const state = nextState(payload, start, { measure: "first", sorted: true });
  assert.equal(nextState(payload, state, { measure: null }).sorted, false);
});
