// What the model view says: of a cell, of its colors, and of what cannot be shown.

import { written } from "../data/measures.js";
import { differenceLegend, massNote } from "./legends.js";
import { measureRamp } from "./model_colors.js";

/** @typedef {import("../data/measures.js").Choice} Choice */
/** @typedef {import("../theme/colors.js").Theme} Theme */
/** @typedef {import("./model_grid.js").Cell} Cell */
/** @typedef {import("./model.js").ModelScene} ModelScene */

/**
 * A cell in words, a line each.
 * @param {Cell} cell
 * @param {Choice | null} choice
 */
export function describe(cell, choice) {
  const name = `Layer ${cell.layer.index}, head ${cell.head}`;
  if (!choice) return name;
  const [number, ...more] = valueLines(cell, choice);
  return [`${name}: ${number}`, ...more].join("\n");
}

/**
 * Its number alone, in one line; nothing where nothing is measured.
 * @param {Cell} cell
 * @param {Choice | null} choice
 */
export const describeValue = (cell, choice) => (choice ? valueLines(cell, choice).join(", ") : "");

/**
 * @param {Cell} cell
 * @param {Choice} choice
 */
function valueLines({ value, chance }, { label, diverging }) {
  if (value === null) return [`${label} not available`];
  const lines = [`${label} ${written(value, 3, diverging)}`];
  if (chance !== null) lines.push(`by chance ${written(chance, 3, diverging)}`);
  return lines;
}

/**
 * What colors and opacity mean.
 * @param {ModelScene} scene
 * @param {{form: "lines" | "matrix", tiles: boolean}} layout
 * @param {Theme} theme
 */
export function legendOf(scene, { form, tiles }, theme) {
  const { choice, range, difference, open, gain } = scene;
  const root = form === "matrix" ? "√" : "";
  const lines = open ? `, lines |b − a| · ${gain.toFixed(1)}` : "";
  const signed = difference && !tiles ? differenceLegend(`opacity: ${root}|b − a|${lines}`) : {};
  if (!choice) return difference ? signed : { legend: root ? "√ weight" : "weight" };
  if (!range)
    return { legend: `${choice.label}: not available for any head`, colors: [theme.surface] };
  return {
    ...signed,
    legend: choice.diverging ? `${choice.label} (negative · positive)` : choice.label,
    smallest: written(range[0], 2, choice.diverging),
    largest: written(range[1], 2, choice.diverging),
    colors: measureRamp(scene, choice, theme, tiles),
  };
}

/**
 * What the picture lacks.
 * @param {ModelScene} scene
 * @param {import("../data/edges.js").Edges | null} edges of the opened cell
 * @param {import("../state.js").State} state
 */
export function notesOf({ choice, cells }, edges, state) {
  const parts = [];
  if (choice && cells.some((c) => c.value === null)) parts.push("– not available");
  if (edges) parts.push(massNote(edges, state));
  return parts.join(" · ");
}
