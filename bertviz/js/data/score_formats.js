// How scores, and the numbers that add up to them, are written.

import { format } from "d3-format";

const oneDigit = format("+.1f"); // d3-format writes a real minus sign
const fourDigits = format("+.4f");

/**
 * One digit, with its sign; zero has none.
 * @param {number} value
 */
export const shortSigned = (value) => (Math.abs(value) < 0.05 ? "0.0" : oneDigit(value));

/** @type {(value: number) => string} */
export const exactSigned = fourDigits;

/** @param {number} score */
export const shortScore = (score) => (score === -Infinity ? "masked" : shortSigned(score));

/** @param {number} score */
export const exactScore = (score) => (score === -Infinity ? "masked" : exactSigned(score));
