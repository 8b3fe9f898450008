// What is written below a picture: what its colors mean and what it leaves out.

import { shortWeight } from "../data/formats.js";
import { meanHidden } from "../data/summaries.js";
import { isFiltered } from "../data/filters.js";

/** @typedef {import("../data/edges.js").Edges} Edges */
/** @typedef {import("../state.js").State} State */
/**
 * @typedef {object} Legend
 * @property {string} [legend] what the ramp from 0 to 1 means
 * @property {string} [smallest] what the ramp begins with, if not 0
 * @property {string} [largest] what it ends with, if not 1
 * @property {string[]} [colors] of the ramp, if not from nothing to ink
 * @property {boolean} [ramp] whether there is one; by default there is
 * @property {number} [strength] opacity at the end of the ramp, if it is not drawn in full
 * @property {boolean} [diverging] whether the ramp goes from negative to positive
 * @property {string} [missing] what hatching stands for
 * @property {string} [signed] what full strength means, where colors tell signs
 * @property {[string, string]} [signs] what the signs are called
 * @property {string} note
 */

export const SIGNS = /** @type {[string, string]} */ (["positive", "negative"]);

/**
 * @param {import("../theme/colors.js").Theme} theme
 * @param {string[]} [colors]
 * @param {boolean} [diverging]
 */
export function rampOf({ ink, positive, negative }, colors, diverging) {
  return colors ?? (diverging ? [negative, "transparent", positive] : ["transparent", ink]);
}

/**
 * The ramp of lines: it ends as what it stands for is drawn.
 * @param {Pick<Edges, "gain" | "top">} edges
 * @returns {Pick<Legend, "largest" | "strength">}
 */
export function rampOfLines({ gain, top }) {
  const strength = gain * top;
  return {
    largest: top === 1 ? "1" : shortWeight(top),
    ...(strength < 0.995 ? { strength } : {}),
  };
}

/**
 * The legend of differences.
 * @param {string} signed what full strength means
 * @param {[string, string]} names
 */
export function differenceLegend(signed, [a, b]) {
  return { signed, signs: /** @type {[string, string]} */ ([`more in ${b}`, `more in ${a}`]) };
}

/** What a difference is. @param {[string, string]} names */
export const minus = ([a, b]) => `${b} − ${a}`;

/**
 * The part of the text that is shown, in words.
 * @param {State} state
 */
export const shownPart = ({ pair }) => (pair === "All" ? "the tokens shown" : pair);

/** @param {number} share */
export const percent = (share) =>
  share < 0.01 ? `${(100 * share).toFixed(1)}%` : `${Math.round(100 * share)}%`;

/**
 * What the picture leaves out; nothing is said of what is zero.
 * @param {Edges} edges
 * @param {State} state
 */
export function massNote(edges, state) {
  const { outside, weaker, unlisted } = meanHidden(edges);
  const shaded = state.key === null ? ", shaded" : "";
  const where = state.zoom ? "the window" : shownPart(state);
  const parts = [
    { part: weaker, what: "in weaker lines" },
    { part: unlisted >= 0.005 ? unlisted : 0, what: `too small to be listed${shaded}` },
    { part: isFiltered(state) || state.zoom ? outside : 0, what: `outside ${where}` },
  ].filter(({ part }) => part >= 0.0005);
  if (!parts.length) return "";
  const oneRow = state.query !== null && !state.also?.length && new Set(edges.rows.head).size === 1;
  const row = oneRow ? "the row" : "each row";
  const signed = edges.signs.includes(-1);
  const written = parts.map(
    ({ part, what }) => `${signed ? part.toFixed(2) : percent(part)} ${what}`,
  );
  return `not drawn, of ${row}${signed ? "’s differences" : ""}: ${written.join(", ")}`;
}
