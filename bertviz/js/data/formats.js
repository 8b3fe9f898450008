// How numbers are written: weights, scores, and the numbers that add up to scores; short where space
// is limited, with four digits where they are read closely.

import { format } from "d3-format";

// d3-format writes a real minus sign.
const unsigned = { short: format(".2f"), exact: format(".4f") };
const signed = { shortest: format("+.1f"), short: format("+.2f"), exact: format("+.4f") };

/** A count, with commas between thousands. @type {(count: number) => string} */
export const wholeNumber = format(",d");

/**
 * A weight with two digits. A weight that rounds to zero is distinguished from zero itself.
 * @param {number} weight
 */
export function shortWeight(weight) {
  return weight > 0 && weight < 0.005 ? "<0.01" : unsigned.short(weight);
}

/** @type {(weight: number) => string} */
export const exactWeight = (weight) => unsigned.exact(weight);

/**
 * How the weights of a picture are written: the weights of a comparison have signs, values that are
 * not attention have any size.
 * @param {{signs: number[], scale?: number}} edges
 */
export function writersOf({ signs, scale }) {
  const hasSigns = signs.includes(-1);
  if (scale !== undefined) return valueWriters(scale, hasSigns);
  if (!hasSigns) return { short: shortWeight, exact: exactWeight };
  return {
    short: (/** @type {number} */ weight) =>
      Math.abs(weight) < 0.005 ? "0.00" : signed.short(weight),
    exact: (/** @type {number} */ weight) => (weight === 0 ? "0.0000" : signed.exact(weight)),
  };
}

/**
 * The size of a number of a picture, which has no sign.
 * @param {number} size
 * @param {{signs: number[], scale?: number}} edges
 */
export const shortSize = (size, edges) => writersOf(edges).short(size).replace("+", "");

/**
 * Values with three and four digits of the largest of them; what is missing is written so.
 * @param {number} scale the largest
 * @param {boolean} signs whether they have signs
 */
export function valueWriters(scale, signs) {
  const exponent = scale > 0 ? Math.floor(Math.log10(scale)) : 0;
  /** @param {number} digits */
  const writer = (digits) => {
    const plain = exponent >= -3 && exponent < 5;
    const places = Math.max(0, digits - 1 - exponent);
    const write = format(`${signs ? "+" : ""}${plain ? `.${places}f` : `.${digits - 1}e`}`);
    const zero = plain ? format(`.${places}f`)(0) : "0";
    return (/** @type {number} */ value) => {
      if (Number.isNaN(value)) return "missing";
      if (value === 0 || (plain && Math.abs(value) < 0.5 * 10 ** -places)) return zero;
      return write(value).replace("e-", "e−"); // d3 writes a minus sign in front only
    };
  };
  return { short: writer(3), exact: writer(4) };
}

/**
 * One digit, with its sign; zero has no sign.
 * @param {number} value
 */
export const shortSigned = (value) => (Math.abs(value) < 0.05 ? "0.0" : signed.shortest(value));

/** @type {(value: number) => string} */
export const exactSigned = signed.exact;

/** @param {number} score */
export const shortScore = (score) => (score === -Infinity ? "masked" : shortSigned(score));

/** @param {number} score */
export const exactScore = (score) => (score === -Infinity ? "masked" : exactSigned(score));
