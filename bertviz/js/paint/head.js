// One head in small on a square of a canvas.

import { binned, smallMatrix } from "../parts/thumbnails.js";
import { cellPixels } from "./cells.js";
import { paintThumbnail } from "./thumbnail.js";

/**
 * @param {CanvasRenderingContext2D} context
 * @param {import("../parts/thumbnails.js").Form} form
 * @param {import("../parts/thumbnails.js").Small} of
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
  const image = cellPixels(context, smallMatrix(of, size), size, size, {
    color,
    root: true,
    ratio,
  });
  context.putImageData(image, x, y);
}
