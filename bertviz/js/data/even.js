// Even attention: where a head looks at everything a little, every line would be too faint to be seen,
// although a matrix, whose colors reach to its largest weight, shows it.

import { isDifference } from "./differences.js";

/** @typedef {import("./schema.js").Weights} Weights */

const FAINT = 0.05; // of a picture without a larger weight, the largest is drawn at full strength

/** @type {WeakMap<Weights, Float32Array>} the largest weight of each head */
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
  const largest = largestOf(weights);
  for (const head of heads) top = Math.max(top, largest[weights.heads.indexOf(head)] ?? 0);
  return top > 0 && top <= FAINT ? top : 1;
}

/** @param {Weights} weights */
function largestOf(weights) {
  let largest = known.get(weights);
  if (largest) return largest;
  const { heads, queries, start, weight } = weights;
  largest = new Float32Array(heads.length);
  for (let slot = 0; slot < heads.length; slot++) {
    const end = start[(slot + 1) * queries];
    for (let e = start[slot * queries]; e < end; e++) {
      if (weight[e] > largest[slot]) largest[slot] = weight[e];
    }
  }
  known.set(weights, largest);
  return largest;
}
