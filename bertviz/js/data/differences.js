// Weights of a comparison have signs, and listed weights are never below zero. So a head of a
// comparison has two slots: its own number for what b has more, and ~number for what a has more.

/** @typedef {import("./schema.js").Weights} Weights */

/** @type {[string, string]} what two traces are called, unless they have names */
export const NAMES = ["a", "b"];

/**
 * What b has more and what a has more, as slots of one layer.
 * @param {Weights} more
 * @param {Weights} less
 * @returns {Weights}
 */
export function withLess(more, less) {
  const shift = more.weight.length;
  const start = new Uint32Array(more.start.length + less.start.length - 1);
  start.set(more.start);
  less.start.forEach((at, row) => (start[more.start.length - 1 + row] = shift + at));
  const key = new Uint16Array(shift + less.key.length);
  key.set(more.key);
  key.set(less.key, shift);
  /** @param {Float32Array} one @param {Float32Array} other */
  const joined = (one, other) => {
    const all = new Float32Array(one.length + other.length);
    all.set(one);
    all.set(other, one.length);
    return all;
  };
  return {
    ...more,
    heads: [...more.heads, ...less.heads.map((head) => ~head)],
    start,
    key,
    weight: joined(more.weight, less.weight),
    hidden: joined(more.hidden, less.hidden),
  };
}

/**
 * The slots that some heads are drawn as: of differences two for each.
 * @param {Weights} weights
 * @param {number[]} heads
 */
export function slotsOf(weights, heads) {
  return weights.heads.some((head) => head < 0) ? heads.flatMap((head) => [head, ~head]) : heads;
}

/** The model's number of a head, whichever of its slots it is. @param {number} head */
export const numberOf = (head) => (head < 0 ? ~head : head);

/** How many heads are drawn: of differences each has two slots. @param {number[]} signs */
export const headCount = (signs) => signs.filter((sign) => sign > 0).length;

/**
 * Which lane each slot has where heads lie side by side: the two of a head share one, since a pair of
 * tokens is in one of them.
 * @param {number[]} signs of the slots
 */
export function lanesOf(signs) {
  let lane = -1;
  return signs.map((sign) => (sign > 0 ? ++lane : lane));
}

const BOOST = 10;

/** @param {Pick<Weights, "heads" | "scale">} weights */
export const isDifference = ({ heads, scale }) =>
  scale === undefined && heads.some((head) => head < 0);

/**
 * How much stronger differences are drawn: the largest of a layer at full strength, unless all are
 * tiny.
 * @param {Weights} weights
 */
export function boostOf(weights) {
  if (!isDifference(weights)) return 1;
  let most = 1 / BOOST;
  for (const weight of weights.weight) if (weight > most) most = weight;
  return 1 / most;
}
