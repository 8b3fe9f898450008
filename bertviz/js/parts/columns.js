// The open neuron view, q → k → q × k → score → softmax with a row per token: what stands where.
// Painters put it on a canvas or a sheet.

import { shortScore, shortSigned } from "../data/formats.js";
import { textsOf } from "../data/texts.js";
import { columnsLegend, stripName, titlesOf } from "./column_texts.js";
import { BINARY_STEPS, labeled } from "./ticks.js";
import { columnWidth } from "./token_columns.js";

/** @typedef {import("../scenes/neuron.js").NeuronScene} NeuronScene */
/** @typedef {import("../state.js").State} State */
/** @typedef {import("./token_columns.js").Measure} Measure */
/** @typedef {ReturnType<typeof columnsPlot>} ColumnsPlot */
/** @typedef {ReturnType<typeof placesOf>} Places */
/**
 * @typedef {object} Stripe vectors side by side, a row per token and a cell per neuron
 * @property {string} name
 * @property {"queries" | "keys" | "products"} column
 * @property {"query" | "key"} side whose tokens its rows are
 * @property {number} x
 * @property {number} width
 */
/**
 * @typedef {object} Told a number beside its bar
 * @property {number} r row
 * @property {number} x
 * @property {number} width
 * @property {string} text
 * @property {number} strength
 * @property {boolean} end whether it stands at the right end
 * @property {"before" | "after" | null} half of the row, where a number is another than it was
 */

export const STRIP = 16; // height of the contributions
const NARROW = 960; // below this the columns move together
const TICK = 22; // room for a neuron's number

/**
 * @param {NeuronScene} scene
 * @param {State} state
 * @param {number} available width
 * @param {Measure} measure
 */
export function columnsPlot(scene, state, available, measure) {
  const { columns, row, queries, keys, shape, order, contribution, whatIf } = scene;
  const text = textsOf(scene.block);
  const biased = row.bias.some((value) => value !== 0 && value !== -Infinity);
  const places = placesOf(text, shape.headDim, biased, available, measure);
  const { x, stripe, widths, narrow } = places;
  const selected = /** @type {number} */ (state.query);
  const shown = whatIf ?? { scores: columns.scores, weights: row.weights };
  const reach = Math.max(largest(columns.scores), largest(shown.scores)) || 1;
  const strengths = Array.from(keys, (position) => shown.weights[position]);
  const stripes = stripesOf(places);
  const max = {
    queries: largest(columns.queries),
    keys: largest(columns.keys),
    products: largest(columns.products),
  };
  return {
    ...places,
    ...{ columns, row, queries, keys, shape, order, contribution, whatIf, text, shown, strengths },
    ...{ selected, stripes, max },
    off: new Set(state.off),
    width: x.softmax + widths.softmax,
    rows: Math.max(queries.length, keys.length),
    queryRow: queries.indexOf(selected),
    /** The key that is attended to most. */
    best: keys[strengths.indexOf(Math.max(...strengths))],
    scoreX: (/** @type {number} */ value) => x.score + 32 + ((narrow ? 22 : 28) * value) / reach,
    weightX: (/** @type {number} */ weight) => x.softmax + (widths.softmax - 52) * weight,
    ticks: stripes.flatMap((s) => ticksOf(s, shape.headDim, order)),
    /** What each neuron contributes, as bars above the products. */
    strip: {
      x: x.products,
      width: stripe,
      room: stripe + widths.rung - 6, // for its name, left of it
      name: stripName(scene, narrow),
    },
    titles: titlesOf(scene, places),
    legend: columnsLegend(scene, max),
  };
}

/**
 * Fixed columns first; the three stripes share what is left.
 * @param {{query: string[], key: string[]}} text
 * @param {number} headDim
 * @param {boolean} biased
 * @param {number} available width
 * @param {Measure} measure
 */
function placesOf(text, headDim, biased, available, measure) {
  const narrow = available < NARROW;
  const queryWidth = columnWidth(text.query, 108, narrow ? 120 : 150, measure);
  const keyWidth = columnWidth(text.key, 72, 150, measure);
  const widths = {
    ...(narrow
      ? { elbow: 36, rung: 16, score: 96, softmax: 104 }
      : { elbow: 56, rung: 28, score: 112, softmax: 138 }),
    bias: biased ? 56 : 0,
  };
  const { elbow, rung, score, softmax, bias } = widths;
  const fixed = queryWidth + 12 + elbow + 2 * rung + bias + score + 12 + keyWidth + softmax;
  const least = Math.max(narrow ? 56 : 72, 1.5 * headDim);
  const most = Math.max(96, 7 * headDim);
  const stripe = Math.floor(Math.min(Math.max((available - fixed) / 3, least), most));
  const x = { q: queryWidth + 12, k: 0, products: 0, bias: 0, score: 0, key: 0, softmax: 0 };
  x.k = x.q + stripe + elbow;
  x.products = x.k + stripe + rung;
  x.bias = x.products + stripe + rung;
  x.score = x.bias + bias;
  x.key = x.score + score + 12;
  x.softmax = x.key + keyWidth;
  return { narrow, biased, x, widths, stripe, queryWidth, keyWidth };
}

/**
 * @param {Places} places
 * @returns {Stripe[]}
 */
function stripesOf({ x, stripe: width }) {
  return [
    { name: "q", column: "queries", side: "query", x: x.q, width },
    { name: "k", column: "keys", side: "key", x: x.k, width },
    { name: "q×k·scale", column: "products", side: "key", x: x.products, width },
  ];
}

/**
 * The numbers of some neurons above their stripe, as many as have room.
 * @param {Stripe} stripe
 * @param {number} headDim
 * @param {number[] | null} order
 */
function ticksOf({ x, width }, headDim, order) {
  const cell = width / headDim;
  return labeled(headDim, cell, TICK, BINARY_STEPS).map((i) => ({
    x: x + (i + 0.5) * cell,
    text: String(order ? order[i] : i),
  }));
}

/**
 * The numbers beside the bars.
 * @param {ColumnsPlot} plot
 * @param {[number, number]} rows of keys
 * @returns {Told[]}
 */
export function numbersOf(plot, [from, to]) {
  return Array.from(plot.keys.subarray(from, to)).flatMap((position, i) =>
    numbersOfRow(plot, from + i, position),
  );
}

/**
 * @param {ColumnsPlot} plot
 * @param {number} r
 * @param {number} position
 */
function numbersOfRow({ x, widths, biased, row, shown, weightX }, r, position) {
  const masked = row.scores[position] === -Infinity;
  /** @type {Told[]} */
  const told = [];
  if (biased) {
    const text = masked ? "" : shortSigned(row.bias[position]);
    const place = { x: x.bias, width: widths.bias - 8, end: true, half: null };
    told.push({ r, text, strength: 0.75, ...place });
  }
  const scores = [row.scores[position], shown.scores[position]].map(shortScore);
  const place = { r, x: x.score + 62, width: widths.score - 62, end: true };
  told.push(
    ...halves(scores).map((told) => ({ ...place, ...told, strength: masked ? 0.5 : 0.75 })),
  );
  if (masked) return told;
  const weights = [row.weights[position], shown.weights[position]];
  const left = Math.max(...weights.map(weightX)) + 8;
  const strength = 0.6 + 0.4 * Math.min(1, 4 * Math.max(...weights));
  const written = weights.map((weight) => weight.toFixed(2));
  const beside = { r, x: left, width: 40, strength, end: false };
  told.push(...halves(written).map((told) => ({ ...beside, ...told })));
  return told;
}

/**
 * A number, or where it is another than it was, both, one above the other as their bars are.
 * @param {string[]} texts before and after
 * @returns {Pick<Told, "text" | "half">[]}
 */
function halves([before, after]) {
  if (before === after) return [{ text: after, half: null }];
  return [
    { text: before, half: "before" },
    { text: after, half: "after" },
  ];
}

/**
 * The largest |value| of those that are finite.
 * @param {Float32Array} values
 */
export function largest(values) {
  let max = 0;
  for (const value of values) {
    if (Math.abs(value) > max && Number.isFinite(value)) max = Math.abs(value);
  }
  return max;
}
