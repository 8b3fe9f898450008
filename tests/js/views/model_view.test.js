import assert from "node:assert/strict";
import { test } from "node:test";
import { Source } from "../../../bertviz/js/data/payload.js";
import { initialState, nextState, viewsOf } from "../../../bertviz/js/state.js";
import { modelView } from "../../../bertviz/js/views/model_view.js";
import { payload, payloadOfSize, start } from "../model_fixtures.js";

test("tiles of a measure need only the open cell's layer", () => {
  const own = payloadOfSize(40, 40);
  const from = new Source(own);
  const state = initialState(own, modelView.start(own));
  assert.deepEqual(modelView.needs(from, state), []);
  const open = modelView.needs(from, nextState(own, state, { cell: [7, 3] }));
  assert.deepEqual(
    open.map((layer) => layer.index),
    [7],
  );
  assert.equal(modelView.needs(from, nextState(own, state, { measure: "entropy" })).length, 40);
  assert.equal(modelView.start({ ...own, measures: [] }).measure, "entropy");
});

test("an output shows its own view, and a model view its heads in the others", () => {
  assert.deepEqual(viewsOf(payload), ["model", "head"]);
  assert.deepEqual(viewsOf({ ...payload, neurons: "here" }), ["model", "head", "neuron"]);
  assert.deepEqual(viewsOf({ ...payload, view: "head", neurons: "here" }), ["head"]);
  assert.equal(nextState(payload, start, { view: "neuron" }).view, "model");
  assert.equal(nextState(payload, start, { view: "head" }).view, "head");
  const both = { ...payload, neurons: /** @type {const} */ ("here") };
  const state = nextState(both, start, { view: "neuron", layer: 3, heads: [1, 4] });
  assert.deepEqual([state.layer, state.heads], [3, [1]], "one head at a time");
});
