// What is said of one query and one key: in a tooltip, and aloud.

import { weightsAt } from "../data/summaries.js";
import { writersOf } from "../data/formats.js";
import { tokensOf } from "../data/schema.js";
import { minus } from "./legends.js";
import { describeToken, headName } from "./token_texts.js";

/** @typedef {import("../state.js").State} State */
/** @typedef {import("./picture.js").Picture} Picture */

/**
 * A token; or its pair with the token that is locked on the other side.
 * @param {Picture} picture
 * @param {State} state
 * @param {"query" | "key"} side
 * @param {number} position
 */
export function describeAmong(picture, state, side, position) {
  const other = side === "key" ? state.query : state.key;
  if (!state.locked || other === null) {
    return describeToken(tokensOf(picture.block, side), position, picture.text[side]);
  }
  const [query, key] = side === "key" ? [other, position] : [position, other];
  return describePair(picture, state, query, key);
}

/**
 * The two tokens, and a line for each head.
 * @param {Picture} picture
 * @param {State} state
 * @param {number} query
 * @param {number} key
 */
function describePair(picture, state, query, key) {
  const { text } = picture;
  return [
    `${text.query[query]} → ${text.key[key]}`,
    ...whatOf(picture),
    ...headLines(picture, state, query, key),
  ].join("\n");
}

/**
 * The same of a matrix cell, which shows the mean of its heads.
 * @param {Picture} picture
 * @param {State} state
 * @param {number} query
 * @param {number} key
 */
export function describeCell(picture, state, query, key) {
  const { text, edges } = picture;
  const weights = weightsAt(picture, query, key).map(({ weight }) => weight ?? 0);
  const present = weights.filter((weight) => !Number.isNaN(weight));
  const mean = present.reduce((a, b) => a + b, 0) / present.length;
  return [
    `${text.query[query]} → ${text.key[key]}  (${query} → ${key})`,
    ...whatOf(picture),
    ...(weights.length > 1 ? [`mean  ${writersOf(edges).short(mean)}`] : []),
    ...headLines(picture, state, query, key),
  ].join("\n");
}

/**
 * What is subtracted from what, in a comparison.
 * @param {Picture} picture
 */
const whatOf = ({ edges: { signs, scale, names } }) =>
  scale === undefined && signs.includes(-1) ? [minus(names)] : [];

/**
 * @param {Picture} picture
 * @param {State} state
 * @param {number} query
 * @param {number} key
 */
function headLines(picture, state, query, key) {
  const { exact } = writersOf(picture.edges);
  return weightsAt(picture, query, key).map(
    ({ head, weight }) =>
      `${headName(head, state)}  ${weight === null ? "too small to be stored" : exact(weight)}`,
  );
}
