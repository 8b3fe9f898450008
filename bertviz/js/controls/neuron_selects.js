// The neuron view's own choices: the head, the order of its neurons, and how many of them are kept.

import { ranked } from "../data/what_if.js";
import { explanationOf } from "../state.js";
import { add } from "./dom.js";
import { headsOf } from "./head_squares.js";
import { addRange } from "./range.js";
import { addSelect, option } from "./selects.js";

/** @typedef {import("./frame.js").Frame} Frame */
/** @typedef {import("../scenes/neuron.js").NeuronScene} NeuronScene */
/** @typedef {import("../state.js").State} State */

/**
 * @param {HTMLElement} toolbar
 * @param {Frame} frame
 */
export function addHeadSelect(toolbar, frame) {
  const head = addSelect(toolbar, "head", "Head", (value) => frame.set({ heads: [Number(value)] }));
  return {
    /** @param {State} state */
    draw(state) {
      const options = headsOf(frame).map((h) => option(h));
      head.draw(options, String(state.heads[0]));
    },
  };
}

/**
 * The order of the neurons, and what if only some of them were there.
 * @param {HTMLElement} parent
 * @param {Frame} frame
 * @param {() => NeuronScene | null} current what is drawn
 */
export function addNeuronSelects(parent, frame, current) {
  const sort = addSelect(parent, "sort", "Neurons", (value) =>
    frame.set({ sort: /** @type {State["sort"]} */ (value) }),
  );
  const top = addRange(parent, "top", "What if: only", (count) => {
    const scene = current();
    if (!scene) return;
    const off = ranked(scene.contribution).slice(count);
    frame.set({ off: off.sort((a, b) => a - b) });
  });
  top.element.title = "Keeps the neurons that contribute most; a click on a neuron switches it";
  const reset = add(parent, "link", "button");
  reset.dataset.action = "reset";
  reset.textContent = "reset";
  reset.title = "All neurons, and the model’s own softmax";
  reset.addEventListener("click", () => frame.set({ off: [], temperature: 1 }));
  return {
    /**
     * @param {NeuronScene} scene
     * @param {State} state
     */
    draw(scene, state) {
      const { detail, off = [] } = state;
      sort.element.hidden = top.element.hidden = !detail;
      sort.draw(ordersOf(frame, state), state.sort ?? "model");
      const { headDim } = scene.shape;
      const kept = headDim - off.length;
      const strongest = keepsStrongest(scene, off) ? "the strongest " : "";
      const said = off.length ? `${strongest}${kept} of ${headDim}` : `all ${headDim}`;
      top.draw({ min: 1, max: headDim, value: kept }, said);
      top.element.classList.toggle("changed", off.length > 0);
      reset.hidden = !detail || !scene.whatIf;
    },
  };
}

/**
 * @param {Frame} frame
 * @param {State} state
 */
function ordersOf(frame, state) {
  const explained = explanationOf(frame.source.payload, state);
  const orders = [
    option("model", "in the model’s order"),
    option("contribution", "by contribution"),
  ];
  if (explained) orders.push(option("explanation", `by contribution to ${explained.what}`));
  return orders;
}

/**
 * Whether the neurons that are on are those that contribute most.
 * @param {NeuronScene} scene
 * @param {number[]} off
 */
function keepsStrongest({ contribution }, off) {
  const weakest = ranked(contribution).slice(contribution.length - off.length);
  return weakest.every((n) => off.includes(n));
}
