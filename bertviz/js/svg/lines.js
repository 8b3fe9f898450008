// Lines between two columns of tokens on a sheet: every row.

import { paintAtRest, paintGaps, paintSelected } from "../paint/lines.js";
import { barColor, barsIn } from "../parts/bars.js";
import { ROW } from "../parts/token_columns.js";
import { inLine } from "../scenes/token_texts.js";

/** @typedef {import("./sheet.js").Sheet} Sheet */
/** @typedef {import("../parts/lines.js").LinesPlot} LinesPlot */

/**
 * @param {Sheet} sheet
 * @param {LinesPlot} plot
 */
export function drawLines(sheet, plot) {
  const { theme } = sheet;
  for (const { text, x, anchor, chip } of plot.headings) {
    if (chip) sheet.chip(text, x, chip);
    else sheet.text(text, { y: sheet.y + 12, x, anchor, color: theme.muted });
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
  drawBars(sheet, plot);
  sheet.y += plot.rows * ROW;
}

/**
 * @param {Sheet} sheet
 * @param {LinesPlot} plot
 */
function drawBars(sheet, plot) {
  const { theme } = sheet;
  const { bars, labels, row } = plot;
  for (const bar of barsIn(plot, [0, row.positions.length])) {
    const y = sheet.y + bar.r * ROW;
    const [top, height] = bars.beside ? [y + 6, 12] : [y + 17, 4];
    const fill = barColor(bar, bars, theme);
    if (bar.width) sheet.rect(bar.x, top, bar.width, height, { fill, radius: 1 });
    sheet.text(bar.text, {
      x: bar.textX,
      y: bars.beside ? y + 16 : y + 14,
      size: bars.beside ? 11 : 10,
    });
  }
  labels?.positions.forEach((position, r) => {
    sheet.text(inLine(plot.text.query[position]), {
      ...{ x: labels.x, y: sheet.y + r * ROW + 16, color: theme.muted, most: labels.width },
    });
  });
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
    const quiet = chosen.length > 0 || plot.folds?.[side].has(position);
    const y = sheet.y + r * ROW;
    if (own) {
      const style = { fill: theme.field, stroke: theme.accent, radius: 6 };
      sheet.rect(x + 0.5, y + 0.5, width - 1, ROW - 1, style);
    }
    sheet.text(inLine(plot.text[side][position]), {
      x: side === "query" ? x + width - 9 : x + 9,
      y: y + 16.5,
      size: 13.5,
      strong: own,
      anchor: side === "query" ? "end" : "start",
      color: own ? theme.accent : quiet ? theme.muted : theme.ink,
      most: width - 14,
      halo: plot.selected && !own,
    });
  });
}
