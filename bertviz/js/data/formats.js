// How weights are written: in two digits where space is short, in four where they are read.

import { format } from "d3-format";

const unsigned = { short: format(".2f"), exact: format(".4f") };
const signed = { short: format("+.2f"), exact: format("+.4f") };

/**
 * A weight in two digits; a weight that rounds to zero differs from zero itself.
 * @param {number} weight
 */
export function shortWeight(weight) {
  return weight > 0 && weight < 0.005 ? "<0.01" : unsigned.short(weight);
}

/** @type {(weight: number) => string} */
export const exactWeight = (weight) => unsigned.exact(weight);

/**
 * How the weights of a picture are written: those of a comparison with their signs.
 * @param {{signs: number[]}} edges
 */
export function writersOf({ signs }) {
  if (!signs.includes(-1)) return { short: shortWeight, exact: exactWeight };
  return {
    short: (/** @type {number} */ weight) =>
      Math.abs(weight) < 0.005 ? "0.00" : signed.short(weight),
    exact: (/** @type {number} */ weight) => (weight === 0 ? "0.0000" : signed.exact(weight)),
  };
}
