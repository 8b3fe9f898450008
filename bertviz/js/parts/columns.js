// The open neuron view: q → k → q × k → score → softmax, a row per token. columnsPlot says what
// stands where and paints it; a page and an exported figure are two ways to put that down.

import { format } from "d3-format";
import { columnWidth, ROW } from "./token_columns.js";
import { paintBars, paintElbows, paintRungs, paintStripes } from "../paint/marks.js";
import { tokensOf } from "../data/payload.js";

/** @typedef {import("../state.js").State} State */
/** @typedef {import("../theme/theme.js").Theme} Theme */
/** @typedef {import("../controls/stage.js").Geometry} Geometry */
/** @typedef {ReturnType<typeof import("../views/neuron_view.js").neuronScene>} Scene */
/** @typedef {ReturnType<typeof columnsPlot>} ColumnsPlot */

const NARROW = 960; // below this the columns move together
const TICK = 22; // room for a neuron's number
export const STRIP = 16; // height of the contributions

const oneDigit = format("+.1f"); // d3-format writes a real minus sign
const three = format(".3~g");
/** @param {number} value */
const signed = (value) => (Math.abs(value) < 0.05 ? "0.0" : oneDigit(value));

/**
 * @param {number} score
 */
export const shortScore = (score) => (score === -Infinity ? "masked" : signed(score));

/**
 * What stands where.
 * @param {Scene} scene
 * @param {State} state
 * @param {number} available width
 * @param {Theme} theme
 * @param {import("./token_columns.js").Measure} measure of text
 */
export function columnsPlot(scene, state, available, theme, measure) {
  const { block, neurons, columns, row, queries, keys, shape, whatIf } = scene;
  const biased = row.bias.some((value) => value !== 0 && value !== -Infinity);
  const selected = /** @type {number} */ (state.query);
  const text = { query: tokensOf(block, "query").text, key: tokensOf(block, "key").text };

  // Fixed columns first; the three stripes share what is left.
  const narrow = available < NARROW;
  const queryWidth = columnWidth(text.query, 108, narrow ? 120 : 150, measure);
  const keyWidth = columnWidth(text.key, 72, 150, measure);
  const [elbow, rung, score, softmax] = narrow ? [36, 16, 96, 104] : [56, 28, 112, 138];
  const bias = biased ? 56 : 0;
  const fixed = queryWidth + 12 + elbow + 2 * rung + bias + score + 12 + keyWidth + softmax;
  const least = Math.max(narrow ? 56 : 72, 1.5 * shape.headDim);
  const stripe = Math.floor(
    Math.min(Math.max((available - fixed) / 3, least), Math.max(96, 7 * shape.headDim)),
  );
  const x = { q: queryWidth + 12, k: 0, products: 0, bias: 0, score: 0, key: 0, softmax: 0 };
  x.k = x.q + stripe + elbow;
  x.products = x.k + stripe + rung;
  x.bias = x.products + stripe + rung;
  x.score = x.bias + bias;
  x.key = x.score + score + 12;
  x.softmax = x.key + keyWidth;

  const max = {
    q: largest(columns.queries),
    k: largest(columns.keys),
    products: largest(columns.products),
  };
  const shown = { scores: whatIf?.scores ?? columns.scores, weights: whatIf?.weights ?? row.weights };
  const reach = Math.max(largest(columns.scores), largest(shown.scores)) || 1;
  const scoreX = (/** @type {number} */ value) => x.score + 32 + ((narrow ? 22 : 28) * value) / reach;
  const weightX = (/** @type {number} */ weight) => x.softmax + (softmax - 52) * weight;
  const strengths = Array.from(keys, (position) => shown.weights[position]);
  const queryRow = queries.indexOf(selected);
  const stripes = [
    { name: "q", x: x.q, width: stripe },
    { name: "k", x: x.k, width: stripe },
    { name: "q×k·scale", x: x.products, width: stripe },
  ];
  const scale = three(neurons.scaling);

  return {
    x,
    width: x.softmax + softmax,
    rows: Math.max(queries.length, keys.length),
    queryWidth,
    keyWidth,
    stripes,
    strengths,
    text,
    queries,
    keys,
    selected,
    /** The key that is attended to most. */
    best: keys[strengths.indexOf(Math.max(...strengths))],
    /** The numbers of some neurons above their stripes, as many as have room. */
    ticks: stripes.flatMap(({ x: left, width }) => {
      const cell = width / shape.headDim;
      const step = [1, 2, 4, 8, 16, 32, 64, 128].find((n) => n * cell >= TICK) ?? shape.headDim;
      const order = scene.order;
      return Array.from({ length: Math.ceil(shape.headDim / step) }, (_, i) => ({
        x: left + (i * step + 0.5) * cell,
        text: String(order ? order[i * step] : i * step),
      }));
    }),
    /** What each neuron contributes, as bars above the products. */
    strip: { x: x.products, width: stripe, room: stripe + rung - 6, name: stripName(scene, narrow) },
    /** @param {CanvasRenderingContext2D} context whose left end is the strip's */
    paintStrip(context) {
      const { contribution, order } = scene;
      const cell = stripe / shape.headDim;
      const reach = largest(contribution) || 1;
      const off = new Set(state.off);
      for (let i = 0; i < shape.headDim; i++) {
        const neuron = order ? order[i] : i;
        const value = contribution[neuron];
        const height = (STRIP / 2) * (Math.abs(value) / reach);
        context.globalAlpha = off.has(neuron) ? 0.3 : 1;
        context.fillStyle = value < 0 ? theme.negative : theme.positive;
        context.fillRect(i * cell, value < 0 ? STRIP / 2 : STRIP / 2 - height, cell - (cell >= 3 ? 0.6 : 0), height);
      }
      context.globalAlpha = 1;
      context.fillStyle = theme.hairline;
      context.fillRect(0, STRIP / 2 - 0.5, stripe, 1);
    },
    titles: [
      { x: 30, width: queryWidth - 30, title: "", note: "query token" },
      { x: x.q, width: stripe, title: "query q", note: `${shape.headDim} neurons` },
      { x: x.k, width: stripe, title: "key k", note: keyNote(scene) },
      {
        x: x.products,
        width: stripe + rung - 8,
        title: narrow ? "q × k" : `q × k · ${scale}`,
        note: narrow ? `· ${scale}` : "each neuron’s share",
      },
      ...(biased ? [{ x: x.bias + 8, width: bias - 8, title: "bias", note: "added" }] : []),
      { x: x.score + 4, width: score, title: "score", note: scoreNote(scene, biased) },
      { x: x.key + 8, width: keyWidth + softmax - 8, title: "softmax", note: "attention to the key token" },
    ],
    legend: {
      signed: whatIf
        ? "pale: true, full: without"
        : `full strength: |q| ${max.q.toFixed(2)}, |k| ${max.k.toFixed(2)}, |q × k · scale| ${max.products.toFixed(2)}`,
      note: "",
    },
    /** @param {[number, number]} rows of keys */
    numbers([from, to]) {
      /** @type {{r: number, x: number, width: number, text: string, strength: number, end: boolean}[]} */
      const told = [];
      for (let r = from; r < to; r++) {
        const position = keys[r];
        const weight = shown.weights[position];
        const masked = row.scores[position] === -Infinity;
        if (biased) {
          const added = masked ? "" : signed(row.bias[position]);
          told.push({ r, x: x.bias, width: bias - 8, text: added, strength: 0.75, end: true });
        }
        told.push({
          ...{ r, x: x.score + 62, width: score - 62, end: true },
          text: shortScore(shown.scores[position]),
          strength: masked ? 0.5 : 0.75,
        });
        if (masked) continue;
        const left = Math.max(weightX(weight), weightX(row.weights[position])) + 8;
        const strength = 0.6 + 0.4 * Math.min(1, 4 * weight);
        told.push({ r, x: left, width: 40, text: weight.toFixed(2), strength, end: false });
      }
      return told;
    },
    /**
     * @param {CanvasRenderingContext2D} context
     * @param {Geometry} geometry
     * @param {{query: [number, number], key: [number, number]}} rows
     */
    paint(context, geometry, rows) {
      const off = new Set(state.off);
      const order = scene.order ?? undefined;
      const common = { geometry, headDim: shape.headDim, width: stripe, theme, order, off };
      paintStripes(context, columns.queries, {
        ...common,
        positions: queries,
        rows: rows.query,
        x: x.q,
        max: max.q,
        fade: (position) => (position === selected ? 1 : 0.4),
      });
      const keyed = { ...common, positions: keys, rows: rows.key };
      paintStripes(context, columns.keys, { ...keyed, x: x.k, max: max.k });
      paintStripes(context, columns.products, { ...keyed, x: x.products, max: max.products });
      context.strokeStyle = theme.accent;
      context.lineWidth = 1.5;
      context.beginPath();
      context.roundRect(x.q - 4, queryRow * ROW + 1, stripe + 8, ROW - 2, 4);
      context.stroke();

      const rungs = { geometry, rows: rows.key, color: theme.accent };
      paintElbows(context, strengths, { ...rungs, from: queryRow, x0: x.q + stripe + 4, x1: x.k - 4 });
      paintRungs(context, strengths, { ...rungs, x0: x.k + stripe + 4, x1: x.products - 4 });
      paintRungs(context, strengths, { ...rungs, x0: x.products + stripe + 4, x1: x.bias - 4 });

      const bars = { geometry, positions: keys, rows: rows.key, theme };
      if (whatIf) {
        // The true ones stay, thin and pale, above what would be.
        const past = { inset: /** @type {[number, number]} */ ([4, 15]), strength: 0.45 };
        const would = { inset: /** @type {[number, number]} */ ([11, 4]) };
        paintBars(context, row.scores, { ...bars, ...past, x: scoreX });
        paintBars(context, row.weights, { ...bars, ...past, x: weightX });
        paintBars(context, whatIf.scores, { ...bars, ...would, x: scoreX });
        paintBars(context, whatIf.weights, { ...bars, ...would, x: weightX });
      } else {
        paintBars(context, row.scores, { ...bars, x: scoreX });
        paintBars(context, row.weights, { ...bars, x: weightX });
      }
      context.fillStyle = theme.hairline;
      context.fillRect(scoreX(0) - 0.5, geometry.top, 1, geometry.height);
    },
  };
}

/**
 * The same on a sheet: every row.
 * @param {import("../svg/sheet.js").Sheet} sheet
 * @param {ColumnsPlot} plot
 */
export function drawColumns(sheet, plot) {
  const { theme } = sheet;
  const { queries, keys } = plot;
  for (const { x, width, title, note } of plot.titles) {
    sheet.text(title, { x, y: sheet.y + 13, size: 13.5, strong: true, most: width });
    sheet.text(note, { x, y: sheet.y + 28, color: theme.muted, most: width });
  }
  for (const { x, text } of plot.ticks) {
    sheet.text(text, { x, y: sheet.y + 42, size: 9, anchor: "middle", color: theme.muted });
  }
  const { strip } = plot;
  sheet.painting(strip.x, sheet.y + 48, (context) => plot.paintStrip(context));
  sheet.text(strip.name, { x: strip.x - 6, y: sheet.y + 59, size: 9, anchor: "end", color: theme.muted, most: strip.room });
  sheet.y += 68;
  const rows = { query: span(queries), key: span(keys) };
  sheet.rows(0, sheet.y, { width: plot.width, rows: plot.rows, row: ROW }, (context, geometry) =>
    plot.paint(context, geometry, rows),
  );
  queries.forEach((position, r) => {
    const own = position === plot.selected;
    const y = sheet.y + r * ROW;
    if (own) {
      sheet.rect(0.5, y + 0.5, plot.queryWidth - 1, ROW - 1, { fill: theme.field, stroke: theme.accent, radius: 6 });
    }
    sheet.text(plot.text.query[position], {
      ...{ x: plot.queryWidth - 9, y: y + 16.5, size: 13.5, strong: own, most: plot.queryWidth - 14 },
      anchor: "end",
      color: own ? theme.accent : theme.muted,
    });
  });
  keys.forEach((position, r) =>
    sheet.text(plot.text.key[position], {
      ...{ x: plot.x.key + 9, y: sheet.y + r * ROW + 16.5, size: 13.5, most: plot.keyWidth - 14 },
      strong: position === plot.best,
    }),
  );
  for (const { r, x, width, text, strength, end } of plot.numbers(rows.key)) {
    const anchor = end ? "end" : "start";
    sheet.text(text, { x: end ? x + width : x, y: sheet.y + r * ROW + 16, anchor, opacity: strength });
  }
  sheet.y += plot.rows * ROW;
}

/**
 * @param {Int32Array} positions
 * @returns {[number, number]}
 */
const span = (positions) => [0, positions.length];

/**
 * The largest |value|, of those that are finite.
 * @param {Float32Array} values
 */
function largest(values) {
  let max = 0;
  for (const value of values) {
    if (Math.abs(value) > max && Number.isFinite(value)) max = Math.abs(value);
  }
  return max;
}

/**
 * @param {Scene} scene
 * @param {boolean} narrow
 */
const stripName = ({ explanation }, narrow) =>
  narrow ? "contribution" : `contribution to ${explanation ? explanation.what : "this row"}`;

/** @param {Scene} scene */
function keyNote({ shape, sharing }) {
  if (!sharing) return `${shape.headDim} neurons`;
  return `shared by heads ${sharing[0]}–${sharing[sharing.length - 1]}`;
}

/**
 * @param {Scene} scene
 * @param {boolean} biased
 */
function scoreNote({ neurons }, biased) {
  const sum = neurons.softcap ? `softcap ${neurons.softcap}` : "Σ of the row";
  return biased ? `${sum} + bias` : sum;
}
