// What the tokens of one side get from those that are selected on the other, or give them: per head,
// and as a mean of the heads. With nothing selected, what every key gets, as a mean of all rows.

import { edgesOf } from "../data/edges.js";
import { meanHidden, meansOf, netOf, valuesPerHead } from "../data/summaries.js";
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
 * @property {{unlisted: number, outside: number} | null} hidden mass of the selected queries' rows,
 *   their mean; null where no query is selected
 */

/** @type {WeakMap<Weights, {name: string, row: ShownRow}>} the last one at rest */
const atRest = new WeakMap();

/**
 * @param {Picture} picture
 * @param {Pick<State, "query" | "key" | "also">} state
 * @returns {ShownRow}
 */
export function shownRow(picture, state) {
  const { query, key } = state;
  if (query !== null && key !== null) {
    // The lines are those of the pair; the row is its query's.
    return rowOf(picture, unrestricted(picture, query), "key", [query]);
  }
  if (key !== null) return rowOf(picture, picture.edges, "query", chosenOf(state, "key"));
  if (query !== null) return rowOf(picture, picture.edges, "key", chosenOf(state, "query"));
  const known = atRest.get(picture.weights);
  if (known?.name === picture.name) return known.row;
  const row = rowOf(picture, unrestricted(picture, null), "key", []);
  atRest.set(picture.weights, { name: picture.name, row });
  return row;
}

/**
 * All edges of a query, or of all of them.
 * @param {Picture} picture
 * @param {number | null} query
 */
function unrestricted({ weights, heads, queries, keys, among = null }, query) {
  return edgesOf(weights, { heads, queries, keys, query, key: null, among });
}

/**
 * @param {Picture} picture
 * @param {Picture["edges"]} edges
 * @param {Side} side
 * @param {number[]} chosen
 * @returns {ShownRow}
 */
function rowOf({ heads, queries, keys }, edges, side, chosen) {
  const positions = side === "key" ? keys : queries;
  const count = chosen.length || queries.length;
  const perHead = valuesPerHead(edges, heads.length, side, positions.length, count);
  const values = netOf(perHead, edges.signs);
  let largest = 0;
  for (const value of values) if (value > largest) largest = value;
  const hidden = side === "key" && chosen.length ? meanHidden(edges) : null;
  return { side, positions, chosen, values, means: meansOf(perHead, edges.signs), largest, hidden };
}

/**
 * The rows with the largest sizes, the largest first; of equal ones the first. What is zero or missing
 * is not among them.
 * @param {ShownRow} row
 * @param {number} count
 */
export function largestRows({ means }, count) {
  /** @type {number[]} */
  const found = [];
  means.forEach((mean, r) => {
    const size = Math.abs(mean);
    if (!(size > 0)) return;
    if (found.length === count && size <= Math.abs(means[found[count - 1]])) return;
    let i = found.length;
    while (i > 0 && Math.abs(means[found[i - 1]]) < size) i--;
    found.splice(i, 0, r);
    if (found.length > count) found.pop();
  });
  return found;
}
