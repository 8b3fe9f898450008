// What tokens and heads are called, in tooltips and for screen readers.

import { SEVERAL } from "../data/regroup.js";

/** @typedef {import("../data/schema.js").Tokens} Tokens */

/**
 * What a token's tooltip begins with: its whole text, its position, the tokenizer's own string.
 * @param {Tokens} tokens
 * @param {number} position
 * @param {string[]} [text] what is shown, where words stand for tokens
 */
export function describeToken(tokens, position, text = tokens.text) {
  const last = text === tokens.text ? position : lastOfWord(tokens, position);
  if (last > position) return `${text[position]}  (positions ${position} to ${last})`;
  const raw = tokens.raw?.[position];
  const own = raw !== undefined && raw !== tokens.text[position] ? `, raw token ${raw}` : "";
  return `${text[position]}  (position ${position}${own})`;
}

/**
 * A token in running text: without the spaces around it, a middle dot for one of spaces alone.
 * @param {string} token
 */
export const inText = (token) => token.trim() || "·";

/**
 * A token in a column, where the space that begins a word would push it out of line.
 * @param {string} token
 */
export const inLine = (token) => token.trim() || token;

const AROUND = 2; // tokens before and after

/**
 * A token and what stands around it.
 * @param {string[]} text by position
 * @param {Int32Array} positions
 * @param {number} r row
 */
export function around(text, positions, r) {
  /** @param {number} from @param {number} to */
  const between = (from, to) =>
    Array.from(positions.subarray(Math.max(0, from), to), (i) => inText(text[i])).join(" ");
  return {
    before: between(r - AROUND, r),
    token: inText(text[positions[r]]),
    after: between(r + 1, r + 1 + AROUND),
  };
}

/** @param {string} token */
export const quoted = (token) => `“${inText(token)}”`;

/**
 * @param {Tokens} tokens
 * @param {number} position of a word's first token
 */
function lastOfWord({ words }, position) {
  return words ? words.of.lastIndexOf(words.of[position]) : position;
}

/**
 * What a drawn head is called: its number, or what several are together.
 * @param {number} head
 * @param {import("../state.js").State} state
 */
export function headName(head, { heads, combine }) {
  return head === SEVERAL ? `${combine} of ${heads.length} heads` : `head ${head}`;
}

/**
 * A sentence for screen readers: the tokens that a selection attends to most, or that attend to it
 * most.
 * @param {string[]} selected
 * @param {boolean} forward whether what is selected are queries
 * @param {string[]} others the best of the other side, with their numbers
 */
export function attentionSentence(selected, forward, others) {
  const several = selected.length > 1;
  const active = several ? "attend to" : "attends to";
  const passive = `${several ? "are" : "is"} attended to by`;
  return `${selected.join(", ")} ${forward ? active : passive} ${others.join(", ")}`;
}

/**
 * The same of values that are not attention.
 * @param {string[]} selected
 * @param {boolean} forward whether what is selected are queries
 * @param {string[]} others the largest of the other side, with their numbers
 */
export function valueSentence(selected, forward, others) {
  const side = forward ? "query" : "key";
  const found = others.length ? `largest values ${others.join(", ")}` : "all values missing";
  return `${side} ${selected.join(", ")}: ${found}`;
}
