// Values that are not attention as a matrix: means, since their sums mean nothing, over those that are
// there; or in small, the strongest.

import { headCount } from "./differences.js";

/** @typedef {{rows: number, columns: number, queries: number, keys: number}} Shape cells, and what they
 * are cells of */

/**
 * The mean value over the drawn heads of every query–key pair, or of a bin of pairs; not a number
 * where none of them has a value. What is not listed is too small to be seen and counts as zero.
 * @param {import("./edges.js").Edges} edges of nothing selected
 * @param {Shape} shape
 * @returns {import("./cells.js").Cells}
 */
export function valueCells(edges, shape) {
  const sums = new Float64Array(shape.rows * shape.columns);
  eachValue(edges, shape, (value, i) => (sums[i] += value));
  const counts = countsOf(edges, shape);
  return cellsWith(shape, (i) => (counts[i] ? sums[i] / counts[i] : NaN));
}

/**
 * The same with the value of the largest size in each bin: a mean over a hundred pairs would show
 * neither a line of large values nor, where signs differ, anything at all.
 * @param {import("./edges.js").Edges} edges of nothing selected
 * @param {Shape} shape
 * @returns {import("./cells.js").Cells}
 */
export function strongestCells(edges, shape) {
  const strongest = new Float64Array(shape.rows * shape.columns);
  eachValue(edges, shape, (value, i) => {
    if (Math.abs(value) > Math.abs(strongest[i])) strongest[i] = value;
  });
  const counts = edges.gaps?.count ? countsOf(edges, shape) : null;
  return cellsWith(shape, (i) => (!counts || counts[i] ? strongest[i] : NaN));
}

/**
 * @param {Shape} shape
 * @returns {(r: number, c: number) => number} the cell of a query and a key
 */
function cellOf({ rows, columns, queries, keys }) {
  return (r, c) => Math.floor((r * rows) / queries) * columns + Math.floor((c * columns) / keys);
}

/**
 * @param {import("./edges.js").Edges} edges
 * @param {Shape} shape
 * @param {(value: number, cell: number) => void} visit
 */
function eachValue(edges, shape, visit) {
  const at = cellOf(shape);
  edges.each((slot, r, c, opacity) => visit((edges.signs[slot] * opacity) / edges.gain, at(r, c)));
}

/**
 * How many values are there, per cell.
 * @param {import("./edges.js").Edges} edges
 * @param {Shape} shape
 */
function countsOf(edges, shape) {
  const at = cellOf(shape);
  const counts = new Float64Array(shape.rows * shape.columns);
  const heads = headCount(edges.signs);
  for (let r = 0; r < shape.queries; r++) {
    for (let c = 0; c < shape.keys; c++) counts[at(r, c)] += heads;
  }
  edges.eachMissing((_, r, c) => counts[at(r, c)]--);
  return counts;
}

/**
 * @param {Shape} shape
 * @param {(cell: number) => number} valueOf
 */
function cellsWith({ rows, columns }, valueOf) {
  const values = Float32Array.from({ length: rows * columns }, (_, i) => valueOf(i));
  let max = 0;
  for (const value of values) if (Math.abs(value) > max) max = Math.abs(value);
  return { rows, columns, values, max };
}
