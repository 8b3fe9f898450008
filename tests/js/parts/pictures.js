// Pictures to lay out: heads of one layer, over so many tokens.

import { edgesOf } from "../../../bertviz/js/data/edges.js";
import { layerOf, random, tokens, weightsOf } from "../fixtures.js";

/** Every character is ten wide. @param {string} text */
export const measure = (text) => 10 * text.length;

/**
 * @param {object} options
 * @param {number[]} [options.heads]
 * @param {number} [options.count] of tokens
 * @param {number} [options.least] smaller weights are not listed
 * @param {object} [options.state] query, key and also
 */
export function pictureOf({ heads = [0], count = 6, least = 0, state = {} } = {}) {
  const next = random(3);
  const dense = heads.map(() =>
    Array.from({ length: count }, () => {
      const row = Array.from({ length: count }, () => next() ** 4);
      const sum = row.reduce((a, b) => a + b, 0);
      return row.map((value) => value / sum);
    }),
  );
  const text = Array.from({ length: count }, (_, i) => `t${i}`);
  const weights = weightsOf(heads, dense, least);
  const rows = Int32Array.from({ length: count }, (_, i) => i);
  const selection = { query: null, key: null, ...state };
  /** @type {any} */
  const block = { name: "encoder", kind: "encoder", query: tokens(text), key: null };
  block.layers = [layerOf(0, heads)];
  const edges = edgesOf(weights, { heads, queries: rows, keys: rows, ...selection });
  const picture = {
    ...{ block, weights, edges, heads, queries: rows, keys: rows },
    text: { query: text, key: text },
    colors: heads.map((head) => `color ${head}`),
    name: "picture",
  };
  const full = { heads, locked: false, combine: "each", ...selection };
  return { picture, dense, state: /** @type {any} */ (full) };
}
