// Texts: those of both sides of a block, by position, which columns of tokens are labeled with; and words
// at the beginning of a line.

import { tokensOf } from "./schema.js";

/**
 * @param {import("./schema.js").Block} block
 * @returns {{query: string[], key: string[]}}
 */
export function textsOf(block) {
  return { query: tokensOf(block, "query").text, key: tokensOf(block, "key").text };
}

/** @param {string} text */
export const capitalized = (text) => text.charAt(0).toUpperCase() + text.slice(1);
