// Which attention is shown: its block, its layer, and between which sentences.

import { isAttention } from "../data/kinds.js";
import { pairsOf } from "../data/filters.js";
import { capitalized } from "../data/texts.js";
import { add } from "./dom.js";
import { addSelect, option } from "./selects.js";

/** @typedef {import("./frame.js").Frame} Frame */

/**
 * Block and layer, each where it applies.
 * @param {HTMLElement} toolbar
 * @param {Frame} frame
 * @param {{layer: boolean}} which
 */
export function addSourceSelects(toolbar, frame, which) {
  const { payload } = frame.source;
  const { blocks } = payload;
  const what = isAttention(payload) ? "Attention" : "Block";
  const block =
    blocks.length > 1 && addSelect(toolbar, "block", what, (value) => frame.set({ block: value }));
  const layer = which.layer && addLayerSelect(toolbar, frame);
  return {
    draw() {
      const state = frame.state();
      const current = frame.source.block(state.block);
      if (block) {
        const options = blocks.map(({ name }) => option(name, capitalized(name)));
        block.draw(options, state.block);
      }
      if (layer) layer.draw(current.layers, state.layer);
    },
  };
}

/**
 * A select with a step back and one forward beside it.
 * @param {HTMLElement} toolbar
 * @param {Frame} frame
 */
function addLayerSelect(toolbar, frame) {
  const box = add(toolbar, "stepper");
  const layer = addSelect(box, "layer", "Layer", (value) => frame.set({ layer: Number(value) }));
  /** @type {number[]} */
  let layers = [];
  const steps = [
    { by: -1, text: "‹", label: "Previous layer" },
    { by: 1, text: "›", label: "Next layer" },
  ].map(({ by, text, label }) => {
    const button = /** @type {HTMLButtonElement} */ (add(box, "step", "button"));
    button.type = "button";
    button.textContent = text;
    button.title = label;
    button.setAttribute("aria-label", label);
    const next = () => layers[layers.indexOf(frame.state().layer) + by];
    button.addEventListener("click", () => frame.set({ layer: next() }));
    return { button, next };
  });
  return {
    /**
     * @param {{index: number}[]} all
     * @param {number} current
     */
    draw(all, current) {
      layers = all.map(({ index }) => index);
      layer.draw(
        layers.map((index) => option(index)),
        String(current),
      );
      for (const { button, next } of steps) {
        button.hidden = layers.length < 2;
        // Not disabled: at the end the focus would be lost.
        button.setAttribute("aria-disabled", String(next() === undefined));
      }
    },
  };
}

/**
 * Between which sentences, where a text has two.
 * @param {HTMLElement} parent
 * @param {Frame} frame
 */
export function addPairSelect(parent, frame) {
  if (!frame.source.payload.blocks.some((block) => pairsOf(block).length > 1)) return null;
  const { element, draw } = addSelect(parent, "pair", "Sentences", (value) =>
    frame.set({ pair: value }),
  );
  return {
    element,
    draw() {
      const state = frame.state();
      const pairs = pairsOf(frame.source.block(state.block));
      element.hidden = pairs.length < 2;
      draw(
        pairs.map((name) => option(name)),
        state.pair,
      );
    },
  };
}
