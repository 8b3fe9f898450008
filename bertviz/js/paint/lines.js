// Painting lines between two columns of tokens: all of them at rest, or those of selected tokens.

import { ROW } from "../parts/token_columns.js";
import { paintHatch } from "./hatch.js";
import { paintRaster, SHADE } from "./raster.js";
import { paintFans, paintLines } from "./strokes.js";

/** @typedef {import("../parts/geometry.js").Geometry} Geometry */
/** @typedef {import("../parts/lines.js").LinesPlot} LinesPlot */

const MUTED = "#808080"; // where a picture names no color for what is missing

/**
 * @param {CanvasRenderingContext2D} context
 * @param {LinesPlot} plot
 * @param {Geometry} geometry
 * @param {boolean} [coarse]
 * @returns {boolean} whether a coarse picture can be painted finer
 */
export function paintAtRest(context, plot, geometry, coarse) {
  const { edges, ends, colors, keys } = plot;
  if (!plot.raster) {
    paintLines(context, edges.each, { ...ends, colors, geometry, spread: false });
    return false;
  }
  /** @type {typeof edges.eachSpread} */
  const eachSpread = (visit) =>
    edges.eachSpread((slot, row, mass) => visit(slot, row, SHADE * mass));
  const options = { ...ends, colors, geometry, eachSpread, keyRows: keys.length, coarse };
  paintRaster(context, edges.each, options);
  return true;
}

/**
 * Tokens without any value, behind their texts.
 * @param {CanvasRenderingContext2D} context
 * @param {LinesPlot} plot
 */
export function paintGaps(context, { columns, gaps, missing = MUTED }) {
  for (const { side, x, width } of columns) {
    for (const r of gaps?.[side === "query" ? "queries" : "keys"] ?? []) {
      paintHatch(context, { x, y: r * ROW + 2, width, height: ROW - 4 }, missing);
    }
  }
}

/**
 * @param {CanvasRenderingContext2D} context
 * @param {LinesPlot} plot
 * @param {Geometry} geometry
 */
export function paintSelected(context, plot, geometry) {
  const { edges, ends, colors, keys } = plot;
  for (const { row, masses } of plot.fans) {
    const height = keys.length * ROW;
    paintFans(context, masses, {
      apex: ends.x0,
      base: ends.x1,
      y: (row + 0.5) * ROW,
      height,
      colors,
    });
  }
  paintLines(context, edges.each, { ...ends, colors, lanes: plot.lanes, geometry, spread: true });
}
