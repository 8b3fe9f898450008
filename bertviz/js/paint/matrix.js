// Painting a matrix, and the whole text in small.

import { cellColor } from "../scenes/picture.js";
import { paintCells } from "./cells.js";

/** @typedef {import("../data/cells.js").Cells} Cells */
/** @typedef {import("../theme/colors.js").Theme} Theme */

/**
 * @param {CanvasRenderingContext2D} context
 * @param {import("../parts/matrix.js").MatrixPlot} plot
 * @param {Cells} cells
 * @param {Theme} theme
 * @param {boolean} [shapes] every cell as a shape of its own, for an editor
 */
export function paintMatrix(context, plot, cells, theme, shapes) {
  const { width, height, root } = plot;
  const color = cellColor(plot, theme);
  const { negative, muted: missing } = theme;
  paintCells(context, cells, { width, height, root, color, negative, missing, shapes });
}

/**
 * @param {CanvasRenderingContext2D} context
 * @param {{width: number, height: number}} size
 * @param {Cells} cells
 * @param {boolean} signed
 * @param {Theme} theme
 */
export function paintOverview(context, { width, height }, cells, signed, theme) {
  const color = signed ? theme.positive : theme.ink;
  const { negative, muted: missing } = theme;
  paintCells(context, cells, { width, height, root: true, color, negative, missing });
}
