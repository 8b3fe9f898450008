// The head view: where the heads of one layer look. Two columns of tokens, queries left and keys
// right, and a line for every weight.

import { add, addHeadSquares, addMark, addSourceSelects, shortWeight } from "./controls.js";
import { edgesOf, meanHidden } from "./edges.js";
import { addFooter } from "./footer.js";
import { addLines } from "./lines.js";
import { positionsOf } from "./state.js";

/** @typedef {import("./payload.js").Source} Source */
/** @typedef {import("./state.js").State} State */

/**
 * The picture of a state, as data.
 * @param {Source} source
 * @param {State} state
 */
export function headScene(source, state) {
  const block = source.block(state.block);
  const layer = source.layer(state.block, state.layer);
  const weights = source.weights(layer);
  const queries = positionsOf(block, "query", state.pair);
  const keys = positionsOf(block, "key", state.pair);
  const { heads, query, key } = state;
  const edges = edgesOf(weights, { heads, queries, keys, query, key });
  const rest = { view: "head", block, layer, weights, heads, queries, keys, query, key };
  return Object.assign(Object.create(edges), rest);
}

/** @type {import("./shell.js").View} */
export const headView = {
  start: () => ({}),
  needs: (source, state) => [source.layer(state.block, state.layer)],
  create(frame) {
    const { root, source } = frame;
    const toolbar = add(root, "toolbar");
    const selects = addSourceSelects(toolbar, frame, { layer: true });
    addMark(toolbar, source.payload.model);
    const squares = addHeadSquares(root, frame);
    const lines = addLines(root, frame);
    const footer = addFooter(root, "click locks · Esc clears · ↑ ↓ moves");

    return {
      draw(state) {
        const theme = frame.theme();
        const scene = headScene(source, state);
        selects.draw();
        squares.draw();
        const picture = {
          ...scene,
          edges: scene,
          colors: state.heads.map((head) => theme.head(head)),
          name: JSON.stringify([state.block, state.layer, state.heads, state.pair]),
        };
        lines.draw(picture, state, frame.width());
        const gain = shortWeight(scene.gain);
        footer.draw({
          theme,
          legend: scene.gain === 1 ? "weight" : `weight, lines at ${gain} of it`,
          note: massNote(scene, state),
        });
        return scene;
      },
    };
  },
};

/**
 * What the picture leaves out.
 * @param {import("./edges.js").Edges} edges
 * @param {State} state
 */
export function massNote(edges, state) {
  const { outside, unlisted } = meanHidden(edges);
  const shaded = unlisted >= 0.005 && state.key === null ? ", shaded" : "";
  const parts = [`hidden mass ${unlisted.toFixed(2)}${shaded}`];
  if (state.pair !== "All") parts.push(`outside ${state.pair} ${outside.toFixed(2)}`);
  const oneRow = state.query !== null && state.heads.length === 1;
  return parts.join(" · ") + (oneRow ? "" : " (mean per row)");
}
