// A small model view with known numbers: two layers of two heads, and three measures that came with
// the payload.

import assert from "node:assert/strict";
import { withLess } from "../../bertviz/js/data/differences.js";
import { initialState } from "../../bertviz/js/state.js";
import { modelView } from "../../bertviz/js/views/model_view.js";
import { layerOf, payloadOf, random, sourceOf, tokens, weightsOf } from "./fixtures.js";

export const N = 5;
export const HEADS = [1, 4];
const next = random(5);
const rows = (/** @type {number} */ power) =>
  HEADS.map(() =>
    Array.from({ length: N }, () => {
      const row = Array.from({ length: N }, () => next() ** power);
      const sum = row.reduce((a, b) => a + b, 0);
      return row.map((value) => value / sum);
    }),
  );

export const close = (/** @type {number} */ a, /** @type {number} */ b, eps = 1e-5) => {
  assert.ok(Math.abs(a - b) < eps, `${a} is not ${b}`);
};

export const block = {
  name: "encoder",
  kind: "encoder",
  query: tokens([..."abcde"]),
  key: null,
  layers: [layerOf(0, HEADS), layerOf(3, HEADS)],
};
export const measures = [
  {
    name: "score",
    diverging: false,
    values: [
      [
        [0.2, 0.8],
        [null, 0.4],
      ],
    ],
    null: [
      [
        [0.1, 0.1],
        [0.1, null],
      ],
    ],
  },
  {
    name: "signed",
    diverging: true,
    values: [
      [
        [-0.5, 0],
        [0.25, null],
      ],
    ],
    null: null,
  },
  {
    name: "entropy",
    diverging: false,
    values: [
      [
        [null, null],
        [null, null],
      ],
    ],
    null: null,
  },
];
export const payload = payloadOf({ view: "model", blocks: [block], measures });
export const dense = [rows(2), rows(4)];
export const source = sourceOf(payload, [dense.map((layer) => weightsOf(HEADS, layer, 0))]);
export const start = initialState(payload, modelView.start(payload));

/** The cell of a head. @param {any} scene @param {number} layer @param {number} head */
export const at = (scene, layer, head) =>
  scene.cells.find((/** @type {any} */ c) => c.layer.index === layer && c.head === head);

/**
 * A model of so many layers and heads, with one measure.
 * @param {number} layers
 * @param {number} heads
 */
export function payloadOfSize(layers, heads) {
  const all = Array.from({ length: heads }, (_, h) => h);
  const large = { ...block, layers: Array.from({ length: layers }, (_, i) => layerOf(i, all)) };
  const values = [large.layers.map(() => all)];
  const scores = [{ name: "x", diverging: false, values, null: null }];
  return payloadOf({ view: "model", blocks: [large], measures: scores });
}

// --- a comparison --------------------------------------------------------------------------------

const other = [rows(2), rows(4)];
/** @param {number} sign */
const clip = (sign) => (/** @type {number[][][]} */ layer, /** @type {number} */ l) =>
  layer.map((head, h) =>
    head.map((row, q) =>
      row.map((_, k) => Math.max(0, sign * (other[l][h][q][k] - dense[l][h][q][k]))),
    ),
  );
export const differences = payloadOf({
  view: "model",
  blocks: [block],
  measures,
  difference: true,
});
export const compared = sourceOf(differences, [
  dense.map((layer, l) =>
    withLess(weightsOf(HEADS, clip(1)(layer, l), 1e-9), weightsOf(HEADS, clip(-1)(layer, l), 1e-9)),
  ),
]);

/**
 * What b has more than a.
 * @param {number} l place of the layer
 * @param {number} h place of the head
 * @param {number} q
 * @param {number} k
 */
export const difference = (l, h, q, k) => other[l][h][q][k] - dense[l][h][q][k];
