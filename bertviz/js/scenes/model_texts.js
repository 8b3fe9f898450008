// What the model view says: of a cell, of its colors, and of what cannot be shown.

import { written } from "../data/measures.js";
import { tokensOf } from "../data/schema.js";
import { differenceLegend, massNote, minus } from "./legends.js";
import { measureRamp } from "./model_colors.js";
import { missingText, valueNote, valueRamp, zeroText } from "./value_legend.js";
import { valueWriters } from "../data/formats.js";

/** @typedef {import("../data/measures.js").Choice} Choice */
/** @typedef {import("../theme/colors.js").Theme} Theme */
/** @typedef {import("./model_grid.js").Cell} Cell */
/** @typedef {import("./model.js").ModelScene} ModelScene */
/** @typedef {{form: "lines" | "matrix", tiles: boolean, inner?: number, pad?: number}} Shown */

const NO_PATTERN = "no clear pattern";

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
function valueLines({ value, chance, label: own }, { label, diverging, shipped }) {
  if (value === null) return [shipped?.labels ? NO_PATTERN : `${label} not available`];
  const lines = [`${own || label} ${written(value, 3, diverging)}`];
  if (chance !== null) lines.push(`by chance ${written(chance, 3, diverging)}`);
  return lines;
}

/**
 * What colors and opacity mean.
 * @param {ModelScene} scene
 * @param {Shown} layout
 * @param {Theme} theme
 */
export function legendOf(scene, layout, theme) {
  const { form, tiles } = layout;
  const { choice, range, difference, open, gain, names } = scene;
  if (scene.values) return valueLegend(scene, theme, layout);
  const root = form === "matrix" ? "√" : "";
  const size = `|${minus(names)}|`;
  const lines = open ? `, lines ${size} · ${gain.toFixed(1)}` : "";
  const strength = `opacity: ${root}${size}${lines}`;
  const signed = differenceLegend(strength, names);
  if (!choice || !tiles) return difference ? signed : { legend: root ? "√ weight" : "weight" };
  return range ? measureLegend(scene, choice, theme) : noNumber(choice, theme);
}

/**
 * @param {Choice} choice
 * @param {Theme} theme
 */
const noNumber = (choice, theme) => ({
  legend: `${choice.label}: not available for any head`,
  colors: [theme.surface],
  ramp: false,
});

/**
 * Of plain tiles.
 * @param {ModelScene} scene with a range
 * @param {Choice} choice
 * @param {Theme} theme
 */
function measureLegend(scene, choice, theme) {
  const [least, most] = scene.range ?? [0, 0];
  return {
    legend: choice.diverging ? `${choice.label} (negative · positive)` : choice.label,
    smallest: written(least, 2, choice.diverging),
    largest: written(most, 2, choice.diverging),
    colors: measureRamp(choice, theme),
  };
}

/**
 * What the bars below the thumbnails mean.
 * @param {ModelScene} scene
 */
function barNote({ choice, barRange, cells }) {
  if (!choice) return "";
  if (!barRange) return `${choice.label}: not available for any head`;
  const [least, most] = barRange.map((end) => written(end, 2, choice.diverging));
  const chance = cells.some((cell) => cell.chance !== null) ? ", marked: by chance" : "";
  return `bar: ${choice.label}, ${least} to ${most}${chance}`;
}

/**
 * At which value the lines of an opened cell are at full strength.
 * @param {import("../data/edges.js").Edges} edges
 */
function openedNote({ scale, top, signs }) {
  const largest = scale ?? (top === 1 ? 0 : top); // of attention, if it is not 1
  return largest ? `lines of the opened head, ${fullStrength(largest, signs.includes(-1))}` : "";
}

/**
 * @param {number} scale
 * @param {boolean} signed
 */
function fullStrength(scale, signed) {
  return `full strength: ${signed ? "±" : ""}${valueWriters(scale, false).short(scale)}`;
}

/**
 * The same of values that are not attention.
 * @param {ModelScene} scene
 * @param {Theme} theme
 * @param {Shown} layout
 */
function valueLegend(scene, theme, { tiles, inner = Infinity, pad = 0 }) {
  const { choice, range, scale = 1, signed } = scene;
  const gaps = gapsOfBlock(scene.block);
  const missing = missingText(gaps);
  const fine = Math.max(scene.queries.length, scene.keys.length) > inner - 2 * pad;
  const value = fine ? "√ value, the strongest of each pixel" : "√ value";
  if (choice && tiles) return range ? measureLegend(scene, choice, theme) : noNumber(choice, theme);
  return { ...valueRamp(value, scale, signed, zeroText(gaps)), missing };
}

/**
 * How many values of a block are missing.
 * @param {import("../data/schema.js").Block} block
 */
function gapsOfBlock(block) {
  const pairs = tokensOf(block, "query").text.length * tokensOf(block, "key").text.length;
  let [count, total] = [0, 0];
  for (const { heads, missing } of block.layers) {
    count += missing?.count ?? 0;
    total += heads.length * pairs;
  }
  return { count, total };
}

/**
 * What bars mean, and what the picture lacks.
 * @param {ModelScene} scene
 * @param {Shown} layout
 * @param {import("../data/edges.js").Edges | null} edges of the opened cell
 * @param {import("../state.js").State} state
 */
export function notesOf(scene, { tiles }, edges, state) {
  const { choice, cells, barRange, values } = scene;
  const parts = [tiles ? "" : barNote(scene)];
  if (choice && barRange && cells.some((c) => c.value === null)) {
    parts.push(`– ${choice.shipped?.labels ? NO_PATTERN : "not available"}`);
  }
  if (edges) parts.push(openedNote(edges));
  if (edges) parts.push(values ? valueNote(edges, state) : massNote(edges, state));
  return parts.filter(Boolean).join(" · ");
}
