import assert from "node:assert/strict";
import { test } from "node:test";
import { edgesOf, meanHidden, meansOf } from "../../bertviz/js/edges.js";
import { headScene, massNote } from "../../bertviz/js/head_view.js";
import { modelScene } from "../../bertviz/js/model_view.js";
import { binned } from "../../bertviz/js/thumbnails.js";
import { initialState, nextState } from "../../bertviz/js/state.js";
import { layerOf, payloadOf, random, sourceOf, tokens, weightsOf } from "./fixtures.js";

const N = 6;
const HEADS = [0, 2, 5];
const next = random(1);
/** (layer, head, query, key), rows sum to one */
const dense = [0, 1].map(() =>
  HEADS.map(() =>
    Array.from({ length: N }, () => {
      const row = Array.from({ length: N }, () => next() ** 4);
      const sum = row.reduce((a, b) => a + b, 0);
      return row.map((value) => value / sum);
    }),
  ),
);
const block = {
  name: "encoder",
  kind: "encoder",
  query: tokens([..."abcdef"], [0, 0, 0, 1, 1, 1]),
  key: null,
  layers: [layerOf(3, HEADS), layerOf(4, HEADS)],
};
const payload = payloadOf({ blocks: [block] });
const source = sourceOf(payload, [dense.map((layer) => weightsOf(HEADS, layer, 0.01))]);
const start = initialState(payload);
const close = (/** @type {number} */ a, /** @type {number} */ b, /** @type {string} */ what = "") =>
  assert.ok(Math.abs(a - b) < 1e-6, `${what} ${a} is not ${b}`);

test("every weight is an edge, by the model's own numbers", () => {
  const { edges } = headScene(source, { ...start, layer: 4 });
  assert.equal(edges.head.length, dense[1].flat(2).filter((w) => w >= 0.01).length);
  for (let i = 0; i < edges.head.length; i++) {
    close(edges.weight[i], dense[1][HEADS.indexOf(edges.head[i])][edges.query[i]][edges.key[i]]);
  }
});

test("at rest opacity is weight × gain, selected it is the weight", () => {
  const rest = headScene(source, start);
  close(rest.gain, 1 / Math.sqrt(3));
  rest.edges.opacity.forEach((o, i) => close(o, rest.edges.weight[i] * rest.gain));
  for (const selection of [{ query: 2 }, { key: 2 }, { query: 2, locked: true }]) {
    const scene = headScene(source, nextState(payload, start, selection));
    assert.equal(scene.gain, 1);
    scene.edges.opacity.forEach((o, i) => close(o, scene.edges.weight[i]));
  }
  assert.equal(headScene(source, nextState(payload, start, { heads: [2] })).gain, 1);
});

test("a selected token leaves only its own lines", () => {
  const query = headScene(source, nextState(payload, start, { query: 4 })).edges;
  assert.deepEqual([...new Set(query.query)], [4]);
  assert.deepEqual([...new Set(query.head)], HEADS);
  const key = headScene(source, nextState(payload, start, { key: 1 })).edges;
  assert.deepEqual([...new Set(key.key)], [1]);
});

test("listed and hidden mass of a row are the row", () => {
  for (const patch of [{}, { pair: "A→B" }, { query: 1 }, { heads: [5] }]) {
    const scene = headScene(source, nextState(payload, start, /** @type {any} */ (patch)));
    const { rows, hidden } = scene;
    assert.equal(hidden.length, rows.head.length);
    hidden.forEach((h, i) => close(rows.listed[i] + h, 1, JSON.stringify(patch)));
    const { edges } = scene;
    let sum = 0;
    edges.weight.forEach((w, e) => {
      if (edges.head[e] === rows.head[0] && edges.query[e] === rows.query[0]) sum += w;
    });
    close(sum, rows.listed[0]);
  }
});

test("a filter is a slice, and says what lies outside", () => {
  const state = nextState(payload, start, { pair: "A→B", heads: [2] });
  const scene = headScene(source, state);
  assert.ok(scene.edges.query.every((q) => q < 3));
  assert.ok(scene.edges.key.every((k) => k >= 3));
  const outside = [0, 1, 2].map((q) =>
    dense[0][1][q].slice(0, 3).filter((w) => w >= 0.01).reduce((a, b) => a + b, 0),
  );
  const mean = meanHidden(scene);
  close(mean.outside, outside.reduce((a, b) => a + b, 0) / 3);
  assert.match(massNote(scene, state), /^hidden mass 0\.0\d(, shaded)? · outside A→B 0\.\d\d \(mean per row\)$/);
});

test("renormalised, a filtered row adds up to one, in proportion", () => {
  const plain = nextState(payload, start, { pair: "A→B", heads: [2] });
  const state = nextState(payload, plain, { renormalize: true });
  const [before, after] = [headScene(source, plain), headScene(source, state)];
  for (const q of [0, 1, 2]) {
    const sums = [before, after].map(({ edges }) => {
      let sum = 0;
      edges.weight.forEach((w, e) => (sum += edges.query[e] === q ? w : 0));
      return sum;
    });
    const inside = dense[0][1][q].slice(3).reduce((a, b) => a + b, 0);
    assert.ok(Math.abs(sums[1] - sums[0] / inside) < 0.03, "weights below what is listed are spread");
    assert.ok(sums[1] > 0.95 && sums[1] <= 1 + 1e-5);
  }
  assert.deepEqual(Array.from(after.hidden), Array.from(before.hidden), "what lies outside is said");
  assert.equal(nextState(payload, state, { pair: "All" }).renormalize, false);
  assert.equal(nextState(payload, start, { renormalize: true }).renormalize, false);
});

test("what is not listed is spread, unless one key is asked for", () => {
  const spread = (/** @type {any} */ patch) => {
    /** @type {number[]} */
    const masses = [];
    const scene = headScene(source, nextState(payload, start, patch));
    scene.eachSpread((_, __, mass) => masses.push(mass / scene.gain));
    return masses;
  };
  const hidden = Array.from(source.weights(block.layers[0]).hidden).filter((mass) => mass > 0.005);
  const found = spread({});
  assert.equal(found.length, hidden.length);
  found.forEach((mass, i) => close(mass, hidden[i]));
  assert.deepEqual(spread({ key: 2 }), []);
});

test("means beside the tokens are means over the heads", () => {
  const weights = source.weights(block.layers[0]);
  const all = Int32Array.from({ length: N }, (_, i) => i);
  const edges = edgesOf(weights, { heads: HEADS, queries: all, keys: all, query: 3, key: null });
  meansOf(edges, 3, "key", N).forEach((mean, k) => {
    const listed = HEADS.map((_, h) => dense[0][h][3][k]).filter((w) => w >= 0.01);
    close(mean, listed.reduce((a, b) => a + b, 0) / 3);
  });
});

test("the model view's edges are those of all cells, or of the open one", () => {
  const model = payloadOf({ view: "model", blocks: [block] });
  const whole = sourceOf(model, [dense.map((layer) => weightsOf(HEADS, layer, 0))]);
  const rest = initialState(model, { cell: null });
  const { edges } = modelScene(whole, rest);
  assert.equal(edges.layer.length, 2 * 3 * N * N);
  edges.weight.forEach((w, i) => {
    close(w, dense[edges.layer[i] - 3][HEADS.indexOf(edges.head[i])][edges.query[i]][edges.key[i]]);
    assert.equal(edges.opacity[i], w);
  });
  const open = modelScene(whole, nextState(model, rest, { cell: [4, 5], query: 2 }));
  assert.deepEqual([...new Set(open.edges.layer)], [4]);
  assert.deepEqual([...new Set(open.edges.head)], [5]);
  assert.deepEqual([...new Set(open.edges.query)], [2]);
  assert.equal(open.edges.key.length, N);
});

test("a thumbnail of a long text keeps each row's mass", () => {
  const n = 200;
  const long = [
    Array.from({ length: n }, (_, q) =>
      Array.from({ length: n }, (_, k) => (k === Math.max(0, q - 1) ? 0.7 : 0.3 / (n - 1))),
    ),
  ];
  const positions = Int32Array.from({ length: n }, (_, i) => i);
  const { rows, columns, values } = binned(weightsOf([0], long), 0, positions, positions);
  assert.deepEqual([rows, columns], [64, 64]);
  for (let r = 0; r < rows; r++) {
    const row = values.subarray(r * columns, (r + 1) * columns);
    assert.ok(Math.abs(row.reduce((a, b) => a + b, 0) - 1) < 1e-4);
    const best = row.indexOf(Math.max(...row));
    assert.ok(Math.abs(best - r) <= 1, "the previous token stays beside the diagonal");
  }
});
