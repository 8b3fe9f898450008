import assert from "node:assert/strict";
import { test } from "node:test";
import { cellsOf } from "../../../bertviz/js/data/cells.js";
import { edgesOf } from "../../../bertviz/js/data/edges.js";
import { valueWriters, wholeNumber } from "../../../bertviz/js/data/formats.js";
import { gapsOf, isMissing } from "../../../bertviz/js/data/missing.js";
import {
  valuesPerHead,
  meansOf,
  netOf,
  sharesHidden,
  weightsAt,
} from "../../../bertviz/js/data/summaries.js";
import { strongestCells } from "../../../bertviz/js/data/value_cells.js";
import { lanesOf } from "../../../bertviz/js/data/differences.js";
import { HEADS, SCALE, VALUES, weights } from "../value_fixtures.js";

const rows = Int32Array.of(0, 1, 2);
const slots = HEADS.flatMap((head) => [head, ~head]);
/** @param {object} state */
const edgesWith = (state) =>
  edgesOf(weights, { heads: slots, queries: rows, keys: rows, query: null, key: null, ...state });

test("what is missing is known by head, query and key", () => {
  VALUES.forEach((head, slot) =>
    head.forEach((row, q) =>
      row.forEach((v, k) => assert.equal(isMissing(weights, slot, q, k), Number.isNaN(v))),
    ),
  );
  assert.deepEqual(gapsOf(weights, slots, rows, rows), {
    count: 8,
    total: 18,
    queries: [1],
    keys: [],
  });
  const some = gapsOf(weights, [4, ~4], Int32Array.of(1, 2), Int32Array.of(1));
  assert.deepEqual(some, { count: 2, total: 2, queries: [0, 1], keys: [0] });
});

test("bits beyond two to the power of 31 are found", () => {
  const far = 2 ** 31 + 5;
  // Only as many bytes as are asked for exist.
  const missing = new Proxy({}, { get: (_, at) => (Number(at) === far >> 3 ? 0 : 1 << (far % 8)) });
  const large = /** @type {any} */ ({ missing, queries: 1, keys: 1 });
  assert.equal(isMissing(large, far, 0, 0), true);
});

test("a line is as strong as its value is part of the largest; signs are kept", () => {
  const { edges, gain } = edgesWith({ query: 0 });
  assert.equal(gain, 1 / SCALE);
  edges.weight.forEach((value, i) => {
    assert.equal(value, VALUES[HEADS.indexOf(edges.head[i])][edges.query[i]][edges.key[i]]);
    assert.ok(Math.abs(edges.opacity[i] - Math.abs(value) / SCALE) < 1e-6);
  });
  assert.equal(edges.weight.length, 5, "one value is zero");
  assert.equal(edgesWith({}).gain, 1 / SCALE / Math.SQRT2);
});

test("cells are means over the heads that have a value", () => {
  const { values, max } = cellsOf(edgesWith({}), slots.length, 3, 3);
  const expected = [11, 1.5, -0.5, NaN, NaN, NaN, -18, 10, 6];
  assert.deepEqual(
    Array.from(values, (v) => Math.round(1000 * v) / 1000),
    expected,
  );
  assert.equal(max, 18);
  const bins = cellsOf(edgesWith({}), slots.length, 3, 3, 2);
  // Rows 0 and 1 share a bin, and so do columns: a mean of those that are there.
  assert.deepEqual(
    Array.from(bins.values, (v) => Math.round(1000 * v) / 1000),
    [6.25, -0.5, (-40 + 4 + 10) / 3, 6].map((v) => Math.round(1000 * v) / 1000),
  );
});

test("in small, a bin is its strongest value, with its sign; missing where it has none", () => {
  const small = (/** @type {number[]} */ heads, /** @type {number} */ rows, columns = rows) =>
    Array.from(
      strongestCells(edgesWith({ heads }), { rows, columns, queries: 3, keys: 3 }).values,
      Math.round,
    );
  assert.deepEqual(small([1, ~1], 1), [-40], "not the mean of what cancels out");
  assert.deepEqual(small([1, ~1], 2), [20, 0, -40, NaN]);
  assert.deepEqual(small([4, ~4], 3, 1), [8, NaN, 6]);
  assert.deepEqual(small([1, ~1], 3), [20, -5, 0, NaN, NaN, NaN, -40, 10, NaN]);
});

test("a head has one box and one lane, whichever of its slots a value is in", () => {
  assert.deepEqual(lanesOf([1, -1, 1, -1]), [0, 0, 1, 1]);
  assert.deepEqual(lanesOf([1, 1, 1]), [0, 1, 2]);
  const signs = [1, -1];
  const net = netOf(Float32Array.of(3, 0, NaN, 1, 1, 4, NaN, 1), signs);
  assert.deepEqual(Array.from(net), [2, 0, NaN, 0, 0, 4, 0, 0]);
  assert.deepEqual(Array.from(meansOf(net, signs)), [2, -4, NaN, 0]);
  const attention = Float32Array.of(0.5, 0.25);
  assert.equal(netOf(attention, [1, 1]), attention);
});

test("numbers beside tokens are means over what is there", () => {
  const edges = edgesWith({ query: 2 });
  const perHead = valuesPerHead(edges, slots.length, "key", 3);
  assert.deepEqual(Array.from(perHead), [0, 10, NaN, 40, 0, NaN, 4, NaN, 6, 0, NaN, 0]);
  assert.deepEqual(Array.from(meansOf(perHead, edges.signs)), [-18, 10, 6]);
  const two = edgesWith({ query: 2, also: [0] });
  const means = meansOf(valuesPerHead(two, slots.length, "key", 3, 2), two.signs);
  assert.deepEqual(Array.from(means), [(-10 + 3) / 2, (2.5 + 8) / 2, (0 + 2.5) / 2]);
  const none = edgesWith({ query: 1 });
  assert.deepEqual(Array.from(meansOf(valuesPerHead(none, slots.length, "key", 3), none.signs)), [
    NaN,
    NaN,
    NaN,
  ]);
});

test("a pair has a value, none, or zero", () => {
  const picture = { weights, heads: slots };
  assert.deepEqual(weightsAt(picture, 2, 0), [
    { head: 1, weight: -40 },
    { head: 4, weight: 4 },
  ]);
  assert.deepEqual(weightsAt(picture, 2, 1), [
    { head: 1, weight: 10 },
    { head: 4, weight: NaN },
  ]);
  assert.equal(weightsAt(picture, 0, 2)[0].weight, 0);
});

test("what is left out is a share of all sizes", () => {
  const all = 20 + 5 + 40 + 10 + 2 + 8 + 1 + 4 + 6;
  const part = edgesOf(weights, {
    ...{ heads: slots, queries: rows, keys: Int32Array.of(0, 1), query: null, key: null },
  });
  assert.ok(Math.abs(sharesHidden(part).outside - 7 / all) < 1e-6);
  const cut = edgesOf(weights, {
    ...{ heads: [1, ~1], queries: rows, keys: rows, query: null, key: null, mass: 0.5 },
  });
  assert.equal(sharesHidden(cut).weaker, 0, "each sign of a row has one value, or two");
});

test("counts have commas between thousands", () => {
  assert.deepEqual([0, 999, 12582912].map(wholeNumber), ["0", "999", "12,582,912"]);
});

test("numbers of any size are written with as many digits as they have", () => {
  const minus = "−";
  const cases = /** @type {[number, number, string, string][]} */ ([
    [1.234, -0.5, `${minus}0.50`, `${minus}0.500`],
    [40, 12.345, "+12.3", "+12.35"],
    [0.0042, 0.0042, "+0.00420", "+0.004200"],
    [3e-9, 3e-9, "+3.00e−9", "+3.000e−9"],
    [2e12, -2e12, `${minus}2.00e+12`, `${minus}2.000e+12`],
    [40, 0.01, "0.0", "+0.01"],
    [0, 0, "0.00", "0.000"],
    [40, NaN, "missing", "missing"],
  ]);
  for (const [scale, value, short, exact] of cases) {
    const write = valueWriters(scale, true);
    assert.equal(write.short(value), short);
    assert.equal(write.exact(value), exact);
  }
  assert.equal(valueWriters(40, false).short(12.345), "12.3");
});
