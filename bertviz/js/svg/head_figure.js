// The head view as an exported figure.

import { SEVERAL } from "../data/regroup.js";
import { linesPlot } from "../parts/lines.js";
import { matrixPlot } from "../parts/matrix.js";
import { headPicture, headScene, squareColor, unselected, windowOf } from "../scenes/head.js";
import { headLegend } from "../scenes/head_legend.js";
import { headTitle } from "../scenes/head_title.js";
import { folded } from "../scenes/folding.js";
import { cellColor } from "../scenes/picture.js";
import { shownRow } from "../scenes/shown_row.js";
import { headerOf } from "./header.js";
import { drawLines } from "./lines.js";
import { drawMatrix } from "./matrix.js";
import { estimatedWidth } from "./text_width.js";

/** @typedef {import("../state.js").State} State */
/** @typedef {import("../theme/colors.js").Theme} Theme */
/** @typedef {import("../scenes/head.js").HeadScene} HeadScene */
/** @typedef {import("./figure.js").Panel} Panel */
/** @typedef {ReturnType<typeof headPicture>} Picture */
/** @typedef {Pick<Panel, "width" | "draw">} Part */

/**
 * @param {import("../data/payload.js").Source} source
 * @param {State} state
 * @param {{theme: Theme, width: number}} options
 * @returns {Panel}
 */
export function headFigure(source, state, { theme, width }) {
  const scene = headScene(source, state);
  const picture = headPicture(scene, state, theme);
  const part =
    state.mode === "matrix"
      ? matrixPart(scene, picture, state, theme, width)
      : linesPart(scene, picture, state, width);
  const color = squareColor(scene, theme);
  const title = headTitle(picture, shownRow(picture, state), state, source.payload);
  const chosen = state.mode !== "matrix" && (state.query !== null || state.key !== null);
  return {
    ...part,
    name: `Head view. ${title}`,
    header: headerOf(source.payload, state, {
      ...(chosen ? { title } : {}),
      heads: state.heads.map((head) => ({ head, color: color ?? theme.head(head) })),
      what: scene.heads[0] === SEVERAL ? `${state.combine} of the heads` : "",
    }),
  };
}

/**
 * @param {HeadScene} scene
 * @param {Picture} picture
 * @param {State} state
 * @param {number} width
 * @returns {Part}
 */
function linesPart(scene, picture, state, width) {
  const shown = folded(picture, shownRow(picture, state), state);
  const plot = linesPlot(shown.picture, state, width, estimatedWidth);
  return {
    width: plot.width,
    draw(sheet) {
      drawLines(sheet, plot);
      const legend = headLegend(scene, state);
      return { ...legend, note: [legend.note, shown.note].filter(Boolean).join(" · ") };
    },
  };
}

/**
 * @param {HeadScene} scene
 * @param {Picture} picture
 * @param {State} state
 * @param {Theme} theme
 * @param {number} width
 * @returns {Part}
 */
function matrixPart(scene, picture, state, theme, width) {
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
