// The texts of both sides of a block, by position: what columns of tokens are labeled with.

import { tokensOf } from "./schema.js";

/**
 * @param {import("./schema.js").Block} block
 * @returns {{query: string[], key: string[]}}
 */
export function textsOf(block) {
  return { query: tokensOf(block, "query").text, key: tokensOf(block, "key").text };
}
