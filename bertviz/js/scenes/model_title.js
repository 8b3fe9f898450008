// One sentence that says what a model view shows: the opened head's, or which heads have the largest
// and the smallest of the numbers that color them. It is never empty: cells stay where they are.

import { written } from "../data/measures.js";
import { capitalized } from "../data/texts.js";
import { headTitle } from "./head_title.js";
import { shownRow } from "./shown_row.js";

/** @typedef {import("./model.js").ModelScene} ModelScene */
/** @typedef {import("./model_grid.js").Cell} Cell */

/**
 * @param {ModelScene} scene
 * @param {import("./picture.js").Picture | null} picture of the opened cell
 * @param {import("../state.js").State} state
 * @param {import("../data/schema.js").Payload} payload
 */
export function modelTitle({ open, choice, cells, block }, picture, state, payload) {
  if (open && picture) {
    const own = { ...state, layer: open.layer.index, heads: [open.head] };
    return headTitle(picture, shownRow(picture, own), own, payload);
  }
  const measured = cells.filter(({ value }) => value !== null && Number.isFinite(value));
  const layers = block.layers.length;
  const all = `${counted(cells.length, "head")} in ${counted(layers, "layer")}`;
  if (choice?.shipped?.labels) return labelsSaid(measured, all);
  if (!choice || measured.length < 2) return all;
  const valueOf = (/** @type {Cell} */ cell) => /** @type {number} */ (cell.value);
  const by = measured.toSorted((a, b) => valueOf(b) - valueOf(a));
  const said = (/** @type {Cell} */ cell) =>
    `layer ${cell.layer.index}, head ${cell.head} (${written(valueOf(cell), 2, choice.diverging)})`;
  const [most, least] = [by[0], by[by.length - 1]];
  if (valueOf(most) === valueOf(least)) return all;
  return `${capitalized(choice.label)}: largest in ${said(most)}, smallest in ${said(least)}`;
}

const NAMED = 4; // patterns

/**
 * How many heads have which label, the most frequent first.
 * @param {Cell[]} labeled
 * @param {string} all
 */
function labelsSaid(labeled, all) {
  /** @type {Map<string, number>} */
  const counts = new Map();
  for (const { label } of labeled) counts.set(label, (counts.get(label) ?? 0) + 1);
  const by = [...counts].toSorted((a, b) => b[1] - a[1]);
  const named = by.slice(0, NAMED).map(([label, count]) => `${label} ${count}`);
  const rest = by.slice(NAMED).reduce((sum, [, count]) => sum + count, 0);
  const list = [...named, ...(rest ? [`others ${rest}`] : [])].join(", ");
  return `${all}, ${labeled.length} with a clear pattern: ${list}`;
}

/**
 * @param {number} count
 * @param {string} thing
 */
const counted = (count, thing) => `${count} ${thing}${count === 1 ? "" : "s"}`;
