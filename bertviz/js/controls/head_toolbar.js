// What is shown of the head view, and how: the selects and buttons above its picture.

import { hasWords } from "../data/regroup.js";
import { squareColor } from "../scenes/head.js";
import { HIDDEN, isFiltered } from "../data/filters.js";
import { isAttention, isWhole } from "../data/kinds.js";
import { MASSES } from "../state.js";
import { add } from "./dom.js";
import { addHeadSquares, headsOf } from "./head_squares.js";
import { addMark } from "./mark.js";
import { addSave } from "./save.js";
import { addSelect, option } from "./selects.js";
import { addSourceSelects } from "./source_selects.js";
import { addSwitch, addToggle } from "./switches.js";

/** @typedef {import("./frame.js").Frame} Frame */
/** @typedef {import("../state.js").State} State */
/** @typedef {import("../scenes/head.js").HeadScene} HeadScene */

const COMBINED = [
  option("each", "separately"),
  option("mean", "as a mean"),
  option("sum", "as a sum"),
];

/**
 * @param {HTMLElement} root
 * @param {Frame} frame
 */
export function addHeadToolbar(root, frame) {
  const toolbar = add(root, "toolbar");
  const source = addSourceSelects(toolbar, frame, { layer: true });
  const drawHide = addHide(toolbar, frame);
  const drawToggles = addToggles(toolbar, frame);
  const drawMass = addMass(toolbar, frame);
  const modes = addSwitch(toolbar, "mode", ["lines", "matrix"], (value) => {
    const mode = /** @type {"lines" | "matrix"} */ (value);
    frame.set({ mode, query: null, key: null, locked: false });
  });
  addSave(toolbar, frame);
  addMark(toolbar, frame.source.payload);
  const squares = addHeadSquares(root, frame);
  const drawCombine = addCombine(squares.element, frame);
  return {
    /** What is to be drawn: a head under the pointer alone. @param {State} state */
    seen: (state) => squares.seen(state),
    /**
     * @param {HeadScene} scene
     * @param {State} state
     */
    draw(scene, state) {
      source.draw();
      squares.draw(squareColor(scene, frame.theme()));
      drawHide(scene, state);
      drawToggles(state);
      drawMass(state);
      drawCombine(state);
      modes.draw(state.mode ?? "lines");
    },
  };
}

/**
 * Which tokens are left out.
 * @param {HTMLElement} toolbar
 * @param {Frame} frame
 */
function addHide(toolbar, frame) {
  const hide = addSelect(toolbar, "hide", "Hide", (value) =>
    frame.set({ hide: /** @type {State["hide"]} */ (value) }),
  );
  return (/** @type {HeadScene} */ { block }, /** @type {State} */ state) => {
    const special = block.query.special.length || block.key?.special.length;
    const offered = Object.entries(HIDDEN).filter(([name]) => name !== "special" || special);
    const options = offered.map(([name, { label }]) => option(name, label));
    hide.draw(options, state.hide ?? "nothing");
  };
}

/**
 * Renormalizing rows, and words in place of tokens, where rows are wholes.
 * @param {HTMLElement} toolbar
 * @param {Frame} frame
 */
function addToggles(toolbar, frame) {
  const { payload } = frame.source;
  if (!isWhole(payload)) return () => {};
  const renormalize = addToggle(
    toolbar,
    "renormalize",
    "Renormalize",
    "Scale each row so that it sums to one over the keys shown",
  );
  renormalize.element.addEventListener("click", () =>
    frame.set({ renormalize: !frame.state().renormalize }),
  );
  const words = addToggle(
    toolbar,
    "words",
    "Words",
    "Words instead of subword tokens: weights are summed over keys and averaged over queries",
  );
  words.element.addEventListener("click", () => frame.set({ words: !frame.state().words }));
  return (/** @type {State} */ state) => {
    renormalize.element.hidden = !isFiltered(state);
    renormalize.draw(Boolean(state.renormalize));
    words.element.hidden = !payload.blocks.some(hasWords);
    words.draw(Boolean(state.words));
  };
}

/**
 * How much of each row lines at rest show.
 * @param {HTMLElement} toolbar
 * @param {Frame} frame
 */
function addMass(toolbar, frame) {
  const mass = addSelect(toolbar, "mass", "Lines", (value) => frame.set({ mass: Number(value) }));
  mass.element.title =
    "While nothing is selected: all lines, or only the strongest of each row, up to this share of " +
    (isAttention(frame.source.payload) ? "it" : "the sum of its sizes, |value|");
  return (/** @type {State} */ { mode, mass: now = 1 }) => {
    mass.element.hidden = mode === "matrix";
    const masses = [...new Set([...MASSES, now])].sort((a, b) => b - a);
    const options = masses.map((m) => option(m, m === 1 ? "all" : `top ${Math.round(100 * m)}%`));
    mass.draw(options, String(now));
  };
}

/**
 * Whether heads are drawn one by one or as one.
 * @param {HTMLElement} parent
 * @param {Frame} frame
 */
function addCombine(parent, frame) {
  const combine = addSelect(parent, "combine", "Draw", (value) =>
    frame.set({ combine: /** @type {State["combine"]} */ (value) }),
  );
  return (/** @type {State} */ state) => {
    combine.element.hidden = !isWhole(frame.source.payload) || headsOf(frame).length < 2;
    combine.draw(COMBINED, state.combine ?? "each");
  };
}
