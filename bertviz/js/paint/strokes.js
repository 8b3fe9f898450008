// Attention between two columns of tokens: lines for what is listed, fans for what is not.

import { INVISIBLE } from "./canvas.js";

/** @typedef {import("../parts/geometry.js").Geometry} Geometry */
/** @typedef {import("../data/edges.js").EachEdge} EachEdge */

/**
 * Straight lines from query to key.
 * @param {CanvasRenderingContext2D} context
 * @param {EachEdge} eachEdge
 * @param {object} options
 * @param {Geometry} options.geometry
 * @param {number} options.x0 where lines leave the query
 * @param {number} options.x1 where they reach the key
 * @param {string[]} options.colors per slot
 * @param {boolean} options.spread lines of several heads lie side by side
 * @param {number[]} [options.lanes] where, per slot; by default each has a lane of its own
 * @param {number} [options.lineWidth]
 */
export function paintLines(context, eachEdge, options) {
  const { geometry, x0, x1, colors, spread, lineWidth = 1.75 } = options;
  const { top, height, row } = geometry;
  const bottom = top + height;
  const { lanes, count } = lanesIn(options);
  // Side by side they share four fifths of a row.
  const step = spread ? Math.min(3, (0.8 * row) / count) : 0;
  context.lineWidth = spread && count > 1 ? Math.max(1, step) : lineWidth;
  context.lineCap = "butt";
  let last = -1;
  eachEdge((slot, queryRow, keyRow, opacity) => {
    if (opacity < INVISIBLE) return;
    const shift = (lanes[slot] - (count - 1) / 2) * step;
    const y0 = (queryRow + 0.5) * row + shift;
    const y1 = (keyRow + 0.5) * row + shift;
    if ((y0 < top && y1 < top) || (y0 > bottom && y1 > bottom)) return;
    if (slot !== last) context.strokeStyle = colors[(last = slot)];
    context.globalAlpha = Math.min(1, opacity);
    context.beginPath();
    context.moveTo(x0, y0);
    context.lineTo(x1, y1);
    context.stroke();
  });
  context.globalAlpha = 1;
}

/**
 * @param {{colors: string[], lanes?: number[]}} options
 * @returns {{lanes: number[], count: number}}
 */
function lanesIn({ colors, lanes = colors.map((_, slot) => slot) }) {
  return { lanes, count: lanes.length ? lanes[lanes.length - 1] + 1 : 1 };
}

// Opacity of a fan that holds all of a row's mass.
export const FAN = 0.14;

/**
 * What a selected row does not list, as a fan to all keys (or from all queries).
 * @param {CanvasRenderingContext2D} context
 * @param {number[]} masses per slot, 0..1
 * @param {object} options
 * @param {number} options.apex x of the selected token's end
 * @param {number} options.base x of the other tokens' ends
 * @param {number} options.y of the selected token
 * @param {number} options.height of all rows
 * @param {string[]} options.colors per slot
 */
export function paintFans(context, masses, { apex, base, y, height, colors }) {
  masses.forEach((mass, slot) => {
    const alpha = (FAN * mass) / masses.length;
    if (alpha < INVISIBLE) return;
    context.globalAlpha = alpha;
    context.fillStyle = colors[slot];
    context.beginPath();
    context.moveTo(apex, y);
    context.lineTo(base, 0);
    context.lineTo(base, height);
    context.fill();
  });
  context.globalAlpha = 1;
}
