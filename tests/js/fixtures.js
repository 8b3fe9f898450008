// Small payloads with known numbers, without Python: layers are put in as if they were decoded.

import { Source } from "../../bertviz/js/data/payload.js";

/** A generator of numbers in 0..1, the same in every run. @param {number} seed */
export function random(seed) {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

/** @param {string[]} text @param {number[] | null} [sentences] */
export const tokens = (text, sentences = null) => ({
  text,
  raw: null,
  sentences,
  words: null,
  special: [],
});

/**
 * A payload of one or several blocks; heads and layers have the numbers that are given.
 * @param {Partial<import("../../bertviz/js/data/schema.js").Payload> & {blocks: any[]}} given
 */
export function payloadOf(given) {
  return /** @type {import("../../bertviz/js/data/schema.js").Payload} */ ({
    version: 1,
    view: "head",
    theme: "auto",
    model: { name: null, dtype: "float32", exactness: null },
    state: {},
    chunks: [],
    ...given,
  });
}

/** @param {number} index @param {number[]} heads */
export const layerOf = (index, heads) => ({ index, name: "", heads, weights: null, neurons: null });

/**
 * What the decoder makes of dense weights; those below `least` are hidden mass.
 * @param {number[]} heads
 * @param {number[][][]} dense (heads, query, key)
 * @param {number} [least]
 */
export function weightsOf(heads, dense, least = 0.0001) {
  const rows = dense.flat();
  const start = [0];
  /** @type {number[]} */ const key = [];
  /** @type {number[]} */ const weight = [];
  const hidden = rows.map((row) => {
    let rest = 0;
    row.forEach((value, k) => {
      if (value >= least) {
        key.push(k);
        weight.push(value);
      } else rest += value;
    });
    start.push(key.length);
    return rest;
  });
  return {
    heads,
    queries: dense[0].length,
    keys: dense[0][0].length,
    start: Uint32Array.from(start),
    key: Uint16Array.from(key),
    weight: Float32Array.from(weight),
    hidden: Float32Array.from(hidden),
  };
}

/**
 * @param {import("../../bertviz/js/data/schema.js").Payload} payload
 * @param {(import("../../bertviz/js/data/schema.js").Weights | import("../../bertviz/js/data/schema.js").Neurons)[][]} decoded
 *   per block, per layer
 */
export function sourceOf(payload, decoded) {
  const source = new Source(payload);
  payload.blocks.forEach((block, b) =>
    block.layers.forEach((layer, i) => {
      const given = decoded[b][i];
      if ("start" in given) source.decoded.weights.set(layer, given);
      else source.decoded.neurons.set(layer, given);
    }),
  );
  return source;
}

/**
 * Queries and keys of a layer, random.
 * @param {Partial<import("../../bertviz/js/data/schema.js").Neurons>} [given]
 */
export function neuronsOf(given = {}) {
  const next = random(7);
  const { heads = [0, 1], queryCount = 4, keyCount = 4, headDim = 3 } = given;
  const keyHead = given.keyHead ?? heads.map((_, i) => i);
  const keyHeads = Math.max(...keyHead) + 1;
  const vector = (/** @type {number} */ n) =>
    Float32Array.from({ length: n }, () => 4 * next() - 2);
  return {
    heads,
    queryCount,
    keyCount,
    headDim,
    queries: vector(heads.length * queryCount * headDim),
    keys: vector(keyHeads * keyCount * headDim),
    keyHead,
    scaling: 0.5,
    softcap: null,
    sinks: null,
    causal: false,
    rotary: false,
    bias: null,
    ...given,
  };
}
