import assert from "node:assert/strict";
import { test } from "node:test";
import { columnsPlot, numbersOf } from "../../../bertviz/js/parts/columns.js";
import { neuronScene } from "../../../bertviz/js/scenes/neuron.js";
import { nextState } from "../../../bertviz/js/state.js";
import { neuronView } from "../neuron_fixtures.js";

const measure = (/** @type {string} */ text) => 8 * text.length;

/** @param {any} [given] @param {object} [patch] @param {number} [width] */
function plotted(given, patch = {}, width = 1200) {
  const { payload, source, start } = neuronView(given);
  const state = nextState(payload, start, { query: 1, ...patch });
  return columnsPlot(neuronScene(source, state), state, width, measure);
}

test("columns stand side by side, and only the stripes give way", () => {
  for (const width of [500, 760, 960, 1300]) {
    for (const headDim of [3, 16, 64]) {
      const { x, stripe, queryWidth, keyWidth, width: whole } = plotted({ headDim }, {}, width);
      const ends = [0, x.q, x.k, x.products, x.bias, x.score, x.key, x.softmax, whole];
      ends.slice(1).forEach((end, i) => assert.ok(end >= ends[i], `${ends}`));
      assert.ok(x.q >= queryWidth && x.k >= x.q + stripe && x.softmax === x.key + keyWidth);
      assert.ok(stripe >= 1.5 * headDim);
    }
  }
});

test("a bias has a column where there is one; a mask alone is none", () => {
  const bias = { data: Float32Array.from([0, 1, 0, 0]), shape: [1, 1, 4] };
  const biased = plotted({ bias });
  assert.ok(biased.x.score > biased.x.bias);
  assert.ok(biased.titles.some(({ title }) => title === "bias"));
  const causal = plotted({ causal: true });
  assert.equal(causal.x.score, causal.x.bias);
  assert.ok(causal.titles.every(({ title }) => title !== "bias"));
});

test("numbers stand beside their bars; masked keys have a word in place of them", () => {
  const plot = plotted({ causal: true });
  const numbers = numbersOf(plot, [0, 4]);
  const ofRow = (/** @type {number} */ r) => numbers.filter((n) => n.r === r).map((n) => n.text);
  assert.equal(ofRow(0)[1], plot.row.weights[0].toFixed(2));
  assert.deepEqual([ofRow(2), ofRow(3)], [["masked"], ["masked"]]);
  assert.deepEqual(
    numbersOf(plot, [1, 3]).map((n) => n.r),
    [1, 1, 2],
  );
  const [, weight] = numbers;
  assert.ok(weight.x > plot.weightX(plot.row.weights[0]));
});

test("neurons keep their numbers in any order", () => {
  const plot = plotted({ headDim: 16 }, { sort: "contribution" });
  const first = plot.ticks.filter(({ x }) => x < plot.x.k).map(({ text }) => Number(text));
  const { order } = plot;
  assert.ok(order && first.length > 1);
  assert.equal(first[0], order[0]);
  const step = order.indexOf(first[1]);
  assert.deepEqual(
    first,
    order.filter((_, i) => i % step === 0),
  );
});

test("with neurons off, scores and weights are those without them; columns stay true", () => {
  const [whole, part] = [plotted(), plotted({}, { off: [0] })];
  assert.deepEqual(part.columns.products, whole.columns.products);
  assert.ok(part.whatIf);
  assert.deepEqual(part.strengths, Array.from(part.whatIf.weights));
  assert.notDeepEqual(part.strengths, whole.strengths);
  assert.match(part.legend.signed, /^pale: original, solid: without 1 neuron$/);
  assert.match(whole.legend.signed, /^full strength/);
});
