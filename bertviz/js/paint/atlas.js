// Thousands of thumbnails are too many to draw again for another color or order. So each is made
// once, as a stencil without a color, in an atlas that has the heads in the model's order; to paint
// the grid they are colored and copied to their places, which costs one copy per cell.

import { paintHead } from "./head.js";

/** @typedef {import("../data/schema.js").Weights} Weights */
/**
 * What all stencils of an atlas have in common.
 * @typedef {object} Stencils
 * @property {string} name changes when the stencils do
 * @property {number} size device pixels
 * @property {number} ratio
 * @property {import("../parts/thumbnails.js").Form} form
 * @property {Int32Array} queries
 * @property {Int32Array} keys
 * @property {number} [scale] of values that are not attention: what is drawn at full strength
 */
/** @typedef {import("../parts/thumbnails.js").Ply} Ply */
/**
 * A stencil's place in the atlas.
 * @typedef {{row: number, column: number, head: number, ply: Ply, weights: Weights}} Place
 */

export class Atlas {
  #canvas;
  #tinted;
  #name = "";
  /** @type {Set<string>} the stencils that are there */
  #made = new Set();
  #size = 1;

  /** @param {() => HTMLCanvasElement} createCanvas */
  constructor(createCanvas) {
    this.#canvas = createCanvas();
    this.#tinted = createCanvas();
  }

  /**
   * Makes the stencils that are missing, one a step.
   * @param {Stencils} stencils
   * @param {Place[]} places
   * @param {{rows: number, columns: number}} shape
   */
  *make(stencils, places, { rows, columns }) {
    const { name, size, ratio, form, queries, keys, scale } = stencils;
    if (name !== this.#name) {
      this.#name = name;
      this.#made.clear();
      this.#size = size;
      this.#canvas.width = columns * size;
      this.#canvas.height = rows * size;
    }
    const context = /** @type {CanvasRenderingContext2D} */ (this.#canvas.getContext("2d"));
    for (const { row, column, head, ply, weights } of places) {
      const own = `${row} ${column}`;
      if (this.#name !== name) return; // another size has begun meanwhile
      if (this.#made.has(own)) continue;
      const at = { x: column * size, y: row * size, size, ratio, color: "#000000" };
      paintHead(context, form, { weights, head, ply, queries, keys, scale }, at);
      this.#made.add(own);
      yield;
    }
  }

  /**
   * The stencils in colors.
   * @param {{row: number, column: number, color: string}[]} places
   */
  tinted(places) {
    const [canvas, size] = [this.#tinted, this.#size];
    canvas.width = this.#canvas.width;
    canvas.height = this.#canvas.height;
    const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
    context.drawImage(this.#canvas, 0, 0);
    context.globalCompositeOperation = "source-atop";
    for (const { row, column, color } of places) {
      context.fillStyle = color;
      context.fillRect(column * size, row * size, size, size);
    }
    return canvas;
  }
}
