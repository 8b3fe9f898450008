// What a reader has chosen. A state is a plain object whose keys are public: they are those of the
// host's data-drawn, and head, layer and token numbers are the model's own. Every way to change it
// (mouse, keyboard, the page API, Python's arguments) goes through nextState, which repairs what
// cannot be drawn, so that the views never meet an impossible state.

import { choiceOf } from "./data/measures.js";
import { tokensOf } from "./data/schema.js";
import { firstPieces, hasWords } from "./data/regroup.js";

/** @typedef {import("./data/schema.js").Payload} Payload */
/** @typedef {import("./data/schema.js").Block} Block */
/** @typedef {import("./data/schema.js").Tokens} Tokens */
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
 * @property {boolean} [words] head view: words instead of their pieces
 * @property {"each" | "mean" | "sum"} [combine] head view: the heads, one by one or as one
 * @property {"nothing" | "special" | "first"} [hide] head view: tokens that are left out
 * @property {number} [mass] head view: lines at rest are the strongest of each row that hold this
 *   part of it
 * @property {boolean} [renormalize] head view, under a filter: rows inside it add up to one
 * @property {[number, number, number, number] | null} [zoom] head view: a window, as the first query
 *   and the one after the last, the same of keys
 * @property {number[]} [off] neuron view: neurons that are switched off
 * @property {"model" | "contribution" | "explanation"} [sort] neuron view: the order of neurons
 * @property {boolean} [detail] neuron view: are the columns open?
 * @property {string | null} [measure] model view: what cells are coloured by, if not by layer
 * @property {boolean} [sorted] model view: cells by that measure, the largest first
 * @property {[number, number] | null} [cell] model view: the opened [layer, head]
 */

/** Sentence filters, as [query's sentence, key's sentence]; null is any. */
export const PAIRS = /** @type {Record<string, [number | null, number | null]>} */ ({
  All: [null, null],
  "A→A": [0, 0],
  "B→B": [1, 1],
  "A→B": [0, 1],
  "B→A": [1, 0],
});

/**
 * The filters that a block offers: none unless it has two sentences.
 * @param {Block} block
 * @returns {string[]}
 */
export function pairsOf(block) {
  const query = tokensOf(block, "query").sentences;
  const key = tokensOf(block, "key").sentences;
  if (!query || !key) return ["All"];
  return Object.keys(PAIRS).filter((pair) => {
    const [a, b] = PAIRS[pair];
    return (a === null || query.includes(a)) && (b === null || key.includes(b));
  });
}

/** What can be left out of a picture. */
export const HIDDEN = {
  nothing: { label: "nothing", of: () => false },
  special: {
    label: "special tokens",
    of: (/** @type {number} */ i, /** @type {Tokens} */ tokens) => tokens.special.includes(i),
  },
  first: { label: "the first token", of: (/** @type {number} */ i) => i === 0 },
};

const SORTS = ["model", "contribution", "explanation"];

/**
 * What is known of the neurons of the head that is shown, beside what its picture tells.
 * @param {Payload} payload
 * @param {{block: string, layer: number, heads: number[]}} state
 */
export function explanationOf({ explanation }, { block, layer, heads }) {
  if (!explanation || explanation.block !== block) return null;
  return explanation.layer === layer && explanation.head === heads[0] ? explanation : null;
}

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
 * Token positions of one side that the filters keep, in order. Words stand at their first pieces.
 * @param {Block} block
 * @param {"query" | "key"} side
 * @param {{pair: string, words?: boolean, hide?: State["hide"]}} state
 * @returns {Int32Array}
 */
export function positionsOf(block, side, { pair, words, hide = "nothing" }) {
  const tokens = tokensOf(block, side);
  const { text, sentences } = tokens;
  const wanted = (PAIRS[pair] ?? PAIRS.All)[side === "query" ? 0 : 1];
  const first = words ? firstPieces(tokens) : null;
  const every = Int32Array.from(text.keys());
  const left = every.filter(
    (i) =>
      (wanted === null || !sentences || sentences[i] === wanted) &&
      (!first || first[i] === i) &&
      !HIDDEN[hide].of(i, tokens),
  );
  // Of a text of special tokens alone, hiding them would leave nothing.
  return left.length || hide === "nothing" ? left : positionsOf(block, side, { pair, words });
}

/**
 * Whether a state leaves tokens out, so that rows can be renormalised.
 * @param {{pair: string, hide?: State["hide"]}} state
 */
export const isFiltered = ({ pair, hide = "nothing" }) => pair !== "All" || hide !== "nothing";

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
  /** @type {State} */
  const next = { ...state };
  for (const [name, value] of Object.entries(patch)) {
    if (value !== undefined) Object.assign(next, { [name]: value });
  }
  // Choosing a token on one side lets go of the other, unless both are given.
  if (patch.query != null && patch.key === undefined) next.key = null;
  if (patch.key != null && patch.query === undefined) next.query = null;
  const other = next.query !== state.query || next.key !== state.key;
  if (next.also?.length && other && patch.also === undefined) next.also = [];
  if (patch.cell) next.layer = patch.cell[0];

  if (!viewsOf(payload).includes(next.view)) next.view = state.view;
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

  if (!pairsOf(block).includes(next.pair)) next.pair = "All";
  if (next.hide !== undefined && !(next.hide in HIDDEN)) next.hide = "nothing";
  if (next.words !== undefined) next.words = Boolean(next.words) && hasWords(block);
  if (next.combine !== undefined && !["mean", "sum"].includes(next.combine)) next.combine = "each";
  if (payload.difference) {
    // Words and heads as one would add up what cancels out; rows of differences have no whole.
    Object.assign(next, { words: false, combine: "each", renormalize: false });
  }
  if (next.mass !== undefined && !(next.mass > 0 && next.mass < 1)) next.mass = 1;
  const shown = { query: positionsOf(block, "query", next), key: positionsOf(block, "key", next) };
  for (const side of /** @type {("query" | "key")[]} */ (["query", "key"])) {
    const position = next[side];
    if (position !== null && !shown[side].includes(position)) {
      // A piece of a word stands at its first one.
      const first = next.words ? firstPieces(tokensOf(block, side))[position] : position;
      next[side] = shown[side].includes(first) ? first : null;
    }
  }
  if (next.also) {
    const side = next.query !== null ? "query" : "key";
    const kept = next.also.filter((i) => i !== next[side] && shown[side].includes(i));
    next.also = [...new Set(kept)];
  }
  if (next.detail && next.query === null) {
    // The open columns belong to a query: without another choice to the one before, at the start to
    // one in the middle that is in view.
    const queries = shown.query;
    const before = state.query !== null && queries.includes(state.query) ? state.query : null;
    next.query = before ?? queries[Math.min(Math.floor(queries.length / 2), 12)];
  }
  if (next.off) {
    // Neurons are those of one head.
    const moved =
      next.block !== state.block || next.layer !== state.layer || next.heads[0] !== state.heads[0];
    const count = layer.neurons?.queries.shape[2] ?? 0;
    const known = next.off.filter((n) => Number.isInteger(n) && n >= 0 && n < count);
    next.off = moved && !patch.off ? [] : [...new Set(known)].sort((a, b) => a - b);
    if (next.off.length === count) next.off = state.off ?? []; // one neuron stays
  }
  if (next.measure && !choiceOf(payload, next.measure)) next.measure = null;
  if (!next.measure && next.sorted) next.sorted = false;
  if (next.sort === "explanation" && !explanationOf(payload, next)) next.sort = "contribution";
  else if (next.sort !== undefined && !SORTS.includes(next.sort)) next.sort = "model";
  if (next.renormalize !== undefined) {
    next.renormalize = Boolean(next.renormalize) && isFiltered(next);
  }
  if (next.mode !== undefined && next.mode !== "matrix") next.mode = "lines";
  if (next.zoom) {
    // Windows are of a block's own tokens.
    const ends = [tokensOf(block, "query").text.length, tokensOf(block, "key").text.length];
    const [a, b, c, d] = next.zoom;
    const fits = a >= 0 && a < b && b <= ends[0] && c >= 0 && c < d && d <= ends[1];
    if (!fits || block.name !== state.block) next.zoom = null;
    else {
      if (next.query !== null && (next.query < a || next.query >= b)) next.query = null;
      if (next.key !== null && (next.key < c || next.key >= d)) next.key = null;
    }
  }
  if (next.query === null && next.key === null) {
    next.locked = false;
    if (next.also?.length) next.also = [];
  }
  if (next.cell) {
    const [index, head] = next.cell;
    const row = block.layers.find((l) => l.index === index);
    if (!row?.heads.includes(head)) next.cell = null;
  }
  return next;
}

/**
 * @param {Payload} payload
 * @param {string} name
 */
function blockOf(payload, name) {
  return payload.blocks.find((b) => b.name === name) ?? payload.blocks[0];
}
