// The strongest edges of each row, until they hold a part of its mass: a long text has millions of
// edges, and most of them only make a picture gray.

import { insideOf } from "./row_mass.js";

/** @typedef {import("./schema.js").Weights} Weights */
/**
 * @typedef {object} Cuts how much of each row is drawn, when that is a part of it
 * @property {string} name
 * @property {Float32Array} least weight that is drawn
 * @property {Uint32Array} count of weights that are drawn
 */

/** @type {WeakMap<Weights, Cuts>} the last ones */
const cuts = new WeakMap();

/**
 * @param {Weights} weights
 * @param {number} mass
 * @param {Int32Array} keys those that are shown
 * @param {Int32Array} keyRow
 * @returns {Cuts}
 */
export function cutsOf(weights, mass, keys, keyRow) {
  const all = keys.length === weights.keys;
  const name = `${mass} ${all ? "all" : keys}`;
  let found = cuts.get(weights);
  if (found?.name === name) return found;
  const { start, key, weight, hidden } = weights;
  const rows = hidden.length;
  const rounding = 1e-6 * (weights.scale ?? 1);
  found = { name, least: new Float32Array(rows), count: new Uint32Array(rows) };
  for (let row = 0; row < rows; row++) {
    const first = start[row];
    const own = weight.slice(first, start[row + 1]);
    const sorted = (all ? own : own.filter((_, i) => keyRow[key[first + i]] >= 0)).sort();
    const { listed, spread } = insideOf(weights, row, keyRow, keys.length);
    const wanted = mass * (listed + spread);
    let sum = 0;
    let i = sorted.length;
    while (i > 0 && sum < wanted - rounding) sum += sorted[--i];
    while (i > 0 && sorted[i - 1] === sorted[i]) sum += sorted[--i]; // equal ones are drawn alike
    found.least[row] = sorted[i] ?? 0;
    found.count[row] = sorted.length - i;
  }
  cuts.set(weights, found);
  return found;
}
