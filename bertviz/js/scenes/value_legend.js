// What colors and opacity mean where numbers are values and not attention, and what is not drawn.

import { valueWriters, wholeNumber } from "../data/formats.js";
import { isFiltered } from "../data/filters.js";
import { sharesHidden } from "../data/summaries.js";
import { percent, shownPart } from "./legends.js";

/** @typedef {import("../data/edges.js").Edges} Edges */
/** @typedef {import("../data/missing.js").Gaps} Gaps */
/** @typedef {import("../state.js").State} State */
/** @typedef {import("./legends.js").Legend} Legend */

/**
 * The ramp from the largest value below zero, or zero, to the largest above; none where there is
 * nothing else than zero.
 * @param {string} legend
 * @param {number} most the largest size: full strength
 * @param {boolean} signed
 * @param {string} nothing what is said if that is zero
 * @returns {Omit<Legend, "note">}
 */
export function valueRamp(legend, most, signed, nothing) {
  if (!most) return { legend: nothing, ramp: false };
  const { short } = valueWriters(most, signed);
  const ends = signed ? { smallest: short(-most), largest: short(most) } : { largest: short(most) };
  return { legend, ...ends, diverging: signed };
}

/**
 * @param {Edges} edges those of nothing selected, for a matrix
 * @param {State} state
 * @param {import("./head_legend.js").MatrixScale} [scale] of a matrix
 * @returns {Legend}
 */
export function headValueLegend(edges, state, scale) {
  const signed = edges.signs.includes(-1);
  const most = edges.scale ?? 1;
  const note = valueNote(edges, state);
  const missing = missingText(edges.gaps);
  if (scale) {
    const what = state.heads.length > 1 ? "mean value" : "value";
    const kind = `${scale.root ? "√ " : ""}${what}`;
    const colors = signed ? {} : { colors: ["transparent", scale.color] };
    return {
      ...valueRamp(kind, scale.max, signed, zeroText(edges.gaps, what)),
      ...colors,
      note,
      missing,
    };
  }
  const strength = edges.gain * most;
  const faint = most && strength < 0.995 ? { strength } : {};
  return { ...valueRamp("value", most, signed, zeroText(edges.gaps)), ...faint, note, missing };
}

/**
 * The parts of the picture's Σ|value| that are not drawn.
 * @param {Edges} edges
 * @param {State} state
 */
export function valueNote(edges, state) {
  const { outside, weaker, unlisted } = sharesHidden(edges);
  const where = state.zoom ? "the window" : shownPart(state);
  const parts = [
    { share: weaker, what: "in weaker lines" },
    { share: unlisted, what: "too small to be seen" },
    { share: isFiltered(state) || state.zoom ? outside : 0, what: `outside ${where}` },
  ];
  const told = parts.filter(({ share }) => share >= 0.0005);
  if (!told.length) return "";
  const written = told.map(({ share, what }) => `${percent(share)} ${what}`);
  return `left out of Σ|value|: ${written.join(", ")}`;
}

/**
 * What is said where no value is larger than zero.
 * @param {Pick<Gaps, "count" | "total"> | null} gaps
 * @param {string} [what] is zero
 */
export function zeroText(gaps, what = "value") {
  return gaps?.count && gaps.count === gaps.total ? "no values" : `all ${what}s are 0`;
}

/**
 * What hatching means, if there is any.
 * @param {Pick<Gaps, "count" | "total"> | null} gaps
 */
export function missingText(gaps) {
  if (!gaps?.count) return undefined;
  return `missing: ${wholeNumber(gaps.count)} of ${wholeNumber(gaps.total)} values`;
}
