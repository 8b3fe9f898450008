// The grid of a state: a cell for every head of a block, where it stands and what number it has.
// There may be thousands of cells, and touching a token changes none of them, so the latest grid of
// a source is kept.

import { choiceOf, measured, shippedValue } from "../data/measures.js";
import { positionsOf } from "../data/filters.js";

/** @typedef {import("../data/payload.js").Source} Source */
/** @typedef {import("../data/schema.js").Block} Block */
/** @typedef {import("../data/schema.js").Layer} Layer */
/** @typedef {import("../data/measures.js").Choice} Choice */
/** @typedef {import("../state.js").State} State */

// Above this number, cells are tiles of one color, and the view begins with a measure to color by.
const DENSE = 1500;

/**
 * @typedef {object} Cell
 * @property {Layer} layer
 * @property {number} head
 * @property {number} row place in the grid
 * @property {number} column
 * @property {number | null} value of the measure; null without one
 * @property {number | null} chance the value by chance, where the measure says
 * @property {string} label what the value is that of, where heads differ in it
 * @property {number} fraction for its color: 0..1, of a diverging measure −1..1
 */
/**
 * @typedef {object} Grid
 * @property {string} name
 * @property {Block} block
 * @property {string} pair
 * @property {Int32Array} queries
 * @property {Int32Array} keys
 * @property {number[]} heads
 * @property {Cell[]} cells
 * @property {Choice | null} choice what cells are colored by
 * @property {boolean} sorted
 * @property {boolean} dense
 * @property {number} [scale] of values that are not attention: the largest of the block
 * @property {[number, number] | null} range what the colors span
 * @property {[number, number] | null} barRange what bars span: always from zero
 * @property {(layer: Layer) => number} depthOf from the first layer (0) to the last (1)
 */

/** @type {WeakMap<Source, Grid>} */
const latest = new WeakMap();

/** @param {Block} block */
function headsOf(block) {
  return [...new Set(block.layers.flatMap((layer) => layer.heads))].sort((a, b) => a - b);
}

/** @param {Block} block */
export function isDense(block) {
  return block.layers.length * headsOf(block).length > DENSE;
}

/** @param {State} state */
function nameOf({ block, pair, measure, sorted }) {
  return JSON.stringify([block, pair, measure, sorted]);
}

/**
 * @param {Source} source
 * @param {State} state
 * @returns {Grid}
 */
export function gridOf(source, state) {
  const known = latest.get(source);
  const name = nameOf(state);
  if (known?.name === name) return known;
  const block = source.block(state.block);
  const heads = headsOf(block);
  const choice = choiceOf(source.payload, state.measure);
  const depths = new Map(block.layers.map((l, i) => [l, i / Math.max(1, block.layers.length - 1)]));
  const depthOf = (/** @type {Layer} */ layer) => depths.get(layer) ?? 0;
  const cells = cellsOf(source, block, heads, choice, depthOf);
  const range = choice && rangeOf(cells, choice);
  if (choice && range) {
    for (const c of cells) c.fraction = fractionOf(c.value ?? 0, range, choice.diverging);
  }
  const sorted = Boolean(state.sorted);
  if (sorted) sortLargestFirst(cells, heads.length);
  /** @type {Grid} */
  const grid = {
    ...{ name, block, heads, cells, choice, sorted, range, depthOf },
    barRange: range && [Math.min(0, range[0]), Math.max(0, range[1])],
    pair: state.pair,
    queries: positionsOf(block, "query", state),
    keys: positionsOf(block, "key", state),
    dense: isDense(block),
    scale: scaleOf(block),
  };
  latest.set(source, grid);
  return grid;
}

/** @param {Block} block */
function scaleOf({ layers }) {
  const scales = layers.flatMap(({ scale }) => (scale === undefined ? [] : [scale]));
  return scales.length ? Math.max(...scales) : undefined;
}

/**
 * Computes the numbers that the grid of a state needs, one head a step.
 * @param {Source} source
 * @param {State} state
 */
export function* gridSteps(source, state) {
  const choice = choiceOf(source.payload, state.measure);
  if (!choice || choice.shipped || latest.get(source)?.name === nameOf(state)) return;
  for (const layer of source.block(state.block).layers) {
    for (const head of layer.heads) {
      measured(source.weights(layer), head, choice.name);
      yield;
    }
  }
}

/**
 * @param {Source} source
 * @param {Block} block
 * @param {number[]} heads
 * @param {Choice | null} choice
 * @param {(layer: Layer) => number} depthOf
 * @returns {Cell[]}
 */
function cellsOf(source, block, heads, choice, depthOf) {
  return block.layers.flatMap((layer, row) =>
    layer.heads.map((head) => ({
      layer,
      head,
      row,
      column: heads.indexOf(head),
      ...numberOf(source, block, choice, layer, head),
      fraction: depthOf(layer),
    })),
  );
}

/**
 * @param {Source} source
 * @param {Block} block
 * @param {Choice | null} choice
 * @param {Layer} layer
 * @param {number} head
 */
function numberOf(source, block, choice, layer, head) {
  if (!choice) return { value: null, chance: null, label: "" };
  if (choice.shipped) return shippedValue(choice.shipped, source.payload, block, layer, head);
  return { value: measured(source.weights(layer), head, choice.name), chance: null, label: "" };
}

/**
 * @param {Cell[]} cells
 * @param {number} columns
 */
function sortLargestFirst(cells, columns) {
  const last = -Infinity; // without a number
  cells.sort((a, b) => (b.value ?? last) - (a.value ?? last));
  cells.forEach((c, i) => {
    c.row = Math.floor(i / columns);
    c.column = i % columns;
  });
}

/**
 * What the colors span: for a diverging measure as far below zero as above, for shipped numbers
 * from zero, so that small ones do not look large.
 * @param {Cell[]} cells
 * @param {Choice} choice
 * @returns {[number, number] | null} null when no head has a number
 */
function rangeOf(cells, choice) {
  let [least, most] = [Infinity, -Infinity];
  for (const { value } of cells) {
    if (value === null) continue;
    if (value < least) least = value;
    if (value > most) most = value;
  }
  if (least > most) return null;
  if (choice.diverging) {
    const reach = Math.max(Math.abs(least), Math.abs(most));
    return [-reach, reach];
  }
  return [choice.shipped ? Math.min(0, least) : least, most];
}

/**
 * @param {number} value
 * @param {[number, number]} range
 * @param {boolean} diverging
 */
function fractionOf(value, [least, most], diverging) {
  if (diverging) return most > 0 ? value / most : 0;
  return most > least ? (value - least) / (most - least) : 0;
}
