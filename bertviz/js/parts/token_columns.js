// The size of columns of tokens: they are as wide as their texts need, and a text's width depends on
// who draws it, a browser or an exported figure.

/** @typedef {(text: string) => number} Measure the width of a text in CSS pixels */

/** Height of a row. */
export const ROW = 24;

const PADDING = 22;
// A few dozen characters are wider than any column, and measuring thousands of them takes long.
const LONGEST = 40;

/** @type {WeakMap<Measure, WeakMap<string[], number>>} texts that were measured before */
const known = new WeakMap();

/**
 * Width that the widest of these texts needs, within bounds.
 * @param {string[]} texts
 * @param {number} least
 * @param {number} most
 * @param {Measure} measure
 */
export function columnWidth(texts, least, most, measure) {
  const widths = known.get(measure) ?? new WeakMap();
  known.set(measure, widths);
  const width = widths.get(texts) ?? widest(texts, measure);
  widths.set(texts, width);
  return Math.ceil(Math.min(Math.max(width, least), most));
}

/**
 * @param {string[]} texts
 * @param {Measure} measure
 */
function widest(texts, measure) {
  let width = 0;
  for (const text of new Set(texts)) {
    width = Math.max(width, text.length > LONGEST ? Infinity : measure(text) + PADDING);
  }
  return width;
}
