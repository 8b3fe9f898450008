// The same weights as a matrix: queries down, keys across. Where hundreds of lines are one gray, a
// matrix still shows where its bands and columns are.

import { inLine } from "../scenes/token_texts.js";
import { stepFor } from "./ticks.js";
import { columnWidth } from "./token_columns.js";

/** @typedef {import("../state.js").State} State */
/** @typedef {import("../scenes/picture.js").Picture} Picture */
/** @typedef {ReturnType<typeof matrixPlot>} MatrixPlot */
/** @typedef {"query" | "key"} Side */

const LARGEST = 680; // CSS pixels of the longer side
const CELL = { label: 11, most: 26 };
const CORNER = 76; // room for the button that shows the whole text
const NAMES = 54; // room for the names of the axes
const AXES = ["key →", "query ↓"]; // a line each, in the corner where both axes begin
const TICK = 40; // room for a position
const MEASURED = 200; // tokens that the width of the labels is taken from

/**
 * What stands where.
 * @param {Picture} picture with the edges of nothing selected
 * @param {State} state
 * @param {number} available width
 * @param {import("./token_columns.js").Measure} measure of text
 */
export function matrixPlot(picture, state, available, measure) {
  const { queries, keys, text } = picture;
  const longest = Math.max(queries.length, keys.length);
  const named = (/** @type {Side} */ side, /** @type {Int32Array} */ rows) =>
    columnWidth(
      Array.from(rows.subarray(0, MEASURED), (i) => text[side][i]),
      48,
      130,
      measure,
    );
  let labels = { query: named("query", queries), key: named("key", keys) };
  labels.query = Math.max(labels.query, state.zoom ? CORNER : NAMES);
  const fitting = () =>
    Math.min(CELL.most, Math.min(LARGEST, available - labels.query - 8) / longest);
  const written = fitting() >= CELL.label;
  if (!written) labels = state.zoom ? { query: CORNER, key: 50 } : { query: NAMES, key: 32 };
  const cell = fitting();
  const step = written ? 1 : stepFor(cell, TICK);
  return {
    ...picture,
    labels,
    cell,
    /** Whether there is room for the tokens; else positions, and the tokens that are selected. */
    written,
    /** Whether opacity is the root of the weight. */
    root: !written,
    width: cell * keys.length,
    height: cell * queries.length,
    headings: AXES.map((text, i) => ({ text, up: 6 + 14 * (AXES.length - 1 - i) })),
    axes: [
      axisOf("query", queries, state.query, { text: text.query, step, written }),
      axisOf("key", keys, state.key, { text: text.key, step, written }),
    ],
    row: queries.indexOf(state.query ?? -1),
    column: keys.indexOf(state.key ?? -1),
  };
}

/**
 * One of several matrices: without labels, which there is no room for.
 * @param {Picture} picture with the edges of nothing selected
 * @param {State} state
 * @param {number} available width
 * @returns {MatrixPlot}
 */
export function bareMatrixPlot(picture, state, available) {
  const { queries, keys } = picture;
  const cell = Math.min(CELL.most, available / Math.max(queries.length, keys.length));
  return {
    ...picture,
    ...{ labels: { query: 0, key: 0 }, cell, written: false, root: true },
    width: cell * keys.length,
    height: cell * queries.length,
    headings: [],
    axes: [],
    row: queries.indexOf(state.query ?? -1),
    column: keys.indexOf(state.key ?? -1),
  };
}

/**
 * @param {Side} axis
 * @param {Int32Array} rows
 * @param {number | null} chosen
 * @param {{text: string[], step: number, written: boolean}} options
 */
function axisOf(axis, rows, chosen, { text, step, written }) {
  const labels = Array.from(rows.keys())
    .filter((r) => r % step === 0 || rows[r] === chosen)
    .map((r) => {
      const [position, selected] = [rows[r], rows[r] === chosen];
      return {
        r,
        position,
        selected,
        text: written || selected ? inLine(text[position]) : String(position),
      };
    });
  return { axis, labels };
}

/**
 * The query and the key at a place of the matrix; outside of it, those at its edge.
 * @param {MatrixPlot} plot
 * @param {{x: number, y: number}} place
 */
export function pairAt({ queries, keys, cell }, { x, y }) {
  const clamped = (/** @type {number} */ v, /** @type {Int32Array} */ positions) =>
    positions[Math.min(Math.max(Math.floor(v / cell), 0), positions.length - 1)];
  return { query: clamped(y, queries), key: clamped(x, keys) };
}

/** @typedef {{query: number, key: number}} Pair */

/**
 * The window between two corners.
 * @param {Pair} one
 * @param {Pair} other
 * @returns {[number, number, number, number]}
 */
export function windowBetween(one, other) {
  return [
    Math.min(one.query, other.query),
    Math.max(one.query, other.query) + 1,
    Math.min(one.key, other.key),
    Math.max(one.key, other.key) + 1,
  ];
}

/**
 * The pair one step away from what is selected; without a selection the first counts as selected.
 * @param {MatrixPlot} plot
 * @param {{query: number | null, key: number | null}} selected
 * @param {[number, number]} step rows and columns
 * @returns {Pair}
 */
export function pairBeside({ queries, keys }, { query, key }, [down, right]) {
  return { query: beside(queries, query, down), key: beside(keys, key, right) };
}

/**
 * @param {Int32Array} positions
 * @param {number | null} selected
 * @param {number} step
 */
function beside(positions, selected, step) {
  const row = selected === null ? 0 : positions.indexOf(selected);
  return positions[Math.min(Math.max(row + step, 0), positions.length - 1)];
}
