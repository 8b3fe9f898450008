// The head view as an exported figure.

import { cellsOf } from "../data/cells.js";
import { headCount } from "../data/differences.js";
import { SEVERAL } from "../data/regroup.js";
import { linesPlot } from "../parts/lines.js";
import { bareMatrixPlot, matrixPlot } from "../parts/matrix.js";
import { AXES_IN_LINE, BETWEEN, multiplesLayout, TITLE } from "../parts/multiples.js";
import {
  headPicture,
  headScene,
  perHead,
  squareColor,
  unselected,
  windowOf,
} from "../scenes/head.js";
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
  if (headCount(scene.signs) > 1) return multiplesPart(whole, state, theme, width);
  const plot = matrixPlot(whole, state, width, estimatedWidth);
  return {
    width: plot.labels.query + plot.width,
    draw(sheet) {
      const scale = { ...drawMatrix(sheet, plot), color: cellColor(picture, theme) };
      return headLegend(whole.edges, state, scale);
    },
  };
}

/**
 * A matrix for each head, all in one scale.
 * @param {ReturnType<typeof unselected>} picture
 * @param {State} state
 * @param {Theme} theme
 * @param {number} available
 * @returns {Part}
 */
function multiplesPart(picture, state, theme, available) {
  const pictures = perHead(picture);
  const { columns, width } = multiplesLayout(pictures.length, available);
  const plots = pictures.map((own) => bareMatrixPlot(own, state, width));
  const cells = plots.map((plot) =>
    cellsOf(plot.edges, plot.heads.length, plot.queries.length, plot.keys.length),
  );
  const max = Math.max(...cells.map((own) => own.max));
  const signed = picture.edges.signs.includes(-1);
  const { across, down } = BETWEEN;
  return {
    width: columns * plots[0].width + (columns - 1) * across,
    draw(sheet) {
      sheet.text(AXES_IN_LINE, { x: 0, y: sheet.y + 12, color: theme.muted });
      const top = sheet.y + 20;
      const step = { x: plots[0].width + across, y: TITLE + plots[0].height + 4 + down };
      plots.forEach((plot, i) => {
        const [line, column] = [Math.floor(i / columns), i % columns];
        sheet.aside(column * step.x, () => {
          sheet.y = top + line * step.y;
          const { head, colors } = pictures[i];
          sheet.chip(String(head), 0, signed ? theme.muted : colors[0]);
          sheet.y += TITLE;
          drawMatrix(sheet, plot, { ...cells[i], max });
        });
      });
      sheet.y = top + Math.ceil(plots.length / columns) * step.y - down;
      const scale = { max, root: true, color: cellColor(picture, theme) };
      return headLegend(picture.edges, state, scale);
    },
  };
}
