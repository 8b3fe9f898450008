// The head view: where the heads of one layer look. Two columns of tokens, queries left and keys
// right, and a line for every weight.

import { add, addHeadSquares, addMark, addSourceSelects, addSwitch, shortWeight } from "./controls.js";
import { edgesOf, meanHidden } from "./edges.js";
import { addFooter } from "./footer.js";
import { addLines } from "./lines.js";
import { addMatrix } from "./matrix.js";
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
  const among = state.renormalize ? keys : null;
  const edges = edgesOf(weights, { heads, queries, keys, query, key, among });
  const rest = { view: "head", among, block, layer, weights, heads, queries, keys, query, key };
  return Object.assign(Object.create(edges), rest);
}

/**
 * Queries and keys of a window.
 * @param {ReturnType<typeof headScene>} scene
 * @param {State} state
 */
function zoomed({ queries, keys }, { zoom }) {
  if (!zoom) return { queries, keys };
  return {
    queries: queries.filter((/** @type {number} */ q) => q >= zoom[0] && q < zoom[1]),
    keys: keys.filter((/** @type {number} */ k) => k >= zoom[2] && k < zoom[3]),
  };
}

/** @type {import("./shell.js").View} */
export const headView = {
  keys: ["mode"],
  start: () => ({ mode: "lines", zoom: null, renormalize: false }),
  needs: (source, state) => [source.layer(state.block, state.layer)],
  create(frame) {
    const { root, source } = frame;
    const toolbar = add(root, "toolbar");
    const selects = addSourceSelects(toolbar, frame, { layer: true });
    const whole = add(toolbar, "renormalize", "button");
    whole.dataset.action = "renormalize";
    whole.textContent = "Renormalise";
    whole.title = "Rows inside the filter add up to one";
    whole.addEventListener("click", () => frame.set({ renormalize: !frame.state().renormalize }));
    const modes = addSwitch(toolbar, "mode", ["lines", "matrix"], (mode) =>
      frame.set({ mode: /** @type {"lines" | "matrix"} */ (mode), query: null, key: null, locked: false }),
    );
    addMark(toolbar, source.payload.model);
    const squares = addHeadSquares(root, frame);
    const asLines = add(root, "as-lines");
    const lines = addLines(asLines, frame);
    const matrix = addMatrix(root, frame);
    const footers = {
      lines: addFooter(root, "click locks · Esc clears · ↑ ↓ moves"),
      matrix: addFooter(root, "click locks · Esc clears · arrows move · drag enlarges"),
    };

    let shown = "";

    return {
      draw(state) {
        const theme = frame.theme();
        const scene = headScene(source, state);
        selects.draw();
        squares.draw();
        whole.hidden = state.pair === "All";
        whole.setAttribute("aria-pressed", String(Boolean(state.renormalize)));
        const what = state.renormalize ? `renormalised to ${state.pair}` : "";
        const picture = {
          ...scene,
          edges: scene,
          colors: state.heads.map((head) => theme.head(head)),
          name: JSON.stringify([state.block, state.layer, state.heads, state.pair, state.renormalize]),
        };
        const mode = state.mode ?? "lines";
        modes.draw(mode);
        if (mode !== shown) {
          // Only one of the two is in the page at a time.
          shown = mode;
          for (const part of [asLines, matrix.element, ...Object.values(footers).map((f) => f.element)]) {
            part.remove();
          }
          root.append(mode === "lines" ? asLines : matrix.element, footers[mode].element);
        }
        if (mode === "matrix") {
          const { heads, weights } = scene;
          const part = zoomed(scene, state);
          const { among } = scene;
          const edges = edgesOf(weights, { heads, ...part, query: null, key: null, among });
          const name = JSON.stringify([picture.name, state.zoom]);
          const cells = matrix.draw({ ...picture, ...part, edges, name }, state, frame.width());
          footers.matrix.draw({
            theme,
            legend: [heads.length > 1 ? "mean weight" : "weight", what].filter(Boolean).join(", "),
            largest: shortWeight(cells.max),
            note: massNote(edges, { ...state, query: null, key: null }),
          });
          return Object.assign(scene, { matrix: { ...cells, ...part } });
        }
        lines.draw(picture, state, frame.width());
        const gain = shortWeight(scene.gain);
        footers.lines.draw({
          theme,
          legend: ["weight", what, scene.gain === 1 ? "" : `lines at ${gain} of it`].filter(Boolean).join(", "),
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
