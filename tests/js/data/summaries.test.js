import assert from "node:assert/strict";
import { test } from "node:test";
import { attend, keysOf, queryOf } from "../../../bertviz/js/data/attention.js";
import { cellsOf } from "../../../bertviz/js/data/cells.js";
import { boostOf, withLess } from "../../../bertviz/js/data/differences.js";
import { edgesOf } from "../../../bertviz/js/data/edges.js";
import { shortSigned, valueWriters, writersOf } from "../../../bertviz/js/data/formats.js";
import { headWeights } from "../../../bertviz/js/data/head_weights.js";
import { gapsOf, isMissing } from "../../../bertviz/js/data/missing.js";
import {
  valuesPerHead,
  meansOf,
  sharesHidden,
  weightsAt,
} from "../../../bertviz/js/data/summaries.js";
import { neuronsOf, weightsOf } from "../fixtures.js";

const all = (/** @type {number} */ n) => Int32Array.from({ length: n }, (_, i) => i);
const close = (/** @type {number} */ a, /** @type {number} */ b, within = 1e-6) =>
  assert.ok(Math.abs(a - b) < within, `${a} is not ${b}`);

// Values of head 0 alone, all below one; two are missing, one is not listed.
const VALUES = [
  [0.5, -0.25, 0.125],
  [NaN, 0.25, 0],
  [0.0001, NaN, -0.125],
];
const part = (/** @type {number} */ sign) => [
  VALUES.map((row) => row.map((v) => Math.max(0, sign * v) || 0)),
];
/** @type {any} */
const values = {
  ...withLess(weightsOf([0], part(1), 0.001), weightsOf([0], part(-1), 0.001)),
  scale: 0.5,
  missing: Uint8Array.of((1 << 3) | (1 << 7), 0),
};
/** @param {object} state @param {any} [weights] @param {number[]} [heads] */
const edgesWith = (state, weights = values, heads = [0, ~0]) =>
  edgesOf(weights, {
    ...{ heads, queries: all(weights.queries), keys: all(weights.keys), query: null, key: null },
    ...state,
  });

test("head 0 has values, gaps and signs like any other", () => {
  assert.deepEqual(gapsOf(values, [0, ~0], all(3), all(3)), {
    ...{ count: 2, total: 9, queries: [], keys: [] },
  });
  assert.equal(gapsOf(values, [0, ~0], all(3), all(3)), gapsOf(values, [0, ~0], all(3), all(3)));
  assert.deepEqual(
    [0, 1, 2].map((key) => weightsAt({ weights: values, heads: [0, ~0] }, 0, key).pop()?.weight),
    [0.5, -0.25, 0.125],
  );
  assert.deepEqual(weightsAt({ weights: values, heads: [0, ~0] }, 1, 0), [
    { head: 0, weight: NaN },
  ]);
  /** @type {number[][]} */ const gaps = [];
  edgesWith({}).eachMissing((slot, row, key) => gaps.push([slot, row, key]));
  assert.deepEqual(gaps, [
    [0, 1, 0],
    [0, 2, 1],
  ]);
});

test("where nothing can be missing, nothing is", () => {
  assert.equal(isMissing(weightsOf([0], [[[1]]]), 0, 0, 0), false);
  assert.equal(gapsOf(weightsOf([0], [[[1]]]), [0], all(1), all(1)), null);
});

test("of a selected key only its own gaps count", () => {
  const edges = edgesWith({ key: 1 });
  const perHead = valuesPerHead(edges, 2, "query", 3);
  assert.deepEqual(Array.from(perHead), [0, 0.25, NaN, 0.25, 0, NaN]);
  assert.deepEqual(Array.from(meansOf(perHead, edges.signs)), [-0.25, 0.25, NaN]);
  const both = valuesPerHead(edgesWith({ key: 0, also: [1] }), 2, "query", 3, 2);
  assert.deepEqual(Array.from(both), [0.25, 0.25, 0, 0.125, 0, 0].map(Math.fround));
});

test("selected tokens are selected on their own side", () => {
  const weights = weightsOf([0], [[[0.5, 0.5], [0.25, 0.75]]]); // prettier-ignore
  const rows = (/** @type {object} */ state) => {
    const { edges } = edgesWith(state, weights, [0]);
    return Array.from(edges.query, (q, i) => `${q}${edges.key[i]}`);
  };
  assert.deepEqual(rows({ query: 0, also: [1] }), ["00", "01", "10", "11"]);
  assert.deepEqual(rows({ key: 0, also: [1] }), ["00", "01", "10", "11"]);
  assert.deepEqual(rows({ query: 0, key: 1, also: [0, 1] }), ["01"]);
  assert.deepEqual(rows({ query: 0 }), ["00", "01"]);
});

test("what is too small to be listed is nothing where it cannot be seen", () => {
  const at = (/** @type {number} */ hidden, /** @type {number | undefined} */ scale) => {
    const weights = { ...weightsOf([0], [[[0.5, 0]]]), hidden: Float32Array.of(hidden) };
    const [{ weight }] = weightsAt({ weights: { ...weights, scale }, heads: [0] }, 0, 1);
    return weight;
  };
  assert.deepEqual([0, 0.0004, 0.0006].map((hidden) => at(hidden, undefined)), [0, 0, null]); // prettier-ignore
  assert.deepEqual([0.0019, 0.0021].map((hidden) => at(hidden, 4)), [0, null]); // prettier-ignore
  assert.equal(at(0.0005, 0.5), null);
});

test("shares of what is left out are of all sizes", () => {
  const rows = { outside: [1, 0], weaker: [0.5, 0.5], unlisted: [0, 2], listed: [3, 1] };
  const edges = /** @type {any} */ ({
    rows: Object.fromEntries(Object.entries(rows).map(([k, v]) => [k, Float32Array.from(v)])),
  });
  assert.deepEqual(sharesHidden(edges), { outside: 1 / 8, weaker: 1 / 8, unlisted: 2 / 8 });
  for (const sizes of Object.values(edges.rows)) sizes.fill(0);
  assert.deepEqual(sharesHidden(edges), { outside: 0, weaker: 0, unlisted: 0 });
});

test("a scale of its own: another value is drawn at full strength", () => {
  assert.equal(edgesWith({ query: 0 }).gain, 2);
  assert.equal(edgesWith({ query: 0, scale: 0.25 }).gain, 4);
  assert.equal(edgesWith({ query: 0 }, { ...values, scale: 0 }).gain, 1);
});

test("the largest cell may be below one", () => {
  const { values: cells, max } = cellsOf(edgesWith({}), 2, 3, 3);
  assert.equal(max, 0.5);
  assert.ok(Number.isNaN(cells[3]) && Number.isNaN(cells[7]));
});

test("renormalized, what is not listed grows with the rest of its row", () => {
  // Half of the row lies on keys 0 and 1: 0.3 is listed, 0.2 of 0.3 hidden on three keys is theirs.
  const weights = weightsOf([0], [[[0.3, 0.1, 0.1, 0.1, 0.4]]], 0.2);
  /** @type {number[]} */ const masses = [];
  const options = { keys: Int32Array.of(0, 1, 2), among: Int32Array.of(0, 1, 2) };
  const edges = edgesWith(options, weights, [0]);
  edges.eachSpread((_, __, mass) => masses.push(mass));
  close(masses[0], 0.2 / 0.5);
  close(edges.edges.weight[0], 0.3 / 0.5);
});

test("an evenly spread head of 512 keys is listed, every weight at the limit", () => {
  const queries = new Float32Array(1);
  const even = neuronsOf({ heads: [0], queryCount: 1, keyCount: 512, headDim: 1, queries });
  const { weight, hidden } = headWeights(even, 0);
  assert.equal(weight.length, 512);
  assert.equal(hidden[0], 0);
  const more = neuronsOf({ heads: [0], queryCount: 1, keyCount: 513, headDim: 1, queries });
  assert.equal(headWeights(more, 0).weight.length, 0);
});

test("two rows and two keys have a bias each", () => {
  const bias = { data: Float32Array.of(1, 2, 3, 4), shape: [1, 2, 2] };
  const neurons = neuronsOf({ queryCount: 2, keyCount: 2, bias });
  assert.deepEqual(Array.from(attend(neurons, 1, 1).bias), [3, 4]);
  assert.deepEqual(Array.from(attend(neurons, 1, 0).bias), [1, 2]);
});

test("queries and keys of a head are a slice of the layer's", () => {
  const neurons = neuronsOf({ heads: [3, 5, 7], keyHead: [1, 0, 1], queryCount: 2, keyCount: 4 });
  for (const slot of [0, 1, 2]) {
    assert.deepEqual(queryOf(neurons, slot), neurons.queries.slice(6 * slot, 6 * slot + 6));
    const at = 12 * neurons.keyHead[slot];
    assert.deepEqual(keysOf(neurons, slot), neurons.keys.slice(at, at + 12));
    const [q, k] = [neurons.queries.slice(6 * slot + 3), neurons.keys.slice(at + 6)];
    const sum = 0.5 * (q[0] * k[0] + q[1] * k[1] + q[2] * k[2]);
    close(attend(neurons, slot, 1).sums[2], sum, 1e-5);
  }
});

test("values are written with three and four digits of the largest", () => {
  const short = (/** @type {number} */ scale, /** @type {number} */ value) =>
    valueWriters(scale, false).short(value);
  assert.equal(short(54321, 54321), "54321");
  assert.equal(short(99999, 7), "7");
  assert.equal(short(100000, 100000), "1.00e+5");
  assert.equal(short(0.001, 0.00123), "0.00123");
  assert.equal(short(0.0009, 0.0009), "9.00e−4");
  assert.equal(short(0, 0), "0.00");
  const signed = valueWriters(40, true);
  assert.deepEqual([0.048, -0.048, 0.052, -3].map(signed.short), ["0.0", "0.0", "+0.1", "−3.0"]);
  assert.deepEqual([0, NaN, 12].map(signed.exact), ["0.00", "missing", "+12.00"]);
});

test("numbers that round to zero have no sign, halves round up", () => {
  const { short } = writersOf({ signs: [1, -1] });
  assert.deepEqual([0.005, -0.005, 0.0049].map(short), ["+0.01", "−0.01", "0.00"]);
  assert.deepEqual([0.05, -0.05, 0.049].map(shortSigned), ["+0.1", "−0.1", "0.0"]);
});

test("small differences are drawn up to ten times as strong as they are", () => {
  const of = (/** @type {number} */ value) =>
    boostOf(withLess(weightsOf([0], [[[0.01]]]), weightsOf([0], [[[value]]])));
  assert.deepEqual([0.5, 0.05].map(of), [2, 10]);
  assert.equal(boostOf(weightsOf([0], [[[0.05]]])), 1, "weights are as they are");
});

test("in bins, what is not listed lies on every key of a column", () => {
  const dense = Array.from({ length: 4 }, () => [0.5, 0.1, 0.1, 0.1, 0.1, 0.1]);
  const { values: cells } = cellsOf(edgesWith({}, weightsOf([0], [dense], 0.2), [0]), 1, 4, 6, 2);
  [0.7, 0.3, 0.7, 0.3].forEach((mass, i) => close(cells[i], mass));
});
