// Pairs of tokens that have no value, where the numbers are not attention.

/** @typedef {import("./schema.js").Weights} Weights */
/**
 * What is missing among some heads, queries and keys.
 * @typedef {object} Gaps
 * @property {number} count of (head, query, key) without a value
 * @property {number} total of all of them
 * @property {number[]} queries rows without any value
 * @property {number[]} keys
 */

/** @type {WeakMap<Weights, {name: string, gaps: Gaps}>} the last ones */
const known = new WeakMap();

/**
 * @param {Weights} weights
 * @param {number} slot place of a head
 * @param {number} query
 * @param {number} key
 */
export function isMissing({ missing, queries, keys }, slot, query, key) {
  if (!missing) return false;
  const bit = (slot * queries + query) * keys + key;
  return ((missing[Math.floor(bit / 8)] >> (bit % 8)) & 1) === 1;
}

/**
 * The gaps of what is drawn; null where nothing can be missing.
 * @param {Weights} weights
 * @param {number[]} heads drawn ones
 * @param {Int32Array} queries rows
 * @param {Int32Array} keys
 * @returns {Gaps | null}
 */
export function gapsOf(weights, heads, queries, keys) {
  if (!weights.missing) return null;
  const own = heads.filter((head) => head >= 0);
  const name = JSON.stringify([own, Array.from(queries), Array.from(keys)]);
  const before = known.get(weights);
  if (before?.name === name) return before.gaps;
  const gaps = counted(weights, own, queries, keys);
  known.set(weights, { name, gaps });
  return gaps;
}

/**
 * @param {Weights} weights
 * @param {number[]} heads
 * @param {Int32Array} queries
 * @param {Int32Array} keys
 * @returns {Gaps}
 */
function counted(weights, heads, queries, keys) {
  const row = new Uint32Array(queries.length);
  const column = new Uint32Array(keys.length);
  let count = 0;
  for (const head of heads) {
    const slot = weights.heads.indexOf(head);
    for (let r = 0; r < queries.length; r++) {
      for (let c = 0; c < keys.length; c++) {
        if (!isMissing(weights, slot, queries[r], keys[c])) continue;
        count++;
        row[r]++;
        column[c]++;
      }
    }
  }
  const full = (/** @type {Uint32Array} */ counts, /** @type {number} */ all) =>
    Array.from(counts.keys()).filter((i) => all > 0 && counts[i] === all);
  return {
    count,
    total: heads.length * queries.length * keys.length,
    queries: full(row, heads.length * keys.length),
    keys: full(column, heads.length * queries.length),
  };
}
