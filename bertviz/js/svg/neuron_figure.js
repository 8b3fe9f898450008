// The neuron view as a file: its columns, or closed, the head's lines.

import { columnsPlot } from "../parts/columns.js";
import { headerOf } from "./header.js";
import { linesPlot } from "../parts/lines.js";
import { drawLines } from "./lines.js";
import { closedPicture, neuronScene } from "../scenes/neuron.js";
import { neuronTitle } from "../scenes/neuron_title.js";
import { closedLegend, notesOf } from "../scenes/neuron_texts.js";
import { drawColumns } from "./columns.js";
import { estimatedWidth } from "./text_width.js";

/** @typedef {import("../scenes/neuron.js").NeuronScene} NeuronScene */
/** @typedef {import("../state.js").State} State */
/** @typedef {{theme: import("../theme/colors.js").Theme, width: number}} Options */
/** @typedef {import("./figure.js").Panel} Panel */
/** @typedef {Pick<Panel, "width" | "draw">} Part */

/**
 * @param {import("../data/payload.js").Source} source
 * @param {State} state
 * @param {Options} options
 * @returns {Panel}
 */
export function neuronFigure(source, state, options) {
  const scene = neuronScene(source, state);
  const title = state.detail ? neuronTitle(scene) : `Layer ${state.layer}, head ${scene.head}`;
  return {
    ...(state.detail ? open(scene, state, options) : closed(scene, state, options)),
    name: `Neuron view. ${title}`,
    header: headerOf(source.payload, state, { title }),
  };
}

/**
 * @param {NeuronScene} scene
 * @param {State} state
 * @param {Options} options
 * @returns {Part}
 */
function open(scene, state, { width }) {
  const columns = columnsPlot(scene, state, width, estimatedWidth);
  return {
    width: columns.width,
    draw(sheet) {
      drawColumns(sheet, columns);
      return { ...columns.legend, note: notesOf(scene, state) };
    },
  };
}

/**
 * @param {NeuronScene} scene
 * @param {State} state
 * @param {Options} options
 * @returns {Part}
 */
function closed(scene, state, { theme, width }) {
  const picture = closedPicture(scene, state, theme);
  const lines = linesPlot(picture, state, width, estimatedWidth);
  return {
    width: lines.width,
    draw(sheet) {
      drawLines(sheet, lines);
      return closedLegend(picture, state);
    },
  };
}
