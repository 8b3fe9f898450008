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
    const { queries, keys, scale } = scene;
    const weights = source.weights(layer);
    const ratio = globalThis.devicePixelRatio || 1;
    const size = Math.round(SIZE * ratio);
    /**
     * @param {HTMLCanvasElement} canvas
     * @param {import("../parts/thumbnails.js").Ply} ply
     * @param {string} color
     */
    const paint = (canvas, ply, color) => {
      canvas.width = canvas.height = size;
      const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
      const of = { weights, queries, keys, head, ply, scale };
      paintHead(context, form, of, { x: 0, y: 0, size, ratio, color });
      return context;
    };
    this.#canvas.style.width = this.#canvas.style.height = `${SIZE}px`;
    const [first, ...others] = pliesOf(scene, layer, theme);
    const context = paint(this.#canvas, first.ply, first.color);
    for (const { ply, color } of others) {
      // On top of each other: pixels replace pixels, so the others are put on by a copy.
      const other = document.createElement("canvas");
      paint(other, ply, color);
      context.drawImage(other, 0, 0);
    }
    return this.#canvas;
  }
}

/**
 * What is drawn on top of each other, and in which color.
 * @param {ModelScene} scene
 * @param {Cell["layer"]} layer
 * @param {import("../theme/colors.js").Theme} theme
 */
function pliesOf({ plies, depthOf }, layer, theme) {
  const own = plies.includes("less") ? theme.positive : theme.layer(depthOf(layer));
  const colors = { own, less: theme.negative, missing: theme.muted };
  return plies.map((ply) => ({ ply, color: colors[ply] }));
}
