// From an opened cell to its head or its neurons: in place where the output has what that view needs,
// else the call to make.

import { add } from "./dom.js";
import { viewsOf } from "../state.js";

/**
 * @param {HTMLElement} parent
 * @param {import("./frame.js").Frame} frame
 */
export function addHandOver(parent, frame) {
  const { payload } = frame.source;
  const row = add(parent, "handover");
  const call = add(parent, "call");
  call.hidden = true;
  const why = add(call, "path");
  const line = /** @type {HTMLInputElement} */ (add(call, "", "input"));
  line.readOnly = true;
  line.setAttribute("aria-label", "The call that shows the neurons of this head");
  line.addEventListener("focus", () => line.select());
  const copy = add(call, "link", "button");
  copy.dataset.action = "copy";
  const said = add(call, "sr");
  said.setAttribute("aria-live", "polite");
  /** @type {[number, number]} */
  let cell = [0, 0];

  const [head, neuron] = ["head", "neuron"].map((view) => {
    const button = add(row, "", "button");
    button.dataset.action = `${view}-view`;
    button.textContent = view === "head" ? "Head view" : "Neuron view";
    return button;
  });
  head.addEventListener("click", () => frame.set({ view: "head", layer: cell[0], heads: [cell[1]] }));
  neuron.addEventListener("click", () => {
    if (viewsOf(payload).includes("neuron")) {
      frame.set({ view: "neuron", layer: cell[0], heads: [cell[1]] });
    } else {
      call.hidden = !call.hidden;
      neuron.setAttribute("aria-expanded", String(!call.hidden));
    }
  });
  copy.addEventListener("click", async () => {
    line.select();
    try {
      await navigator.clipboard.writeText(line.value);
    } catch {
      document.execCommand("copy"); // frames of another origin may not use the clipboard otherwise
    }
    copy.textContent = said.textContent = "Copied";
  });

  return {
    /**
     * @param {number} layer
     * @param {number} headNumber
     */
    draw(layer, headNumber) {
      if (cell[0] !== layer || cell[1] !== headNumber || !copy.textContent) {
        copy.textContent = "Copy";
        said.textContent = "";
      }
      cell = [layer, headNumber];
      const rest = `layer=${layer}, head=${headNumber})`;
      const [reason, what] = payload.difference
        ? ["Neurons are one trace’s. Of b, and likewise of a:", "comparison.b"]
        : payload.neurons === "none"
          ? ["Weights alone do not say how they came about. With the model:", "model, tokenizer, text"]
          : ["All queries and keys would make this output heavy. In a cell of its own:", "trace"];
      line.value = `neuron_view(${what}, ${rest}`;
      why.textContent = reason;
    },
  };
}
