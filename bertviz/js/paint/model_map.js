// The heads of a model in small, each as the bars of one row.

import { INVISIBLE } from "./canvas.js";

/** @typedef {import("../parts/model_map.js").ModelMap} ModelMap */
/** @typedef {import("../theme/colors.js").Theme} Theme */

/**
 * @param {CanvasRenderingContext2D} context
 * @param {ModelMap} map
 * @param {object} options
 * @param {boolean} options.signed whether bars go up and down from the middle
 * @param {(layer: number, head: number) => string} options.color of a head's bars
 * @param {Theme} options.theme
 */
export function paintModelMap(context, { cells, size }, { signed, color, theme }) {
  const { width, height } = size;
  for (const { layer, head, x, y, bars } of cells) {
    context.fillStyle = theme.surface;
    context.fillRect(x, y, width, height);
    if (!bars) continue;
    const step = width / bars.length;
    const thick = step > 3 ? step - 1 : step;
    const [zero, full] = signed ? [y + height / 2, height / 2] : [y + height, height];
    if (!signed) context.fillStyle = color(layer, head);
    bars.forEach((bar, i) => {
      const long = Math.abs(bar) * full;
      if (long < INVISIBLE * height) return;
      if (signed) context.fillStyle = bar < 0 ? theme.negative : theme.positive;
      context.fillRect(x + i * step, bar < 0 ? zero : zero - long, thick, long);
    });
  }
}
