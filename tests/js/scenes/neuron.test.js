import assert from "node:assert/strict";
import { test } from "node:test";
import { attend, queryOf } from "../../../bertviz/js/data/attention.js";
import { ranked } from "../../../bertviz/js/data/what_if.js";
import { closedPicture, neuronScene } from "../../../bertviz/js/scenes/neuron.js";
import { nextState } from "../../../bertviz/js/state.js";
import { THEMES } from "../../../bertviz/js/theme/colors.js";
import { neuronView } from "../neuron_fixtures.js";

test("the scene has the columns of the selected query, in the model's order", () => {
  const { neurons, payload, source, start } = neuronView();
  const state = nextState(payload, start, { heads: [9], query: 1 });
  const scene = neuronScene(source, state);
  assert.deepEqual(scene.shape, { query: 4, key: 4, headDim: 3 });
  assert.deepEqual(scene.columns.queries, queryOf(neurons, 1));
  assert.deepEqual(scene.columns.weights, attend(neurons, 1, 1).weights);
  assert.equal(scene.columns.products.length, 12);
  const filtered = neuronScene(source, nextState(payload, state, { pair: "A→B" }));
  assert.equal(filtered.columns.weights.length, 4, "columns stay whole, so that they add up");
  assert.deepEqual(Array.from(filtered.keys), [2, 3]);
});

test("heads that share keys are named, others are not", () => {
  const shared = neuronView({ keyHead: [0, 0] });
  assert.deepEqual(neuronScene(shared.source, shared.start).sharing, [2, 9]);
  const own = neuronView();
  assert.equal(neuronScene(own.source, own.start).sharing, null);
});

test("closed, it has the head's lines", () => {
  const { payload, source, start } = neuronView();
  const state = nextState(payload, start, { heads: [9], detail: false, query: 2 });
  const picture = closedPicture(neuronScene(source, state), state, THEMES.light);
  assert.deepEqual([...new Set(picture.edges.edges.query)], [2]);
  assert.deepEqual(picture.heads, [9]);
  assert.deepEqual(picture.text.key, [..."abcd"]);
});

test("columns stay true when neurons are off", () => {
  const { payload, source, start } = neuronView({ headDim: 5 });
  const state = nextState(payload, start, { off: [3, 1, 1], sort: "contribution" });
  assert.deepEqual(state.off, [1, 3]);
  const scene = neuronScene(source, state);
  assert.deepEqual(scene.columns.weights, neuronScene(source, start).columns.weights);
  assert.deepEqual(scene.order, ranked(scene.contribution));
  assert.ok(scene.whatIf && scene.whatIf.moved > 0);
  assert.equal(neuronScene(source, start).whatIf, null);
  assert.equal(neuronScene(source, start).order, null);
});

test("neurons are those of one head, and one of them stays", () => {
  const { payload, start } = neuronView({ headDim: 5 });
  const state = nextState(payload, start, { off: [1, 3] });
  assert.deepEqual(nextState(payload, state, { query: 3 }).off, [1, 3]);
  assert.deepEqual(nextState(payload, state, { heads: [9] }).off, []);
  assert.deepEqual(nextState(payload, state, { off: [0, 1, 2, 3, 4] }).off, [1, 3]);
  assert.deepEqual(nextState(payload, state, { off: [9, -1, 0.5] }).off, []);
  assert.equal(nextState(payload, state, /** @type {any} */ ({ sort: "size" })).sort, "model");
});
