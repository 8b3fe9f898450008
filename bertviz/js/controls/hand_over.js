// From an opened cell to its head view or neuron view: in place where the output has what that view
// needs; otherwise it shows the call to make.

import { NAMES } from "../data/differences.js";
import { isAttention } from "../data/kinds.js";
import { viewsOf } from "../state.js";
import { add } from "./dom.js";

/** @typedef {import("../data/schema.js").Payload} Payload */

/**
 * @param {HTMLElement} parent
 * @param {import("./frame.js").Frame} frame
 */
export function addHandOver(parent, frame) {
  const { payload } = frame.source;
  const row = add(parent, "handover");
  /** @type {[number, number]} */
  let cell = [0, 0];
  const show = (/** @type {string} */ view) =>
    frame.set({ view, layer: cell[0], heads: [cell[1]] });

  addButton(row, "head", "Head view", () => show("head"));
  const drawCell = (/** @type {number} */ layer, /** @type {number} */ head) => {
    cell = [layer, head];
  };
  if (!isAttention(payload)) return { draw: drawCell }; // not computed from neurons
  const call = addCall(parent);
  const neuron = addButton(row, "neuron", "Neuron view", () => {
    if (viewsOf(payload).includes("neuron")) show("neuron");
    else neuron.setAttribute("aria-expanded", String(call.toggle()));
  });

  return {
    /**
     * @param {number} layer
     * @param {number} head
     */
    draw(layer, head) {
      drawCell(layer, head);
      const { reason, what } = neuronCall(payload);
      call.draw(reason, `neuron_view(${what}, layer=${layer}, head=${head})`);
    },
  };
}

/**
 * @param {HTMLElement} row
 * @param {string} view
 * @param {string} text
 * @param {() => void} clicked
 */
function addButton(row, view, text, clicked) {
  const button = add(row, "", "button");
  button.dataset.action = `${view}-view`;
  button.textContent = text;
  button.addEventListener("click", clicked);
  return button;
}

/**
 * What to show neurons of, and why they are not here.
 * @param {Payload} payload
 */
function neuronCall({ difference, neurons, names: [a, b] = NAMES }) {
  if (difference) {
    return {
      reason: `Neurons belong to a single trace. To show those of ${b} (or, with comparison.a, of ${a}):`,
      what: "comparison.b",
    };
  }
  if (neurons === "none") {
    const reason = "Attention weights alone do not show how they were computed. With the model:";
    return { reason, what: "model, tokenizer, text" };
  }
  const reason =
    "Including all queries and keys would make this output very large. In a separate cell:";
  return { reason, what: "trace" };
}

/**
 * A line of code to copy, with a sentence above it; closed at first.
 * @param {HTMLElement} parent
 */
function addCall(parent) {
  const call = add(parent, "call");
  call.hidden = true;
  const why = add(call, "path");
  const line = /** @type {HTMLInputElement} */ (add(call, "", "input"));
  line.readOnly = true;
  line.setAttribute("aria-label", "Python call that shows the neurons of this head");
  line.addEventListener("focus", () => line.select());
  const copy = add(call, "link", "button");
  copy.dataset.action = "copy";
  const said = add(call, "sr");
  said.setAttribute("aria-live", "polite");
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
    /** @returns {boolean} whether it is open now */
    toggle() {
      call.hidden = !call.hidden;
      return !call.hidden;
    },
    /**
     * @param {string} reason
     * @param {string} code
     */
    draw(reason, code) {
      why.textContent = reason;
      if (line.value === code) return;
      line.value = code;
      copy.textContent = "Copy";
      said.textContent = "";
    },
  };
}
