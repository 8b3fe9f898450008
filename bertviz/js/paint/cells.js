// A matrix of weights, pixel by pixel or with a shape for every cell.

import { channels } from "../theme/colors.js";
import { INVISIBLE } from "./canvas.js";
import { hatchPixel, paintHatch } from "./hatch.js";

/** @typedef {import("../data/cells.js").Cells} Cells */

/**
 * How strong a small cell is: the root, since a pixel has no neighbours to lie over it as lines do,
 * and a weight of 0.05 would not be seen.
 * @param {number} weight
 */
export function strengthOf(weight) {
  return Math.sqrt(Math.min(1, Math.max(0, weight)));
}

/**
 * @typedef {object} CellColors
 * @property {string} color
 * @property {string} [negative] for values below zero
 * @property {boolean} [root] opacity is the root of the value
 * @property {string} [missing] for values that are not numbers, hatched
 * @property {number} [ratio] of pixels, device pixels per CSS pixel
 */

/**
 * @param {Cells} cells
 * @param {boolean} [root]
 * @returns {(value: number) => number} opacity
 */
function opacities({ max }, root) {
  const share = max > 0 ? 1 / max : 0;
  return (value) =>
    root ? strengthOf(Math.abs(value) * share) : Math.min(1, Math.abs(value) * share);
}

/**
 * A matrix: opacity from nothing to a color, up to the largest value; below zero to another.
 * Linear, or the root, where cells are so small that only the strongest would be seen.
 * @param {CanvasRenderingContext2D} context
 * @param {Cells} cells
 * @param {CellColors & {width: number, height: number, shapes?: boolean}} options shapes: every cell
 *   a shape of its own, for an editor
 */
export function paintCells(context, cells, options) {
  const { width, height, color, negative = color, missing = color, root, shapes } = options;
  if (!shapes) {
    const ratio = context.getTransform().a;
    const [wide, high] = [width, height].map((size) => Math.max(1, Math.round(size * ratio)));
    context.putImageData(cellPixels(context, cells, wide, high, { ...options, ratio }), 0, 0);
    return;
  }
  const opacityOf = opacities(cells, root);
  const [wide, high] = [width / cells.columns, height / cells.rows];
  cells.values.forEach((value, i) => {
    if (Number.isNaN(value)) {
      const [x, y] = [(i % cells.columns) * wide, Math.floor(i / cells.columns) * high];
      paintHatch(context, { x, y, width: wide, height: high }, missing);
      return;
    }
    context.fillStyle = value < 0 ? negative : color;
    context.globalAlpha = opacityOf(value);
    if (context.globalAlpha < INVISIBLE) return;
    context.fillRect((i % cells.columns) * wide, Math.floor(i / cells.columns) * high, wide, high);
  });
  context.globalAlpha = 1;
}

/**
 * A matrix as pixels. Cells smaller than a pixel share it; larger ones have sharp edges.
 * @param {CanvasRenderingContext2D} context
 * @param {Cells} cells
 * @param {number} wide pixels
 * @param {number} high
 * @param {CellColors} options
 */
export function cellPixels(context, cells, wide, high, options) {
  const { color, negative = color, missing = color, root, ratio = 1 } = options;
  const { rows, columns, values } = cells;
  const opacityOf = opacities(cells, root);
  const image = context.createImageData(wide, high);
  const colors = { above: channels(color), below: channels(negative) };
  const [across, down] = [columns / wide, rows / high];
  for (let y = 0, p = 0; y < high; y++) {
    const [r0, r1] = [
      Math.floor(y * down),
      Math.max(Math.floor(y * down) + 1, Math.floor((y + 1) * down)),
    ];
    for (let x = 0; x < wide; x++, p += 4) {
      const c0 = Math.floor(x * across);
      const c1 = Math.max(c0 + 1, Math.floor((x + 1) * across));
      let sum = 0;
      for (let r = r0; r < r1; r++) for (let c = c0; c < c1; c++) sum += values[r * columns + c];
      let count = (r1 - r0) * (c1 - c0);
      if (Number.isNaN(sum)) {
        [sum, count] = present(cells, [r0, r1, c0, c1]);
        if (!count) {
          hatchPixel(image.data, p, x + y, { color: missing, ratio });
          continue;
        }
      }
      const [red, green, blue] = sum < 0 ? colors.below : colors.above;
      image.data[p] = red;
      image.data[p + 1] = green;
      image.data[p + 2] = blue;
      image.data[p + 3] = 255 * opacityOf(sum / count);
    }
  }
  return image;
}

/**
 * The sum of the values that are there, and how many they are.
 * @param {Cells} cells
 * @param {[number, number, number, number]} part first and end of rows, the same of columns
 * @returns {[number, number]}
 */
function present({ columns, values }, [r0, r1, c0, c1]) {
  let [sum, count] = [0, 0];
  for (let r = r0; r < r1; r++) {
    for (let c = c0; c < c1; c++) {
      const value = values[r * columns + c];
      if (Number.isNaN(value)) continue;
      sum += value;
      count++;
    }
  }
  return [sum, count];
}
