// Which attention is shown: its block, its layer, and between which sentences.

import { isAttention } from "../data/kinds.js";
import { pairsOf } from "../data/filters.js";
import { capitalized } from "./dom.js";
import { addSelect, option } from "./selects.js";

/** @typedef {import("./frame.js").Frame} Frame */

/**
 * Block, layer and pair, each where it applies.
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
  const pair =
    blocks.some((b) => pairsOf(b).length > 1) &&
    addSelect(toolbar, "pair", "Pair", (value) => frame.set({ pair: value }));
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
      if (pair) {
        const pairs = pairsOf(current);
        pair.element.hidden = pairs.length < 2;
        const options = pairs.map((name) => option(name));
        pair.draw(options, state.pair);
      }
    },
  };
}
