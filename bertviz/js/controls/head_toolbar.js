// What is shown of the head view: the attention and its heads in the first line, and below it how they
// are drawn.

import { squareColor } from "../scenes/head.js";
import { add } from "./dom.js";
import { addChoices } from "./head_choices.js";
import { addHeadSquares, headsOf } from "./head_squares.js";
import { addSourceSelects } from "./source_selects.js";
import { addSwitch } from "./switches.js";
import { addToolbar } from "./toolbar.js";

/** @typedef {import("./frame.js").Frame} Frame */
/** @typedef {import("../state.js").State} State */
/** @typedef {import("../scenes/head.js").HeadScene} HeadScene */

const ONE_LINE = 932; // CSS pixels, from which on the heads stand beside the layer
const BESIDE = 12; // heads that have room there

/** @param {Frame} frame */
export function addHeadToolbar(frame) {
  const { element, addEnd } = addToolbar(frame);
  const source = addSourceSelects(element, frame, { layer: true });
  const squares = addHeadSquares(element, frame);
  const modes = addSwitch(element, "mode", ["lines", "matrix"], (value) => {
    const mode = /** @type {"lines" | "matrix"} */ (value);
    frame.set({ mode, query: null, key: null, locked: false });
  });
  const mark = addEnd();
  const choices = addChoices(add(frame.root, "choices"), frame);
  return {
    /** What is to be drawn: a head under the pointer alone. @param {State} state */
    seen: (state) => squares.seen(state),
    /**
     * @param {HeadScene} scene
     * @param {State} state
     */
    draw(scene, state) {
      const many = headsOf(frame).length > BESIDE || frame.source.payload.blocks.length > 1;
      element.classList.toggle("two-lines", many || frame.width() < ONE_LINE);
      source.draw();
      squares.draw(squareColor(scene, frame.theme()));
      modes.draw(state.mode ?? "lines");
      mark.draw();
      choices.draw(scene, state);
    },
  };
}
