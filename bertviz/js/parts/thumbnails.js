// Heads in small. Every thumbnail is made once, as a stencil without a colour, in an atlas that has
// the heads in the model's order; a picture of the grid puts them in their places and colours them.
// So another colour or another order costs one copy per cell.

import { cellPixels } from "../paint/cells.js";
import { paintThumbnail } from "../paint/thumbnail.js";

/** @typedef {import("../data/schema.js").Weights} Weights */
/**
 * One head's weights on few rows and columns.
 * @typedef {object} Bins
 * @property {number} rows
 * @property {number} columns
 * @property {Float32Array} values (rows, columns)
 * @property {number} hidden mass of the mean row that is not listed
 */

const MOST_LINES = 64; // rows of lines that can be told apart
const LEAST_LINES = 34; // CSS pixels of a cell, below which lines are a blot
const PER_ROW = 1.4; // and so are they with less than that for a token

/**
 * Lines as in the head view where there is room for them, else a small matrix.
 * @param {number} size CSS pixels
 * @param {number} tokens on the longer side
 * @returns {"lines" | "matrix"}
 */
export function formOf(size, tokens) {
  return size >= LEAST_LINES && size >= PER_ROW * tokens ? "lines" : "matrix";
}

/**
 * One head's weights on at most so many rows and columns: a cell holds what the mean query of its
 * bin gives to all keys of its bin, so a row adds up as it did, and a pattern stays where it was.
 * What is not listed is the mean row's hidden mass.
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
 * A head on a square of a canvas, in device pixels.
 * @param {CanvasRenderingContext2D} context
 * @param {"lines" | "matrix"} form
 * @param {{weights: Weights, head: number, queries: Int32Array, keys: Int32Array}} of
 * @param {{x: number, y: number, size: number, ratio: number, color: string}} at
 */
export function paintHead(context, form, { weights, head, queries, keys }, { x, y, size, ratio, color }) {
  if (form === "lines") {
    context.setTransform(ratio, 0, 0, ratio, x, y);
    const bins = binned(weights, head, queries, keys);
    paintThumbnail(context, bins, { x: 0, y: 0, size: size / ratio, color });
    context.setTransform(1, 0, 0, 1, 0, 0);
    return;
  }
  const { rows, columns, values, hidden } = binned(weights, head, queries, keys, size);
  const whole = values.map((value) => value + hidden / columns); // what is not listed lies evenly
  const cells = { rows, columns, values: whole, max: 1 };
  context.putImageData(cellPixels(context, cells, size, size, { color, root: true }), x, y);
}

/** Stencils of all heads, made in steps. */
export class Atlas {
  #canvas = document.createElement("canvas");
  #tinted = document.createElement("canvas");
  #name = "";
  /** @type {Set<string>} the stencils that are there */
  #made = new Set();
  #size = 1;

  /**
   * Makes the stencils that are missing, each a step.
   * @param {string} name what all of them depend on
   * @param {object} options
   * @param {{head: number, row: number, column: number, weights: Weights}[]} options.stencils
   * @param {number} options.rows
   * @param {number} options.columns
   * @param {number} options.size device pixels
   * @param {number} options.ratio
   * @param {"lines" | "matrix"} options.form
   * @param {Int32Array} options.queries
   * @param {Int32Array} options.keys
   */
  *make(name, { stencils, rows, columns, size, ratio, form, queries, keys }) {
    if (name !== this.#name) {
      this.#name = name;
      this.#made.clear();
      this.#size = size;
      this.#canvas.width = columns * size;
      this.#canvas.height = rows * size;
    }
    const context = /** @type {CanvasRenderingContext2D} */ (this.#canvas.getContext("2d"));
    for (const { row, column, head, weights } of stencils) {
      const own = `${row} ${column}`;
      if (this.#name !== name) return; // another size has begun meanwhile
      if (this.#made.has(own)) continue;
      const at = { x: column * size, y: row * size, size, ratio, color: "#000000" };
      paintHead(context, form, { weights, head, queries, keys }, at);
      this.#made.add(own);
      yield;
    }
  }

  /**
   * The stencils in colours.
   * @param {{row: number, column: number, color: string}[]} cells places in the atlas
   */
  tinted(cells) {
    const [canvas, size] = [this.#tinted, this.#size];
    canvas.width = this.#canvas.width;
    canvas.height = this.#canvas.height;
    const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
    context.drawImage(this.#canvas, 0, 0);
    context.globalCompositeOperation = "source-atop";
    for (const { row, column, color } of cells) {
      context.fillStyle = color;
      context.fillRect(column * size, row * size, size, size);
    }
    return canvas;
  }
}
