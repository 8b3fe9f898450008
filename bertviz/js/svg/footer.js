// The line below a picture on a sheet: its legend and what it leaves out.

import { paintHatch } from "../paint/hatch.js";
import { rampOf, SIGNS } from "../scenes/legends.js";
import { estimatedWidth } from "./text_width.js";

/** @typedef {import("./sheet.js").Sheet} Sheet */
/** @typedef {import("../scenes/legends.js").Legend} Legend */
/** @typedef {{width: number, before?: number, draw: (x: number, y: number) => void}} Item */

const SIZE = 11;
const RAMP = 72; // width
const SWATCH = 10;
const GAP = 6; // after each item
const LINE = 16;

/**
 * @param {Sheet} sheet
 * @param {Legend} options
 */
export function drawFooter(sheet, options) {
  sheet.y += 24; // to the first line's baseline
  const end = drawLegend(sheet, options);
  const { note } = options;
  const color = sheet.theme.muted;
  const beside = end + 12 + estimatedWidth(note, SIZE) <= sheet.width;
  if (note && beside) {
    sheet.text(note, { x: sheet.width, y: sheet.y, anchor: "end", color });
  } else if (note) {
    if (end) sheet.y += LINE;
    const place = { x: 0, y: sheet.y, width: sheet.width, line: LINE };
    sheet.y += LINE * sheet.paragraph(note, { ...place, size: SIZE, color });
  }
  sheet.y += 4;
}

/**
 * What does not fit into a line goes on in the next.
 * @param {Sheet} sheet
 * @param {Legend} legend
 * @returns {number} where it ends
 */
function drawLegend(sheet, legend) {
  let x = 0;
  for (const { width, before = 0, draw } of itemsOf(sheet, legend)) {
    const from = x && x + before;
    const fits = !from || from + width - GAP <= sheet.width;
    if (!fits) sheet.y += LINE;
    const at = fits ? from : 0;
    draw(at, sheet.y);
    x = at + width;
  }
  return x;
}

/**
 * What a legend consists of, from left to right.
 * @param {Sheet} sheet
 * @param {Legend} options
 */
function itemsOf(sheet, options) {
  const {
    legend,
    smallest = "0",
    largest = "1",
    colors,
    ramp = true,
    diverging,
    strength,
  } = options;
  const { missing, signed, signs = SIGNS } = options;
  const { theme } = sheet;
  /** @type {Item[]} */
  const items = [];
  const words = (/** @type {string} */ text) => ({
    width: 0.92 * estimatedWidth(text, SIZE) + GAP, // not bold
    draw: (/** @type {number} */ x, /** @type {number} */ y) =>
      sheet.text(text, { x, y, color: theme.muted }),
  });
  if (legend !== undefined) items.push(words(legend));
  if (legend !== undefined && ramp) {
    const bar = {
      width: RAMP + GAP,
      draw: (/** @type {number} */ x, /** @type {number} */ y) =>
        sheet.ramp(x, y - 9, RAMP, SWATCH, rampOf(theme, colors, diverging), strength),
    };
    items.push(together(words(smallest), bar, words(largest)));
  }
  if (signed !== undefined) {
    signs.forEach((sign, i) => {
      const fill = i === 0 ? theme.positive : theme.negative;
      const swatch = {
        width: SWATCH + GAP,
        draw: (/** @type {number} */ x, /** @type {number} */ y) =>
          sheet.rect(x, y - 9, SWATCH, SWATCH, { fill, radius: 2 }),
      };
      items.push(together(swatch, words(sign)));
    });
    items.push(words(signed));
  }
  if (missing !== undefined) {
    const place = { x: 0, y: 0, width: 2 * SWATCH, height: SWATCH };
    const hatch = {
      width: 2 * SWATCH + GAP,
      draw: (/** @type {number} */ x, /** @type {number} */ y) =>
        sheet.painting(x, y - 9, (context) => paintHatch(context, place, theme.muted)),
    };
    items.push({ ...together(hatch, words(missing)), before: SWATCH });
  }
  return items;
}

/**
 * What stays in one line.
 * @param {Item[]} items
 * @returns {Item}
 */
function together(...items) {
  return {
    width: items.reduce((sum, { width }) => sum + width, 0),
    draw(x, y) {
      for (const { width, draw } of items) {
        draw(x, y);
        x += width;
      }
    },
  };
}
