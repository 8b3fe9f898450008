// A figure: what a view draws, with a header above and a legend below, in the size that is asked for.

import { drawFooter } from "./footer.js";
import { drawHeader } from "./header.js";
import { Sheet } from "./sheet.js";

/** @typedef {import("../theme/colors.js").Theme} Theme */
/**
 * What a view draws.
 * @typedef {object} Panel
 * @property {string} name for those who do not see it
 * @property {number} width
 * @property {import("./header.js").Header} header
 * @property {(sheet: Sheet) => import("../scenes/legends.js").Legend | null} draw gives what is said
 *   below
 */
/**
 * @typedef {object} Look
 * @property {Theme} theme
 * @property {number} [width] of the file in CSS pixels; by default as wide as what is drawn
 * @property {number} [size] of tokens in points; everything else follows
 * @property {string | null} [title] in place of the view's own
 * @property {boolean} [legend]
 * @property {boolean} [mark] whether the model, and how exact its attention is, are named
 */

const PIXELS = 96 / 72; // of a point
const TEXT = 13.5; // units that a token's text is high
const NARROWEST = 420; // where no width is asked for
const TIGHT = 6; // margin of a figure that fills a width

/** A figure whose text would have to be smaller than what was asked for. */
export class TooNarrow extends Error {
  /** @param {number} needed CSS pixels */
  constructor(needed) {
    super(String(Math.ceil(needed)));
    this.name = "TooNarrow";
  }
}

/**
 * @param {(width: number) => Panel} panelIn draws in a width
 * @param {number} usual width, if no other is asked for
 * @param {Look} look
 * @returns {Promise<string>}
 */
export function drawFigure(panelIn, usual, look) {
  const { width, size } = look;
  let scale = size === undefined ? 1 : (size * PIXELS) / TEXT;
  if (width === undefined) {
    const panel = panelIn(usual);
    return sheetOf(panel, Math.max(panel.width, NARROWEST), look).svg({ scale });
  }
  const room = width / scale - 2 * TIGHT;
  const panel = panelIn(room);
  if (panel.width > room) {
    if (size !== undefined) throw new TooNarrow(scale * (panel.width + 2 * TIGHT));
    scale = width / (panel.width + 2 * TIGHT);
  }
  return sheetOf(panel, Math.max(panel.width, room), look).svg({ scale, margin: TIGHT });
}

/**
 * @param {Panel} panel
 * @param {number} width
 * @param {Look} look
 */
function sheetOf({ name, header, draw }, width, { theme, title = null, legend, mark }) {
  const sheet = new Sheet(theme, width, title || name);
  drawHeader(sheet, {
    title: title ?? header.title,
    choices: title === null ? header.choices : "",
    mark: mark === false ? "" : header.mark,
    heads: legend === false ? [] : header.heads,
  });
  const said = draw(sheet);
  if (said && legend !== false) drawFooter(sheet, said);
  return sheet;
}
