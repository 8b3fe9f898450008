// What the tokens of one side get from those that are selected on the other, or give them: per head,
// and as a mean of the heads. With nothing selected, what every key gets, as a mean of all rows.

import { edgesOf } from "../data/edges.js";
import { boxesOf, meansOf, netOf } from "../data/summaries.js";
import { chosenOf } from "../state.js";

/** @typedef {import("../data/schema.js").Weights} Weights */
/** @typedef {import("../state.js").State} State */
/** @typedef {import("./picture.js").Picture} Picture */
/** @typedef {"query" | "key"} Side */
/**
 * @typedef {object} ShownRow
 * @property {Side} side of the tokens that have a number
 * @property {Int32Array} positions of them
 * @property {number[]} chosen the selected tokens of the other side; none at rest
 * @property {Float32Array} values (slots, positions); of several selected tokens their mean
 * @property {Float64Array} means over the heads
 * @property {number} largest of the sizes of all values
 */

/** @type {WeakMap<Weights, {name: string, row: ShownRow}>} the last one at rest */
const atRest = new WeakMap();

/**
 * @param {Picture} picture
 * @param {Pick<State, "query" | "key" | "also">} state
 * @returns {ShownRow}
 */
export function shownRow(picture, state) {
  const forward = state.key === null || state.query !== null;
  const chosen = chosenOf(state, forward ? "query" : "key");
  if (chosen.length) {
    const both = state.query !== null && state.key !== null;
    return rowOf(picture, picture.edges, forward ? "key" : "query", both ? [state.query] : chosen);
  }
  const known = atRest.get(picture.weights);
  if (known?.name === picture.name) return known.row;
  const { weights, heads, queries, keys, among = null } = picture;
  const edges = edgesOf(weights, { heads, queries, keys, query: null, key: null, among });
  const row = rowOf(picture, edges, "key", []);
  atRest.set(weights, { name: picture.name, row });
  return row;
}

/**
 * @param {Picture} picture
 * @param {Picture["edges"]} edges
 * @param {Side} side
 * @param {any[]} chosen
 * @returns {ShownRow}
 */
function rowOf({ heads, queries, keys }, edges, side, chosen) {
  const positions = side === "key" ? keys : queries;
  const count = chosen.length || queries.length;
  const boxes = boxesOf(edges, heads.length, side, positions.length, count);
  const values = netOf(boxes, edges.signs);
  let largest = 0;
  for (const value of values) if (value > largest) largest = value;
  return { side, positions, chosen, values, means: meansOf(boxes, edges.signs), largest };
}

/**
 * The row with the largest size; −1 where there is none.
 * @param {ShownRow} row
 */
export function strongestRow({ means }) {
  let found = -1;
  means.forEach((mean, r) => {
    if (Math.abs(mean) > (found < 0 ? 0 : Math.abs(means[found]))) found = r;
  });
  return found;
}
