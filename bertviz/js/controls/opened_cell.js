// The opened cell of the model view: its head's lines with tokens, and from there the way to its
// head view or its neurons.

import { detailWidth } from "../parts/grid.js";
import { addLines } from "./lines.js";
import { openedPicture } from "../scenes/model.js";
import { describeValue } from "../scenes/model_texts.js";
import { add } from "./dom.js";
import { addHandOver } from "./hand_over.js";

/** @typedef {import("../scenes/model.js").ModelScene} ModelScene */

const GLIMPSE = 160; // CSS pixels of an opened cell that have to be in sight
const WIDEST = 800; // below the grid
const PADDING = 32;

/**
 * @param {HTMLElement} parent
 * @param {import("./frame.js").Frame} frame
 * @param {() => void} closing when Esc closes the cell that has the focus
 */
export function addOpenedCell(parent, frame, closing) {
  const box = add(parent, "detail");
  box.setAttribute("role", "group");
  const title = add(box, "title");
  const about = add(box, "path");
  const path = add(box, "path");
  const lines = addLines(box, frame, () => {
    const open = frame.state().cell != null;
    if (open) {
      if (box.matches(":focus-within")) closing();
      frame.set({ cell: null });
    }
    return open;
  });
  const handOver = addHandOver(box, frame);

  return {
    /**
     * @param {ModelScene} scene
     * @param {import("../state.js").State} state
     * @param {import("../parts/grid.js").Layout} layout
     * @returns what is drawn, null where no cell is open
     */
    draw(scene, state, layout) {
      const { open, choice } = scene;
      box.hidden = !open;
      if (!open) return null;
      title.textContent = `Layer ${open.layer.index} · Head ${open.head}`;
      box.setAttribute("aria-label", title.textContent);
      about.textContent = describeValue(open, choice);
      path.textContent = open.layer.name;
      const picture = openedPicture(frame.source, scene, state, open, frame.theme());
      const all = frame.width();
      const width = layout.beside ? detailWidth(layout, all) : Math.min(all, WIDEST);
      box.style.flexBasis = layout.beside ? `${width}px` : "";
      lines.draw(picture, state, width - PADDING);
      handOver.draw(open.layer.index, open.head);
      return picture;
    },
    /** Below a tall grid nobody would see that something has opened. */
    reveal() {
      const { top } = box.getBoundingClientRect();
      if (top + GLIMPSE > innerHeight) box.scrollIntoView({ block: "nearest" });
    },
  };
}
