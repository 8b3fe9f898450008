// Numbers that are read off edges and weights: beside a token, in a tooltip, under a picture.

import { headCount } from "./differences.js";

/** @typedef {import("./edges.js").Edges} Edges */
/** @typedef {import("./schema.js").Weights} Weights */

/**
 * Per drawn head and row of one side, the mean weight over the selected tokens of the other.
 * @param {Edges} edges
 * @param {number} heads
 * @param {"query" | "key"} side
 * @param {number} rows
 * @param {number} [selected] how many tokens
 * @returns {Float32Array} (heads, rows)
 */
export function boxesOf(edges, heads, side, rows, selected = 1) {
  const boxes = new Float32Array(heads * rows);
  edges.each((slot, queryRow, keyRow, opacity) => {
    boxes[slot * rows + (side === "key" ? keyRow : queryRow)] += opacity / edges.gain / selected;
  });
  return boxes;
}

/**
 * Per row, the mean of boxes over the heads.
 * @param {Float32Array} boxes (slots, rows)
 * @param {number[]} signs of the slots
 */
export function meansOf(boxes, signs) {
  const means = new Float64Array(boxes.length / signs.length);
  const heads = headCount(signs);
  boxes.forEach((value, i) => {
    means[i % means.length] += (signs[Math.floor(i / means.length)] * value) / heads;
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
 * One weight per drawn head, of differences with its sign; null where it is too small to be listed.
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
    return weights.hidden[row] < 0.0005 ? 0 : null;
  };
  return heads
    .filter((head) => head >= 0)
    .map((head) => {
      const more = listed(head);
      const less = heads.includes(~head) ? listed(~head) : 0;
      // One of the two is zero, whatever is known of the other.
      return {
        head,
        weight: more ? more : less ? -less : more === null || less === null ? null : 0,
      };
    });
}
