import assert from "node:assert/strict";
import { test } from "node:test";
import { attend } from "../../../bertviz/js/data/attention.js";
import { changed, contributions, ranked } from "../../../bertviz/js/data/what_if.js";
import { neuronsOf } from "../fixtures.js";

const D = 5;
const close = (/** @type {number} */ a, /** @type {number} */ b, within = 1e-5) =>
  assert.ok(Math.abs(a - b) < within, `${a} is not ${b}`);

/** A head whose neurons `off` are zero in every query. @param {any} neurons @param {number[]} off */
function zeroed(neurons, off) {
  const queries = neurons.queries.map((/** @type {number} */ v, /** @type {number} */ i) =>
    off.includes(i % D) ? 0 : v,
  );
  return { ...neurons, queries };
}

for (const [name, given] of /** @type {[string, any][]} */ ([
  ["plain", {}],
  ["causal with a sink", { causal: true, sinks: [0.4, -1] }],
  ["softcapped", { softcap: 1.5 }],
  [
    "biased",
    { bias: { data: Float32Array.from({ length: 16 }, (_, i) => i / 5), shape: [1, 4, 4] } },
  ],
])) {
  test(`${name}: a row without neurons is that of a head that lacks them`, () => {
    const neurons = neuronsOf({ headDim: D, ...given });
    for (const off of [[0], [1, 3], [0, 1, 2, 4]]) {
      const what = changed(neurons, 1, 2, attend(neurons, 1, 2), { off });
      const expected = attend(zeroed(neurons, off), 1, 2);
      what.weights.forEach((w, k) => close(w, expected.weights[k]));
      what.scores.forEach((s, k) => {
        if (s !== -Infinity || expected.scores[k] !== -Infinity) close(s, expected.scores[k]);
      });
      const { weights } = attend(neurons, 1, 2);
      let moved = 0;
      weights.forEach((w, k) => (moved += Math.abs(w - expected.weights[k]) / 2));
      close(what.moved, moved);
    }
  });
}

test("at another temperature, weights are the softmax of the scores divided by it", () => {
  for (const sinks of [null, [0.4, -1]]) {
    const neurons = neuronsOf({ headDim: D, sinks });
    const row = attend(neurons, 1, 2);
    const { scores, weights, sink } = changed(neurons, 1, 2, row, { temperature: 2.5 });
    scores.forEach((score, k) => close(score, row.scores[k]));
    const sizes = Array.from(row.scores, (score) => Math.exp(score / 2.5));
    const rest = sinks ? Math.exp(sinks[1] / 2.5) : 0;
    const sum = sizes.reduce((a, b) => a + b, rest);
    weights.forEach((weight, k) => close(weight, sizes[k] / sum));
    close(sink, rest / sum);
  }
});

test("a contribution is the products where the row looks, above their mean", () => {
  const neurons = neuronsOf({ headDim: D });
  const row = attend(neurons, 0, 1);
  contributions(row, D).forEach((value, n) => {
    const products = Array.from({ length: 4 }, (_, k) => row.products[k * D + n]);
    const mean = products.reduce((a, b) => a + b, 0) / 4;
    close(
      value,
      products.reduce((sum, p, k) => sum + row.weights[k] * (p - mean), 0),
    );
  });
});

test("a neuron that is the same for all keys contributes nothing", () => {
  const neurons = neuronsOf({ headDim: D });
  for (let i = 2; i < neurons.keys.length; i += D) neurons.keys[i] = 7;
  close(contributions(attend(neurons, 0, 1), D)[2], 0);
});

test("masked keys have no part in the mean", () => {
  const causal = attend(neuronsOf({ headDim: D, causal: true }), 0, 0);
  contributions(causal, D).forEach((value) => close(value, 0)); // one key alone
});

test("neurons are ranked from the largest contribution on", () => {
  assert.deepEqual(ranked(Float32Array.from([0, 3, -2, 3])), [1, 3, 0, 2]);
});
