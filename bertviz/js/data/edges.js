// Which lines a picture has: weights, seen through what a reader has chosen.

import { boostOf, headCount, NAMES, numberOf } from "./differences.js";
import { topOf } from "./even.js";
import { gapsOf, isMissing } from "./missing.js";
import { insideOf, rowsOf } from "./row_mass.js";
import { cutsOf } from "./strongest.js";

/** @typedef {import("./schema.js").Weights} Weights */
/** @typedef {ReturnType<typeof edgesOf>} Edges */
/**
 * Visits drawn edges: slot counts the drawn heads, rows are places on the screen.
 * @callback EachEdge
 * @param {(slot: number, queryRow: number, keyRow: number, opacity: number) => void} visit
 * @returns {void}
 */
/**
 * Visits rows with mass that is not listed, which is spread evenly over all keys.
 * @callback EachSpread
 * @param {(slot: number, queryRow: number, mass: number) => void} visit
 * @returns {void}
 */
/**
 * @typedef {object} EdgeOptions
 * @property {number[]} heads the model's numbers, those that are drawn
 * @property {Int32Array} queries positions, in the order of the rows
 * @property {Int32Array} keys
 * @property {number | null} query selected
 * @property {number | null} key selected
 * @property {number[]} [also] selected beside it, on the same side
 * @property {Int32Array | null} [among] what a row has on these keys is all it has: renormalized
 * @property {boolean} [boost] at rest, small differences are drawn stronger than they are
 * @property {number} [scale] of values that are not attention: which one is drawn at full strength,
 *   if not the largest of the layer
 * @property {number} [mass] at rest, only the strongest edges of each row until they hold this
 *   part of what it has on these keys
 */

// Mass below this is the rounding of what is listed.
const SPREAD = 0.005;

/**
 * The edges of some heads of one layer, with what the reader has selected. Nothing is copied: the
 * weights stay where they were decoded, edge lists are made when somebody asks.
 * @param {Weights} weights
 * @param {EdgeOptions} options
 */
export function edgesOf(weights, options) {
  const part = partOf(weights, options);
  const { gain, signs, top } = part;
  /** @type {EachEdge} */
  const each = (visit) => eachEdge(part, visit);
  // Asked for several times a picture, so it is computed once.
  /** @type {ReturnType<typeof spreadsOf> | null} */
  let spreads = null;
  const edges = {
    gain,
    each,
    /** The weight that is drawn at full strength, if it is drawn with nothing selected or alone. */
    top,
    /** Of the drawn slots: −1 for what a has more, in a comparison, or is below zero; else 1. */
    signs,
    /** Of values that are not attention: the largest of the layer. */
    scale: weights.scale,
    /** Of differences: what the two traces are called. */
    names: weights.names ?? NAMES,
    /** What is missing of the drawn rows and columns; null where nothing can be. */
    get gaps() {
      return gapsOf(weights, options.heads, options.queries, options.keys);
    },
    /**
     * Drawn pairs without a value, of both slots of a head the first.
     * @param {(slot: number, queryRow: number, keyRow: number) => void} visit
     */
    eachMissing: (visit) => eachMissing(part, visit),
    /** How many weights are listed in the drawn rows; those outside a filter count too. */
    get count() {
      return countOf(part);
    },
    /**
     * What the drawn rows do not list: it lies somewhere, so it is drawn everywhere.
     * @param {Parameters<EachSpread>[0]} visit mass with the gain
     */
    eachSpread(visit) {
      spreads ??= spreadsOf(part);
      for (const [slot, row, mass] of spreads) visit(slot, row, mass);
    },
    /** Edge lists, {head, query, key, weight, opacity}: typed arrays of equal length. */
    get edges() {
      return listOf(part);
    },
    /** The drawn rows, head by head: their numbers, and where their mass is. */
    get rows() {
      return massOf(part);
    },
    /**
     * Mass that is not among the edges, per drawn row: listed + hidden = the row's sum, before any
     * renormalization.
     */
    get hidden() {
      const { outside, weaker, unlisted } = edges.rows;
      return outside.map((mass, i) => mass + weaker[i] + unlisted[i]);
    },
  };
  return edges;
}

/** @typedef {ReturnType<typeof partOf>} Part */

/**
 * The part of the weights that is drawn.
 * @param {Weights} weights
 * @param {EdgeOptions} options
 */
function partOf(weights, options) {
  const { heads, queries, keys, query, key, also = [], among = null } = options;
  const selected = query !== null || key !== null;
  const signs = heads.map((head) => (head < 0 ? -1 : 1));
  const chosenQueries = query === null ? null : new Set([query, ...(key === null ? also : [])]);
  const keyRow = rowsOf(keys, weights.keys);
  // What is selected is shown whole.
  const mass = selected ? 1 : (options.mass ?? 1);
  const scale = options.scale ?? weights.scale;
  const top = scale === undefined ? topOf(weights, heads, Boolean(among)) : scale || 1;
  const full = 1 / top; // the opacity of 1
  const boost = options.boost ? boostOf(weights) : 1;
  // At rest lines overlap; the root keeps one head at full weight and twelve from becoming a blot.
  const gain = selected ? full : (full * boost) / Math.sqrt(headCount(signs));
  return {
    ...{ weights, heads, signs, queries, keys, keyRow, key, gain, top },
    slots: heads.map((head) => weights.heads.indexOf(head)),
    queryRows: Array.from(queries.keys()).filter((r) => chosenQueries?.has(queries[r]) ?? true),
    chosenKeys: key === null ? null : new Set([key, ...(query === null ? also : [])]),
    cut: mass < 1 ? cutsOf(weights, mass, keys, keyRow) : null,
    factorOf: among ? factorAmong(weights, among) : () => 1,
  };
}

/**
 * What a row is multiplied by, so that it adds up to one on some keys.
 * @param {Weights} weights
 * @param {Int32Array} among
 * @returns {(row: number) => number}
 */
function factorAmong(weights, among) {
  const amongRow = rowsOf(among, weights.keys);
  return (row) => {
    const { listed, spread } = insideOf(weights, row, amongRow, among.length);
    return listed + spread > 0 ? 1 / (listed + spread) : 1;
  };
}

/**
 * @param {Part} part
 * @param {(row: number, slot: number, queryRow: number) => void} visit row of the weights
 */
function eachRow({ weights, slots, queries, queryRows }, visit) {
  slots.forEach((slot, i) => {
    for (const r of queryRows) visit(slot * weights.queries + queries[r], i, r);
  });
}

/**
 * @param {Part} part
 * @param {Parameters<EachEdge>[0]} visit
 */
function eachEdge(part, visit) {
  const { keyRow, chosenKeys, cut, gain, factorOf } = part;
  const { start, key, weight } = part.weights;
  eachRow(part, (row, slot, queryRow) => {
    const factor = factorOf(row);
    const least = cut ? cut.least[row] : 0;
    if (chosenKeys) {
      for (const k of chosenKeys) {
        const e = keyRow[k] < 0 ? -1 : entryOf(part.weights, row, k);
        if (e >= 0) visit(slot, queryRow, keyRow[k], weight[e] * factor * gain);
      }
      return;
    }
    for (let e = start[row]; e < start[row + 1]; e++) {
      const k = key[e];
      if (weight[e] < least || keyRow[k] < 0) continue;
      visit(slot, queryRow, keyRow[k], weight[e] * factor * gain);
    }
  });
}

/**
 * Where a row lists a key; −1 if it does not. The keys of a row are in order.
 * @param {Weights} weights
 * @param {number} row
 * @param {number} wanted
 */
function entryOf({ start, key }, row, wanted) {
  let [from, to] = [start[row], start[row + 1]];
  while (from < to) {
    const middle = (from + to) >> 1;
    if (key[middle] < wanted) from = middle + 1;
    else to = middle;
  }
  return from < start[row + 1] && key[from] === wanted ? from : -1;
}

/**
 * @param {Part} part
 * @param {(slot: number, queryRow: number, keyRow: number) => void} visit
 */
function eachMissing({ weights, heads, slots, queries, keys, queryRows, chosenKeys }, visit) {
  if (!weights.missing) return;
  slots.forEach((slot, i) => {
    if (heads[i] < 0) return;
    for (const r of queryRows) {
      for (let c = 0; c < keys.length; c++) {
        if (chosenKeys && !chosenKeys.has(keys[c])) continue;
        if (isMissing(weights, slot, queries[r], keys[c])) visit(i, r, c);
      }
    }
  });
}

/** @param {Part} part */
function countOf(part) {
  const { cut, weights } = part;
  let count = 0;
  eachRow(part, (row) => {
    count += cut ? cut.count[row] : weights.start[row + 1] - weights.start[row];
  });
  return count;
}

/** @param {Part} part */
function spreadsOf(part) {
  const { weights, key, keys, keyRow, factorOf, gain } = part;
  /** @type {[slot: number, queryRow: number, mass: number][]} */
  const found = [];
  // Of one key nothing is known; of values, those that are not listed are each too small to be seen.
  if (key !== null || weights.scale !== undefined) return found;
  eachRow(part, (row, slot, queryRow) => {
    if (weights.hidden[row] <= SPREAD) return;
    const { spread } = insideOf(weights, row, keyRow, keys.length);
    found.push([slot, queryRow, spread * factorOf(row) * gain]);
  });
  return found;
}

/** @param {Part} part */
function listOf(part) {
  const { heads, signs, queries, keys, gain } = part;
  let count = 0;
  eachEdge(part, () => count++);
  const list = {
    head: new Uint16Array(count),
    query: new Uint32Array(count),
    key: new Uint32Array(count),
    weight: new Float32Array(count),
    opacity: new Float32Array(count),
  };
  let i = 0;
  eachEdge(part, (slot, queryRow, keyRow, opacity) => {
    list.head[i] = numberOf(heads[slot]);
    list.query[i] = queries[queryRow];
    list.key[i] = keys[keyRow];
    list.weight[i] = (signs[slot] * opacity) / gain;
    list.opacity[i] = Math.min(1, opacity);
    i++;
  });
  return list;
}

/** @param {Part} part */
function massOf(part) {
  const { weights, heads, queries, keyRow, cut } = part;
  const count = part.slots.length * part.queryRows.length;
  const rows = {
    head: new Uint16Array(count),
    query: new Uint32Array(count),
    listed: new Float32Array(count),
    outside: new Float32Array(count), // listed, on keys that are not shown
    weaker: new Float32Array(count), // listed, but not among the strongest
    unlisted: new Float32Array(count),
  };
  let i = 0;
  eachRow(part, (row, slot, queryRow) => {
    const least = cut ? cut.least[row] : 0;
    let [listed, outside, weaker] = [0, 0, 0];
    for (let e = weights.start[row]; e < weights.start[row + 1]; e++) {
      const weight = weights.weight[e];
      if (keyRow[weights.key[e]] < 0) outside += weight;
      else if (weight < least) weaker += weight;
      else listed += weight;
    }
    rows.head[i] = numberOf(heads[slot]);
    rows.query[i] = queries[queryRow];
    rows.listed[i] = listed;
    rows.outside[i] = outside;
    rows.weaker[i] = weaker;
    rows.unlisted[i++] = weights.hidden[row];
  });
  return rows;
}
