// Which tokens a picture shows: those of one pair of sentences, without some that are of no
// interest, or the words that they make.

import { wordStarts } from "./regroup.js";
import { tokensOf } from "./schema.js";

/** @typedef {import("./schema.js").Block} Block */
/** @typedef {import("./schema.js").Tokens} Tokens */
/** @typedef {"nothing" | "special" | "first" | "both"} Hide */
/** @typedef {{pair: string, words?: boolean, hide?: Hide}} Filter */

/** Sentence filters, as [query's sentence, key's sentence]; null is any. */
export const PAIRS = /** @type {Record<string, [number | null, number | null]>} */ ({
  All: [null, null],
  "A→A": [0, 0],
  "B→B": [1, 1],
  "A→B": [0, 1],
  "B→A": [1, 0],
});

/**
 * The filters that a block offers: none unless it has two sentences.
 * @param {Block} block
 * @returns {string[]}
 */
export function pairsOf(block) {
  const query = tokensOf(block, "query").sentences;
  const key = tokensOf(block, "key").sentences;
  if (!query || !key) return ["All"];
  return Object.keys(PAIRS).filter((pair) => {
    const [a, b] = PAIRS[pair];
    return (a === null || query.includes(a)) && (b === null || key.includes(b));
  });
}

const isSpecial = (/** @type {number} */ i, /** @type {Tokens} */ tokens) =>
  tokens.special.includes(i);
const isFirst = (/** @type {number} */ i) => i === 0;

/** What can be left out of a picture. */
export const HIDDEN = {
  nothing: { label: "nothing", of: () => false },
  special: { label: "special tokens", of: isSpecial },
  first: { label: "the first token", of: isFirst },
  both: {
    label: "special tokens and the first token",
    of: (/** @type {number} */ i, /** @type {Tokens} */ tokens) =>
      isSpecial(i, tokens) || isFirst(i),
  },
};

/**
 * Token positions of one side that the filters keep, in order. Words stand at their first subword
 * tokens.
 * @param {Block} block
 * @param {"query" | "key"} side
 * @param {Filter} state
 * @returns {Int32Array}
 */
export function positionsOf(block, side, { pair, words, hide = "nothing" }) {
  const tokens = tokensOf(block, side);
  const { text, sentences } = tokens;
  const wanted = (PAIRS[pair] ?? PAIRS.All)[side === "query" ? 0 : 1];
  const first = words ? wordStarts(tokens) : null;
  const every = Int32Array.from(text.keys());
  const left = every.filter(
    (i) =>
      (wanted === null || !sentences || sentences[i] === wanted) &&
      (!first || first[i] === i) &&
      !HIDDEN[hide].of(i, tokens),
  );
  // Of a text of special tokens alone, hiding them would leave nothing.
  return left.length || hide === "nothing" ? left : positionsOf(block, side, { pair, words });
}

/**
 * Whether a state leaves tokens out, so that rows can be renormalized.
 * @param {Filter} state
 */
export const isFiltered = ({ pair, hide = "nothing" }) => pair !== "All" || hide !== "nothing";
