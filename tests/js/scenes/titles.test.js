import assert from "node:assert/strict";
import { test } from "node:test";
import { modelTitle } from "../../../bertviz/js/scenes/model_title.js";
import { neuronTitle } from "../../../bertviz/js/scenes/neuron_title.js";

/** @param {string[]} text */
const tokens = (text) => ({ text, raw: null, special: [], sentences: null, words: null });
const block = { query: tokens(["the", "cat"]), key: tokens(["the", "cat"]) };
const scene = {
  ...{ block, layer: { index: 3 }, head: 5, query: 1, key: null, keys: Int32Array.of(0, 1) },
  ...{ row: { weights: Float32Array.of(0.75, 0.25) }, whatIf: null },
};
const said = (/** @type {object} */ more = {}) =>
  neuronTitle(/** @type {any} */ ({ ...scene, ...more }));

test("the neuron view says where its query looks most, or how much at the key that is selected", () => {
  assert.equal(said(), "Layer 3, head 5: “cat” looks most at “the”, 0.75");
  assert.equal(said({ key: 1 }), "Layer 3, head 5: “cat” looks at “cat”, 0.25");
  assert.equal(said({ key: 1, keys: Int32Array.of(0) }), said(), "a key that is not shown is none");
});

test("what was changed is said beside it", () => {
  const whatIf = { off: [1, 2], temperature: 1, weights: Float32Array.of(0.5, 0.5) };
  assert.equal(
    said({ whatIf }),
    "Layer 3, head 5: “cat” looks most at “the”, 0.75; without 2 neurons: 0.50",
  );
  assert.match(said({ whatIf: { ...whatIf, off: [], temperature: 2 } }), /; temperature 2: 0\.50$/);
});

test("the model view names the heads with the largest and the smallest number", () => {
  const cells = [0.5, null, 2.25, 1].map((value, head) => ({ layer: { index: 1 }, head, value }));
  const choice = { label: "entropy (bits)", diverging: false };
  const title = (/** @type {object} */ more) =>
    modelTitle(
      /** @type {any} */ ({ open: null, choice, cells, block: { layers: [0, 1] }, ...more }),
      null,
      /** @type {any} */ ({}),
      /** @type {any} */ ({}),
    );
  assert.equal(
    title({}),
    "Entropy (bits): largest in layer 1, head 2 (2.25), smallest in layer 1, head 0 (0.50)",
  );
  assert.equal(title({ choice: null }), "4 heads in 2 layers");
  assert.equal(
    title({ cells: cells.map((cell) => ({ ...cell, value: 1 })) }),
    "4 heads in 2 layers",
  );
});
