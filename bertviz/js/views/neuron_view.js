// The neuron view: how one head computes its attention. Open, it shows for the selected query
// q → k → q × k → score → softmax; closed, the head's lines.

import { Columns } from "../controls/columns.js";
import { add } from "../controls/dom.js";
import { addPairSelect, addSourceSelects } from "../controls/source_selects.js";
import { addToolbar } from "../controls/toolbar.js";
import { addDetailButton } from "../controls/detail_button.js";
import { addHeadSelect, addNeuronSelects } from "../controls/neuron_selects.js";
import { addFooter } from "../controls/footer.js";
import { addLines } from "../controls/lines.js";
import { addSteps } from "../controls/steps.js";
import { addTitleLine } from "../controls/title_line.js";
import { headTitle } from "../scenes/head_title.js";
import { neuronTitle } from "../scenes/neuron_title.js";
import { shownRow } from "../scenes/shown_row.js";
import { isLong } from "../scenes/long_texts.js";
import { closedPicture, neuronScene } from "../scenes/neuron.js";
import { neuronFigure } from "../svg/neuron_figure.js";
import { closedLegend } from "../scenes/neuron_texts.js";

/** @typedef {import("../state.js").State} State */
/** @typedef {import("../scenes/neuron.js").NeuronScene} NeuronScene */

/** @type {import("../controls/frame.js").View} */
export const neuronView = {
  keys: ["detail", "off", "sort", "temperature"],
  reads: "neurons",
  start: ({ explanation }) => ({
    detail: true,
    off: [],
    temperature: 1,
    sort: explanation ? "explanation" : "model",
  }),
  needs: (source, state) => [source.layer(state.block, state.layer)],
  create,
  figure: neuronFigure,
};

/**
 * @param {import("../controls/frame.js").Frame} frame
 * @returns {import("../controls/frame.js").Drawing}
 */
function create(frame) {
  const { root, source } = frame;
  /** @type {NeuronScene | null} */
  let scene = null;
  const toolbar = addToolbar(frame);
  const selects = addSourceSelects(toolbar.element, frame, { layer: true });
  const head = addHeadSelect(toolbar.element, frame);
  const mark = toolbar.addEnd();
  const choices = add(root, "choices");
  const pair = addPairSelect(choices, frame);
  const neurons = addNeuronSelects(choices, frame, () => scene);
  const title = addTitleLine(root, frame);

  // Only one of the two is in the page at a time.
  const open = add(root, "open");
  const closed = add(root, "closed");
  const toggle = addDetailButton(frame);
  const columns = new Columns(open, frame);
  const steps = addSteps(open, frame);
  const lines = addLines(closed, frame);
  const closedHeadings = /** @type {HTMLElement} */ (closed.querySelector(".headings"));
  const keys = "click locks a token or switches a neuron off · Esc clears · ↑ ↓ move";
  const footer = addFooter(root, keys);

  /** @param {boolean} detail */
  function show(detail) {
    const [shown, other] = detail ? [open, closed] : [closed, open];
    // Both are in the page while the button moves, or it would lose the focus.
    if (other.isConnected) other.before(shown);
    toggle.draw(detail ? columns.headings : closedHeadings, detail);
    other.remove();
  }

  return {
    draw(state) {
      const theme = frame.theme();
      const now = (scene = neuronScene(source, state));
      selects.draw();
      head.draw(state);
      mark.draw();
      pair?.draw();
      neurons.draw(now, state);
      show(now.detail);
      if (now.detail) {
        const { legend } = columns.draw(now, state);
        toggle.move(columns.shift);
        title.draw(neuronTitle(now), now.head);
        open.classList.toggle("long", isLong(now));
        steps.draw(now);
        footer.draw({ theme, ...legend });
        return now;
      }
      const picture = closedPicture(now, state, theme);
      lines.draw(picture, state, frame.width());
      title.draw(headTitle(picture, shownRow(picture, state), state, source.payload), now.head);
      footer.draw({ theme, ...closedLegend(picture, state) });
      return Object.assign(Object.create(picture.edges), now);
    },
  };
}
