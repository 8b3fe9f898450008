// What a small cell looks like, large enough to be read: the picture in its tooltip.

import { paintHead } from "../paint/head.js";

/** @typedef {import("../parts/grid.js").Layout} Layout */
/** @typedef {import("../scenes/model.js").ModelScene} ModelScene */
/** @typedef {import("../scenes/model_grid.js").Cell} Cell */

const SIZE = 168; // CSS pixels
const READABLE = 56; // cells of this size need no lens

/** @param {Layout} layout */
export const needsLens = ({ inner, tiles }) => inner < READABLE || tiles;

export class Lens {
  #frame;
  #canvas = document.createElement("canvas");

  /** @param {import("./frame.js").Frame} frame */
  constructor(frame) {
    this.#frame = frame;
  }

  /**
   * @param {ModelScene} scene
   * @param {Layout} layout
   * @param {Cell} cell
   * @returns {HTMLCanvasElement | null} the lens, the same for every cell; null while the weights
   *   are not there
   */
  over(scene, { form }, { layer, head }) {
    const { source } = this.#frame;
    if (!source.has(layer, "weights")) return null;
    const theme = this.#frame.theme();
    const { queries, keys, difference, depthOf } = scene;
    const weights = source.weights(layer);
    const ratio = globalThis.devicePixelRatio || 1;
    const size = Math.round(SIZE * ratio);
    /** @param {HTMLCanvasElement} canvas @param {number} slot @param {string} color */
    const paint = (canvas, slot, color) => {
      canvas.width = canvas.height = size;
      const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
      const of = { weights, queries, keys, head: slot };
      paintHead(context, form, of, { x: 0, y: 0, size, ratio, color });
      return context;
    };
    this.#canvas.style.width = this.#canvas.style.height = `${SIZE}px`;
    if (difference) {
      // On top of each other: pixels replace pixels, so the second is put on by a copy.
      const context = paint(this.#canvas, head, theme.positive);
      const other = document.createElement("canvas");
      paint(other, ~head, theme.negative);
      context.drawImage(other, 0, 0);
    } else {
      paint(this.#canvas, head, theme.layer(depthOf(layer)));
    }
    return this.#canvas;
  }
}
