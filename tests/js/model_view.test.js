import assert from "node:assert/strict";
import { test } from "node:test";
import { headScene } from "../../bertviz/js/scenes/head.js";
import { massNote } from "../../bertviz/js/scenes/legends.js";
import { weightsAt } from "../../bertviz/js/data/edges.js";
import { layoutOf } from "../../bertviz/js/parts/grid.js";
import { choicesOf, written } from "../../bertviz/js/data/measures.js";
import { modelScene, modelView } from "../../bertviz/js/views/model_view.js";
import { cellsOf } from "../../bertviz/js/data/cells.js";
import { Source, withLess } from "../../bertviz/js/data/payload.js";
import { initialState, nextState, viewsOf } from "../../bertviz/js/state.js";
import { THEMES } from "../../bertviz/js/theme/theme.js";
import { strengthOf } from "../../bertviz/js/paint/marks.js";
import { binned, formOf } from "../../bertviz/js/parts/thumbnails.js";
import { layerOf, payloadOf, random, sourceOf, tokens, weightsOf } from "./fixtures.js";

const N = 5;
const HEADS = [1, 4];
const next = random(5);
const rows = (/** @type {number} */ power) =>
  HEADS.map(() =>
    Array.from({ length: N }, () => {
      const row = Array.from({ length: N }, () => next() ** power);
      const sum = row.reduce((a, b) => a + b, 0);
      return row.map((value) => value / sum);
    }),
  );
const close = (/** @type {number} */ a, /** @type {number} */ b, eps = 1e-5) =>
  assert.ok(Math.abs(a - b) < eps, `${a} is not ${b}`);

const block = {
  name: "encoder",
  kind: "encoder",
  query: tokens([..."abcde"]),
  key: null,
  layers: [layerOf(0, HEADS), layerOf(3, HEADS)],
};
const measures = [
  { name: "score", diverging: false, values: [[[0.2, 0.8], [null, 0.4]]], null: [[[0.1, 0.1], [0.1, null]]] },
  { name: "signed", diverging: true, values: [[[-0.5, 0], [0.25, null]]], null: null },
  { name: "entropy", diverging: false, values: [[[null, null], [null, null]]], null: null },
];
const payload = payloadOf({ view: "model", blocks: [block], measures });
const dense = [rows(2), rows(4)];
const source = sourceOf(payload, [dense.map((layer) => weightsOf(HEADS, layer, 0))]);
const start = initialState(payload, modelView.start(payload));
const at = (/** @type {any} */ scene, /** @type {number} */ layer, /** @type {number} */ head) =>
  scene.cells.find((/** @type {any} */ c) => c.layer.index === layer && c.head === head);

test("the first score is chosen at the start; colours go from zero to the largest", () => {
  assert.equal(start.measure, "score");
  const scene = modelScene(source, start);
  assert.deepEqual(scene.range, [0, 0.8]);
  assert.deepEqual([at(scene, 0, 1).value, at(scene, 0, 1).chance], [0.2, 0.1]);
  close(at(scene, 0, 1).fraction, 0.25);
  const { light } = THEMES;
  assert.equal(scene.groundOf(at(scene, 0, 4), light, true), light.value(1));
  assert.equal(scene.groundOf(at(scene, 3, 1), light, true), light.surface, "no number, no colour");
});

test("heads without a number come last", () => {
  const { cells } = modelScene(source, nextState(payload, start, { sorted: true }));
  assert.deepEqual(cells.map((c) => c.value), [0.8, 0.4, 0.2, null]);
  assert.deepEqual(cells.map((c) => [c.row, c.column]), [[0, 0], [0, 1], [1, 0], [1, 1]]);
});

test("a measure with a sign has its middle at zero, whatever its ends", () => {
  const scene = modelScene(source, nextState(payload, start, { measure: "signed" }));
  assert.deepEqual(scene.range, [-0.5, 0.5]);
  assert.deepEqual([at(scene, 0, 1).fraction, at(scene, 0, 4).fraction], [-1, 0]);
  close(at(scene, 3, 1).fraction, 0.5);
  for (const theme of Object.values(THEMES)) {
    assert.equal(theme.diverging(-1), theme.negative);
    assert.equal(theme.diverging(1), theme.positive);
    assert.equal(theme.diverging(0), theme.surface);
  }
});

test("a score takes the place of the page's own measure of that name; no number at all is said", () => {
  assert.deepEqual(choicesOf(payload).map((c) => c.name), ["score", "signed", "entropy", "distance", "first"]);
  assert.equal(modelScene(source, nextState(payload, start, { measure: "entropy" })).range, null);
});

test("ramps get stronger step by step, and text on them can be read", () => {
  const luminance = (/** @type {string} */ hex) => {
    const [r, g, b] = [1, 3, 5].map((i) => (parseInt(hex.slice(i, i + 2), 16) / 255) ** 2.2);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  for (const theme of Object.values(THEMES)) {
    const steps = [0, 0.25, 0.5, 0.75, 1].map((f) => luminance(theme.value(f)));
    for (let i = 1; i < steps.length; i++) {
      assert.ok(theme.mode === "light" ? steps[i] < steps[i - 1] : steps[i] > steps[i - 1]);
    }
    for (const ground of [theme.value(0), theme.value(0.65), theme.value(1), theme.diverging(-1)]) {
      const [a, b] = [luminance(ground), luminance(theme.inkOn(ground))].sort((x, y) => y - x);
      assert.ok((a + 0.05) / (b + 0.05) > 3, `${theme.inkOn(ground)} on ${ground}`);
    }
  }
});

test("numbers in words", () => {
  assert.deepEqual([written(0.256, 2), written(0, 2), written(0.0004, 2)], ["0.26", "0.00", "4.0e-4"]);
  assert.deepEqual([written(-0.25, 2, true), written(0.25, 3, true), written(0, 2, true)], ["−0.25", "+0.250", "0.00"]);
});

// --- sizes ----------------------------------------------------------------------------------------

/** @param {number} layers @param {number} heads @param {number} width @param {object} [state] */
function laidOut(layers, heads, width, state = {}) {
  const all = Array.from({ length: heads }, (_, h) => h);
  const large = { ...block, layers: Array.from({ length: layers }, (_, i) => layerOf(i, all)) };
  const scores = [{ name: "x", diverging: false, values: [large.layers.map(() => all)], null: null }];
  const own = payloadOf({ view: "model", blocks: [large], measures: scores });
  const from = sourceOf(own, [[]].map(() => large.layers.map(() => weightsOf([0], [dense[0][0]], 0))));
  const wanted = nextState(own, initialState(own, modelView.start(own)), state);
  return layoutOf(modelScene(from, wanted), width);
}

test("a grid fits into the width, and into a screen's height where cells can be told apart", () => {
  for (const [layers, heads, width] of [[12, 12, 1000], [12, 12, 480], [24, 16, 760], [32, 32, 1000], [80, 64, 1000]]) {
    const { pitch, rows, columns } = laidOut(layers, heads, width);
    assert.ok(pitch * columns + 54 <= width, `${layers} × ${heads} in ${width}`);
    assert.ok(pitch * rows <= 880);
  }
  assert.ok(laidOut(80, 64, 480).pitch >= 10, "then it scrolls");
});

test("what is left out enlarges what remains", () => {
  assert.ok(laidOut(80, 2, 1000).pitch > laidOut(80, 64, 1000).pitch);
  assert.ok(laidOut(4, 3, 1000).pitch > laidOut(12, 12, 1000).pitch);
});

test("cells are lines, small matrices or tiles, by their size", () => {
  assert.equal(laidOut(12, 12, 1000).form, "lines");
  assert.deepEqual([laidOut(32, 32, 1000).form, laidOut(32, 32, 1000).tiles], ["matrix", false]);
  assert.equal(laidOut(80, 64, 1000).tiles, true);
  assert.equal(laidOut(80, 64, 1000, { measure: null }).tiles, false, "without a number a small matrix");
  assert.deepEqual([formOf(70, 40), formOf(70, 60), formOf(30, 8)], ["lines", "matrix", "matrix"]);
});

test("room for an open cell is beside the grid, unless that would halve the cells", () => {
  assert.equal(laidOut(12, 12, 1100).beside, true);
  assert.equal(laidOut(12, 12, 760).beside, false);
  assert.equal(laidOut(32, 32, 1600).beside, true);
});

test("tiles of a score need only the open cell's layer", () => {
  const all = Array.from({ length: 40 }, (_, h) => h);
  const large = { ...block, layers: Array.from({ length: 40 }, (_, i) => layerOf(i, all)) };
  const scores = [{ name: "x", diverging: false, values: [large.layers.map(() => all)], null: null }];
  const own = payloadOf({ view: "model", blocks: [large], measures: scores });
  const from = new Source(own);
  const state = initialState(own, modelView.start(own));
  assert.deepEqual(modelView.needs(from, state), []);
  const open = modelView.needs(from, nextState(own, state, { cell: [7, 3] }));
  assert.deepEqual(open.map((layer) => layer.index), [7]);
  assert.equal(modelView.needs(from, nextState(own, state, { measure: "entropy" })).length, 40);
  assert.equal(modelView.start({ ...own, measures: [] }).measure, "entropy");
});

// --- hand-over ------------------------------------------------------------------------------------

test("an output shows its own view, and a model view its heads in the others", () => {
  assert.deepEqual(viewsOf(payload), ["model", "head"]);
  assert.deepEqual(viewsOf({ ...payload, neurons: "here" }), ["model", "head", "neuron"]);
  assert.deepEqual(viewsOf({ ...payload, view: "head", neurons: "here" }), ["head"]);
  assert.equal(nextState(payload, start, { view: "neuron" }).view, "model");
  assert.equal(nextState(payload, start, { view: "head" }).view, "head");
  const both = { ...payload, neurons: /** @type {const} */ ("here") };
  const state = nextState(both, start, { view: "neuron", layer: 3, heads: [1, 4] });
  assert.deepEqual([state.layer, state.heads], [3, [1]], "one head at a time");
});

// --- comparisons ----------------------------------------------------------------------------------

const other = [rows(2), rows(4)];
const clip = (/** @type {number} */ sign) => (/** @type {number[][][]} */ layer, /** @type {number} */ l) =>
  layer.map((head, h) => head.map((row, q) => row.map((_, k) => Math.max(0, sign * (other[l][h][q][k] - dense[l][h][q][k])))));
const differences = payloadOf({ view: "model", blocks: [block], measures, difference: true });
const compared = sourceOf(differences, [
  dense.map((layer, l) =>
    withLess(weightsOf(HEADS, clip(1)(layer, l), 1e-9), weightsOf(HEADS, clip(-1)(layer, l), 1e-9)),
  ),
]);
const difference = (/** @type {number} */ l, /** @type {number} */ h, /** @type {number} */ q, /** @type {number} */ k) =>
  other[l][h][q][k] - dense[l][h][q][k];

test("the edges of a comparison are differences with their signs", () => {
  const state = initialState(differences, modelView.start(differences));
  const { edges } = modelScene(compared, state);
  assert.equal(edges.weight.length, 2 * 2 * N * N);
  edges.weight.forEach((weight, i) => {
    const [l, h] = [[0, 3].indexOf(edges.layer[i]), HEADS.indexOf(edges.head[i])];
    close(weight, difference(l, h, edges.query[i], edges.key[i]));
    close(edges.opacity[i], Math.abs(weight));
  });
  const open = modelScene(compared, nextState(differences, state, { cell: [0, 4] }));
  open.edges.opacity.forEach((opacity, i) => close(opacity, Math.min(1, open.gain * Math.abs(open.edges.weight[i]))));
  assert.ok(open.gain > 1);
});

const indices = Array.from({ length: N * N }, (_, i) => [Math.floor(i / N), i % N]);

test("the head view of a comparison: numbers, matrix and what is left out", () => {
  const state = nextState(differences, initialState(differences), { view: "head", query: 2 });
  const scene = headScene(compared, state);
  assert.deepEqual(scene.heads, [1, ~1, 4, ~4]);
  for (const { head, weight } of weightsAt(scene, 2, 3)) {
    close(/** @type {number} */ (weight), difference(0, HEADS.indexOf(head), 2, 3));
  }
  assert.deepEqual(weightsAt(scene, 2, 3).map((w) => w.head), HEADS);
  assert.match(massNote(scene, state), /^differences not listed 0\.00/);
  const rest = headScene(compared, { ...state, query: null });
  // The largest difference of the layer is drawn at full strength, and over two heads' root.
  const largest = Math.max(...dense[0].flatMap((_, h) => indices.map(([q, k]) => Math.abs(difference(0, h, q, k)))));
  assert.ok(largest > 0.1);
  close(rest.gain, 1 / largest / Math.SQRT2);
  assert.equal(scene.gain, 1, "what is selected has its own opacity");
  const { values, max } = cellsOf(rest, rest.heads.length, N, N);
  values.forEach((value, i) => {
    const [q, k] = [Math.floor(i / N), i % N];
    close(value, (difference(0, 0, q, k) + difference(0, 1, q, k)) / 2);
  });
  close(max, Math.max(...Array.from(values, Math.abs)));
});

test("what would cancel out is not offered for differences", () => {
  assert.deepEqual(choicesOf(differences).map((c) => c.name), ["score", "signed", "entropy"]);
  const state = nextState(differences, initialState(differences, { combine: "each" }), { combine: "sum" });
  assert.equal(state.combine, "each");
});

test("a thumbnail of a comparison has two stencils", () => {
  const weights = compared.weights(block.layers[0]);
  const all = Int32Array.from({ length: N }, (_, i) => i);
  const [more, less] = [4, ~4].map((head) => binned(weights, head, all, all).values);
  more.forEach((value, i) => close(value - less[i], difference(0, 1, Math.floor(i / N), i % N)));
  assert.deepEqual([strengthOf(0), strengthOf(0.25), strengthOf(2)], [0, 0.5, 1]);
});
