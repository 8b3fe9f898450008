// Hatching stands for what is missing: no color of a scale looks like it.

import { channels } from "../theme/colors.js";

const PERIOD = 5; // CSS pixels from a stripe to the next, along an axis
const STRIPE = 1.2; // width of a stripe
const STRENGTH = 0.7; // opacity

/**
 * Stripes in a rectangle; those of neighbors continue each other.
 * @param {CanvasRenderingContext2D} context
 * @param {{x: number, y: number, width: number, height: number}} place
 * @param {string} color
 */
export function paintHatch(context, { x, y, width, height }, color) {
  context.strokeStyle = color;
  context.lineWidth = 1;
  context.globalAlpha = STRENGTH;
  context.beginPath();
  const last = x + width + y + height;
  for (let c = PERIOD * Math.ceil((x + y) / PERIOD); c < last; c += PERIOD) {
    const [from, to] = [Math.max(x, c - (y + height)), Math.min(x + width, c - y)];
    if (to <= from) continue;
    context.moveTo(from, c - from);
    context.lineTo(to, c - to);
  }
  context.stroke();
  context.globalAlpha = 1;
}

/**
 * The same pixel by pixel.
 * @param {Uint8ClampedArray} data of an image
 * @param {number} p where the pixel's data begin
 * @param {number} along x + y of the pixel
 * @param {{color: string, ratio: number}} options ratio: device pixels per CSS pixel
 */
export function hatchPixel(data, p, along, { color, ratio }) {
  const period = Math.max(3, Math.round(PERIOD * ratio));
  if (along % period >= Math.max(1, Math.round(STRIPE * ratio))) return;
  [data[p], data[p + 1], data[p + 2]] = channels(color);
  data[p + 3] = 255 * STRENGTH;
}
