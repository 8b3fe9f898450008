// Which attention is shown: its block, its layer, and between which sentences.

import { isAttention } from "../data/kinds.js";
import { pairsOf } from "../data/filters.js";
import { capitalized } from "../data/texts.js";
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
  const layer =
    which.layer &&
    addSelect(toolbar, "layer", "Layer", (value) => frame.set({ layer: Number(value) }));
  return {
    draw() {
      const state = frame.state();
      const current = frame.source.block(state.block);
      if (block) {
        const options = blocks.map(({ name }) => option(name, capitalized(name)));
        block.draw(options, state.block);
      }
      if (layer) {
        const options = current.layers.map(({ index }) => option(index));
        layer.draw(options, String(state.layer));
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
