// Two columns of tokens and the lines between them: the whole of the head view, a cell of the model
// view when it is opened, and the neuron view when it is closed. Here is what stands where; a page and
// an exported figure are two ways to draw it.

import { headCount, lanesOf } from "../data/differences.js";
import { boxesOf, meansOf, netOf } from "../data/summaries.js";
import { chosenOf } from "../state.js";
import { writersOf } from "../data/formats.js";
import { columnWidth } from "./token_columns.js";

/** @typedef {import("../scenes/picture.js").Picture} Picture */
/** @typedef {import("../state.js").State} State */
/** @typedef {import("./token_columns.js").Measure} Measure */
/** @typedef {"query" | "key"} Side */
/** @typedef {{side: Side, x: number, width: number, positions: Int32Array, chosen: number[]}} Column */
/** @typedef {{name: string, text: string, x: number, anchor: "start" | "end"}} Heading */
/** @typedef {ReturnType<typeof linesPlot>} LinesPlot */

export const NUMBERS = 44; // width of the column of means
const VALUES = 62; // the same of values, which may be of any size, or missing
const BOXES = 148; // least width of a column that has a box for each head
const MANY = 6000; // lines that are quicker rastered than stroked, and too many for an editor
const WIDEST = 800;

/**
 * What stands where.
 * @param {Picture} picture
 * @param {State} state
 * @param {number} available width
 * @param {Measure} measure of text
 */
export function linesPlot(picture, state, available, measure) {
  const { edges, queries, keys } = picture;
  const numbers = edges.scale === undefined ? NUMBERS : VALUES;
  const { x, queryWidth, keyWidth } = columnsOf(picture, available, measure, numbers);
  const chosen = { query: chosenOf(state, "query"), key: chosenOf(state, "key") };
  const selected = state.query !== null || state.key !== null;
  const boxSide = /** @type {Side} */ (state.query !== null ? "key" : "query");
  const boxColumn =
    boxSide === "key" ? { x: x.key, width: keyWidth } : { x: x.query, width: queryWidth };
  const positions = boxSide === "key" ? keys : queries;
  const count = Math.max(1, chosen.query.length, chosen.key.length);
  const boxes = selected
    ? boxesOf(edges, picture.heads.length, boxSide, positions.length, count)
    : null;
  /** @type {Heading} */
  const mean = {
    name: "mean",
    text: selected ? meanHeading(edges, count) : "",
    x: boxSide === "key" ? x.key + keyWidth + 8 : numbers - 8,
    anchor: boxSide === "key" ? "start" : "end",
  };
  return {
    ...picture,
    x,
    width: x.key + keyWidth + numbers,
    /** The width of the numbers beside a column. */
    numbers: numbers - 8,
    rows: Math.max(queries.length, keys.length),
    /** Where lines begin and end. */
    ends: { x0: x.line, x1: x.key - 2 },
    columns: /** @type {Column[]} */ ([
      { side: "query", x: x.query, width: queryWidth, positions: queries, chosen: chosen.query },
      { side: "key", x: x.key, width: keyWidth, positions: keys, chosen: chosen.key },
    ]),
    selected,
    /** One per head and row, beside the tokens of the side that is not selected. */
    boxes: boxes && { values: netOf(boxes, edges.signs), ...boxColumn },
    /** Where the slots lie side by side. */
    lanes: lanesOf(edges.signs),
    /** What has no value. */
    gaps: selected ? null : edges.gaps,
    /** Hidden mass of the selected queries, per head. */
    fans: selected ? fansOf(picture, chosen.query) : [],
    means: boxes ? meansOf(boxes, edges.signs) : new Float64Array(0),
    /** Tokens that the means stand beside. */
    positions,
    /** Whether the lines at rest are painted pixel by pixel. */
    raster: !selected && (edges.count > MANY || hasHidden(edges)),
    headings: /** @type {Heading[]} */ ([
      { name: "query", text: "query", x: x.line - 10, anchor: "end" },
      { name: "key", text: "key", x: x.key + 8, anchor: "start" },
      mean,
    ]),
    mean,
  };
}

/**
 * Columns as wide as their tokens need; the lines get the rest, up to a comfortable slope.
 * @param {Picture} picture
 * @param {number} available
 * @param {Measure} measure
 * @param {number} numbers width of the numbers beside a column
 */
function columnsOf({ heads, text }, available, measure, numbers) {
  const width = Math.min(available, WIDEST);
  const most = Math.max(72, Math.min(180, (width - 2 * numbers - 90) / 2));
  const least = Math.min(heads.length > 1 ? BOXES : 72, most);
  const queryWidth = columnWidth(text.query, least, most, measure);
  const keyWidth = columnWidth(text.key, least, most, measure);
  const gap = Math.min(300, Math.max(60, width - queryWidth - keyWidth - 2 * numbers));
  const x = { query: numbers, line: numbers + queryWidth + 2, key: numbers + queryWidth + gap };
  return { x, queryWidth, keyWidth };
}

/**
 * @param {Picture["edges"]} edges
 * @param {number} count of selected tokens
 */
function meanHeading({ signs, scale }, count) {
  if (headCount(signs) * count > 1) return "mean";
  if (scale !== undefined) return "value";
  return signs.includes(-1) ? "b − a" : "weight";
}

/** @param {Picture["edges"]} edges */
function hasHidden(edges) {
  let hidden = false;
  edges.eachSpread(() => (hidden = true));
  return hidden;
}

/**
 * @param {Picture} picture
 * @param {number[]} chosen queries
 */
function fansOf({ edges, heads, queries }, chosen) {
  return chosen.map((query) => {
    const row = queries.indexOf(query);
    const masses = heads.map(() => 0);
    edges.eachSpread((slot, r, mass) => {
      if (r === row) masses[slot] = mass;
    });
    return { row, masses };
  });
}

/**
 * Means beside the boxes, where they can be told from zero or are missing.
 * @param {LinesPlot} plot
 * @param {[number, number]} rows
 */
export function numbersOf({ means, edges }, [from, to]) {
  const write = writersOf(edges);
  const one = edges.scale || 1;
  return Array.from(means.keys())
    .filter((r) => r >= from && r < to && !(Math.abs(means[r]) < 0.01 * one))
    .map((r) => ({
      r,
      text: write.short(means[r]),
      strength: 0.6 + 0.4 * Math.min(1, Math.abs(means[r] / one) * 4 || 0),
    }));
}
