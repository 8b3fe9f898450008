// How the head view draws: how many lines, between which tokens, the heads apart or as one. What differs
// from the start is in the accent's color, so that one sees why a picture looks as it does.

import { HIDDEN, isFiltered } from "../data/filters.js";
import { isAttention, isWhole } from "../data/kinds.js";
import { hasWords } from "../data/regroup.js";
import { MASSES } from "../state.js";
import { add } from "./dom.js";
import { headsOf } from "./head_squares.js";
import { addSelect, option } from "./selects.js";
import { addPairSelect } from "./source_selects.js";
import { addCheck } from "./switches.js";

/** @typedef {import("./frame.js").Frame} Frame */
/** @typedef {import("../state.js").State} State */
/** @typedef {import("../scenes/head.js").HeadScene} HeadScene */
/**
 * @typedef {object} Choice
 * @property {HTMLElement} element
 * @property {(keyof State)[]} keys
 * @property {(scene: HeadScene, state: State) => void} draw
 */

const COMBINED = [option("each", "separate"), option("mean", "mean"), option("sum", "sum")];
const STRONGEST = /** @type {Record<string, string>} */ ({ 0.5: "half", 0.25: "quarter" });

/**
 * @param {HTMLElement} parent
 * @param {Frame} frame
 */
export function addChoices(parent, frame) {
  const choices = [
    addMass(parent, frame),
    ...addPair(parent, frame),
    addCombine(parent, frame),
    ...(isWhole(frame.source.payload) ? [addWords(parent, frame)] : []),
    addHide(parent, frame),
    ...(isWhole(frame.source.payload) ? [addRenormalize(parent, frame)] : []),
  ];
  const keys = choices.flatMap((choice) => choice.keys);
  const reset = add(parent, "link", "button");
  reset.dataset.action = "reset";
  reset.textContent = "reset";
  reset.title = "As it was at the start";
  /** @type {Partial<State> | null} */
  let start = null;
  reset.addEventListener("click", () => frame.set(start ?? {}));
  return {
    /**
     * @param {HeadScene} scene
     * @param {State} state
     */
    draw(scene, state) {
      start ??= Object.fromEntries(keys.map((key) => [key, state[key]]));
      const differs = (/** @type {keyof State} */ key) => state[key] !== start?.[key];
      for (const choice of choices) {
        choice.draw(scene, state);
        choice.element.classList.toggle("changed", choice.keys.some(differs));
      }
      reset.hidden = !keys.some(differs);
    },
  };
}

/**
 * How much of each row lines at rest show.
 * @param {HTMLElement} parent
 * @param {Frame} frame
 * @returns {Choice}
 */
function addMass(parent, frame) {
  const { element, draw } = addSelect(parent, "mass", "Show", (value) =>
    frame.set({ mass: Number(value) }),
  );
  element.title =
    "While nothing is selected: all lines, or only the strongest of each row, up to this share of " +
    (isAttention(frame.source.payload) ? "it" : "the sum of its sizes, |value|");
  const labelOf = (/** @type {number} */ mass) =>
    mass === 1
      ? "all lines"
      : `strongest ${STRONGEST[mass] ?? `${Math.round(100 * mass)}%`} of each row`;
  return {
    ...{ element, keys: ["mass"] },
    draw(_, { mode, mass = 1 }) {
      element.hidden = mode === "matrix";
      const masses = [...new Set([...MASSES, mass])].sort((a, b) => b - a);
      draw(
        masses.map((m) => option(m, labelOf(m))),
        String(mass),
      );
    },
  };
}

/**
 * @param {HTMLElement} parent
 * @param {Frame} frame
 * @returns {Choice[]}
 */
function addPair(parent, frame) {
  const pair = addPairSelect(parent, frame);
  return pair ? [{ ...pair, keys: ["pair"] }] : [];
}

/**
 * Whether heads are drawn one by one or as one.
 * @param {HTMLElement} parent
 * @param {Frame} frame
 * @returns {Choice}
 */
function addCombine(parent, frame) {
  const { element, draw } = addSelect(parent, "combine", "Heads", (value) =>
    frame.set({ combine: /** @type {State["combine"]} */ (value) }),
  );
  return {
    ...{ element, keys: ["combine"] },
    draw(_, { combine = "each" }) {
      element.hidden = !isWhole(frame.source.payload) || headsOf(frame).length < 2;
      draw(COMBINED, combine);
    },
  };
}

/**
 * @param {HTMLElement} parent
 * @param {Frame} frame
 * @returns {Choice}
 */
function addWords(parent, frame) {
  const { payload } = frame.source;
  const { element, draw } = addCheck(
    ...[parent, "words", "Words"],
    "Words instead of subword tokens: weights are summed over keys and averaged over queries",
    (words) => frame.set({ words }),
  );
  const offered = payload.blocks.some(hasWords);
  return {
    ...{ element, keys: ["words"] },
    draw(_, { words }) {
      element.hidden = !offered;
      draw(Boolean(words));
    },
  };
}

/**
 * Which tokens are left out.
 * @param {HTMLElement} parent
 * @param {Frame} frame
 * @returns {Choice}
 */
function addHide(parent, frame) {
  const element = add(parent, "group", "span");
  element.setAttribute("role", "group");
  element.setAttribute("aria-label", "Hide");
  add(element, "", "span").textContent = "Hide";
  const now = () => {
    const { hide = "nothing" } = frame.state();
    return {
      special: hide === "special" || hide === "both",
      first: hide === "first" || hide === "both",
    };
  };
  const set = (/** @type {{special?: boolean, first?: boolean}} */ patch) => {
    const { special, first } = { ...now(), ...patch };
    frame.set({ hide: special ? (first ? "both" : "special") : first ? "first" : "nothing" });
  };
  const special = addCheck(
    ...[element, "special", HIDDEN.special.label],
    "Leaves out the tokens that the tokenizer adds, such as [CLS] and [SEP]",
    (on) => set({ special: on }),
  );
  const first = addCheck(
    ...[element, "first", "first token"],
    "Leaves out the first token, at which many heads rest",
    (on) => set({ first: on }),
  );
  return {
    ...{ element, keys: ["hide"] },
    draw({ block }) {
      special.element.hidden = !(block.query.special.length || block.key?.special.length);
      special.draw(now().special);
      first.draw(now().first);
    },
  };
}

/**
 * Rows as wholes of what is shown, where tokens are left out.
 * @param {HTMLElement} parent
 * @param {Frame} frame
 * @returns {Choice}
 */
function addRenormalize(parent, frame) {
  const { element, draw } = addCheck(
    ...[parent, "renormalize", "Renormalize"],
    "Scale each row so that it sums to one over the keys shown",
    (renormalize) => frame.set({ renormalize }),
  );
  return {
    ...{ element, keys: ["renormalize"] },
    draw(_, state) {
      element.hidden = !isFiltered(state);
      draw(Boolean(state.renormalize));
    },
  };
}
