// The neuron view's own selects: the head, the order of its neurons, and how many of them are kept.

import { ranked } from "../data/what_if.js";
import { explanationOf } from "../state.js";
import { BINARY_STEPS } from "../parts/ticks.js";
import { headsOf } from "./head_squares.js";
import { addSelect, option } from "./selects.js";

/** @typedef {import("./frame.js").Frame} Frame */
/** @typedef {import("../scenes/neuron.js").NeuronScene} NeuronScene */
/** @typedef {import("../state.js").State} State */

const SOME = "some"; // neurons were switched off one by one

/**
 * @param {HTMLElement} toolbar with the selects of the source
 * @param {Frame} frame
 * @param {() => NeuronScene | null} current what is drawn
 */
export function addNeuronSelects(toolbar, frame, current) {
  const head = addSelect(toolbar, "head", "Head", (value) => frame.set({ heads: [Number(value)] }));
  toolbar.querySelector('select[name="layer"]')?.parentElement?.after(head.element);
  const sort = addSelect(toolbar, "sort", "Neurons", (value) =>
    frame.set({ sort: /** @type {State["sort"]} */ (value) }),
  );
  const top = addSelect(toolbar, "top", "Keep", (value) => {
    const scene = current();
    if (!scene || value === SOME) return;
    const off = ranked(scene.contribution).slice(Number(value));
    frame.set({ off: off.sort((a, b) => a - b) });
  });
  return {
    /**
     * @param {NeuronScene} scene
     * @param {State} state
     */
    draw(scene, state) {
      head.draw(
        headsOf(frame).map((h) => option(h)),
        String(state.heads[0]),
      );
      sort.element.hidden = top.element.hidden = !state.detail;
      sort.draw(ordersOf(frame, state), state.sort ?? "model");
      const { options, value } = keptOf(scene, state.off ?? []);
      top.draw(options, value);
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
 * All neurons, those that contribute most, or whichever are on.
 * @param {NeuronScene} scene
 * @param {number[]} off
 */
function keptOf({ contribution, neurons: { headDim } }, off) {
  const steps = BINARY_STEPS.filter((count) => count < headDim);
  const kept = headDim - off.length;
  const weakest = ranked(contribution).slice(kept);
  const isTop = steps.includes(kept) && weakest.every((n) => off.includes(n));
  const value = kept === headDim || isTop ? String(kept) : SOME;
  const options = [
    option(headDim, `all ${headDim} neurons`),
    ...steps.toReversed().map((count) => option(count, `the top ${count} neurons`)),
  ];
  if (value === SOME) options.push(option(SOME, `${kept} of ${headDim} neurons`));
  return { options, value };
}
