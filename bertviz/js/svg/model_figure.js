// The model view as a file: the grid, and the opened cell beside or below it.

import { detailWidth, GAP, gridWidth, layoutOf } from "../parts/grid.js";
import { headerOf } from "./header.js";
import { linesPlot } from "../parts/lines.js";
import { drawLines } from "./lines.js";
import { folded } from "../scenes/folding.js";
import { shownRow } from "../scenes/shown_row.js";
import { modelScene, openedPicture } from "../scenes/model.js";
import { modelTitle } from "../scenes/model_title.js";
import { describeValue, legendOf, notesOf } from "../scenes/model_texts.js";
import { drawGrid } from "./grid.js";
import { estimatedWidth } from "./text_width.js";

const BELOW = 600; // width of an opened cell below the grid

/**
 * @param {import("../data/payload.js").Source} source
 * @param {import("../state.js").State} state
 * @param {{theme: import("../theme/colors.js").Theme, width: number}} options
 * @returns {import("./figure.js").Panel}
 */
export function modelFigure(source, state, { theme, width }) {
  const scene = modelScene(source, state);
  const layout = layoutOf(scene, width);
  const { open, choice } = scene;
  const picture = open && openedPicture(source, scene, state, open, theme);
  const room = layout.beside ? detailWidth(layout, width) : Math.min(BELOW, width);
  const shown = picture && folded(picture, shownRow(picture, state), state);
  const lines = shown && linesPlot(shown.picture, state, room, estimatedWidth);
  const chosen = picture && (state.query !== null || state.key !== null);
  const title = chosen
    ? modelTitle(scene, picture, state, source.payload)
    : open
      ? `Layer ${open.layer.index}, head ${open.head}`
      : "All heads";
  return {
    name: `Model view. ${title}`,
    width: widthOf(gridWidth(layout), lines?.width ?? 0, layout.beside),
    header: headerOf(source.payload, state, {
      title,
      what: open ? describeValue(open, choice) : "",
    }),
    draw(sheet) {
      const top = sheet.y;
      drawGrid(sheet, scene, layout, source);
      if (lines) {
        const below = sheet.y;
        sheet.y = layout.beside ? top : below + GAP;
        sheet.aside(layout.beside ? gridWidth(layout) + GAP : 0, () => drawLines(sheet, lines));
        sheet.y = Math.max(sheet.y, below);
      }
      const notes = [notesOf(scene, layout, picture?.edges ?? null, state), shown?.note];
      const note = notes.filter(Boolean).join(" · ");
      return { ...legendOf(scene, layout, theme), note };
    },
  };
}

/**
 * @param {number} grid
 * @param {number} lines 0 without an opened cell
 * @param {boolean} beside
 */
function widthOf(grid, lines, beside) {
  if (!lines) return grid;
  return beside ? grid + GAP + lines : Math.max(grid, lines);
}
