// Neurons are painted, not elements, so the one under the pointer has to be computed. A tooltip
// says which it is and what its value is; a click switches it off or on, to see the row without it.

import { ROW } from "../parts/token_columns.js";
import { neuronText } from "../scenes/neuron_texts.js";

/** @typedef {import("../scenes/neuron.js").NeuronScene} NeuronScene */
/** @typedef {import("../scenes/neuron_texts.js").Picked} Picked */
/** @typedef {import("../parts/columns.js").Stripe} Stripe */

/**
 * @param {HTMLElement} sheet
 * @param {import("./frame.js").Frame} frame
 * @param {ReturnType<typeof import("./tooltip.js").addTooltip>} tooltip
 * @param {() => {scene: NeuronScene, stripes: Stripe[]} | null} current what is drawn
 */
export function addNeuronPicking(sheet, frame, tooltip, current) {
  /** @param {MouseEvent} event */
  const pick = (event) => {
    const now = current();
    if (!now || /** @type {Element} */ (event.target).closest("[data-token]")) return null;
    const around = sheet.getBoundingClientRect();
    const [x, y] = [event.clientX - around.left, event.clientY - around.top];
    const picked = pickedAt(now.scene, now.stripes, x, y);
    return picked && { scene: now.scene, picked };
  };
  sheet.addEventListener("pointermove", (event) => {
    // Tokens have tooltips of their own.
    if (/** @type {Element} */ (event.target).closest("[data-token]")) return;
    const found = pick(event);
    if (!found) return tooltip.hide();
    const text = neuronText(found.scene, frame.state(), found.picked);
    tooltip.show(text, event.clientX, event.clientY);
  });
  sheet.addEventListener("pointerleave", () => tooltip.hide());
  sheet.addEventListener("click", (event) => {
    const found = pick(event);
    if (!found) return;
    const { neuron } = found.picked;
    const { off = [] } = frame.state();
    frame.set({ off: off.includes(neuron) ? off.filter((n) => n !== neuron) : [...off, neuron] });
  });
}

/**
 * The neuron at a place of the sheet.
 * @param {NeuronScene} scene
 * @param {Stripe[]} stripes
 * @param {number} x
 * @param {number} y
 * @returns {Picked | null}
 */
function pickedAt({ neurons, order, queries, keys }, stripes, x, y) {
  const stripe = stripes.find((s) => x >= s.x && x < s.x + s.width);
  if (!stripe) return null;
  const { name, column, side } = stripe;
  const position = (side === "query" ? queries : keys)[Math.floor(y / ROW)];
  if (position === undefined) return null;
  const place = Math.floor(((x - stripe.x) / stripe.width) * neurons.headDim);
  return { name, column, side, position, neuron: order ? order[place] : place };
}
