// What is said of the same row in all heads of a model.

import { shortSize, writersOf } from "../data/formats.js";
import { chosenTokens } from "./head_title.js";
import { around, quoted } from "./token_texts.js";

/** @typedef {import("./model_rows.js").ModelRows} ModelRows */
/** @typedef {import("./model_rows.js").Strong} Strong */
/** @typedef {import("./picture.js").Picture} Picture */
/** @typedef {import("./shown_row.js").ShownRow} ShownRow */

/**
 * Above the map.
 * @param {ModelRows} rows
 * @param {ShownRow} row
 * @param {Picture} picture
 */
export function mapCaption({ side, layers, full }, row, { edges }) {
  const keys = side === "key";
  const what = `${row.chosen.length ? "" : "mean of all rows, "}a bar per ${keys ? "key" : "query"}`;
  const missing = layers.filter(({ values }) => !values).length;
  const wait = missing ? ` · ${missing} ${missing === 1 ? "layer" : "layers"} to come` : "";
  return `Every head: ${what}, √ of 0 to ${shortSize(full, edges).replace(/\.0+$/, "")}${wait}`;
}

/**
 * Above the list.
 * @param {Picture} picture
 * @param {ShownRow} row
 * @param {number | null} without the row that is left out
 */
export function strongestTitle({ text }, { side, positions, chosen }, without) {
  const left = without === null ? "" : `, ${quoted(text[side][positions[without]])} left out`;
  return `Strongest heads${chosen.length ? "" : " on average"}${left}`;
}

/**
 * @param {Picture} picture
 * @param {ShownRow} row
 * @param {Strong[]} strongest
 */
export function strongestRanks({ text, edges }, { side, positions }, strongest) {
  const write = writersOf(edges);
  const most = strongest.length ? Math.abs(strongest[0].value) : 1;
  return strongest.map(({ layer, head, r, value }) => ({
    ...{ layer, head, r, place: `${layer}.${head}`, value, text: write.short(value) },
    ...around(text[side], positions, r),
    part: Math.abs(value) / most,
  }));
}

/**
 * Of one head, where the pointer is.
 * @param {Picture} picture
 * @param {ShownRow} row
 * @param {Strong} strong
 */
export function headSaid(picture, row, { layer, head, r, value }) {
  const { text, edges } = picture;
  const where = `Layer ${layer}, head ${head}`;
  if (r < 0) return where;
  const best = quoted(text[row.side][row.positions[r]]);
  const number = writersOf(edges).short(value);
  const whose = row.chosen.length ? `${chosenTokens(row, text)}: ` : "";
  return `${where}\n${whose}most at ${best}, ${number}`;
}
