// One sentence that says what a head view shows: what the selected token looks at most, who looks at
// it most, or what is looked at most. It stands above the picture, to be read and to be copied.

import { isAttention } from "../data/kinds.js";
import { writersOf } from "../data/formats.js";
import { SEVERAL } from "../data/regroup.js";
import { strongestRow } from "./shown_row.js";

/** @typedef {import("./picture.js").Picture} Picture */
/** @typedef {import("./shown_row.js").ShownRow} ShownRow */
/** @typedef {import("../state.js").State} State */

/**
 * @param {Picture} picture
 * @param {ShownRow} row
 * @param {State} state
 * @param {Pick<import("../data/schema.js").Payload, "kind">} payload
 */
export function headTitle(picture, row, state, payload) {
  const r = strongestRow(row);
  const where = `Layer ${state.layer}, ${headsOf(picture, state)}`;
  if (r < 0) return `${where}: nothing to show here`;
  const { edges, text } = picture;
  const number = writersOf(edges).short(row.means[r]);
  const best = quoted(text[row.side][row.positions[r]]);
  const others = row.side === "key" ? text.query : text.key;
  const chosen = listed(row.chosen.map((position) => quoted(others[position])));
  return `${where}: ${said(row, chosen, best, number, isAttention(payload), edges.signs)}`;
}

/**
 * @param {ShownRow} row
 * @param {string} chosen
 * @param {string} best
 * @param {string} number
 * @param {boolean} attention
 * @param {number[]} signs
 */
function said({ side, chosen: { length } }, chosen, best, number, attention, signs) {
  const differs = attention && signs.includes(-1);
  if (!attention || differs) {
    const what = differs ? "difference" : "value";
    if (!length) return `the largest mean ${what} is that of the key ${best}, ${number}`;
    const pair = side === "key" ? `from ${chosen} to ${best}` : `from ${best} to ${chosen}`;
    return `the largest ${what} is ${pair}, ${number}`;
  }
  if (!length) return `${best} is looked at most, ${number} of a row on average`;
  if (side === "key")
    return `${chosen} ${length > 1 ? "look" : "looks"} most at ${best}, ${number}`;
  return `${chosen} ${length > 1 ? "are" : "is"} looked at most by ${best}, ${number}`;
}

/** @param {string} token */
export const quoted = (token) => `“${token.trim()}”`;

/** @param {string[]} names */
function listed(names) {
  if (names.length > 3) return `${names.slice(0, 2).join(", ")} and ${names.length - 2} more`;
  return names.length < 2 ? names.join("") : `${names.slice(0, -1).join(", ")} and ${names.at(-1)}`;
}

/**
 * @param {Picture} picture
 * @param {State} state
 */
function headsOf({ heads }, { heads: chosen, combine }) {
  if (chosen.length === 1) return `head ${chosen[0]}`;
  return heads[0] === SEVERAL
    ? `${combine} of ${chosen.length} heads`
    : `mean of ${chosen.length} heads`;
}
