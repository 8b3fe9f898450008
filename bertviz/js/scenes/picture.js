// What lines and a matrix are drawn from, whichever view they belong to.

/**
 * @typedef {object} Picture
 * @property {import("../data/schema.js").Block} block
 * @property {import("../data/schema.js").Weights} weights
 * @property {import("../data/edges.js").Edges} edges
 * @property {number[]} heads
 * @property {Int32Array} queries positions, one a row
 * @property {Int32Array} keys
 * @property {{query: string[], key: string[]}} text by position
 * @property {string[]} colors per head
 * @property {Int32Array | null} [among] keys over which rows are renormalized
 * @property {string} [missing] color of what stands for a missing value
 * @property {{query: Set<number>, key: Set<number>}} [folds] positions that stand for a run of them
 * @property {string} name changes when the lines at rest change
 */

/** @typedef {import("../theme/colors.js").Theme} Theme */

/**
 * The color of each head's weights; differences have the color of their sign instead, whichever head
 * they belong to.
 * @param {{heads: number[], signs: number[]}} edges
 * @param {(head: number) => string} own
 * @param {Theme} theme
 */
export function slotColors({ heads, signs }, own, { positive, negative }) {
  const signed = signs.includes(-1);
  return heads.map((head, i) => (!signed ? own(head) : signs[i] < 0 ? negative : positive));
}

/**
 * The color of a full matrix cell: the head's, where there is only one.
 * @param {{colors: string[], edges: {signs: number[]}}} picture
 * @param {Theme} theme
 */
export function cellColor({ colors, edges }, theme) {
  if (edges.signs.includes(-1)) return theme.positive;
  return colors.length === 1 ? colors[0] : theme.ink;
}
