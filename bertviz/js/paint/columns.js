// The columns of the neuron view on a canvas, or on what a sheet has in place of one.

import { largest, STRIP } from "../parts/columns.js";
import { ROW } from "../parts/token_columns.js";
import { paintBars, paintElbows, paintRungs, paintStripes } from "./vectors.js";

/** @typedef {import("../parts/columns.js").ColumnsPlot} ColumnsPlot */
/** @typedef {import("../theme/colors.js").Theme} Theme */
/** @typedef {import("../parts/geometry.js").Geometry} Geometry */
/** @typedef {{query: [number, number], key: [number, number]}} Rows */

/**
 * @param {CanvasRenderingContext2D} context
 * @param {ColumnsPlot} plot
 * @param {Theme} theme
 * @param {Geometry} geometry
 * @param {Rows} rows
 */
export function paintColumns(context, plot, theme, geometry, rows) {
  paintVectors(context, plot, theme, geometry, rows);
  paintConnectors(context, plot, theme, geometry, rows);
  paintScores(context, plot, theme, geometry, rows);
}

/**
 * Queries, keys and products, and a frame around the selected query.
 * @param {CanvasRenderingContext2D} context
 * @param {ColumnsPlot} plot
 * @param {Theme} theme
 * @param {Geometry} geometry
 * @param {Rows} rows
 */
function paintVectors(context, plot, theme, geometry, rows) {
  const { x, stripe, columns, stripes, max, selected, queryRow, shape, off } = plot;
  for (const { column, side, x, width } of stripes) {
    paintStripes(context, columns[column], {
      ...{ geometry, headDim: shape.headDim, width, theme, off, x },
      order: plot.order ?? undefined,
      positions: side === "query" ? plot.queries : plot.keys,
      rows: rows[side],
      max: max[column],
      fade: side === "query" ? (position) => (position === selected ? 1 : 0.4) : undefined,
    });
  }
  context.strokeStyle = theme.accent;
  context.lineWidth = 1.5;
  context.beginPath();
  context.roundRect(x.q - 4, queryRow * ROW + 1, stripe + 8, ROW - 2, 4);
  context.stroke();
}

/**
 * Between the columns, as strong as the weight.
 * @param {CanvasRenderingContext2D} context
 * @param {ColumnsPlot} plot
 * @param {Theme} theme
 * @param {Geometry} geometry
 * @param {Rows} rows
 */
function paintConnectors(context, { x, stripe, strengths, queryRow }, theme, geometry, { key }) {
  const common = { geometry, rows: key, color: theme.accent };
  const elbows = { from: queryRow, x0: x.q + stripe + 4, x1: x.k - 4 };
  paintElbows(context, strengths, { ...common, ...elbows });
  paintRungs(context, strengths, { ...common, x0: x.k + stripe + 4, x1: x.products - 4 });
  paintRungs(context, strengths, { ...common, x0: x.products + stripe + 4, x1: x.bias - 4 });
}

/**
 * Scores and weights. Where neurons are off, the true ones stay, thin and pale, above the others.
 * @param {CanvasRenderingContext2D} context
 * @param {ColumnsPlot} plot
 * @param {Theme} theme
 * @param {Geometry} geometry
 * @param {Rows} rows
 */
function paintScores(context, plot, theme, geometry, rows) {
  const { row, keys, whatIf, scoreX, weightX } = plot;
  const bars = { geometry, positions: keys, rows: rows.key, theme };
  /**
   * @param {{scores: Float32Array, weights: Float32Array}} values
   * @param {{inset?: [number, number], strength?: number}} [style]
   */
  const paint = ({ scores, weights }, style) => {
    paintBars(context, scores, { ...bars, ...style, x: scoreX });
    paintBars(context, weights, { ...bars, ...style, x: weightX });
  };
  if (whatIf) {
    paint(row, { inset: [4, 14], strength: 0.45 });
    paint(whatIf, { inset: [14, 4] });
  } else {
    paint(row);
  }
  context.fillStyle = theme.hairline;
  context.fillRect(scoreX(0) - 0.5, geometry.top, 1, geometry.height);
}

/**
 * What each neuron contributes, as bars up and down.
 * @param {CanvasRenderingContext2D} context whose left end is the strip's
 * @param {ColumnsPlot} plot
 * @param {Theme} theme
 */
export function paintStrip(context, { contribution, order, shape, stripe, off }, theme) {
  const { headDim } = shape;
  const cell = stripe / headDim;
  const gap = cell >= 3 ? 0.6 : 0;
  const reach = largest(contribution) || 1;
  for (let i = 0; i < headDim; i++) {
    const neuron = order ? order[i] : i;
    const value = contribution[neuron];
    const height = (STRIP / 2) * (Math.abs(value) / reach);
    context.globalAlpha = off.has(neuron) ? 0.3 : 1;
    context.fillStyle = value < 0 ? theme.negative : theme.positive;
    context.fillRect(i * cell, value < 0 ? STRIP / 2 : STRIP / 2 - height, cell - gap, height);
  }
  context.globalAlpha = 1;
  context.fillStyle = theme.hairline;
  context.fillRect(0, STRIP / 2 - 0.5, stripe, 1);
}
