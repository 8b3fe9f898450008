// The line below a picture on a sheet: its legend and what it leaves out.

import { paintHatch } from "../paint/hatch.js";
import { rampOf, SIGNS } from "../scenes/legends.js";
import { estimatedWidth } from "./text_width.js";

/** @typedef {import("./sheet.js").Sheet} Sheet */
/** @typedef {import("../scenes/legends.js").Legend} Legend */

const SIZE = 11;
const RAMP = 72; // width
const SWATCH = 10;

/**
 * @param {Sheet} sheet
 * @param {Legend} options
 */
export function drawFooter(sheet, options) {
  const { muted } = sheet.theme;
  const y = sheet.y + 24;
  const end = drawLegend(sheet, options, y);
  sheet.y = y + 4;
  const { note } = options;
  if (!note) return;
  if (end + 12 + estimatedWidth(note, SIZE) <= sheet.width) {
    sheet.text(note, { x: sheet.width, y, anchor: "end", color: muted });
  } else {
    sheet.y += 16;
    sheet.text(note, { x: 0, y: sheet.y - 4, color: muted });
  }
}

/**
 * @param {Sheet} sheet
 * @param {Legend} options
 * @param {number} y
 * @returns {number} where it ends
 */
function drawLegend(sheet, options, y) {
  const { legend, smallest = "0", largest = "1", colors, ramp = true, diverging } = options;
  const { missing, signed, signs = SIGNS } = options;
  const { theme } = sheet;
  let x = 0;
  const write = (/** @type {string} */ text) => {
    sheet.text(text, { x, y, color: theme.muted });
    x += 0.92 * estimatedWidth(text, SIZE) + 6; // not bold
  };
  if (legend !== undefined) {
    write(legend);
  }
  if (legend !== undefined && ramp) {
    write(smallest);
    sheet.ramp(x, y - 9, RAMP, SWATCH, rampOf(theme, colors, diverging));
    x += RAMP + 6;
    write(largest);
  }
  if (signed !== undefined) {
    signs.forEach((sign, i) => {
      const fill = i === 0 ? theme.positive : theme.negative;
      sheet.rect(x, y - 9, SWATCH, SWATCH, { fill, radius: 2 });
      x += SWATCH + 6;
      write(sign);
    });
    write(signed);
  }
  if (missing !== undefined) {
    if (x) x += SWATCH;
    const place = { x: 0, y: 0, width: 2 * SWATCH, height: SWATCH };
    sheet.painting(x, y - 9, (context) => paintHatch(context, place, theme.muted));
    x += 2 * SWATCH + 6;
    write(missing);
  }
  return x;
}
