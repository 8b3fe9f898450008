// What the numbers of a payload are: attention, the differences of two traces, or other values.

/** @typedef {import("./schema.js").Payload} Payload */
/** @typedef {import("./schema.js").Block} Block */
/** @typedef {Pick<Payload, "kind" | "difference">} Kinded */

/** @param {Kinded} payload */
export const isAttention = ({ kind = "attention" }) => kind === "attention";

/** Whether numbers may be below zero, and colors tell their signs. @param {Kinded} payload */
export const isSigned = ({ kind, difference }) => kind === "signed" || Boolean(difference);

/** Whether rows are parts of a whole, so that sums over keys and heads mean something. */
export const isWhole = (/** @type {Kinded} */ payload) =>
  isAttention(payload) && !payload.difference;

/**
 * What a head in small is made of, one above the other: its weights, or what is positive or more in b;
 * what is negative or more in a; and which values are missing.
 * @typedef {"own" | "less" | "missing"} Ply
 */

/**
 * @param {Payload} payload
 * @param {Block} block
 * @returns {Ply[]}
 */
export function pliesOf(payload, block) {
  /** @type {Ply[]} */
  const plies = isSigned(payload) ? ["own", "less"] : ["own"];
  return block.layers.some((layer) => layer.missing) ? [...plies, "missing"] : plies;
}
