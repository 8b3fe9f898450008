import assert from "node:assert/strict";
import { test } from "node:test";
import { edgesOf } from "../../../bertviz/js/data/edges.js";
import { valuesPerHead, meanHidden, meansOf } from "../../../bertviz/js/data/summaries.js";
import { headScene } from "../../../bertviz/js/scenes/head.js";
import { massNote } from "../../../bertviz/js/scenes/legends.js";
import { SEVERAL } from "../../../bertviz/js/data/regroup.js";
import { initialState, nextState } from "../../../bertviz/js/state.js";
import { layerOf, payloadOf, random, sourceOf, tokens, weightsOf } from "../fixtures.js";

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
    dense[0][1][q]
      .slice(0, 3)
      .filter((w) => w >= 0.01)
      .reduce((a, b) => a + b, 0),
  );
  const mean = meanHidden(scene);
  close(mean.outside, outside.reduce((a, b) => a + b, 0) / 3);
  assert.match(
    massNote(scene, state),
    /^not drawn, of each row: (\d\.\d% too small to be listed, shaded, )?\d+% outside A→B$/,
  );
});

test("renormalized, a filtered row adds up to one, in proportion", () => {
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
    assert.ok(
      Math.abs(sums[1] - sums[0] / inside) < 0.03,
      "weights below what is listed are spread",
    );
    assert.ok(sums[1] > 0.95 && sums[1] <= 1 + 1e-5);
  }
  assert.deepEqual(
    Array.from(after.hidden),
    Array.from(before.hidden),
    "what lies outside is said",
  );
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
  meansOf(valuesPerHead(edges, 3, "key", N), edges.signs).forEach((mean, k) => {
    const listed = HEADS.map((_, h) => dense[0][h][3][k]).filter((w) => w >= 0.01);
    close(mean, listed.reduce((a, b) => a + b, 0) / 3);
  });
});

test("several selected tokens: all of their lines, values are means over them", () => {
  const state = nextState(payload, start, { query: 1, also: [4], locked: true });
  const scene = headScene(source, state);
  assert.deepEqual([...new Set(scene.edges.query)].sort(), [1, 4]);
  scene.edges.opacity.forEach((opacity, i) => close(opacity, scene.edges.weight[i]));
  const perHead = valuesPerHead(scene, 3, "key", N, 2);
  HEADS.forEach((_, h) => {
    for (let k = 0; k < N; k++) {
      const listed = [1, 4].map((q) => dense[0][h][q][k]).map((w) => (w >= 0.01 ? w : 0));
      close(perHead[h * N + k], (listed[0] + listed[1]) / 2);
    }
  });
});

test("the strongest lines of a row hold at least the wanted part, and not one more", () => {
  const state = { ...start, mass: 0.6 };
  const { edges, rows, hidden } = headScene(source, state);
  HEADS.forEach((head, h) => {
    for (let q = 0; q < N; q++) {
      const drawn = Array.from(edges.weight).filter(
        (_, i) => edges.head[i] === head && edges.query[i] === q,
      );
      const sum = drawn.reduce((a, b) => a + b, 0);
      assert.ok(
        sum >= 0.6 - 1e-6 && sum - Math.min(...drawn) < 0.6,
        `${sum} of head ${head}, query ${q}`,
      );
      const strongest = dense[0][h][q]
        .slice()
        .sort((a, b) => b - a)
        .slice(0, drawn.length);
      drawn.sort((a, b) => b - a).forEach((w, i) => close(w, strongest[i]));
      close(sum + hidden[h * N + q], 1, "the row");
    }
  });
  assert.ok(rows.weaker.some((mass) => mass > 0.1));
  assert.match(
    massNote(headScene(source, state), state),
    /^not drawn, of each row: \d+% in weaker lines/,
  );
  // What is selected is shown whole.
  const one = headScene(source, { ...state, query: 2 });
  assert.ok(one.rows.weaker.every((mass) => mass === 0));
});

test("the strongest lines are those of what is shown, not of a token that is left out", () => {
  // Nine tenths of every row lie on the first token.
  const rows = Array.from({ length: N }, () => [0.9, 0.06, 0.02, 0.01, 0.005, 0.005]);
  const sink = payloadOf({ blocks: [{ ...block, layers: [layerOf(3, [0])] }] });
  const own = sourceOf(sink, [[weightsOf([0], [rows], 0)]]);
  const state = nextState(sink, initialState(sink, { hide: "nothing" }), {
    hide: "first",
    mass: 0.5,
  });
  const { edges, rows: parts } = headScene(own, state);
  assert.deepEqual([...new Set(edges.key)], [1], "0.06 of 0.1");
  parts.weaker.forEach((mass, i) => close(mass, 0.04, `row ${i}`));
  parts.outside.forEach((mass) => close(mass, 0.9));
});

test("the mean and the sum of heads are one set of lines", () => {
  for (const combine of /** @type {const} */ (["mean", "sum"])) {
    const scene = headScene(source, { ...start, heads: [0, 5], combine });
    assert.deepEqual([scene.gain, new Set(scene.edges.head)], [1, new Set([SEVERAL])]);
    const share = combine === "mean" ? 0.5 : 1;
    scene.edges.weight.forEach((weight, i) => {
      const [q, k] = [scene.edges.query[i], scene.edges.key[i]];
      const parts = [0, 2].map((h) => dense[0][h][q][k]).map((w) => (w >= 0.01 ? w : 0));
      close(weight, share * (parts[0] + parts[1]));
    });
    scene.rows.listed.forEach((listed, q) => close(listed + scene.hidden[q], 2 * share));
  }
});

test("words: the sum over the keys of their subword tokens, the mean over their queries", () => {
  const words = { of: [0, 1, 1, 2, 3, 3], text: ["a", "bc", "d", "ef"] };
  const own = { ...block, query: { ...block.query, words } };
  const wordy = payloadOf({ blocks: [own] });
  const subwords = sourceOf(wordy, [dense.map((layer) => weightsOf(HEADS, layer, 0))]);
  const state = nextState(wordy, initialState(wordy), { words: true, query: 2 });
  assert.equal(state.query, 1, "a subword token stands for its word");
  const scene = headScene(subwords, { ...state, query: null });
  assert.deepEqual([Array.from(scene.queries), scene.text.key[1]], [[0, 1, 3, 4], "bc"]);
  const spans = { 0: [0], 1: [1, 2], 3: [3], 4: [4, 5] };
  const { edges } = scene;
  assert.equal(edges.weight.length, 3 * 4 * 4);
  edges.weight.forEach((weight, i) => {
    const [from, to] = [edges.query[i], edges.key[i]].map((p) => spans[/** @type {0} */ (p)]);
    const rows = from.map((q) =>
      to.reduce((sum, k) => sum + dense[0][HEADS.indexOf(edges.head[i])][q][k], 0),
    );
    close(weight, rows.reduce((a, b) => a + b, 0) / rows.length);
  });
  // With heads as one, and a filter: rows still add up.
  const both = headScene(subwords, { ...state, query: null, combine: "mean", pair: "A→A" });
  assert.deepEqual(Array.from(both.keys), [0, 1]);
  both.rows.listed.forEach((listed, r) => close(listed + both.hidden[r], 1));
});

test("without special tokens rows can be renormalized over what is left", () => {
  const special = payloadOf({ blocks: [{ ...block, query: { ...block.query, special: [0, 5] } }] });
  const own = sourceOf(special, [dense.map((layer) => weightsOf(HEADS, layer, 0))]);
  const state = nextState(special, initialState(special), { hide: "special", renormalize: true });
  const scene = headScene(own, state);
  const sums = new Map();
  scene.edges.weight.forEach((w, i) => {
    const row = `${scene.edges.head[i]} ${scene.edges.query[i]}`;
    sums.set(row, (sums.get(row) ?? 0) + w);
  });
  assert.equal(sums.size, 3 * 4);
  for (const sum of sums.values()) close(sum, 1);
});

test("a window's mass outside is told", () => {
  const state = nextState(payload, start, { zoom: [0, 3, 2, 6] });
  const scene = headScene(source, state);
  assert.deepEqual(
    [Array.from(scene.queries), Array.from(scene.keys)],
    [
      [0, 1, 2],
      [2, 3, 4, 5],
    ],
  );
  scene.rows.listed.forEach((listed, i) => close(listed + scene.hidden[i], 1));
  assert.match(massNote(scene, state), /\d+% outside the window/);
});
