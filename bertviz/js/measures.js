// One number for a head: what cells of the model view are coloured and sorted by.

/** @typedef {import("./payload.js").Weights} Weights */
/**
 * @typedef {object} Measure
 * @property {string} label
 * @property {(row: Row) => number} of a query
 */
/**
 * One query of one head: what is listed, and the rest, which lies evenly on the other keys.
 * @typedef {object} Row
 * @property {number} query position
 * @property {number[]} keys listed
 * @property {number[]} weights theirs
 * @property {number} hidden
 * @property {number} count of all keys
 */

/** @type {Record<string, Measure>} */
export const MEASURES = {
  entropy: {
    label: "entropy (bits)",
    of({ weights, hidden, count }) {
      let bits = 0;
      for (const w of weights) if (w > 0) bits -= w * Math.log2(w);
      const rest = count - weights.length;
      if (hidden > 1e-4 && rest > 0) bits -= hidden * Math.log2(hidden / rest);
      return bits;
    },
  },
  distance: {
    label: "mean distance (tokens)",
    of({ query, keys, weights, hidden, count }) {
      let sum = 0;
      let mean = (query * (query + 1) + (count - 1 - query) * (count - query)) / 2; // of all keys
      keys.forEach((key, i) => {
        sum += weights[i] * Math.abs(key - query);
        mean -= Math.abs(key - query);
      });
      const rest = count - keys.length;
      return rest > 0 ? sum + (hidden * mean) / rest : sum;
    },
  },
  first: {
    label: "weight on the first token",
    of: ({ keys, weights }) => (keys[0] === 0 ? weights[0] : 0),
  },
};

/**
 * The mean of a measure over a head's queries.
 * @param {Weights} weights
 * @param {number} head
 * @param {keyof typeof MEASURES} name
 */
export function measured(weights, head, name) {
  const known = kept.get(weights) ?? new Map();
  kept.set(weights, known);
  const key = `${name} ${head}`;
  let value = known.get(key);
  if (value === undefined) known.set(key, (value = mean(weights, head, name)));
  return value;
}

/** @type {WeakMap<Weights, Map<string, number>>} a layer's numbers stay */
const kept = new WeakMap();

/**
 * @param {Weights} weights
 * @param {number} head
 * @param {keyof typeof MEASURES} name
 */
function mean(weights, head, name) {
  const first = weights.heads.indexOf(head) * weights.queries;
  let sum = 0;
  for (let query = 0; query < weights.queries; query++) {
    const [from, to] = [weights.start[first + query], weights.start[first + query + 1]];
    sum += MEASURES[name].of({
      query,
      keys: Array.from(weights.key.subarray(from, to)),
      weights: Array.from(weights.weight.subarray(from, to)),
      hidden: weights.hidden[first + query],
      count: weights.keys,
    });
  }
  return sum / weights.queries;
}
