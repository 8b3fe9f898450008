import assert from "node:assert/strict";
import { test } from "node:test";
import { modelScene } from "../../../bertviz/js/scenes/model.js";
import { gridOf, gridSteps } from "../../../bertviz/js/scenes/model_grid.js";
import { initialState, nextState } from "../../../bertviz/js/state.js";
import { layerOf, payloadOf, random, sourceOf, tokens, weightsOf } from "../fixtures.js";
import * as model from "../model_fixtures.js";

const N = 8;
const next = random(11);
const dense = Array.from({ length: 3 }, (_, h) =>
  Array.from({ length: N }, () => {
    const row = Array.from({ length: N }, () => next() ** (1 + 4 * h));
    const sum = row.reduce((a, b) => a + b, 0);
    return row.map((value) => value / sum);
  }),
);
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

test("cells are colored and sorted by a measure; edges stay those of the model", () => {
  const plain = modelScene(source, start);
  assert.deepEqual(plain.cells.map((c) => [c.layer.index, c.head, c.row, c.column]).slice(2, 4), [
    [2, 2, 0, 2],
    [5, 0, 1, 0],
  ]);
  assert.equal(plain.range, null);
  const state = nextState(payload, start, { measure: "entropy", sorted: true });
  const { cells, range } = modelScene(source, state);
  const values = cells.map((c) => /** @type {number} */ (c.value));
  assert.deepEqual(
    values,
    [...values].sort((a, b) => b - a),
  );
  assert.deepEqual(range, [values[5], values[0]]);
  assert.deepEqual([cells[0].fraction, cells[5].fraction], [1, 0]);
  assert.deepEqual(
    cells.map((c) => [c.row, c.column]),
    [
      [0, 0],
      [0, 1],
      [0, 2],
      [1, 0],
      [1, 1],
      [1, 2],
    ],
  );
  const edges = (/** @type {any} */ s) => Array.from(modelScene(source, s).edges.weight).sort();
  assert.deepEqual(edges(state), edges(start));
});

test("an unknown measure is none, and nothing is sorted without one", () => {
  assert.equal(nextState(payload, start, { measure: "size" }).measure, null);
  assert.equal(nextState(payload, start, { sorted: true }).sorted, false);
  const state = nextState(payload, start, { measure: "first", sorted: true });
  assert.equal(nextState(payload, state, { measure: null }).sorted, false);
});

test("heads without a number come last", () => {
  const { cells } = modelScene(
    model.source,
    nextState(model.payload, model.start, { sorted: true }),
  );
  assert.deepEqual(
    cells.map((c) => c.value),
    [0.8, 0.4, 0.2, null],
  );
  assert.deepEqual(
    cells.map((c) => [c.row, c.column]),
    [
      [0, 0],
      [0, 1],
      [1, 0],
      [1, 1],
    ],
  );
});

test("a grid is kept while tokens are touched, and made anew for another order", () => {
  const state = nextState(model.payload, model.start, { cell: [0, 1] });
  const [one, same] = [state, nextState(model.payload, state, { query: 3 })].map((s) =>
    gridOf(model.source, s),
  );
  assert.equal(one, same);
  assert.notEqual(one, gridOf(model.source, nextState(model.payload, state, { sorted: true })));
});

test("measures of the weights are computed a head a step, once", () => {
  const fresh = sourceOf(model.payload, [
    model.dense.map((layer) => weightsOf(model.HEADS, layer, 0)),
  ]);
  const state = nextState(model.payload, model.start, { measure: "distance" });
  assert.equal([...gridSteps(fresh, state)].length, 2 * model.HEADS.length);
  gridOf(fresh, state);
  assert.equal([...gridSteps(fresh, state)].length, 0);
  assert.equal([...gridSteps(fresh, model.start)].length, 0, "what came with the payload is there");
});
