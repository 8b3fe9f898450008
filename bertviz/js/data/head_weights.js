// Lines are drawn from sparse weights, a neuron view has queries and keys. So the weights of one
// head are computed once and brought into the sparse form.

import { attendAll } from "./attention.js";

/** @typedef {import("./schema.js").Neurons} Neurons */
/** @typedef {import("./schema.js").Weights} Weights */

const LISTED = 1 / 512; // weights below this change no pixel of the lines

/** @type {WeakMap<Neurons, Weights>} the head that was last asked for */
const latest = new WeakMap();

/**
 * The weights of one head in the form that lines are drawn from.
 * @param {Neurons} neurons
 * @param {number} head
 * @returns {Weights}
 */
export function headWeights(neurons, head) {
  const known = latest.get(neurons);
  if (known?.heads[0] === head) return known;
  const { queryCount: queries, keyCount: keys } = neurons;
  const dense = attendAll(neurons, neurons.heads.indexOf(head));
  const weights = { heads: [head], queries, keys, ...sparse(dense, queries, keys) };
  latest.set(neurons, weights);
  return weights;
}

/**
 * @param {Float32Array} dense (query, key)
 * @param {number} queries
 * @param {number} keys
 */
function sparse(dense, queries, keys) {
  let listed = 0;
  for (const value of dense) if (value >= LISTED) listed++;
  const start = new Uint32Array(queries + 1);
  const key = new Uint16Array(listed);
  const weight = new Float32Array(listed);
  const hidden = new Float32Array(queries);
  let n = 0;
  for (let query = 0, i = 0; query < queries; query++) {
    for (let k = 0; k < keys; k++, i++) {
      if (dense[i] >= LISTED) {
        key[n] = k;
        weight[n++] = dense[i];
      } else {
        hidden[query] += dense[i];
      }
    }
    start[query + 1] = n;
  }
  return { start, key, weight, hidden };
}
