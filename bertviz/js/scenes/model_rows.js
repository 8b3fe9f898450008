// The same selection in every head of a model: what its row holds in each of them, and which heads
// have the strongest weights. Layers that are not decoded yet are told apart.

import { isWhole } from "../data/kinds.js";
import { layerPicture } from "./head.js";
import { shownRow } from "./shown_row.js";

/** @typedef {import("../data/payload.js").Source} Source */
/** @typedef {import("../data/schema.js").Layer} Layer */
/** @typedef {import("../state.js").State} State */
/**
 * @typedef {object} ModelRows
 * @property {"query" | "key"} side of the tokens that have a number
 * @property {Int32Array} positions of them
 * @property {{layer: Layer, heads: number[], values: Float64Array[] | null}[]} layers a list of
 *   values per head, with their signs; null where the layer is not decoded
 * @property {number} full the size that is drawn at full height
 */
/**
 * @typedef {object} Strong
 * @property {number} layer
 * @property {number} head
 * @property {number} r row
 * @property {number} value
 */

const EVEN = 0.05; // where no weight is larger, heights go up to the largest

/**
 * @param {Source} source
 * @param {State} state
 * @param {import("./shown_row.js").ShownRow} row of the layer that is shown
 * @returns {ModelRows}
 */
export function modelRows(source, state, { side, positions }) {
  const { layers } = source.block(state.block);
  const rows = layers.map((layer) => ({
    ...{ layer, heads: layer.heads },
    values: source.has(layer, "weights") ? valuesOf(source, state, layer) : null,
  }));
  return { side, positions, layers: rows, full: fullOf(source, rows) };
}

/**
 * @param {Source} source
 * @param {State} state
 * @param {Layer} layer
 */
function valuesOf(source, state, layer) {
  const picture = layerPicture(source, state, layer);
  const { values, positions } = shownRow(picture, state);
  const { signs } = /** @type {{signs: number[]}} */ (picture.edges);
  /** @type {Float64Array[]} */
  const heads = [];
  signs.forEach((sign, slot) => {
    const own = values.subarray(slot * positions.length, (slot + 1) * positions.length);
    if (sign > 0) heads.push(Float64Array.from(own));
    else own.forEach((value, r) => (heads[heads.length - 1][r] -= value));
  });
  return heads;
}

/**
 * @param {Source} source
 * @param {ModelRows["layers"]} rows
 */
function fullOf({ payload }, rows) {
  let largest = 0;
  for (const own of rows.flatMap(({ values }) => values ?? [])) {
    for (const value of own) if (Math.abs(value) > largest) largest = Math.abs(value);
  }
  return isWhole(payload) && largest > EVEN ? 1 : largest || 1;
}

/**
 * The heads with the strongest weights, each with its strongest one. A token that most heads have as
 * their strongest (the first one, often) says nothing about any of them and is left out.
 * @param {ModelRows} rows
 * @param {number} count
 * @returns {{strongest: Strong[], without: number | null}} without is the row that is left out
 */
export function strongestHeads({ layers }, count) {
  const heads = layers.flatMap(({ layer, heads, values }) =>
    (values ?? []).map((own, i) => ({ layer: layer.index, head: heads[i], own })),
  );
  const without = commonest(heads.map(({ own }) => strongestRow(own, null)));
  const strongest = heads
    .map(({ layer, head, own }) => ({ layer, head, ...strongestIn(own, without) }))
    .filter(({ value }) => value !== 0)
    .sort((a, b) => Math.abs(b.value) - Math.abs(a.value))
    .slice(0, count);
  return { strongest, without };
}

/**
 * The strongest weight of one head.
 * @param {ModelRows} rows
 * @param {{layer: number, head: number}} cell
 * @returns {Strong}
 */
export function strongestOf({ layers }, { layer, head }) {
  const row = layers.find((one) => one.layer.index === layer);
  const own = row?.values?.[row.heads.indexOf(head)] ?? new Float64Array(0);
  return { layer, head, ...strongestIn(own, null) };
}

/**
 * @param {Float64Array} values
 * @param {number | null} without
 */
function strongestIn(values, without) {
  const r = strongestRow(values, without);
  return { r, value: r < 0 ? 0 : values[r] };
}

/**
 * @param {Float64Array} values
 * @param {number | null} without
 */
function strongestRow(values, without) {
  let best = -1;
  let most = 0;
  values.forEach((value, r) => {
    if (r === without || !(Math.abs(value) > most)) return;
    best = r;
    most = Math.abs(value);
  });
  return best;
}

/**
 * What more than half of them are; null if nothing is.
 * @param {number[]} rows -1 counts as one without
 */
function commonest(rows) {
  /** @type {Map<number, number>} */
  const counts = new Map();
  for (const r of rows) if (r >= 0) counts.set(r, (counts.get(r) ?? 0) + 1);
  for (const [r, count] of counts) if (rows.length > 1 && 2 * count > rows.length) return r;
  return null;
}
