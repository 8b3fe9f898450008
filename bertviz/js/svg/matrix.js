// A matrix on a sheet.

import { cellsOf } from "../data/cells.js";
import { paintMatrix } from "../paint/matrix.js";

/** @typedef {import("./sheet.js").Sheet} Sheet */
/** @typedef {import("../parts/matrix.js").MatrixPlot} MatrixPlot */

const SHAPES = 4096; // cells of an exported matrix that are shapes of their own

/**
 * @param {Sheet} sheet
 * @param {MatrixPlot} plot
 * @param {import("../data/cells.js").Cells} [given] its cells, in the scale of several matrices
 */
export function drawMatrix(sheet, plot, given) {
  const { theme } = sheet;
  const { width, height, labels, edges, heads, queries, keys } = plot;
  const [x, y] = [labels.query, sheet.y + labels.key];
  const cells = given ?? cellsOf(edges, heads.length, queries.length, keys.length);
  const shapes = cells.values.length <= SHAPES;
  sheet.painting(x, y, (context) => paintMatrix(context, plot, cells, theme, shapes));
  sheet.rect(x - 0.5, y - 0.5, width + 1, height + 1, { stroke: theme.hairline });
  drawSelected(sheet, plot, x, y);
  drawLabels(sheet, plot, x, y);
  sheet.y = y + height + 4;
  return { ...cells, root: plot.root };
}

/**
 * Frames around the selected row and column.
 * @param {Sheet} sheet
 * @param {MatrixPlot} plot
 * @param {number} x
 * @param {number} y
 */
function drawSelected(sheet, { row, column, cell, width, height }, x, y) {
  const style = { stroke: sheet.theme.accent };
  if (row >= 0) sheet.rect(x, y + row * cell, width, cell, style);
  if (column >= 0) sheet.rect(x + column * cell, y, cell, height, style);
}

/**
 * @param {Sheet} sheet
 * @param {MatrixPlot} plot
 * @param {number} x
 * @param {number} y
 */
function drawLabels(sheet, { axes, headings, cell, written, labels: room }, x, y) {
  const { theme } = sheet;
  for (const { text, up } of headings) {
    sheet.text(text, { x: x - 8, y: y - up, anchor: "end", color: theme.muted });
  }
  for (const { axis, labels } of axes) {
    for (const { r, text, selected } of labels) {
      const middle = r * cell + (written ? cell / 2 : 7) + 4;
      sheet.text(text, {
        ...(axis === "query"
          ? { x: x - 8, y: y + middle, anchor: /** @type {const} */ ("end") }
          : written
            ? { x: x + middle, y: y - 6, upright: true }
            : { x: x + r * cell, y: y - 6 }),
        size: written ? Math.min(12, cell) : 11,
        strong: selected,
        color: selected ? theme.accent : written ? theme.ink : theme.muted,
        most: axis === "query" ? room.query - 8 : written ? room.key - 6 : undefined,
      });
    }
  }
}
