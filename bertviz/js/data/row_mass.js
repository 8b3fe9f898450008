// Where the mass of a row is, when only some of the keys are shown.

import { keyCountOf } from "./regroup.js";

/** @typedef {import("./schema.js").Weights} Weights */

/**
 * The mass of a row on some keys: what is listed there, and their part of what is not.
 * @param {Weights} weights
 * @param {number} row
 * @param {Int32Array} keyRow -1 for other keys
 * @param {number} count of these keys
 */
export function insideOf(weights, row, keyRow, count) {
  const [from, to] = [weights.start[row], weights.start[row + 1]];
  let listed = 0;
  let entries = 0;
  for (let e = from; e < to; e++) {
    if (keyRow[weights.key[e]] < 0) continue;
    listed += weights.weight[e];
    entries++;
  }
  const rest = keyCountOf(weights) - (to - from);
  return { listed, spread: rest > 0 ? (weights.hidden[row] * (count - entries)) / rest : 0 };
}

/**
 * The row of each position, -1 for those that are not shown.
 * @param {Int32Array} positions
 * @param {number} count
 */
export function rowsOf(positions, count) {
  const rows = new Int32Array(count).fill(-1);
  positions.forEach((position, row) => {
    rows[position] = row;
  });
  return rows;
}
