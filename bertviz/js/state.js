// What a reader has chosen. A state is a plain object whose keys are public: they are those of the
// host's data-drawn, and head, layer and token numbers are the model's own. Every way to change it
// (mouse, keyboard, the page API, Python's arguments) goes through nextState, which repairs what
// cannot be drawn, so that the views never meet an impossible state.

import { HIDDEN, isFiltered, PAIRS, pairsOf, positionsOf } from "./data/filters.js";
import { isWhole } from "./data/kinds.js";
import { choiceOf } from "./data/measures.js";
import { wordStarts, hasWords } from "./data/regroup.js";
import { tokensOf } from "./data/schema.js";
import { isOfItsKind, plainChange } from "./data/state_values.js";

/** @typedef {import("./data/filters.js").Hide} Hide */
/** @typedef {import("./data/schema.js").Payload} Payload */
/**
 * @typedef {object} State
 * @property {string} view "head", "model" or "neuron"; a model view can hand over to the others
 * @property {string} block
 * @property {number} layer
 * @property {number[]} heads
 * @property {number | null} query
 * @property {number | null} key
 * @property {boolean} locked
 * @property {string} pair
 * @property {number[]} [also] tokens selected beside query or key, on the same side
 * @property {"lines" | "matrix"} [mode] head view
 * @property {boolean} [words] head view: words instead of subword tokens
 * @property {"each" | "mean" | "sum"} [combine] head view: the heads, one by one or as one
 * @property {Hide} [hide] head view: tokens that are left out
 * @property {number} [mass] head view: lines at rest are the strongest of each row that hold this
 *   part of it
 * @property {boolean} [renormalize] head view, under a filter: rows inside it add up to one
 * @property {"text" | "model"} [panel] head view: what the reading panel shows
 * @property {[number, number, number, number] | null} [zoom] head view: a window, as the first query
 *   and the one after the last, the same of keys
 * @property {number[]} [off] neuron view: neurons that are switched off
 * @property {number} [temperature] neuron view: what scores are divided by before softmax
 * @property {"model" | "contribution" | "explanation"} [sort] neuron view: the order of neurons
 * @property {boolean} [detail] neuron view: are the columns open?
 * @property {string | null} [measure] model view: what is measured of the heads
 * @property {boolean} [sorted] model view: cells by that measure, the largest first
 * @property {[number, number] | null} [cell] model view: the opened [layer, head]
 */

const SWITCH = [false, true];
const COMMON = {
  block: null,
  layer: null,
  heads: null,
  query: null,
  key: null,
  also: null,
  locked: SWITCH,
  pair: Object.keys(PAIRS),
};

/**
 * The state keys of each view, and the values of each key: null if they depend on the payload,
 * otherwise all of them; the first replaces a value that does not exist. Python's arguments are
 * checked against the same keys (bertviz/web/payload), and a test compares the two.
 * @satisfies {Record<string, Partial<Record<keyof State, unknown[] | null>>>}
 */
export const STATE = {
  head: {
    ...COMMON,
    mode: ["lines", "matrix"],
    words: SWITCH,
    combine: ["each", "mean", "sum"],
    hide: Object.keys(HIDDEN),
    mass: null,
    renormalize: SWITCH,
    panel: ["text", "model"],
    zoom: null,
  },
  model: { ...COMMON, cell: null, measure: null, sorted: SWITCH },
  neuron: {
    ...COMMON,
    detail: SWITCH,
    off: null,
    temperature: null,
    sort: ["model", "contribution", "explanation"],
  },
};

// Of all views together: a model view keeps its own state while it shows one of the others.
/** @type {Record<string, unknown[] | null>} */
const VALUES = { ...STATE.head, ...STATE.model, ...STATE.neuron };

/**
 * A change as it may be made, of whatever a page script passes.
 * @param {unknown} patch
 * @returns {Partial<State>}
 */
export const changeOf = (patch) => plainChange(patch, ["view", ...Object.keys(VALUES)]);

/** The lowest and the highest. */
export const TEMPERATURES = [0.1, 10];

/** How much of each row lines at rest may show. */
export const MASSES = [1, 0.9, 0.75, 0.5, 0.25];

/**
 * The views that an output can show: a model view opens its heads in the others.
 * @param {Payload} payload
 * @returns {string[]}
 */
export function viewsOf(payload) {
  if (payload.view !== "model") return [payload.view];
  return payload.neurons === "here" ? ["model", "head", "neuron"] : ["model", "head"];
}

/**
 * The tokens of one side that are selected.
 * @param {{query: number | null, key: number | null, also?: number[]}} state
 * @param {"query" | "key"} side
 */
export function chosenOf({ query, key, also = [] }, side) {
  const one = side === "query" ? query : key;
  return one === null ? [] : [one, ...also];
}

/**
 * What is known of the neurons of the head that is shown, beside what its picture tells.
 * @param {Payload} payload
 * @param {{block: string, layer: number, heads: number[]}} state
 */
export function explanationOf({ explanation }, { block, layer, heads }) {
  if (!explanation || explanation.block !== block) return null;
  return explanation.layer === layer && explanation.head === heads[0] ? explanation : null;
}

/**
 * @param {Payload} payload
 * @param {Partial<State>} [defaults] a view's own beginning, weaker than the caller's
 * @returns {State}
 */
export function initialState(payload, defaults = {}) {
  const block = payload.blocks[0];
  /** @type {State} */
  const empty = {
    view: payload.view,
    block: block.name,
    layer: block.layers[0].index,
    heads: block.layers[0].heads,
    query: null,
    key: null,
    locked: false,
    pair: "All",
  };
  const wanted = payload.state;
  const state = nextState(payload, empty, { block: wanted.block, layer: wanted.layer });
  // Without a choice of heads, all of the layer that is shown.
  const heads = blockOf(payload, state.block).layers.find((l) => l.index === state.layer)?.heads;
  return nextState(payload, state, { heads, ...defaults, ...wanted });
}

/**
 * The state after a change. Unknown numbers fall back to what was there before.
 * @param {Payload} payload
 * @param {State} state
 * @param {Partial<State>} patch
 * @returns {State}
 */
export function nextState(payload, state, patch) {
  const next = patched(state, patch);
  for (const repair of REPAIRS) repair(next, { payload, state, patch });
  return next;
}

/**
 * @param {State} state
 * @param {Partial<State>} patch
 * @returns {State}
 */
function patched(state, patch) {
  const next = { ...state };
  for (const [name, value] of Object.entries(patch)) {
    // Keys that every object has ("constructor") are none of a state's.
    const listed = Object.hasOwn(VALUES, name) && VALUES[name] !== null;
    if (value === undefined || !(listed || isOfItsKind(name, value))) continue;
    Object.assign(next, { [name]: value });
  }
  // Choosing a token on one side lets go of the other, unless both are given.
  if (patch.query != null && patch.key === undefined) next.key = null;
  if (patch.key != null && patch.query === undefined) next.query = null;
  const moved = next.query !== state.query || next.key !== state.key;
  if (next.also?.length && moved && patch.also === undefined) next.also = [];
  if (patch.cell && next.cell === patch.cell) next.layer = patch.cell[0];
  return next;
}

// --- repairs: each takes what those before it have left -------------------------------------------

/**
 * @callback Repair
 * @param {State} next is changed
 * @param {{payload: Payload, state: State, patch: Partial<State>}} change
 * @returns {void}
 */

/** What can only have one of a few values has one of them. @type {Repair} */
function repairValues(next) {
  for (const [name, value] of Object.entries(next)) {
    const allowed = VALUES[name];
    if (!allowed || value === undefined) continue;
    const repaired =
      allowed === SWITCH ? Boolean(value) : allowed.includes(value) ? value : allowed[0];
    Object.assign(next, { [name]: repaired });
  }
  if (next.mass !== undefined && !(next.mass > 0 && next.mass < 1)) next.mass = 1;
  const { temperature: t } = next;
  if (t !== undefined && !(t >= TEMPERATURES[0] && t <= TEMPERATURES[1])) next.temperature = 1;
}

/** Only views that the output has data for. @type {Repair} */
function repairView(next, { payload, state }) {
  if (!viewsOf(payload).includes(next.view)) next.view = state.view;
}

/** Blocks, layers and heads that are there. @type {Repair} */
function repairHeads(next, { payload, state }) {
  const block = payload.blocks.find((b) => b.name === next.block) ?? blockOf(payload, state.block);
  next.block = block.name;
  const layer =
    block.layers.find((l) => l.index === next.layer) ??
    block.layers.find((l) => l.index === state.layer) ??
    block.layers[0];
  next.layer = layer.index;
  const heads = layer.heads.filter((head) => next.heads.includes(head));
  const before = layer.heads.filter((head) => state.heads.includes(head));
  next.heads = heads.length ? heads : before.length ? before : layer.heads;
  if (next.view === "neuron") next.heads = next.heads.slice(0, 1); // one head at a time
}

/** Sentences and words that the block has; sums that mean something. @type {Repair} */
function repairUnits(next, { payload }) {
  const block = blockOf(payload, next.block);
  if (!pairsOf(block).includes(next.pair)) next.pair = "All";
  if (next.words) next.words = hasWords(block);
  if (!isWhole(payload)) {
    // Words and heads as one would add up what cancels out; rows of values have no whole.
    Object.assign(next, { words: false, combine: "each", renormalize: false });
  }
  if (next.renormalize) next.renormalize = isFiltered(next);
}

/** Tokens that are shown. @type {Repair} */
function repairSelection(next, { payload, state }) {
  const block = blockOf(payload, next.block);
  const shown = { query: positionsOf(block, "query", next), key: positionsOf(block, "key", next) };
  for (const side of /** @type {("query" | "key")[]} */ (["query", "key"])) {
    const position = next[side];
    if (position !== null && !shown[side].includes(position)) {
      // A subword token stands where the first one of its word does.
      const first = next.words ? wordStarts(tokensOf(block, side))[position] : position;
      next[side] = shown[side].includes(first) ? first : null;
    }
  }
  if (next.also) {
    const side = next.query !== null ? "query" : "key";
    const among = new Set(shown[side]);
    const kept = next.also.filter((i) => i !== next[side] && among.has(i));
    next.also = [...new Set(kept)];
  }
  if (next.detail && next.query === null) {
    // The open columns belong to a query: without another choice to the one before, at the start to
    // one in the middle that is in view.
    const queries = shown.query;
    const before = state.query !== null && queries.includes(state.query) ? state.query : null;
    next.query = before ?? queries[Math.min(Math.floor(queries.length / 2), 12)];
  }
}

/** Neurons that are switched off are those of one head, and one stays on. @type {Repair} */
function repairNeurons(next, { payload, state, patch }) {
  if (!next.off) return;
  const moved =
    next.block !== state.block || next.layer !== state.layer || next.heads[0] !== state.heads[0];
  const layer = blockOf(payload, next.block).layers.find((l) => l.index === next.layer);
  const count = layer?.neurons?.queries.shape[2] ?? 0;
  const known = next.off.filter((n) => Number.isInteger(n) && n >= 0 && n < count);
  next.off = moved && !patch.off ? [] : [...new Set(known)].sort((a, b) => a - b);
  if (next.off.length === count) next.off = state.off ?? [];
}

/** Cells and neurons are sorted by what is there to sort by. @type {Repair} */
function repairOrder(next, { payload }) {
  if (next.measure && !choiceOf(payload, next.measure)) next.measure = null;
  if (!next.measure && next.sorted) next.sorted = false;
  if (next.sort === "explanation" && !explanationOf(payload, next)) next.sort = "contribution";
}

/** A window lies within its block, and what is selected within the window. @type {Repair} */
function repairWindow(next, { payload, state }) {
  if (!next.zoom) return;
  const block = blockOf(payload, next.block);
  const ends = [tokensOf(block, "query").text.length, tokensOf(block, "key").text.length];
  const [a, b, c, d] = next.zoom;
  const fits = a >= 0 && a < b && b <= ends[0] && c >= 0 && c < d && d <= ends[1];
  if (!fits || block.name !== state.block) {
    next.zoom = null;
    return;
  }
  if (next.query !== null && (next.query < a || next.query >= b)) next.query = null;
  if (next.key !== null && (next.key < c || next.key >= d)) next.key = null;
}

/** Without a selection there is nothing to hold on to. @type {Repair} */
function repairLock(next) {
  if (next.query !== null || next.key !== null) return;
  next.locked = false;
  if (next.also?.length) next.also = [];
}

/** A cell that is there. @type {Repair} */
function repairCell(next, { payload }) {
  if (!next.cell) return;
  const [index, head] = next.cell;
  const layer = blockOf(payload, next.block).layers.find((l) => l.index === index);
  if (!layer?.heads.includes(head)) next.cell = null;
}

const REPAIRS = [
  repairValues,
  repairView,
  repairHeads,
  repairUnits,
  repairSelection,
  repairNeurons,
  repairOrder,
  repairWindow,
  repairLock,
  repairCell,
];

/**
 * @param {Payload} payload
 * @param {string} name
 */
function blockOf(payload, name) {
  return payload.blocks.find((b) => b.name === name) ?? payload.blocks[0];
}
