// A figure of a selected token in a long text: rows without weight are folded into one that says how
// many they are, so that the figure fits on a page. A page scrolls instead.

import { edgesOf } from "../data/edges.js";
import { shortWeight, wholeNumber } from "../data/formats.js";
import { chosenOf } from "../state.js";
import { isLong } from "./long_texts.js";

/** @typedef {import("./picture.js").Picture} Picture */
/** @typedef {import("./shown_row.js").ShownRow} ShownRow */
/** @typedef {import("../state.js").State} State */

const LEAST = 0.01; // of the weight at full strength: a smaller one is not seen
const MOST = 32; // rows with weight
const ALONE = 12; // rows that are kept, however small they are
const AROUND = 2; // rows beside a selected token
const GAP = 2; // so few are not folded

/**
 * The picture without the rows that hold nothing, and what those hold in all.
 * @param {Picture} picture
 * @param {ShownRow} row
 * @param {State} state
 * @returns {{picture: Picture, note: string}}
 */
export function folded(picture, row, state) {
  const { queries, keys, heads, weights, among, text } = picture;
  if (!row.chosen.length || !isLong(picture)) return { picture, note: "" };
  const same = queries.length === keys.length && queries.every((q, r) => q === keys[r]);
  const sizes = sizesOf(row);
  const chosen = { query: chosenOf(state, "query"), key: chosenOf(state, "key") };
  /** @param {"query" | "key"} side @param {Int32Array} all */
  const side = (side, all) => {
    const own = same ? [...chosen.query, ...chosen.key] : chosen[side];
    const size = same || side === row.side ? sizes : new Float32Array(all.length);
    return foldedSide(all, stayingRows(all, own, size, picture.edges.top), size, text[side]);
  };
  const shown = { query: side("query", queries), key: side("key", keys) };
  const part = { queries: shown.query.positions, keys: shown.key.positions };
  const { query, key, also } = state;
  const edges = edgesOf(weights, { heads, ...part, query, key, also, among });
  return {
    picture: {
      ...{ ...picture, ...part, edges },
      text: { query: shown.query.text, key: shown.key.text },
      folds: { query: shown.query.folds, key: shown.key.folds },
    },
    note: noteOf(row, shown[row.side].runs.flat(), edges),
  };
}

/**
 * @param {ShownRow} row
 * @param {number[]} rows that are folded
 * @param {Picture["edges"]} edges
 */
function noteOf({ side, means }, rows, { scale, signs }) {
  if (scale !== undefined || signs.includes(-1) || !rows.length) return "";
  const held = rows.reduce((sum, r) => sum + means[r], 0);
  // What is too small to be listed is told anyway.
  return held < LEAST / 2
    ? ""
    : `folded tokens ${side === "key" ? "hold" : "give"} ${shortWeight(held)} in all`;
}

/**
 * The largest weight of each row, whichever head has it.
 * @param {ShownRow} row
 */
function sizesOf({ values, positions }) {
  const sizes = new Float32Array(positions.length);
  values.forEach((value, i) => {
    const r = i % positions.length;
    if (value > sizes[r]) sizes[r] = value;
  });
  return sizes;
}

/**
 * Rows that stay: those in which a weight can be seen, of many the largest, of very even ones a few;
 * and what is selected, with the rows around it.
 * @param {Int32Array} all positions
 * @param {number[]} chosen
 * @param {Float32Array} sizes
 * @param {number} top the weight at full strength
 */
function stayingRows(all, chosen, sizes, top) {
  const order = Array.from(all.keys()).sort((a, b) => sizes[b] - sizes[a]);
  const kept = order.filter(
    (r, i) => sizes[r] && (i < ALONE || (i < MOST && sizes[r] >= LEAST * top)),
  );
  const stays = new Array(all.length).fill(false);
  for (const r of kept) stays[r] = true;
  for (const r of chosen.map((position) => all.indexOf(position))) {
    if (r >= 0) stays.fill(true, Math.max(0, r - AROUND), r + AROUND + 1);
  }
  return stays;
}

/**
 * A run of rows that do not stay becomes its weakest one, under another name.
 * @param {Int32Array} all positions
 * @param {boolean[]} stays
 * @param {Float32Array} sizes
 * @param {string[]} text
 */
function foldedSide(all, stays, sizes, text) {
  const named = text.slice();
  /** @type {number[]} */ const positions = [];
  /** @type {number[][]} */ const runs = [];
  /** @type {Set<number>} */ const folds = new Set();
  for (let r = 0; r < all.length;) {
    let end = r + 1;
    while (!stays[r] && end < all.length && !stays[end]) end++;
    const run = Array.from({ length: end - r }, (_, i) => r + i);
    if (run.length > GAP) {
      const weakest = run.reduce((least, i) => (sizes[i] < sizes[least] ? i : least));
      named[all[weakest]] = `… ${wholeNumber(run.length)} tokens`;
      positions.push(all[weakest]);
      folds.add(all[weakest]);
      runs.push(run);
    } else positions.push(...run.map((i) => all[i]));
    r = end;
  }
  return { positions: Int32Array.from(positions), text: named, folds, runs };
}
