import assert from "node:assert/strict";
import { test } from "node:test";
import { chosenOf, initialState, nextState, STATE, viewsOf } from "../../bertviz/js/state.js";
import { layerOf, payloadOf, tokens } from "./fixtures.js";

const neuronLayer = (/** @type {number} */ index, /** @type {number} */ size) => ({
  ...layerOf(index, [0, 1]),
  neurons: { queries: { shape: [2, 4, size] } },
});
const encoder = {
  name: "encoder",
  kind: "encoder",
  query: tokens(["a", "b", "c", "d"], [0, 0, 1, 1]),
  key: null,
  layers: [neuronLayer(2, 3), neuronLayer(7, 3)],
};
const decoder = { ...encoder, name: "decoder", kind: "decoder" };
const neuron = payloadOf({ view: "neuron", blocks: [encoder, decoder] });
const head = payloadOf({ blocks: [encoder, decoder] });
const at = (/** @type {any} */ wanted, payload = neuron) =>
  nextState(payload, initialState(payload), wanted);

test("an output shows the views that it has data for", () => {
  const views = (/** @type {string} */ view, /** @type {any} */ more = {}) =>
    viewsOf(payloadOf({ view, blocks: [encoder], ...more }));
  assert.deepEqual([views("head"), views("neuron")], [["head"], ["neuron"]]);
  assert.deepEqual(views("head", { neurons: "here" }), ["head"]);
  assert.deepEqual(views("model"), ["model", "head"]);
  assert.deepEqual(views("model", { neurons: "here" }), ["model", "head", "neuron"]);
  assert.equal(at({ view: "head" }, head).view, "head");
  assert.equal(at({ view: "neuron" }, head).view, "head");
  const model = payloadOf({ view: "model", blocks: [encoder] });
  assert.equal(at({ view: "head" }, model).view, "head", "a model view opens its heads");
  assert.equal(at({ view: "neuron" }, model).view, "model");
});

test("the selected tokens of a side are the one chosen and those beside it", () => {
  const both = { query: 0, key: 3, also: [2] };
  assert.deepEqual(
    [chosenOf(both, "query"), chosenOf(both, "key")],
    [
      [0, 2],
      [3, 2],
    ],
  );
  const one = { query: 1, key: null };
  assert.deepEqual([chosenOf(one, "query"), chosenOf(one, "key")], [[1], []]);
  assert.deepEqual(chosenOf({ query: null, key: null, also: [2] }, "query"), []);
});

test("a choice on one side lets go of what was chosen on the other", () => {
  assert.deepEqual(nextState(head, at({ key: 2 }, head), { query: 1 }).key, null);
  assert.deepEqual(nextState(head, at({ query: 2 }, head), { key: 1 }).query, null);
});

test("mass is a part, more than nothing and less than all", () => {
  for (const [mass, shown] of [
    [0.5, 0.5],
    [0, 1],
    [1, 1],
    [-0.5, 1],
    [1.5, 1],
  ]) {
    assert.equal(at({ mass }, head).mass, shown, `${mass}`);
  }
});

test("values of which a row has no whole are not added up", () => {
  const words = { of: [0, 0, 1, 2], text: ["ab", "c", "d"] };
  const block = { ...encoder, query: { ...encoder.query, words, special: [0] } };
  const wanted = { words: true, combine: "sum", renormalize: true, hide: "special" };
  const shown = (/** @type {any} */ more) => {
    const { words, combine, renormalize } = at(wanted, payloadOf({ blocks: [block], ...more }));
    return [words, combine, renormalize];
  };
  assert.deepEqual(shown({}), [true, "sum", true]);
  assert.deepEqual(shown({ kind: "signed" }), [false, "each", false]);
});

test("in words, a token is the first of its word", () => {
  const words = { of: [0, 1, 1, 2], text: ["a", "bc", "d"] };
  const block = { ...encoder, query: { ...encoder.query, words } };
  const payload = payloadOf({ blocks: [block] });
  assert.equal(at({ words: true, query: 2 }, payload).query, 1);
  assert.equal(at({ words: true, query: 3 }, payload).query, 3);
  assert.equal(at({ words: false, query: 2 }, payload).query, 2);
});

test("open columns keep their query, or take one in the middle that is in view", () => {
  const long = { ...encoder, query: tokens(Array.from({ length: 40 }, (_, i) => `${i}`)) };
  const open = (/** @type {any} */ block) =>
    at({ detail: true }, payloadOf({ view: "neuron", blocks: [block] }));
  assert.equal(open(encoder).query, 2);
  assert.equal(open({ ...encoder, query: tokens(["a", "b", "c"]) }).query, 1);
  assert.equal(open(long).query, 12);
  const filtered = nextState(neuron, at({ detail: true, query: 3 }), { pair: "A→A", query: null });
  assert.equal(filtered.query, 1, "the one before is not among those shown");
});

test("neurons that are switched off are those that the head has, each once, in order", () => {
  assert.deepEqual(at({ off: [2, 0, 2] }).off, [0, 2]);
  assert.deepEqual(at({ off: [3, -1, 1.5, 1] }).off, [1]);
  const many = payloadOf({
    view: "neuron",
    blocks: [{ ...encoder, layers: [neuronLayer(2, 12)] }],
  });
  assert.deepEqual(at({ off: [10, 9, 1] }, many).off, [1, 9, 10], "as numbers");
});

test("one neuron stays on", () => {
  const some = at({ off: [1] });
  assert.deepEqual(nextState(neuron, some, { off: [0, 1, 2] }).off, [1], "as it was before");
  assert.deepEqual(at({ off: [0, 1, 2] }).off, []);
});

test("neurons of another head are on, unless they are switched off with it", () => {
  const some = at({ off: [1] });
  assert.deepEqual(nextState(neuron, some, { query: 1 }).off, [1]);
  for (const moved of [{ heads: [1] }, { layer: 7 }, { block: "decoder" }]) {
    assert.deepEqual(nextState(neuron, some, moved).off, [], JSON.stringify(moved));
    assert.deepEqual(nextState(neuron, some, { ...moved, off: [0] }).off, [0]);
  }
});

test("a head without neurons has none that are off", () => {
  const without = payloadOf({
    view: "neuron",
    blocks: [{ ...encoder, layers: [layerOf(2, [0])] }],
  });
  assert.deepEqual(at({ off: [0] }, without).off, []);
  const none = { ...encoder, layers: [neuronLayer(2, 3), { ...layerOf(7, [0]) }] };
  const payload = payloadOf({ view: "neuron", blocks: [none] });
  assert.deepEqual(at({ layer: 7, off: [0] }, payload).off, [], "of that layer");
});

test("what is sorted by is there", () => {
  const model = payloadOf({ view: "model", blocks: [encoder], measures: [] });
  const { measure, sorted } = at({ measure: "m", sorted: true }, model);
  assert.deepEqual([measure, sorted], [null, false]);
  assert.equal(at({ sort: "explanation" }).sort, "contribution");
  assert.equal(at({ sort: "model" }).sort, "model");
});

test("a window has a query and a key, and none beyond the tokens", () => {
  const zoom = (/** @type {number[]} */ ...zoom) => at({ zoom }, head).zoom;
  for (const inside of [
    [0, 4, 0, 4],
    [0, 1, 3, 4],
    [3, 4, 0, 1],
  ]) {
    assert.deepEqual(zoom(...inside), inside);
  }
  for (const outside of [
    [-1, 4, 0, 4],
    [0, 5, 0, 4],
    [0, 4, -1, 4],
    [0, 4, 0, 5],
  ]) {
    assert.equal(zoom(...outside), null, `${outside}`);
  }
  for (const empty of [
    [2, 2, 0, 4],
    [0, 4, 2, 2],
    [3, 2, 0, 4],
    [0, 4, 3, 2],
  ]) {
    assert.equal(zoom(...empty), null, `${empty}`);
  }
});

test("a window of cross-attention ends with the tokens of each side", () => {
  const cross = { ...encoder, name: "cross", kind: "cross", key: tokens(["x", "y"]) };
  const payload = payloadOf({ blocks: [cross] });
  assert.deepEqual(at({ zoom: [2, 4, 0, 2] }, payload).zoom, [2, 4, 0, 2]);
  assert.equal(at({ zoom: [0, 2, 2, 4] }, payload).zoom, null);
});

test("a window keeps what is selected between its ends, on either side", () => {
  for (const [token, kept] of [
    [0, null],
    [1, 1],
    [2, 2],
    [3, null],
  ]) {
    assert.equal(at({ query: token, zoom: [1, 3, 0, 4] }, head).query, kept, `query ${token}`);
    assert.equal(at({ key: token, zoom: [0, 4, 1, 3] }, head).key, kept, `key ${token}`);
  }
  const both = at({ query: 0, key: 0, zoom: [0, 4, 1, 3] }, head);
  assert.deepEqual([both.query, both.key], [0, null]);
});

test("tokens beside a selection go with it", () => {
  const state = at({ query: 0, also: [3], zoom: null }, head);
  assert.deepEqual(state.also, [3]);
  assert.deepEqual(nextState(head, state, { zoom: [1, 3, 0, 4] }).also, []);
});

test("a view that begins with a token does not hold on to it by itself", () => {
  const chosen = initialState(payloadOf({ blocks: [encoder], state: { query: 1 } }));
  assert.deepEqual([chosen.query, chosen.locked], [1, false]);
});

test("a block that was never there gives way to the first", () => {
  const gone = { ...initialState(head), block: "gone" };
  assert.equal(nextState(head, gone, { layer: 7 }).block, "encoder");
});

test("no value of a key is listed twice", () => {
  for (const values of Object.values(STATE).flatMap(Object.values)) {
    if (values) assert.equal(new Set(values).size, values.length);
  }
});
