// The same attention in larger units: words instead of subword tokens, several heads as one. Both
// are sums of entries, so what is listed and what is hidden still add up to the row.

import { tokensOf } from "./schema.js";

/** @typedef {import("./schema.js").Weights} Weights */
/** @typedef {import("./schema.js").Block} Block */
/** @typedef {import("./schema.js").Tokens} Tokens */
/** @typedef {"each" | "mean" | "sum"} Combine */

/** In place of a head's number: several heads as one. */
export const SEVERAL = 0xffff;

/**
 * The weights of a layer as a state wants to see them. A word stands where its first subword token
 * stands, so positions are always the model's own.
 * @param {Weights} weights
 * @param {Block} block
 * @param {{heads: number[], words?: boolean, combine?: Combine}} state
 * @returns {Weights}
 */
export function regrouped(weights, block, { heads, words = false, combine = "each" }) {
  let shown = weights;
  if (words && hasWords(block)) shown = kept(shown, "words", () => ofWords(weights, block));
  if (combine !== "each") {
    const name = `${combine} ${heads}`;
    const from = shown;
    shown = kept(shown, name, () => ofHeads(from, heads, combine));
  }
  return shown;
}

/**
 * How many keys there are to look at: with words, fewer than there are positions.
 * @param {Weights} weights
 */
export const keyCountOf = (weights) => weights.keyCount ?? weights.keys;

/** @param {Block} block */
export const hasWords = (block) =>
  Boolean(tokensOf(block, "query").words || tokensOf(block, "key").words);

/** The last picture of each kind stays: hovering asks for it again and again. */
/** @type {WeakMap<Weights, Map<string, {name: string, weights: Weights}>>} */
const cache = new WeakMap();

/**
 * @param {Weights} weights
 * @param {string} name
 * @param {() => Weights} make
 */
function kept(weights, name, make) {
  const known = cache.get(weights) ?? new Map();
  cache.set(weights, known);
  const kind = name.split(" ")[0];
  let found = known.get(kind);
  if (found?.name !== name) known.set(kind, (found = { name, weights: make() }));
  return found.weights;
}

/**
 * A word attends as its subword tokens do on average, and is attended to as all of them together
 * (Clark et al., "What Does BERT Look At?", 2019, section 4.1).
 * @param {Weights} weights
 * @param {Block} block
 */
function ofWords(weights, block) {
  const first = {
    query: wordStarts(tokensOf(block, "query")),
    key: wordStarts(tokensOf(block, "key")),
  };
  const size = new Uint16Array(weights.queries);
  for (const position of first.query) size[position]++;
  const slots = weights.heads.map((_, slot) => [slot]);
  return summed(weights, slots, weights.heads, {
    rowOf: first.query,
    keyOf: first.key,
    share: (query) => 1 / size[first.query[query]],
    keyCount: new Set(first.key).size,
  });
}

/**
 * @param {Weights} weights
 * @param {number[]} heads
 * @param {Combine} combine
 */
function ofHeads(weights, heads, combine) {
  const slots = heads.map((head) => weights.heads.indexOf(head));
  const share = combine === "mean" ? 1 / slots.length : 1;
  return summed(weights, [slots], [SEVERAL], { share: () => share });
}

/**
 * Where the word of each token begins.
 * @param {Tokens} tokens
 */
export function wordStarts({ text, words }) {
  const first = Int32Array.from(text.keys());
  if (words) {
    for (let i = 1; i < first.length; i++) {
      if (words.of[i] === words.of[i - 1]) first[i] = first[i - 1];
    }
  }
  return first;
}

/**
 * What is shown at each position: the token, or the word that begins there.
 * @param {Tokens} tokens
 * @param {boolean} [words]
 * @returns {string[]}
 */
export function textOf(tokens, words) {
  if (!words || !tokens.words) return tokens.text;
  let text = wordTexts.get(tokens);
  if (!text) {
    const { of, text: whole } = tokens.words;
    wordTexts.set(tokens, (text = of.map((word) => whole[word])));
  }
  return text;
}

/** @type {WeakMap<Tokens, string[]>} */
const wordTexts = new WeakMap();

/**
 * Sums of entries: those of several slots, rows and keys that become one.
 * @param {Weights} weights
 * @param {number[][]} slots which of them make each new one
 * @param {number[]} heads names of the new ones
 * @param {object} options
 * @param {(query: number) => number} options.share what an entry counts
 * @param {Int32Array} [options.rowOf] where the row of each query goes
 * @param {Int32Array} [options.keyOf]
 * @param {number} [options.keyCount] of different keys, if not all
 * @returns {Weights}
 */
function summed(weights, slots, heads, { share, rowOf, keyOf, keyCount = keyCountOf(weights) }) {
  const { queries, keys } = weights;
  const count = slots.length * queries;
  const start = new Uint32Array(count + 1);
  const hidden = new Float32Array(count);
  /** @type {number[]} */ const key = [];
  /** @type {number[]} */ const weight = [];
  const row = new Float64Array(keys);
  /** @type {number[][]} the queries that go into each row */
  const sources = Array.from({ length: queries }, () => []);
  for (let q = 0; q < queries; q++) sources[rowOf ? rowOf[q] : q].push(q);
  slots.forEach((from, slot) => {
    for (let q = 0; q < queries; q++) {
      const at = slot * queries + q;
      for (const source of sources[q]) {
        const part = share(source);
        for (const old of from) {
          const r = old * queries + source;
          hidden[at] += part * weights.hidden[r];
          for (let e = weights.start[r]; e < weights.start[r + 1]; e++) {
            row[keyOf ? keyOf[weights.key[e]] : weights.key[e]] += part * weights.weight[e];
          }
        }
      }
      if (sources[q].length) {
        for (let k = 0; k < keys; k++) {
          if (!row[k]) continue;
          key.push(k);
          weight.push(row[k]);
          row[k] = 0;
        }
      }
      start[at + 1] = key.length;
    }
  });
  return {
    heads,
    names: weights.names,
    queries,
    keys,
    keyCount,
    start,
    key: Uint16Array.from(key),
    weight: Float32Array.from(weight),
    hidden,
  };
}
