// The head view as an exported figure.

import { SEVERAL } from "../data/regroup.js";
import { linesPlot } from "../parts/lines.js";
import { matrixPlot } from "../parts/matrix.js";
import { headPicture, headScene, squareColor, unselected, windowOf } from "../scenes/head.js";
import { headLegend } from "../scenes/head_legend.js";
import { cellColor } from "../scenes/picture.js";
import { headerOf } from "./header.js";
import { drawLines } from "./lines.js";
import { drawMatrix } from "./matrix.js";
import { estimatedWidth } from "./text_width.js";

/** @typedef {import("../state.js").State} State */
/** @typedef {import("../theme/colors.js").Theme} Theme */
/** @typedef {import("../scenes/head.js").HeadScene} HeadScene */
/** @typedef {import("./figure.js").Panel} Panel */
/** @typedef {Pick<Panel, "width" | "draw">} Part */

/**
 * @param {import("../data/payload.js").Source} source
 * @param {State} state
 * @param {{theme: Theme, width: number}} options
 * @returns {Panel}
 */
export function headFigure(source, state, { theme, width }) {
  const scene = headScene(source, state);
  const part =
    state.mode === "matrix"
      ? matrixPart(scene, state, theme, width)
      : linesPart(scene, state, theme, width);
  const color = squareColor(scene, theme);
  return {
    ...part,
    name: `Head view, layer ${state.layer}`,
    header: headerOf(source.payload, state, {
      heads: state.heads.map((head) => ({ head, color: color ?? theme.head(head) })),
      what: scene.heads[0] === SEVERAL ? `${state.combine} of the heads` : "",
    }),
  };
}

/**
 * @param {HeadScene} scene
 * @param {State} state
 * @param {Theme} theme
 * @param {number} width
 * @returns {Part}
 */
function linesPart(scene, state, theme, width) {
  const plot = linesPlot(headPicture(scene, state, theme), state, width, estimatedWidth);
  return {
    width: plot.width,
    draw(sheet) {
      drawLines(sheet, plot);
      return headLegend(scene, state);
    },
  };
}

/**
 * @param {HeadScene} scene
 * @param {State} state
 * @param {Theme} theme
 * @param {number} width
 * @returns {Part}
 */
function matrixPart(scene, state, theme, width) {
  const picture = headPicture(scene, state, theme);
  const whole = unselected(picture, windowOf(scene.all, state.zoom));
  const plot = matrixPlot(whole, state, width, estimatedWidth);
  return {
    width: plot.labels.query + plot.width,
    draw(sheet) {
      const scale = { ...drawMatrix(sheet, plot), color: cellColor(picture, theme) };
      return headLegend(whole.edges, state, scale);
    },
  };
}
