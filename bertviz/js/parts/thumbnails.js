// Heads in small: what a thumbnail shows in the few pixels that it has.

import { slotsOf } from "../data/differences.js";
import { edgesOf } from "../data/edges.js";
import { strongestCells } from "../data/value_cells.js";

/** @typedef {import("../data/schema.js").Weights} Weights */
/**
 * One head's weights on few rows and columns.
 * @typedef {object} Bins
 * @property {number} rows
 * @property {number} columns
 * @property {Float32Array} values (rows, columns)
 * @property {number} hidden mass of the mean row that is not listed
 */
/** @typedef {import("../data/kinds.js").Ply} Ply */
/** @typedef {"lines" | "matrix"} Form */

const MOST_LINES = 64; // rows of lines that can be told apart
const LEAST_LINES = 34; // CSS pixels of a cell, below which lines are a blot
const PER_ROW = 1.4; // and so are they with less than that for a token

/**
 * Lines as in the head view where there is room for them, else a small matrix.
 * @param {number} size CSS pixels
 * @param {number} tokens on the longer side
 * @returns {Form}
 */
export function formOf(size, tokens) {
  return size >= LEAST_LINES && size >= PER_ROW * tokens ? "lines" : "matrix";
}

/**
 * One head's weights on at most so many rows and columns: a bin holds what the mean query of its
 * rows gives to all keys of its columns, so a row adds up as it did, and a pattern stays where it
 * was. What is not listed is the mean row's hidden mass.
 * @param {Weights} weights
 * @param {number} head
 * @param {Int32Array} queries
 * @param {Int32Array} keys
 * @param {number} [most]
 * @returns {Bins}
 */
export function binned(weights, head, queries, keys, most = MOST_LINES) {
  const rows = Math.min(most, queries.length);
  const columns = Math.min(most, keys.length);
  const values = new Float32Array(rows * columns);
  const counts = new Float32Array(rows);
  const columnOf = new Int32Array(weights.keys).fill(-1);
  for (let i = 0; i < keys.length; i++) columnOf[keys[i]] = Math.floor((i * columns) / keys.length);
  const slot = weights.heads.indexOf(head);
  const { start, key, weight } = weights;
  let hidden = 0;
  for (let i = 0; i < queries.length; i++) {
    const bin = Math.floor((i * rows) / queries.length);
    counts[bin]++;
    const row = slot * weights.queries + queries[i];
    hidden += weights.hidden[row] / queries.length;
    for (let e = start[row]; e < start[row + 1]; e++) {
      const column = columnOf[key[e]];
      if (column >= 0) values[bin * columns + column] += weight[e];
    }
  }
  for (let i = 0; i < values.length; i++) values[i] /= counts[Math.floor(i / columns)];
  return { rows, columns, values, hidden };
}

/**
 * The bins as a small matrix, in which what is not listed lies evenly.
 * @param {Bins} bins
 */
export function cellsOfBins({ rows, columns, values, hidden }) {
  return { rows, columns, values: values.map((value) => value + hidden / columns), max: 1 };
}

/**
 * @typedef {object} Small a head in small
 * @property {Weights} weights
 * @property {number} head
 * @property {Int32Array} queries
 * @property {Int32Array} keys
 * @property {Ply} [ply]
 * @property {number} [scale] of values that are not attention: what is drawn at full strength
 */

/**
 * One ply of a head as a small matrix; of values that are not attention with the strongest of each
 * bin.
 * @param {Small} small
 * @param {number} most rows and columns
 * @returns {import("../data/cells.js").Cells}
 */
export function smallMatrix({ weights, head, queries, keys, ply = "own", scale = 1 }, most) {
  if (weights.scale === undefined) {
    return cellsOfBins(binned(weights, ply === "less" ? ~head : head, queries, keys, most));
  }
  const heads = slotsOf(weights, [head]);
  const edges = edgesOf(weights, { heads, queries, keys, query: null, key: null });
  const shape = { queries: queries.length, keys: keys.length };
  const [rows, columns] = [Math.min(most, shape.queries), Math.min(most, shape.keys)];
  const { values } = strongestCells(edges, { rows, columns, ...shape });
  return { rows, columns, values: values.map(OF_PLY[ply]), max: scale };
}

/** @type {Record<Ply, (value: number) => number>} what a ply shows of a value */
const OF_PLY = {
  own: (value) => Math.max(0, value) || 0,
  less: (value) => Math.max(0, -value) || 0,
  missing: (value) => (Number.isNaN(value) ? value : 0),
};
