// What if some neurons were not there, or the softmax were softer or sharper? The scores and the weights
// of a query then, beside the true ones; and how much each neuron contributes to where its head looks.

import { finish } from "./attention.js";

/** @typedef {import("./schema.js").Neurons} Neurons */
/** @typedef {import("./attention.js").Row} Row */

/**
 * What each neuron adds to the scores where the query looks: Σₖ wₖ · (pₖₙ − mean pₙ), the products
 * of the attended keys above their mean over the unmasked keys. A part that is the same for all
 * keys changes no weight, so it does not count.
 * @param {Row} row
 * @param {number} headDim
 * @returns {Float32Array} (headDim)
 */
export function contributions({ products, weights, scores }, headDim) {
  const means = new Float32Array(headDim);
  const attended = new Float32Array(headDim);
  let seen = 0;
  let mass = 0;
  scores.forEach((score, key) => {
    if (score === -Infinity) return;
    seen++;
    mass += weights[key];
    for (let n = 0, i = key * headDim; n < headDim; n++, i++) {
      means[n] += products[i];
      attended[n] += weights[key] * products[i];
    }
  });
  return attended.map((value, n) => value - (mass * means[n]) / Math.max(1, seen));
}

/**
 * Neurons by contribution, the largest first; equal ones as they are in the model.
 * @param {Float32Array} values
 */
export function ranked(values) {
  return Array.from(values.keys()).sort((a, b) => values[b] - values[a]);
}

/**
 * A row without some neurons, or at another temperature.
 * @param {Neurons} neurons
 * @param {number} slot
 * @param {number} query
 * @param {Row} row the true one
 * @param {{off?: number[], temperature?: number}} change
 */
export function changed(neurons, slot, query, row, { off = [], temperature = 1 }) {
  const { headDim } = neurons;
  const sums = row.sums.map((sum, key) => {
    let rest = sum;
    for (const n of off) rest -= row.products[key * headDim + n];
    return rest;
  });
  const { scores, weights, sink } = finish(neurons, slot, query, sums, temperature);
  let moved = 0;
  weights.forEach((weight, key) => (moved += Math.abs(weight - row.weights[key]) / 2));
  return { off, temperature, sums, scores, weights, sink, moved };
}
