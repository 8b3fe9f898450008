// Two columns of tokens and the lines between them: the whole of the head view, a cell of the model
// view when it is opened, and the neuron view when it is closed. Here is what stands where; a page and
// an exported figure are two ways to draw it.

import { lanesOf } from "../data/differences.js";
import { shownRow } from "../scenes/shown_row.js";
import { chosenOf } from "../state.js";
import { barsOf, barsWidth } from "./bars.js";
import { columnWidth } from "./token_columns.js";

/** @typedef {import("../scenes/picture.js").Picture} Picture */
/** @typedef {import("../state.js").State} State */
/** @typedef {import("./token_columns.js").Measure} Measure */
/** @typedef {"query" | "key"} Side */
/** @typedef {{side: Side, x: number, width: number, positions: Int32Array, chosen: number[]}} Column */
/**
 * @typedef {object} Heading
 * @property {string} name
 * @property {string} text
 * @property {number} x
 * @property {"start" | "end"} anchor
 * @property {string | null} [chip] the ground of a head's number
 * @property {import("../scenes/terms.js").Term} [term] that explains itself
 */
/** @typedef {ReturnType<typeof linesPlot>} LinesPlot */

const MANY = 6000; // lines that are quicker rastered than stroked, and too many for an editor
const WIDEST = 1040;
const LEAST_LINES = 60;
const SLOPE = 170; // enough to follow a line; more only where nothing else wants the room
const MOST_LINES = 300;
const GAP = 14; // between keys and bars
const LEAST_BARS = 76;
const LABELS = 96;

/**
 * What stands where.
 * @param {Picture} picture
 * @param {State} state
 * @param {number} available width
 * @param {Measure} measure of text
 */
export function linesPlot(picture, state, available, measure) {
  const { edges, queries, keys } = picture;
  const { x, queryWidth, keyWidth, barWidth } = columnsOf(picture, available, measure);
  const chosen = { query: chosenOf(state, "query"), key: chosenOf(state, "key") };
  const selected = state.query !== null || state.key !== null;
  const row = shownRow(picture, state);
  // Beside the keys stand the keys' numbers; numbers of queries bring their tokens along.
  const termed = edges.scale === undefined; // queries and keys, not rows and columns of values
  const labels =
    row.side === "key" ? 0 : Math.ceil(Math.min(queryWidth, LABELS, 0.4 * barWidth)) + 4;
  const bars = barsOf(picture, row, x.bars + labels, barWidth - labels);
  return {
    ...picture,
    x,
    width: x.bars + barWidth,
    /** Width of what is painted, and not written. */
    painted: x.key + keyWidth,
    rows: Math.max(queries.length, keys.length),
    /** Where lines begin and end. */
    ends: { x0: x.line, x1: x.key - 2 },
    columns: /** @type {Column[]} */ ([
      { side: "query", x: x.query, width: queryWidth, positions: queries, chosen: chosen.query },
      { side: "key", x: x.key, width: keyWidth, positions: keys, chosen: chosen.key },
    ]),
    selected,
    row,
    bars,
    /** Tokens of the bars, where they are not those of the keys beside them. */
    labels: labels ? { x: x.bars, width: labels - 4, positions: queries } : null,
    /** Where the slots lie side by side. */
    lanes: lanesOf(edges.signs),
    /** What has no value. */
    gaps: selected ? null : edges.gaps,
    /** Hidden mass of the selected queries, per head. */
    fans: selected ? fansOf(picture, chosen.query) : [],
    /** Whether the lines at rest are painted pixel by pixel. */
    raster: !selected && (edges.count > MANY || hasHidden(edges)),
    headings: /** @type {Heading[]} */ ([
      {
        name: "query",
        text: "query",
        term: termed ? "query" : undefined,
        x: x.line - 10,
        anchor: "end",
      },
      { name: "key", text: "key", term: termed ? "key" : undefined, x: x.key + 8, anchor: "start" },
      ...(labels ? [{ name: "labels", text: "query", x: x.bars, anchor: "start" }] : []),
      ...bars.columns.map(({ head, name, color, x }) => ({
        ...{ name: `head ${head}`, text: name, x, anchor: "start" },
        chip: Number.isInteger(Number(name)) ? color : undefined,
      })),
    ]),
  };
}

/**
 * Columns as wide as their tokens need; what is left is for the lines, up to a comfortable slope, and
 * for the bars.
 * @param {Picture} picture
 * @param {number} available
 * @param {Measure} measure
 */
function columnsOf({ edges, text }, available, measure) {
  const width = Math.min(available, WIDEST);
  const most = Math.max(72, Math.min(180, (width - LEAST_LINES - LEAST_BARS - GAP) / 2));
  const queryWidth = columnWidth(text.query, 72, most, measure);
  const keyWidth = columnWidth(text.key, 72, most, measure);
  const left = width - queryWidth - keyWidth - GAP;
  const wanted = barsWidth(edges);
  const barWidth = Math.min(wanted, Math.max(LEAST_BARS, left - SLOPE));
  const lines = Math.min(MOST_LINES, Math.max(LEAST_LINES, left - barWidth));
  const key = queryWidth + lines;
  const x = { query: 0, line: queryWidth + 2, key, bars: key + keyWidth + GAP };
  return { x, queryWidth, keyWidth, barWidth };
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
