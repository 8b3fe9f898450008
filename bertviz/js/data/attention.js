// From queries and keys to attention, as bertviz/trace computes it: scores are
// scaling · q·k, softcapped, plus bias; weights are their softmax. The page computes what it shows,
// so the columns of the neuron view add up by construction.

/** @typedef {import("./schema.js").Neurons} Neurons */
/**
 * How one query of one head comes to its attention.
 * @typedef {object} Row
 * @property {Float32Array} products (key, headDim) scaling · q × k: each neuron's share of the sum
 * @property {Float32Array} sums (key) of the products
 * @property {Float32Array} bias (key) 0 where nothing is added, −∞ where masked
 * @property {Float32Array} scores (key) what the softmax sees
 * @property {Float32Array} weights (key)
 * @property {number} sink what the head's sink takes of the row
 * @property {number} sinkScore its score; −∞ without one
 */

/**
 * @param {Neurons} neurons
 * @param {number} slot place of the head among the layer's heads
 * @param {number} query
 * @returns {Row}
 */
export function attend(neurons, slot, query) {
  const { headDim, keyCount, scaling } = neurons;
  const q = queryOf(neurons, slot).subarray(query * headDim, (query + 1) * headDim);
  const k = keysOf(neurons, slot);
  const products = new Float32Array(keyCount * headDim);
  const sums = new Float32Array(keyCount);
  for (let key = 0, i = 0; key < keyCount; key++) {
    let sum = 0;
    for (let n = 0; n < headDim; n++, i++) {
      const product = scaling * q[n] * k[i];
      products[i] = product;
      sum += product;
    }
    sums[key] = sum;
  }
  return { products, ...finish(neurons, slot, query, sums) };
}

/**
 * The weights of every query, without the products.
 * @param {Neurons} neurons
 * @param {number} slot
 * @returns {Float32Array} (query, key)
 */
export function attendAll(neurons, slot) {
  const { headDim, keyCount, queryCount, scaling } = neurons;
  const queries = queryOf(neurons, slot);
  const keys = keysOf(neurons, slot);
  const weights = new Float32Array(queryCount * keyCount);
  const sums = new Float32Array(keyCount);
  for (let query = 0; query < queryCount; query++) {
    const at = query * headDim;
    for (let key = 0, i = 0; key < keyCount; key++) {
      let sum = 0;
      for (let n = 0; n < headDim; n++, i++) sum += queries[at + n] * keys[i];
      sums[key] = scaling * sum;
    }
    weights.set(finish(neurons, slot, query, sums).weights, query * keyCount);
  }
  return weights;
}

/**
 * All queries of a head, (query, headDim).
 * @param {Neurons} neurons
 * @param {number} slot
 */
export function queryOf(neurons, slot) {
  const size = neurons.queryCount * neurons.headDim;
  return neurons.queries.subarray(slot * size, (slot + 1) * size);
}

/**
 * The keys that a head uses, (key, headDim); several heads may share them.
 * @param {Neurons} neurons
 * @param {number} slot
 */
export function keysOf(neurons, slot) {
  const size = neurons.keyCount * neurons.headDim;
  const at = neurons.keyHead[slot] * size;
  return neurons.keys.subarray(at, at + size);
}

/**
 * From the sums of products to weights.
 * @param {Neurons} neurons
 * @param {number} slot
 * @param {number} query
 * @param {Float32Array} sums
 * @param {number} [temperature] by which scores are divided
 */
export function finish(neurons, slot, query, sums, temperature = 1) {
  const { softcap, sinks } = neurons;
  const bias = biasOf(neurons, slot, query);
  const scores = sums.map(
    (sum, key) => (softcap ? softcap * Math.tanh(sum / softcap) : sum) + bias[key],
  );
  const own = sinks ? sinks[slot] : -Infinity;
  const sinkScore = typeof own === "number" ? own : own[query];
  const weights =
    temperature === 1
      ? softmax(scores, sinkScore)
      : softmax(
          scores.map((score) => score / temperature),
          sinkScore / temperature,
        );
  const sink = sinks ? 1 - weights.reduce((a, b) => a + b, 0) : 0;
  return { sums, bias, scores, weights, sink, sinkScore };
}

/**
 * @param {Neurons} neurons
 * @param {number} slot
 * @param {number} query
 */
function biasOf({ bias, causal, queryCount, keyCount }, slot, query) {
  const row = new Float32Array(keyCount);
  if (bias) {
    const [heads, queries, keys] = bias.shape;
    const start = ((heads > 1 ? slot : 0) * queries + (queries > 1 ? query : 0)) * keys;
    for (let key = 0; key < keyCount; key++) row[key] = bias.data[start + (keys > 1 ? key : 0)];
  }
  if (causal) row.fill(-Infinity, Math.max(0, query + keyCount - queryCount + 1));
  return row;
}

/**
 * @param {Float32Array} scores
 * @param {number} sink one more score in the denominator
 */
export function softmax(scores, sink = -Infinity) {
  let max = sink;
  for (const score of scores) if (score > max) max = score;
  // A row of masks alone, as padding queries have: models give it evenly to all keys.
  if (max === -Infinity) return new Float32Array(scores.length).fill(1 / scores.length);
  let sum = Math.exp(sink - max);
  const weights = scores.map((score) => {
    const weight = Math.exp(score - max);
    sum += weight;
    return weight;
  });
  return weights.map((weight) => weight / sum);
}
