// Even attention: where a head looks at everything a little, every line would be too faint to be seen,
// although a matrix, whose colors reach to its largest weight, shows it.

import { isDifference } from "./differences.js";

/** @typedef {import("./schema.js").Weights} Weights */

const FAINT = 0.05; // of a picture without a larger weight, the largest is drawn at full strength

/** @type {WeakMap<Weights, Float32Array>} per head, its largest weight or one that is not faint */
const known = new WeakMap();

/**
 * The weight that lines draw at full strength.
 * @param {Weights} weights
 * @param {number[]} heads that are drawn
 * @param {boolean} renormalized rows are multiplied, each by another number
 */
export function topOf(weights, heads, renormalized) {
  if (renormalized || isDifference(weights)) return 1;
  let top = 0;
  const tops = topsOf(weights);
  for (const head of heads) top = Math.max(top, tops[weights.heads.indexOf(head)] ?? 0);
  return top > 0 && top <= FAINT ? top : 1;
}

/**
 * The search ends at a weight that is not faint: what is larger changes nothing.
 * @param {Weights} weights
 */
function topsOf(weights) {
  const found = known.get(weights);
  if (found) return found;
  const { heads, queries, start, weight } = weights;
  const tops = Float32Array.from(heads.keys(), (slot) => {
    let top = 0;
    const end = start[(slot + 1) * queries];
    for (let e = start[slot * queries]; e < end && top <= FAINT; e++) {
      if (weight[e] > top) top = weight[e];
    }
    return top;
  });
  known.set(weights, tops);
  return tops;
}
