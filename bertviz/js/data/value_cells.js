// Values that are not attention as a matrix: means, since their sums mean nothing, over those that are
// there.

import { headCount } from "./differences.js";

/**
 * The mean value over the drawn heads of every query–key pair, or of a bin of pairs; not a number
 * where none of them has a value. What is not listed is too small to be seen and counts as zero.
 * @param {import("./edges.js").Edges} edges of nothing selected
 * @param {{rows: number, columns: number, queries: number, keys: number}} shape cells, and what they
 *   are cells of
 * @returns {import("./cells.js").Cells}
 */
export function valueCells(edges, { rows, columns, queries, keys }) {
  const sums = new Float64Array(rows * columns);
  const counts = new Float64Array(rows * columns); // of values that are there
  const rowOf = (/** @type {number} */ r) => Math.floor((r * rows) / queries);
  const columnOf = (/** @type {number} */ c) => Math.floor((c * columns) / keys);
  const heads = headCount(edges.signs);
  for (let r = 0; r < queries; r++) {
    const at = rowOf(r) * columns;
    for (let c = 0; c < keys; c++) counts[at + columnOf(c)] += heads;
  }
  edges.eachMissing((_, r, c) => counts[rowOf(r) * columns + columnOf(c)]--);
  edges.each((slot, r, c, opacity) => {
    sums[rowOf(r) * columns + columnOf(c)] += (edges.signs[slot] * opacity) / edges.gain;
  });
  const values = Float32Array.from(sums, (sum, i) => (counts[i] ? sum / counts[i] : NaN));
  let max = 0;
  for (const value of values) if (Math.abs(value) > max) max = Math.abs(value);
  return { rows, columns, values, max };
}
