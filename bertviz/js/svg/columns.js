// The columns of the neuron view on a sheet: every row.

import { paintColumns, paintStrip } from "../paint/columns.js";
import { numbersOf } from "../parts/columns.js";
import { ROW } from "../parts/token_columns.js";
import { inLine } from "../scenes/token_texts.js";

/** @typedef {import("./sheet.js").Sheet} Sheet */
/** @typedef {import("../parts/columns.js").ColumnsPlot} ColumnsPlot */

const HEADINGS = 68; // height of what stands above the rows

/**
 * @param {Sheet} sheet
 * @param {ColumnsPlot} plot
 */
export function drawColumns(sheet, plot) {
  drawHeadings(sheet, plot);
  sheet.y += HEADINGS;
  const rows = { query: whole(plot.queries), key: whole(plot.keys) };
  const size = { width: plot.width, rows: plot.rows, row: ROW };
  sheet.rows(0, sheet.y, size, (context, geometry) =>
    paintColumns(context, plot, sheet.theme, geometry, rows),
  );
  drawQueries(sheet, plot);
  drawKeys(sheet, plot);
  for (const { r, x, width, text, strength, end, half } of numbersOf(plot, rows.key)) {
    const anchor = end ? "end" : "start";
    const y = sheet.y + r * ROW + { before: 10, after: 21, whole: 16 }[half ?? "whole"];
    const style = { size: half ? 10 : 11, opacity: strength };
    const color = half === "before" ? sheet.theme.muted : sheet.theme.ink;
    sheet.text(text, { x: end ? x + width : x, y, anchor, color, ...style });
  }
  sheet.y += plot.rows * ROW;
}

/**
 * @param {Sheet} sheet
 * @param {ColumnsPlot} plot
 */
function drawHeadings(sheet, plot) {
  const { muted: color } = sheet.theme;
  for (const { x, width, title, note } of plot.titles) {
    sheet.text(title, { x, y: sheet.y + 13, size: 13.5, strong: true, most: width });
    sheet.text(note, { x, y: sheet.y + 28, color, most: width });
  }
  for (const { x, text } of plot.ticks) {
    sheet.text(text, { x, y: sheet.y + 42, size: 9, anchor: "middle", color });
  }
  const { x, name, room } = plot.strip;
  sheet.painting(x, sheet.y + 48, (context) => paintStrip(context, plot, sheet.theme));
  sheet.text(name, { x: x - 6, y: sheet.y + 59, size: 9, anchor: "end", color, most: room });
}

/**
 * @param {Sheet} sheet
 * @param {ColumnsPlot} plot
 */
function drawQueries(sheet, { queries, selected, queryWidth, text }) {
  const { field, accent, muted } = sheet.theme;
  queries.forEach((position, r) => {
    const own = position === selected;
    const y = sheet.y + r * ROW;
    if (own) {
      const style = { fill: field, stroke: accent, radius: 6 };
      sheet.rect(0.5, y + 0.5, queryWidth - 1, ROW - 1, style);
    }
    sheet.text(inLine(text.query[position]), {
      ...{ x: queryWidth - 9, y: y + 16.5, size: 13.5, strong: own, most: queryWidth - 14 },
      anchor: "end",
      color: own ? accent : muted,
    });
  });
}

/**
 * @param {Sheet} sheet
 * @param {ColumnsPlot} plot
 */
function drawKeys(sheet, { keys, x, keyWidth, text, best }) {
  keys.forEach((position, r) => {
    const place = { x: x.key + 9, y: sheet.y + r * ROW + 16.5 };
    const strong = position === best;
    sheet.text(inLine(text.key[position]), { ...place, size: 13.5, most: keyWidth - 14, strong });
  });
}

/**
 * @param {Int32Array} positions
 * @returns {[number, number]}
 */
const whole = (positions) => [0, positions.length];
