// The neuron view as a file: its columns, or closed, the head's lines.

import { columnsPlot } from "../parts/columns.js";
import { drawFooter } from "./footer.js";
import { drawHeader } from "./header.js";
import { linesPlot } from "../parts/lines.js";
import { drawLines } from "./lines.js";
import { closedPicture, neuronScene } from "../scenes/neuron.js";
import { notesOf } from "../scenes/neuron_texts.js";
import { massNote } from "../scenes/legends.js";
import { drawColumns } from "./columns.js";
import { Sheet } from "./sheet.js";
import { estimatedWidth } from "./text_width.js";

/** @typedef {import("../scenes/neuron.js").NeuronScene} NeuronScene */
/** @typedef {import("../state.js").State} State */
/** @typedef {{theme: import("../theme/colors.js").Theme, width: number}} Options */

/**
 * @param {import("../data/payload.js").Source} source
 * @param {State} state
 * @param {Options} options
 */
export function neuronFigure(source, state, options) {
  const scene = neuronScene(source, state);
  const title = `Layer ${state.layer}, head ${scene.head}`;
  const sheetOf = (/** @type {number} */ width) => {
    const sheet = new Sheet(options.theme, Math.max(420, width), `Neuron view, ${title}`);
    drawHeader(sheet, source.payload, state, { title });
    return sheet;
  };
  return state.detail
    ? open(scene, state, options, sheetOf)
    : closed(scene, state, options, sheetOf);
}

/**
 * @param {NeuronScene} scene
 * @param {State} state
 * @param {Options} options
 * @param {(width: number) => Sheet} sheetOf
 */
function open(scene, state, { width }, sheetOf) {
  const columns = columnsPlot(scene, state, width, estimatedWidth);
  const sheet = sheetOf(columns.width);
  drawColumns(sheet, columns);
  drawFooter(sheet, { ...columns.legend, note: notesOf(scene, state) });
  return sheet;
}

/**
 * @param {NeuronScene} scene
 * @param {State} state
 * @param {Options} options
 * @param {(width: number) => Sheet} sheetOf
 */
function closed(scene, state, { theme, width }, sheetOf) {
  const picture = closedPicture(scene, state, theme);
  const lines = linesPlot(picture, state, width, estimatedWidth);
  const sheet = sheetOf(lines.width);
  drawLines(sheet, lines);
  drawFooter(sheet, { legend: "weight", note: massNote(picture.edges, state) });
  return sheet;
}
