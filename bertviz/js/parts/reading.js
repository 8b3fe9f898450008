// What the reading panel says of the tokens that are selected: the text shaded by the weights, and a
// list of where they look most, or who looks at them most. Of nothing selected, what is looked at most.

import { shortSize, writersOf } from "../data/formats.js";
import { chosenTokens, headsOf } from "../scenes/head_title.js";
import { largestRows } from "../scenes/shown_row.js";
import { around } from "../scenes/token_texts.js";

/** @typedef {import("../scenes/picture.js").Picture} Picture */
/** @typedef {import("../scenes/shown_row.js").ShownRow} ShownRow */
/** @typedef {import("../state.js").State} State */
/** @typedef {ReturnType<typeof readingOf>} Reading */
/**
 * A line of the list.
 * @typedef {object} Ranked
 * @property {number} r row
 * @property {number} position
 * @property {string} before what stands in front of the token
 * @property {string} token
 * @property {string} after
 * @property {number} value
 * @property {string} text the value
 * @property {number} part of the largest value, 0..1
 */

export const LISTED = 8;
const DARKEST = 0.6; // opacity of the largest: what is written on it can be read

/**
 * @param {Picture} picture
 * @param {ShownRow} row
 * @param {State} state
 */
export function readingOf(picture, row, state) {
  const { edges, text } = picture;
  const { side, means, positions } = row;
  const own = text[side];
  const write = writersOf(edges);
  const best = largestRows(row, LISTED);
  const most = best.length ? Math.abs(means[best[0]]) : 0;
  /** @type {Ranked[]} */
  const ranked = best.map((r) => ({
    ...{ r, position: positions[r], value: means[r] },
    ...around(own, positions, r),
    text: write.short(means[r]),
    part: most ? Math.abs(means[r]) / most : 0,
  }));
  return {
    ...{ row, ranked, most },
    title: row.chosen.length
      ? `${chosenTokens(row, text)}${state.locked ? ", locked" : ""}`
      : "The text",
    listTitle: listTitleOf(row, edges),
    of: headsOf(picture, state),
    summary: summaryOf(row, ranked, edges, Boolean(picture.among)),
    darkest: most ? `darkest: ${shortSize(most, edges)}` : "",
  };
}

/**
 * How strongly a row is shaded, 0..1: the root, because most weights are small.
 * @param {number} value
 * @param {number} most
 */
export function shadeOf(value, most) {
  return most && value ? DARKEST * Math.sqrt(Math.min(1, Math.abs(value) / most)) : 0;
}

/**
 * @param {ShownRow} row
 * @param {Picture["edges"]} edges
 */
function listTitleOf({ side, chosen }, { scale, signs }) {
  if (scale !== undefined) return "Largest values";
  if (signs.includes(-1)) return "Largest differences";
  if (!chosen.length) return "Looked at most, mean of all rows";
  const several = chosen.length > 1;
  if (side === "key") return several ? "Where they look most" : "Where it looks most";
  return several ? "Who looks at them most" : "Who looks at it most";
}

/**
 * What the listed ones hold together, and all others.
 * @param {ShownRow} row
 * @param {Ranked[]} ranked
 * @param {Picture["edges"]} edges
 * @param {boolean} renormalized
 */
function summaryOf({ side, means, chosen, hidden }, ranked, { scale, signs }, renormalized) {
  if (!ranked.length) return "No value to list.";
  if (scale !== undefined || signs.includes(-1)) return "";
  const held = ranked.reduce((sum, { value }) => sum + value, 0);
  const all = means.reduce((sum, value) => sum + value, 0);
  const others = means.length - ranked.length;
  const count = ranked.length === 1 ? "This one" : `These ${ranked.length}`;
  const hold = ranked.length === 1 ? "holds" : "hold";
  const rest = `${others} ${others === 1 ? "other" : "others"} ${(all - held).toFixed(2)}`;
  if (side === "query") {
    return `${count} give ${held.toFixed(2)}${others ? `, ${rest}` : ""}, each of its own 1.`;
  }
  const outside = renormalized ? 0 : (hidden?.outside ?? 0);
  const left = [
    ...(hidden && hidden.unlisted >= 0.005
      ? [`${hidden.unlisted.toFixed(2)} is too small to be listed`]
      : []),
    ...(outside >= 0.005 ? [`${outside.toFixed(2)} lies on tokens that are not shown`] : []),
  ];
  const row = chosen.length === 1 ? "the row" : "a row, on average";
  return `${[`${count} ${hold} ${held.toFixed(2)} of ${row}${others ? `, ${rest}` : ""}`, ...left].join("; ")}.`;
}

/**
 * Tokens that a search finds: those that contain the text, whatever their case; of a number, also
 * the position.
 * @param {Int32Array} positions
 * @param {string[]} text by position
 * @param {string} wanted
 * @returns {number[]} rows
 */
export function found(positions, text, wanted) {
  const needle = wanted.trim().toLowerCase();
  if (!needle) return [];
  const rows = Array.from(positions.keys());
  const place = /^#?\d+$/.test(needle) ? Number(needle.replace("#", "")) : -1;
  const at = positions.indexOf(place);
  const inText = needle.startsWith("#")
    ? []
    : rows.filter((r) => text[positions[r]].toLowerCase().includes(needle));
  return at >= 0 && !inText.includes(at) ? [at, ...inText] : inText;
}
