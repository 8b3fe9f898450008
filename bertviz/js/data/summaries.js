// Numbers that are read off edges and weights: beside a token, in a tooltip, under a picture.

import { headCount } from "./differences.js";
import { isMissing } from "./missing.js";

/** @typedef {import("./edges.js").Edges} Edges */
/** @typedef {import("./schema.js").Weights} Weights */

/**
 * Per drawn head and row of one side, the mean weight over the selected tokens of the other; of
 * values over those that are there, not a number where none is.
 * @param {Edges} edges
 * @param {number} heads
 * @param {"query" | "key"} side
 * @param {number} rows
 * @param {number} [selected] how many tokens
 * @returns {Float32Array} (heads, rows)
 */
export function valuesPerHead(edges, heads, side, rows, selected = 1) {
  const perHead = new Float32Array(heads * rows);
  edges.each((slot, queryRow, keyRow, opacity) => {
    perHead[slot * rows + (side === "key" ? keyRow : queryRow)] += opacity / edges.gain / selected;
  });
  if (edges.gaps?.count) leaveOut(edges, perHead, side, rows, selected);
  return perHead;
}

/**
 * Turns means over all selected tokens into means over those that have a value.
 * @param {Edges} edges
 * @param {Float32Array} perHead
 * @param {"query" | "key"} side
 * @param {number} rows
 * @param {number} selected
 */
function leaveOut(edges, perHead, side, rows, selected) {
  const missing = new Uint32Array(perHead.length);
  // A head's second slot, for what is below zero, follows its first.
  const slots = edges.signs.length / headCount(edges.signs);
  edges.eachMissing((slot, queryRow, keyRow) => {
    const row = side === "key" ? keyRow : queryRow;
    for (let i = 0; i < slots; i++) missing[(slot + i) * rows + row]++;
  });
  missing.forEach((count, i) => {
    if (count) perHead[i] = count < selected ? (perHead[i] * selected) / (selected - count) : NaN;
  });
}

/**
 * The same with what is above zero and what is below it set off against each other, as far as means
 * over several tokens have both: one value per head.
 * @param {Float32Array} perHead (slots, rows)
 * @param {number[]} signs of the slots
 */
export function netOf(perHead, signs) {
  if (headCount(signs) === signs.length) return perHead;
  const net = perHead.slice();
  const rows = perHead.length / signs.length;
  signs.forEach((sign, slot) => {
    if (sign > 0) return;
    for (let i = slot * rows; i < (slot + 1) * rows; i++) {
      const both = Math.min(perHead[i - rows], perHead[i]); // not a number where both are missing
      net[i - rows] -= both;
      net[i] = perHead[i] - both || 0;
    }
  });
  return net;
}

/**
 * Per row, the mean of the values over the heads; of values over those that are there.
 * @param {Float32Array} perHead (slots, rows)
 * @param {number[]} signs of the slots
 */
export function meansOf(perHead, signs) {
  const means = new Float64Array(perHead.length / signs.length);
  const heads = headCount(signs);
  const missing = new Uint32Array(means.length);
  perHead.forEach((value, i) => {
    const sign = signs[Math.floor(i / means.length)];
    if (!Number.isNaN(value)) means[i % means.length] += (sign * value) / heads;
    else if (sign > 0) missing[i % means.length]++;
  });
  missing.forEach((count, r) => {
    if (count) means[r] = count < heads ? (means[r] * heads) / (heads - count) : NaN;
  });
  return means;
}

/**
 * What the drawn rows leave out, each a mean over them.
 * @param {Edges} edges
 */
export function meanHidden(edges) {
  const { outside, weaker, unlisted } = edges.rows;
  const perRow = edges.signs.length / headCount(edges.signs);
  const mean = (/** @type {Float32Array} */ values) =>
    (perRow * values.reduce((sum, value) => sum + value, 0)) / Math.max(1, values.length);
  return { outside: mean(outside), weaker: mean(weaker), unlisted: mean(unlisted) };
}

/**
 * The part of all sizes, |value|, that the drawn rows leave out, where numbers are not attention.
 * @param {Edges} edges
 */
export function sharesHidden(edges) {
  const { listed, outside, weaker, unlisted } = edges.rows;
  const sum = (/** @type {Float32Array} */ sizes) => sizes.reduce((a, b) => a + b, 0);
  const [shown, ...rest] = [listed, outside, weaker, unlisted].map(sum);
  const all = shown + rest[0] + rest[1] + rest[2] || 1;
  return { outside: rest[0] / all, weaker: rest[1] / all, unlisted: rest[2] / all };
}

/**
 * One weight per drawn head, with its sign where it has one; null where it is too small to be
 * listed, not a number where it is missing.
 * @param {{weights: Weights, heads: number[]}} picture
 * @param {number} query
 * @param {number} key
 */
export function weightsAt({ weights, heads }, query, key) {
  /** @param {number} head */
  const listed = (head) => {
    const row = weights.heads.indexOf(head) * weights.queries + query;
    for (let e = weights.start[row]; e < weights.start[row + 1]; e++) {
      if (weights.key[e] === key) return weights.weight[e];
    }
    return weights.hidden[row] < 0.0005 * (weights.scale ?? 1) ? 0 : null;
  };
  return heads
    .filter((head) => head >= 0)
    .map((head) => {
      if (isMissing(weights, weights.heads.indexOf(head), query, key)) return { head, weight: NaN };
      const more = listed(head);
      const less = heads.includes(~head) ? listed(~head) : 0;
      // One of the two is zero, whatever is known of the other.
      return {
        head,
        weight: more ? more : less ? -less : more === null || less === null ? null : 0,
      };
    });
}
