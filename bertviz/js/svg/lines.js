// Lines between two columns of tokens on a sheet: every row.

import { paintAtRest, paintGaps, paintSelected } from "../paint/lines.js";
import { numbersOf } from "../parts/lines.js";
import { ROW } from "../parts/token_columns.js";

/** @typedef {import("./sheet.js").Sheet} Sheet */
/** @typedef {import("../parts/lines.js").LinesPlot} LinesPlot */

/**
 * @param {Sheet} sheet
 * @param {LinesPlot} plot
 */
export function drawLines(sheet, plot) {
  const { theme } = sheet;
  for (const { text, x, anchor } of plot.headings) {
    sheet.text(text, { x, y: sheet.y + 12, anchor, color: theme.muted });
  }
  sheet.y += 22;
  const size = { width: plot.width, rows: plot.rows, row: ROW };
  const paint = plot.selected ? paintSelected : paintAtRest;
  sheet.rows(
    0,
    sheet.y,
    size,
    (context, geometry) => void paint(context, plot, geometry),
    plot.raster,
  );
  if (plot.gaps?.count) sheet.painting(0, sheet.y, (context) => paintGaps(context, plot));
  for (const column of plot.columns) drawTokens(sheet, plot, column);
  const { x, anchor } = plot.mean;
  for (const { r, text, strength } of numbersOf(plot, [0, plot.rows])) {
    sheet.text(text, { x, y: sheet.y + r * ROW + 16, anchor, opacity: strength });
  }
  sheet.y += plot.rows * ROW;
}

/**
 * @param {Sheet} sheet
 * @param {LinesPlot} plot
 * @param {LinesPlot["columns"][number]} column
 */
function drawTokens(sheet, plot, { side, x, width, positions, chosen }) {
  const { theme } = sheet;
  positions.forEach((position, r) => {
    const own = chosen.includes(position);
    const y = sheet.y + r * ROW;
    if (own) {
      const style = { fill: theme.field, stroke: theme.accent, radius: 6 };
      sheet.rect(x + 0.5, y + 0.5, width - 1, ROW - 1, style);
    }
    sheet.text(plot.text[side][position], {
      x: side === "query" ? x + width - 9 : x + 9,
      y: y + 16.5,
      size: 13.5,
      strong: own,
      anchor: side === "query" ? "end" : "start",
      color: own ? theme.accent : chosen.length ? theme.muted : theme.ink,
      most: width - 14,
      halo: plot.selected && !own,
    });
  });
}
