import assert from "node:assert/strict";
import { test } from "node:test";
import { pairsOf, positionsOf } from "../../bertviz/js/data/filters.js";
import { explanationOf, initialState, MASSES, nextState, STATE } from "../../bertviz/js/state.js";
import { layerOf, payloadOf, tokens } from "./fixtures.js";

const encoder = {
  name: "encoder",
  kind: "encoder",
  query: tokens(["a", "b", "c", "d"], [0, 0, 1, 1]),
  key: null,
  layers: [layerOf(2, [0, 3, 5]), layerOf(7, [1, 3])],
};
const cross = {
  name: "cross",
  kind: "cross",
  query: tokens(["x", "y"]),
  key: tokens(["a", "b", "c", "d"]),
  layers: [layerOf(0, [0, 1])],
};
const payload = payloadOf({ blocks: [encoder, cross] });
const start = initialState(payload);

test("at the start: first block, first layer, all heads, nothing selected", () => {
  assert.deepEqual(start, {
    view: "head",
    block: "encoder",
    layer: 2,
    heads: [0, 3, 5],
    query: null,
    key: null,
    locked: false,
    pair: "All",
  });
});

test("the caller's choice comes first, then the view's own beginning", () => {
  const chosen = payloadOf({ blocks: [encoder, cross], state: { layer: 7, heads: [3], query: 1 } });
  const state = initialState(chosen, { query: 2, locked: true });
  assert.deepEqual([state.layer, state.heads, state.query, state.locked], [7, [3], 1, true]);
  const layer = payloadOf({ blocks: [encoder], state: { layer: 7 } });
  assert.deepEqual(initialState(layer).heads, [1, 3], "all heads of the chosen layer");
});

test("another layer keeps the heads that it has, or what was there, or all", () => {
  assert.deepEqual(nextState(payload, start, { layer: 7 }).heads, [3]);
  const one = nextState(payload, start, { heads: [5] });
  assert.deepEqual(nextState(payload, one, { layer: 7 }).heads, [1, 3]);
});

test("what is not there changes nothing", () => {
  assert.equal(nextState(payload, start, { layer: 99 }).layer, 2);
  assert.equal(nextState(payload, start, { block: "decoder" }).block, "encoder");
  assert.deepEqual(nextState(payload, start, { heads: [] }).heads, [0, 3, 5]);
  assert.deepEqual(nextState(payload, start, { heads: [42] }).heads, [0, 3, 5]);
  assert.equal(nextState(payload, start, { query: 4 }).query, null);
  assert.equal(nextState(payload, start, { query: -1 }).query, null);
  assert.equal(nextState(payload, start, { pair: "C→D" }).pair, "All");
});

test("a token on one side lets go of the other, unless both are given", () => {
  const query = nextState(payload, start, { query: 1, locked: true });
  const key = nextState(payload, query, { key: 3 });
  assert.deepEqual([key.query, key.key, key.locked], [null, 3, true]);
  const both = nextState(payload, start, { query: 1, key: 3 });
  assert.deepEqual([both.query, both.key], [1, 3]);
});

test("nothing can be locked when nothing is selected", () => {
  assert.equal(nextState(payload, start, { locked: true }).locked, false);
  const locked = nextState(payload, start, { query: 0, locked: true });
  assert.equal(nextState(payload, locked, { query: null }).locked, false);
});

test("a block without the layer, the filter or the token falls back", () => {
  const state = nextState(payload, start, { pair: "A→B", query: 0, locked: true });
  const other = nextState(payload, state, { block: "cross" });
  assert.deepEqual([other.layer, other.pair, other.query], [0, "All", 0]);
  const far = nextState(payload, nextState(payload, start, { query: 3 }), { block: "cross" });
  assert.equal(far.query, null, "the decoder has two tokens");
});

test("filters are offered for two sentences alone", () => {
  assert.deepEqual(pairsOf(encoder), ["All", "A→A", "B→B", "A→B", "B→A"]);
  assert.deepEqual(pairsOf(cross), ["All"]);
  assert.deepEqual(Array.from(positionsOf(encoder, "query", { pair: "A→B" })), [0, 1]);
  assert.deepEqual(Array.from(positionsOf(encoder, "key", { pair: "A→B" })), [2, 3]);
});

test("a filter lets go of tokens that it hides", () => {
  const state = nextState(payload, start, { query: 2, locked: true });
  const filtered = nextState(payload, state, { pair: "A→B" });
  assert.deepEqual([filtered.query, filtered.locked], [null, false]);
});

test("the neuron view has one head and, open, always a query", () => {
  const neuron = payloadOf({ view: "neuron", blocks: [encoder] });
  const state = initialState(neuron, { detail: true });
  assert.deepEqual([state.heads, state.query], [[0], 2]);
  assert.equal(nextState(neuron, { ...state, query: 1 }, { query: null }).query, 1);
  assert.equal(nextState(neuron, state, { detail: false, query: null }).query, null);
});

test("a window is of tokens that are there, and of one block", () => {
  const state = initialState(payload, { mode: "lines", zoom: null });
  const zoomed = nextState(payload, state, { mode: "matrix", zoom: [1, 3, 0, 4] });
  assert.deepEqual([zoomed.mode, zoomed.zoom], ["matrix", [1, 3, 0, 4]]);
  assert.equal(nextState(payload, zoomed, { zoom: [1, 9, 0, 4] }).zoom, null);
  assert.equal(nextState(payload, zoomed, { zoom: [2, 2, 0, 4] }).zoom, null);
  assert.equal(nextState(payload, zoomed, { block: "cross" }).zoom, null);
  assert.deepEqual(nextState(payload, zoomed, { layer: 7 }).zoom, [1, 3, 0, 4]);
  assert.equal(nextState(payload, zoomed, /** @type {any} */ ({ mode: "circle" })).mode, "lines");
});

test("a cell opens its layer; one that is not there opens nothing", () => {
  const model = payloadOf({ view: "model", blocks: [encoder] });
  const state = initialState(model, { cell: null });
  const open = nextState(model, state, { cell: [7, 1] });
  assert.deepEqual([open.cell, open.layer], [[7, 1], 7]);
  assert.equal(nextState(model, state, { cell: [7, 0] }).cell, null);
});

test("several tokens are selected on one side, until another is chosen", () => {
  const state = nextState(payload, start, { query: 1, also: [3, 3, 1, 99], locked: true });
  assert.deepEqual([state.query, state.also], [1, [3]]);
  assert.deepEqual(nextState(payload, state, { heads: [0] }).also, [3]);
  assert.deepEqual(nextState(payload, state, { query: 2 }).also, []);
  assert.deepEqual(nextState(payload, state, { query: null, key: null }).also, []);
});

test("what cannot be is repaired", () => {
  const odd = /** @type {any} */ ({ hide: "x", combine: "x", mass: 7, words: true });
  const { hide, combine, mass, words } = nextState(payload, start, odd);
  assert.deepEqual([hide, combine, mass, words], ["nothing", "each", 1, false]);
});

test("tokens that are left out take the selection and renormalization with them", () => {
  const special = payloadOf({
    blocks: [{ ...encoder, query: { ...encoder.query, special: [0, 3] } }],
  });
  const begun = initialState(special, { hide: "nothing", renormalize: false });
  const state = nextState(special, begun, { query: 0, hide: "special", renormalize: true });
  assert.deepEqual([state.query, state.renormalize], [null, true]);
  assert.deepEqual(Array.from(positionsOf(special.blocks[0], "key", state)), [1, 2]);
  assert.equal(nextState(special, state, { hide: "nothing" }).renormalize, false);
});

test("a window lets go of a token outside it", () => {
  const state = nextState(payload, start, { query: 0, zoom: [1, 4, 0, 4] });
  assert.deepEqual([state.query, state.zoom], [null, [1, 4, 0, 4]]);
  assert.equal(nextState(payload, state, { zoom: [3, 2, 0, 4] }).zoom, null);
});

test("hiding what would leave nothing hides nothing, and other filters stay", () => {
  const block = { ...encoder, query: { ...encoder.query, special: [0, 1] } };
  const shown = (/** @type {any} */ state) => Array.from(positionsOf(block, "query", state));
  assert.deepEqual(shown({ pair: "A→A", hide: "special" }), [0, 1]);
  assert.deepEqual(shown({ pair: "B→B", hide: "special" }), [2, 3]);
});

test("a key with a few values takes each of them and no other", () => {
  const words = { of: [0, 0, 1, 2], text: ["ab", "c", "d"] };
  const block = { ...encoder, query: { ...encoder.query, words, special: [0] } };
  const explanation = { block: "encoder", layer: 2, head: 0, what: "x", contributions: [] };
  const measures = [{ name: "m", diverging: false, values: [], null: null }];
  for (const [view, keys] of Object.entries(STATE)) {
    const all = payloadOf(/** @type {any} */ ({ view, blocks: [block], explanation, measures }));
    // What some values need: a filter, a selected token, a measure.
    const begun = initialState(all, { query: 2, measure: "m", hide: "special" });
    for (const [key, values] of Object.entries(keys)) {
      if (!values) continue;
      const state = key === "hide" ? { ...begun, pair: "All" } : begun;
      const shown = (/** @type {unknown} */ value) =>
        /** @type {any} */ (nextState(all, state, { [key]: value }))[key];
      for (const value of values) assert.equal(shown(value), value, `${view}: ${key}`);
      if (typeof values[0] === "string") assert.equal(shown("unheard of"), values[0]);
      else assert.deepEqual([shown(null), shown(1)], [false, true]);
    }
  }
});

test("an explanation is of one head of one layer of one block", () => {
  const explanation = { block: "encoder", layer: 2, head: 5, what: "x", contributions: [] };
  const all = payloadOf(/** @type {any} */ ({ blocks: [encoder], explanation }));
  const of = (/** @type {any} */ other) =>
    explanationOf(all, { block: "encoder", layer: 2, heads: [5], ...other });
  assert.equal(of({}), explanation);
  for (const other of [{ block: "cross" }, { layer: 1 }, { heads: [4] }]) {
    assert.equal(of(other), null, JSON.stringify(other));
  }
  const none = payloadOf({ blocks: [encoder] });
  assert.equal(explanationOf(none, { block: "encoder", layer: 2, heads: [5] }), null);
});

test("the parts of a row's mass that lines may show are parts", () => {
  assert.deepEqual(MASSES, [1, 0.9, 0.75, 0.5, 0.25]);
});
