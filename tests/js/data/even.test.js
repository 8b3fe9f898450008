import assert from "node:assert/strict";
import { test } from "node:test";
import { edgesOf } from "../../../bertviz/js/data/edges.js";
import { rampOfLines } from "../../../bertviz/js/scenes/legends.js";
import { weightsOf } from "../fixtures.js";

const COUNT = 32;
const even = Array.from({ length: COUNT }, () => Array(COUNT).fill(1 / COUNT));
const peaked = even.map((row, q) => row.map((_, k) => (k === q ? 0.69 : 0.01)));
const uneven = even.map((row) =>
  row.map((weight, k) => (k === 5 ? 0.04 : (weight * 0.96) / 0.969)),
);
const rows = Int32Array.from({ length: COUNT }, (_, i) => i);
const weights = weightsOf([0, 1, 2], [even, uneven, peaked]);

/** @param {number[]} heads @param {object} [more] */
const edgesAt = (heads, more = {}) =>
  edgesOf(weights, { heads, queries: rows, keys: rows, query: null, key: null, ...more });

test("of even attention the largest weight is drawn in full, and the ramp says which that is", () => {
  const locked = edgesAt([0, 1], { query: 3 });
  const { opacity, weight, key, head } = locked.edges;
  assert.ok(Math.abs(locked.top - 0.04) < 1e-6);
  opacity.forEach((o, i) => assert.ok(Math.abs(o - weight[i] / locked.top) < 1e-6));
  const largest = opacity.indexOf(Math.max(...opacity));
  assert.deepEqual([head[largest], key[largest]], [1, 5]);
  assert.ok(Math.abs(opacity[largest] - 1) < 1e-6);
  assert.deepEqual(rampOfLines(locked), { largest: "0.04" });
});

test("at rest the ramp ends as strong as that weight is drawn", () => {
  const { largest, strength } = rampOfLines(edgesAt([0, 1]));
  assert.equal(largest, "0.04");
  assert.ok(Math.abs((strength ?? 0) - Math.SQRT1_2) < 1e-6);
});

test("with one weight that can be seen, opacity is the weight", () => {
  const { top, gain, edges } = edgesAt([0, 2], { query: 3 });
  assert.deepEqual([top, gain], [1, 1]);
  assert.ok(Math.abs(Math.max(...edges.opacity) - 0.69) < 1e-6);
});

test("rows that are renormalized, each by another number, are drawn as they are", () => {
  assert.equal(edgesAt([0], { among: rows.slice(0, 16) }).top, 1);
});
