// What an exported figure says about itself above the picture, where a page has its controls.

import { HIDDEN } from "../data/filters.js";
import { isAttention } from "../data/kinds.js";
import { kindName, NOT_CHECKED } from "../scenes/kind_texts.js";
import { estimatedWidth } from "./text_width.js";

/** @typedef {import("../data/schema.js").Payload} Payload */
/** @typedef {import("../state.js").State} State */
/** @typedef {import("./sheet.js").Sheet} Sheet */

const LABEL = 44; // room for the word before the squares
const SQUARE = 20;
const GAP = 4;
const LINE = 16;
const BETWEEN = 12;
const END = /** @type {const} */ ("end");

/**
 * @typedef {object} Header
 * @property {string} title
 * @property {string} choices what the reader has chosen
 * @property {string} mark the model, and how exactly its attention is shown
 * @property {{head: number, color: string}[]} heads in their colors
 */

/**
 * @param {Payload} payload
 * @param {State} state
 * @param {object} [options]
 * @param {{head: number, color: string}[]} [options.heads]
 * @param {string} [options.what] said after the layer
 * @param {string} [options.title] in place of the layer alone
 * @returns {Header}
 */
export function headerOf(payload, state, options = {}) {
  const { heads = [], what = "", title = `Layer ${state.layer}` } = options;
  return { title, choices: choicesIn(payload, state, what), mark: modelIn(payload), heads };
}

/**
 * One line of words, or several where they do not fit into one, and the heads in their colors.
 * @param {Sheet} sheet
 * @param {Header} header
 */
export function drawHeader(sheet, { title, choices, mark, heads }) {
  const before = sheet.y;
  const { muted: color } = sheet.theme;
  const words = [
    estimatedWidth(title, 13.5),
    estimatedWidth(choices, 12),
    estimatedWidth(mark, 11),
  ];
  const line = words.filter(Boolean).reduce((sum, width) => sum + BETWEEN + width, -BETWEEN);
  const beside = (line > sheet.width || line === words[2]) && besideSquares(sheet, mark, heads);
  let end = 0; // of what the line holds
  for (const { text, right, ...style } of [
    { text: title, size: 13.5, strong: true },
    { text: choices, size: 12, color },
    { text: beside ? "" : mark, size: 11, color, right: true },
  ]) {
    if (!text) continue;
    const width = estimatedWidth(text, style.size);
    const y = sheet.y + 13;
    if (end && end + BETWEEN + width <= sheet.width) {
      const place = right ? { x: sheet.width, anchor: END } : { x: end + BETWEEN };
      sheet.text(text, { ...place, y, ...style });
      end += BETWEEN + width;
    } else {
      if (end) sheet.y += LINE;
      const start = right && width <= sheet.width ? { x: sheet.width, anchor: END } : { x: 0 };
      const place = { ...start, y: sheet.y + 13, width: sheet.width, line: LINE };
      sheet.y += LINE * sheet.paragraph(text, { ...place, ...style });
      end = width;
    }
  }
  if (end) sheet.y += 24;
  if (beside) sheet.text(mark, { x: sheet.width, y: sheet.y + 14, anchor: END, color });
  if (heads.length) drawSquares(sheet, heads);
  if (sheet.y > before) sheet.y += 8;
}

/**
 * Whether a mark that has no room beside the words has it beside the heads.
 * @param {Sheet} sheet
 * @param {string} mark
 * @param {Header["heads"]} heads
 */
function besideSquares({ width }, mark, heads) {
  const squares = LABEL + heads.length * (SQUARE + GAP) + BETWEEN;
  return heads.length > 0 && squares + estimatedWidth(mark, 11) <= width;
}

/**
 * What the reader has chosen, in words.
 * @param {Payload} payload
 * @param {State} state
 * @param {string} what
 */
function choicesIn(payload, state, what) {
  const { hide = "nothing" } = state;
  return [
    payload.blocks.length > 1 ? `${state.block}${isAttention(payload) ? " attention" : ""}` : "",
    what,
    state.pair === "All" ? "" : `only ${state.pair}`,
    hide === "nothing" ? "" : `without ${HIDDEN[hide].label}`,
    state.words ? "words" : "",
    state.zoom ? `tokens ${state.zoom[0]}–${state.zoom[1] - 1}` : "",
  ]
    .filter(Boolean)
    .join(" · ");
}

/**
 * The model, and how exactly its attention is shown.
 * @param {Payload} payload
 */
function modelIn(payload) {
  const { name, exactness, skipped } = payload.model;
  if (!isAttention(payload)) return [name, kindName(payload)].filter(Boolean).join(", ");
  const exact = exactness ? `max diff ${exactness.max_difference.toExponential(0)}` : NOT_CHECKED;
  const gaps = Object.keys(skipped ?? {}).length;
  return [name, exact, gaps ? `${gaps} not captured` : ""].filter(Boolean).join(", ");
}

/**
 * @param {Sheet} sheet
 * @param {{head: number, color: string}[]} heads
 */
function drawSquares(sheet, heads) {
  const { muted, onHead } = sheet.theme;
  const perRow = Math.max(1, Math.floor((sheet.width - LABEL) / (SQUARE + GAP)));
  sheet.text("Heads", { x: 0, y: sheet.y + 14, size: 12, color: muted });
  heads.forEach(({ head, color }, i) => {
    const x = LABEL + (i % perRow) * (SQUARE + GAP);
    const y = sheet.y + Math.floor(i / perRow) * (SQUARE + GAP);
    sheet.rect(x, y, SQUARE, SQUARE, { fill: color, radius: 4 });
    const middle = { x: x + SQUARE / 2, y: y + 14, anchor: /** @type {const} */ ("middle") };
    sheet.text(String(head), { ...middle, strong: true, color: onHead });
  });
  sheet.y += Math.ceil(heads.length / perRow) * (SQUARE + GAP);
}
