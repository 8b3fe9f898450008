// One number for a head: what cells of the model view are colored and sorted by. Some the page
// computes from the weights; others came with the payload.

import { format } from "d3-format";
import { isWhole } from "./kinds.js";

/** @typedef {import("./schema.js").Weights} Weights */
/** @typedef {import("./schema.js").Payload} Payload */
/** @typedef {import("./schema.js").Layer} Layer */
/** @typedef {import("./schema.js").Block} Block */
/**
 * @typedef {object} Measure
 * @property {string} label
 * @property {(weights: Weights, row: number, query: number) => number} of a row of the listed
 *   weights, which is one query of one head; what is not listed lies evenly on the other keys
 */
/**
 * A measure that a reader may choose.
 * @typedef {object} Choice
 * @property {string} name
 * @property {string} label
 * @property {import("./schema.js").MeasureRef | null} shipped null: the page computes it
 * @property {boolean} diverging it has a sign
 */

/** @type {Record<string, Measure>} */
export const MEASURES = {
  entropy: {
    label: "entropy (bits)",
    of({ start, weight, hidden, keys }, row) {
      let bits = 0;
      for (let e = start[row]; e < start[row + 1]; e++) {
        if (weight[e] > 0) bits -= weight[e] * Math.log2(weight[e]);
      }
      const rest = keys - (start[row + 1] - start[row]);
      if (hidden[row] > 1e-4 && rest > 0) bits -= hidden[row] * Math.log2(hidden[row] / rest);
      return bits;
    },
  },
  distance: {
    label: "mean distance (tokens)",
    of({ start, key, weight, hidden, keys }, row, query) {
      let sum = 0;
      let others = (query * (query + 1) + (keys - 1 - query) * (keys - query)) / 2; // of all keys
      for (let e = start[row]; e < start[row + 1]; e++) {
        const distance = Math.abs(key[e] - query);
        sum += weight[e] * distance;
        others -= distance;
      }
      const rest = keys - (start[row + 1] - start[row]);
      return rest > 0 ? sum + (hidden[row] * others) / rest : sum;
    },
  },
  first: {
    label: "weight on the first token",
    of: ({ start, key, weight }, row) =>
      start[row] < start[row + 1] && key[start[row]] === 0 ? weight[start[row]] : 0,
  },
};

/**
 * What cells may be colored by: what came with the payload first. A name that came replaces the
 * page's own of that name.
 * @param {Payload} payload
 * @returns {Choice[]}
 */
export function choicesOf(payload) {
  const { measures = [] } = payload;
  const shipped = measures.map((ref) => ({
    name: ref.name,
    label: ref.name,
    shipped: ref,
    diverging: ref.diverging,
  }));
  const own = Object.entries(MEASURES)
    .filter(([name]) => !measures.some((m) => m.name === name))
    .map(([name, { label }]) => ({ name, label, shipped: null, diverging: false }));
  return isWhole(payload) ? [...shipped, ...own] : shipped; // others are not measured as attention
}

/**
 * @param {Payload} payload
 * @param {string | null | undefined} name
 */
export function choiceOf(payload, name) {
  return choicesOf(payload).find((choice) => choice.name === name) ?? null;
}

/**
 * The number of a head that came with the payload, what it would be by chance and what it is that of.
 * @param {import("./schema.js").MeasureRef} ref
 * @param {Payload} payload
 * @param {Block} block
 * @param {Layer} layer
 * @param {number} head
 */
export function shippedValue(ref, { blocks }, block, layer, head) {
  const [b, l, h] = [blocks.indexOf(block), block.layers.indexOf(layer), layer.heads.indexOf(head)];
  return {
    value: ref.values[b][l][h],
    chance: ref.null ? ref.null[b][l][h] : null,
    label: ref.labels?.[b][l][h] ?? "",
  };
}

/**
 * The mean of a measure over a head's queries.
 * @param {Weights} weights
 * @param {number} head
 * @param {string} name one of MEASURES
 */
export function measured(weights, head, name) {
  let known = kept.get(weights);
  if (!known) kept.set(weights, (known = new Map()));
  let values = known.get(name);
  if (!values) known.set(name, (values = new Float64Array(weights.heads.length).fill(NaN)));
  const slot = weights.heads.indexOf(head);
  if (Number.isNaN(values[slot])) {
    const { of } = MEASURES[name];
    let sum = 0;
    for (let query = 0; query < weights.queries; query++) {
      sum += of(weights, slot * weights.queries + query, query);
    }
    values[slot] = sum / weights.queries;
  }
  return values[slot];
}

/** @type {WeakMap<Weights, Map<string, Float64Array>>} a layer's numbers stay */
const kept = new WeakMap();

const digits = { 2: format(".2f"), 3: format(".3f"), tiny: format(".1e") };
const withSign = { 2: format("+.2f"), 3: format("+.3f"), tiny: format("+.1e") };

/**
 * A measure's number in words; what rounds to zero is told from zero.
 * @param {number} value
 * @param {2 | 3} places
 * @param {boolean} [signed]
 */
export function written(value, places, signed = false) {
  const formats = signed && value !== 0 ? withSign : digits;
  const tiny = value !== 0 && Math.abs(value) < 0.5 * 10 ** -places;
  return formats[tiny ? "tiny" : places](value);
}
