// One sentence that says what a head view shows: what the selected token looks at most, who looks at
// it most, or what is looked at most. It stands above the picture, to be read and to be copied.

import { isAttention } from "../data/kinds.js";
import { writersOf } from "../data/formats.js";
import { SEVERAL } from "../data/regroup.js";
import { largestRows } from "./shown_row.js";
import { quoted } from "./token_texts.js";

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
  const { edges, text } = picture;
  const where = `Layer ${state.layer}, ${headsOf(picture, state)}`;
  const { query, key } = state;
  const pair = query !== null && key !== null ? row.positions.indexOf(key) : -1;
  const r = pair >= 0 ? pair : (largestRows(row, 1)[0] ?? -1);
  if (r < 0) return `${where}: nothing to show here`;
  const number = writersOf(edges).short(row.means[r]);
  const other = quoted(text[row.side][row.positions[r]]);
  const chosen = chosenTokens(row, text);
  const differs = isAttention(payload) && edges.signs.includes(-1);
  if (!isAttention(payload) || differs) {
    const what = differs ? "difference" : "value";
    return `${where}: ${valueSaid(row, pair >= 0, chosen, other, what)}, ${number}`;
  }
  if (pair >= 0) return `${where}: ${chosen} looks at ${other}, ${number}`;
  return `${where}: ${attentionSaid(row, chosen, other, number)}`;
}

/**
 * @param {ShownRow} row
 * @param {boolean} pair whether both tokens were chosen
 * @param {string} chosen
 * @param {string} other
 * @param {string} what
 */
function valueSaid({ side, chosen: { length } }, pair, chosen, other, what) {
  if (!length) return `the largest mean ${what} is that of the key ${other}`;
  const way = side === "key" ? `from ${chosen} to ${other}` : `from ${other} to ${chosen}`;
  return pair ? `the ${what} ${way}` : `the largest ${what} is ${way}`;
}

/**
 * @param {ShownRow} row
 * @param {string} chosen
 * @param {string} best
 * @param {string} number
 */
function attentionSaid({ side, chosen: { length } }, chosen, best, number) {
  if (!length) return `${best} is looked at most, ${number} of a row on average`;
  if (side === "key")
    return `${chosen} ${length > 1 ? "look" : "looks"} most at ${best}, ${number}`;
  return `${chosen} ${length > 1 ? "are" : "is"} looked at most by ${best}, ${number}`;
}

/**
 * The selected tokens, as one speaks of them.
 * @param {ShownRow} row
 * @param {Picture["text"]} text
 */
export function chosenTokens({ side, chosen }, text) {
  const own = side === "key" ? text.query : text.key;
  const names = chosen.map((position) => quoted(own[position]));
  if (names.length > 3) return `${names.slice(0, 2).join(", ")} and ${names.length - 2} more`;
  return names.length < 2 ? names.join("") : `${names.slice(0, -1).join(", ")} and ${names.at(-1)}`;
}

/**
 * The heads that a number stands for.
 * @param {Picture} picture
 * @param {State} state
 */
export function headsOf({ heads }, { heads: chosen, combine }) {
  if (chosen.length === 1) return `head ${chosen[0]}`;
  return heads[0] === SEVERAL
    ? `${combine} of ${chosen.length} heads`
    : `mean of ${chosen.length} heads`;
}
