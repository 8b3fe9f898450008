// The weights of a picture as a matrix. A long text has more query–key pairs than a screen has pixels,
// so beyond a size a cell is a bin of them.

import { headCount } from "./differences.js";
import { valueCells } from "./value_cells.js";

/** @typedef {import("./edges.js").Edges} Edges */
/**
 * @typedef {object} Cells
 * @property {number} rows
 * @property {number} columns
 * @property {Float32Array} values (rows, columns), with signs where weights have them; not a number
 *   where a value is missing
 * @property {number} max of their sizes
 */

/**
 * The mean weight over the drawn heads of every query–key pair; what is not listed lies evenly on the
 * keys that are not listed. Beyond `most` a cell is a bin: what its mean query gives to all of its
 * keys, so that rows add up as before.
 * @param {Edges} edges of nothing selected
 * @param {number} heads
 * @param {number} queries rows in view
 * @param {number} keys
 * @param {number} [most]
 * @returns {Cells}
 */
export function cellsOf(edges, heads, queries, keys, most = 1024) {
  const [rows, columns] = [Math.min(queries, most), Math.min(keys, most)];
  if (edges.scale !== undefined) return valueCells(edges, { rows, columns, queries, keys });
  const values = new Float32Array(rows * columns);
  const rowOf = (/** @type {number} */ r) => Math.floor((r * rows) / queries);
  const columnOf = (/** @type {number} */ c) => Math.floor((c * columns) / keys);
  const { signs } = edges;
  const share = 1 / headCount(signs) / edges.gain;

  const { each, even } = evenly(edges, heads, queries, keys, share);
  const wide = new Float32Array(columns); // keys of a column
  for (let c = 0; c < keys; c++) wide[columnOf(c)]++;
  for (let r = 0; r < queries; r++) {
    if (!even[r]) continue;
    const at = rowOf(r) * columns;
    for (let column = 0; column < columns; column++) values[at + column] += even[r] * wide[column];
  }
  edges.each((slot, r, c, opacity) => {
    const own = opacity * share - each[slot * queries + r];
    values[rowOf(r) * columns + columnOf(c)] += signs[slot] * own;
  });
  if (rows < queries) {
    const counts = new Float32Array(rows);
    for (let r = 0; r < queries; r++) counts[rowOf(r)]++;
    for (let i = 0; i < values.length; i++) values[i] /= counts[Math.floor(i / columns)];
  }
  let max = 0;
  for (const value of values) if (Math.abs(value) > max) max = Math.abs(value);
  return { rows, columns, values, max };
}

/**
 * What a key gets that is not listed.
 * @param {Edges} edges
 * @param {number} heads
 * @param {number} queries
 * @param {number} keys
 * @param {number} share of a head
 * @returns {{each: Float32Array, even: Float32Array}} per head and query, and per query of all heads
 */
function evenly(edges, heads, queries, keys, share) {
  const listed = new Uint32Array(heads * queries);
  edges.each((slot, r) => listed[slot * queries + r]++);
  const each = new Float32Array(heads * queries);
  const even = new Float32Array(queries);
  edges.eachSpread((slot, r, mass) => {
    const i = slot * queries + r;
    each[i] = (mass * share) / Math.max(1, keys - listed[i]);
    even[r] += edges.signs[slot] * each[i];
  });
  return { each, even };
}
