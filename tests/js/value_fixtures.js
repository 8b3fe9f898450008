// Signed values of one layer with known numbers, some of them missing, as the decoder gives them.

import { withLess } from "../../bertviz/js/data/differences.js";
import { initialState } from "../../bertviz/js/state.js";
import { layerOf, payloadOf, sourceOf, tokens, weightsOf } from "./fixtures.js";

export const HEADS = [1, 4];
const _ = NaN;
/** (heads, query, key) */
export const VALUES = [
  [
    [20, -5, 0],
    [_, _, _],
    [-40, 10, _],
  ],
  [
    [2, 8, -1],
    [_, _, _],
    [4, _, 6],
  ],
];
export const SCALE = 40;

const parts = (/** @type {number} */ sign) =>
  VALUES.map((head) => head.map((row) => row.map((v) => Math.max(0, sign * v) || 0)));

/** @param {number[][][]} values */
function bitsOf(values) {
  const all = values.flat(2);
  const bits = new Uint8Array(Math.ceil(all.length / 8));
  all.forEach((v, i) => (bits[i >> 3] |= Number(Number.isNaN(v)) << (i & 7)));
  return bits;
}

/** @type {any} */
export const weights = {
  ...withLess(weightsOf(HEADS, parts(1), 1e-9), weightsOf(HEADS, parts(-1), 1e-9)),
  scale: SCALE,
  missing: bitsOf(VALUES),
};

const layer = { ...layerOf(0, HEADS), scale: SCALE, missing: { chunk: 0, count: 8 } };
const block = { name: "encoder", kind: "encoder", query: tokens([..."abc"]), key: null };
/** @param {"head" | "model"} view */
const payload = (view) =>
  payloadOf({ view, kind: "signed", blocks: [{ ...block, layers: [layer] }] });
export const payloads = { head: payload("head"), model: payload("model") };
export const sources = {
  head: sourceOf(payloads.head, [[weights]]),
  model: sourceOf(payloads.model, [[weights]]),
};
export const starts = { head: initialState(payloads.head), model: initialState(payloads.model) };
