// The line above a view: which attention is shown, and at its end what every view has: saving, a tour, and
// how exact it is. It stays one line.

import { add } from "./dom.js";
import { addMark } from "./mark.js";
import { addSave } from "./save.js";
import { addTour } from "./tour.js";

/**
 * @param {import("./frame.js").Frame} frame
 */
export function addToolbar(frame) {
  const element = add(frame.root, "toolbar");
  return {
    element,
    /** What stands at the end, once everything else does. */
    addEnd() {
      const end = add(element, "end", "span");
      addSave(end, frame);
      addTour(end, frame);
      return addMark(end, frame);
    },
  };
}
