// Queries, keys and what is computed from them, in the columns of the neuron view.

import { INVISIBLE, line } from "./canvas.js";

/** @typedef {import("../parts/geometry.js").Geometry} Geometry */

const LIFT = 2; // of what is positive, and as far below what is negative: signs are told in gray, too

/**
 * Vectors as stripes: a cell per neuron, blue above zero and orange below, strength by |value|.
 * @param {CanvasRenderingContext2D} context
 * @param {Float32Array} values (position, headDim)
 * @param {object} options
 * @param {Geometry} options.geometry
 * @param {Int32Array} options.positions one a row
 * @param {[number, number]} options.rows
 * @param {number} options.headDim
 * @param {number} options.x
 * @param {number} options.width
 * @param {number} options.max the |value| of full strength
 * @param {{positive: string, negative: string}} options.theme
 * @param {(position: number) => number} [options.fade] 0..1 per row
 * @param {number[]} [options.order] neurons from left to right, if not the model's order
 * @param {Set<number>} [options.off] neurons that are switched off: faint
 */
export function paintStripes(context, values, options) {
  const { geometry, positions, rows, headDim, x, width, max, theme, fade, order, off } = options;
  const cell = width / headDim;
  const hair = cell >= 3 ? 0.6 : 0;
  for (let r = rows[0]; r < rows[1]; r++) {
    const start = positions[r] * headDim;
    const strength = (fade ? fade(positions[r]) : 1) / (max || 1);
    const y = r * geometry.row + 4 + LIFT / 2;
    for (let n = 0; n < headDim; n++) {
      const neuron = order ? order[n] : n;
      const value = values[start + neuron];
      const alpha = Math.min(1, Math.abs(value) * strength) * (off?.has(neuron) ? 0.15 : 1);
      if (alpha < INVISIBLE) continue;
      context.globalAlpha = alpha;
      context.fillStyle = value > 0 ? theme.positive : theme.negative;
      const top = value > 0 ? y - LIFT : y + LIFT;
      context.fillRect(x + n * cell, top, cell - hair, geometry.row - 8 - LIFT);
    }
  }
  context.globalAlpha = 1;
}

/**
 * One horizontal bar a row, from zero to a value.
 * @param {CanvasRenderingContext2D} context
 * @param {ArrayLike<number>} values by position
 * @param {object} options
 * @param {Geometry} options.geometry
 * @param {Int32Array} options.positions
 * @param {[number, number]} options.rows
 * @param {(value: number) => number} options.x
 * @param {{positive: string, negative: string}} options.theme
 * @param {[number, number]} [options.inset] from the top and the bottom of a row
 * @param {number} [options.strength] 0..1
 */
export function paintBars(context, values, options) {
  const { geometry, positions, rows, x, theme, inset = [5, 5], strength = 1 } = options;
  const zero = x(0);
  context.globalAlpha = strength;
  for (let r = rows[0]; r < rows[1]; r++) {
    const value = values[positions[r]];
    if (!Number.isFinite(value)) continue;
    const end = x(value);
    context.fillStyle = value < 0 ? theme.negative : theme.positive;
    // A hair for zero: the row has a value, and it is zero.
    const length = Math.max(1, Math.abs(end - zero));
    const height = geometry.row - inset[0] - inset[1];
    context.fillRect(Math.min(zero, end), r * geometry.row + inset[0], length, height);
  }
  context.globalAlpha = 1;
}

/**
 * Right-angle connectors from one row on the left to every row on the right.
 * @param {CanvasRenderingContext2D} context
 * @param {ArrayLike<number>} opacities by row
 * @param {object} options
 * @param {Geometry} options.geometry
 * @param {number} options.from row
 * @param {[number, number]} options.rows
 * @param {number} options.x0
 * @param {number} options.x1
 * @param {string} options.color
 */
export function paintElbows(context, opacities, { geometry, from, rows, x0, x1, color }) {
  const { row } = geometry;
  const middle = Math.round((x0 + x1) / 2) - 0.5;
  const y0 = (from + 0.5) * row;
  context.strokeStyle = color;
  context.lineWidth = 2;
  context.lineJoin = "round";
  // The upright belongs to all rows beyond a point: it is as strong as the strongest of them, so
  // it is drawn once, from the far ends in, and never adds up.
  for (const direction of [-1, 1]) {
    let strongest = 0;
    const last = direction < 0 ? 0 : opacities.length - 1;
    for (let r = last; direction < 0 ? r < from : r > from; r -= direction) {
      strongest = Math.max(strongest, opacities[r]);
      if (strongest < INVISIBLE) continue;
      context.globalAlpha = strongest;
      context.fillStyle = color;
      const y = (r + 0.5) * row;
      context.fillRect(middle - 1, direction < 0 ? y : y - row, 2, row);
    }
  }
  const strongest = Math.max(0, ...Array.from(opacities));
  context.globalAlpha = Math.max(0.25, strongest);
  line(context, x0, y0, middle, y0);
  for (let r = rows[0]; r < rows[1]; r++) {
    if (opacities[r] < INVISIBLE) continue;
    context.globalAlpha = opacities[r];
    const y = (r + 0.5) * row;
    line(context, middle, y, x1, y);
  }
  context.globalAlpha = 1;
}

/**
 * A short horizontal line in every row.
 * @param {CanvasRenderingContext2D} context
 * @param {ArrayLike<number>} opacities by row
 * @param {object} options
 * @param {Geometry} options.geometry
 * @param {[number, number]} options.rows
 * @param {number} options.x0
 * @param {number} options.x1
 * @param {string} options.color
 */
export function paintRungs(context, opacities, { geometry, rows, x0, x1, color }) {
  context.strokeStyle = color;
  context.lineWidth = 2;
  for (let r = rows[0]; r < rows[1]; r++) {
    if (opacities[r] < INVISIBLE) continue;
    context.globalAlpha = opacities[r];
    line(context, x0, (r + 0.5) * geometry.row, x1, (r + 0.5) * geometry.row);
  }
  context.globalAlpha = 1;
}
