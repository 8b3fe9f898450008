// One head in small on a square of a canvas.

import { binned, cellsOfBins } from "../parts/thumbnails.js";
import { cellPixels } from "./cells.js";
import { paintThumbnail } from "./thumbnail.js";

/**
 * @param {CanvasRenderingContext2D} context
 * @param {import("../parts/thumbnails.js").Form} form
 * @param {object} of
 * @param {import("../data/schema.js").Weights} of.weights
 * @param {number} of.head
 * @param {Int32Array} of.queries
 * @param {Int32Array} of.keys
 * @param {{x: number, y: number, size: number, ratio: number, color: string}} at in device pixels
 */
export function paintHead(context, form, of, { x, y, size, ratio, color }) {
  const { weights, head, queries, keys } = of;
  if (form === "lines") {
    context.setTransform(ratio, 0, 0, ratio, x, y);
    const bins = binned(weights, head, queries, keys);
    paintThumbnail(context, bins, { x: 0, y: 0, size: size / ratio, color });
    context.setTransform(1, 0, 0, 1, 0, 0);
    return;
  }
  const cells = cellsOfBins(binned(weights, head, queries, keys, size));
  context.putImageData(cellPixels(context, cells, size, size, { color, root: true }), x, y);
}
