// The head view as an exported figure.

import { SEVERAL } from "../data/regroup.js";
import { linesPlot } from "../parts/lines.js";
import { matrixPlot } from "../parts/matrix.js";
import { headPicture, headScene, squareColor, unselected, windowOf } from "../scenes/head.js";
import { headLegend } from "../scenes/head_legend.js";
import { cellColor } from "../scenes/picture.js";
import { drawFooter } from "./footer.js";
import { drawHeader } from "./header.js";
import { drawLines } from "./lines.js";
import { drawMatrix } from "./matrix.js";
import { Sheet } from "./sheet.js";
import { estimatedWidth } from "./text_width.js";

/** @typedef {import("../state.js").State} State */
/** @typedef {import("../theme/colors.js").Theme} Theme */
/** @typedef {import("../scenes/head.js").HeadScene} HeadScene */
/** @typedef {import("../scenes/legends.js").Legend} Legend */
/** @typedef {{width: number, draw: (sheet: Sheet) => Legend}} Part */

const NARROWEST = 420;

/**
 * @param {import("../data/payload.js").Source} source
 * @param {State} state
 * @param {{theme: Theme, width: number}} options
 */
export function headFigure(source, state, { theme, width }) {
  const scene = headScene(source, state);
  const part =
    state.mode === "matrix"
      ? matrixPart(scene, state, theme, width)
      : linesPart(scene, state, theme, width);
  const title = `Head view, layer ${state.layer}`;
  const sheet = new Sheet(theme, Math.max(part.width, NARROWEST), title);
  const color = squareColor(scene, theme);
  drawHeader(sheet, source.payload, state, {
    heads: state.heads.map((head) => ({ head, color: color ?? theme.head(head) })),
    what: scene.heads[0] === SEVERAL ? `${state.combine} of the heads` : "",
  });
  drawFooter(sheet, part.draw(sheet));
  return sheet;
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
