// The model view: every layer and head at a glance. A grid of thumbnails, layers down and heads
// across; a click opens a cell with its tokens, and from there its head or its neurons.

import { add } from "../controls/dom.js";
import { addPairSelect, addSourceSelects } from "../controls/source_selects.js";
import { addTitleLine } from "../controls/title_line.js";
import { addToolbar } from "../controls/toolbar.js";
import { ModelGrid } from "../controls/grid.js";
import { addMeasureSelects } from "../controls/measure_selects.js";
import { addOpenedCell } from "../controls/opened_cell.js";
import { isWhole } from "../data/kinds.js";
import { choiceOf } from "../data/measures.js";
import { addFooter } from "../controls/footer.js";
import { layoutOf } from "../parts/grid.js";
import { modelScene } from "../scenes/model.js";
import { modelTitle } from "../scenes/model_title.js";
import { gridSteps, isDense } from "../scenes/model_grid.js";
import { legendOf, notesOf } from "../scenes/model_texts.js";
import { modelFigure } from "../svg/model_figure.js";

/** @type {import("../controls/frame.js").View} */
export const modelView = {
  keys: ["cell", "measure", "sorted"],
  start: (payload) => ({
    cell: null,
    measure: payload.measures?.[0]?.name ?? ownMeasure(payload),
    sorted: false,
  }),
  needs(source, state) {
    const block = source.block(state.block);
    const shipped = choiceOf(source.payload, state.measure)?.shipped;
    if (!shipped || !isDense(block)) return block.layers;
    // Plain tiles of numbers that are there: the open cell's weights are enough.
    return block.layers.filter((layer) => layer.index === state.cell?.[0]);
  },
  create,
  figure: modelFigure,
};

/**
 * Where a view without measures begins: with what tells heads apart at little cost, one number of
 * each row; on plain tiles with what needs no first token to mean something.
 * @param {import("../data/schema.js").Payload} payload
 */
function ownMeasure(payload) {
  if (isDense(payload.blocks[0])) return "entropy";
  return isWhole(payload) ? "first" : null;
}

/**
 * @param {import("../controls/frame.js").Frame} frame
 * @returns {import("../controls/frame.js").Drawing}
 */
function create(frame) {
  const { root, source } = frame;
  const toolbar = addToolbar(frame);
  const selects = addSourceSelects(toolbar.element, frame, { layer: false });
  const measures = addMeasureSelects(toolbar.element, frame);
  const mark = toolbar.addEnd();
  const pair = addPairSelect(add(root, "choices"), frame);
  const title = addTitleLine(root, frame);
  const body = add(root, "model");
  let opening = false; // a cell was opened by hand, and may be out of sight
  const grid = new ModelGrid(body, frame, {
    open({ layer, head }) {
      const open = frame.state().cell;
      const same = open?.[0] === layer.index && open[1] === head;
      opening = !same;
      const cell = /** @type {[number, number]} */ ([layer.index, head]);
      frame.set({ cell: same ? null : cell, query: null, key: null, locked: false });
    },
    decode: ({ layer }) => source.ensure(source.block(frame.state().block), [layer], "weights"),
  });
  const opened = addOpenedCell(body, frame, () => grid.focus());
  const footer = addFooter(root, "click opens a head · click locks a token · Esc clears");

  return {
    *prepare(state) {
      yield* gridSteps(source, state);
      yield* grid.prepare(modelScene(source, state));
    },
    draw(state) {
      const theme = frame.theme();
      const scene = modelScene(source, state);
      const layout = layoutOf(scene, frame.width());
      selects.draw();
      pair?.draw();
      mark.draw();
      measures.draw(scene);
      body.classList.toggle("beside", layout.beside);
      if (scene.open) body.style.setProperty("--head", theme.head(scene.open.head));
      grid.draw(scene, layout);
      const picture = opened.draw(scene, state, layout);
      if (picture && opening && !layout.beside) opened.reveal();
      if (picture) opening = false;
      title.draw(modelTitle(scene, picture, state, source.payload), scene.open?.head ?? null);
      const note = notesOf(scene, layout, picture?.edges ?? null, state);
      footer.draw({ theme, ...legendOf(scene, layout, theme), note });
      return scene;
    },
  };
}
