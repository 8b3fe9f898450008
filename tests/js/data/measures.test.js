import assert from "node:assert/strict";
import { test } from "node:test";
import { measured, MEASURES } from "../../../bertviz/js/data/measures.js";
import { random, weightsOf } from "../fixtures.js";

const N = 8;
const next = random(11);
const dense = Array.from({ length: 3 }, (_, h) =>
  Array.from({ length: N }, () => {
    const row = Array.from({ length: N }, () => next() ** (1 + 4 * h));
    const sum = row.reduce((a, b) => a + b, 0);
    return row.map((value) => value / sum);
  }),
);
/** @type {Record<string, (row: number[], query: number) => number>} */
const plainly = {
  entropy: (row) => row.reduce((bits, w) => bits - (w > 0 ? w * Math.log2(w) : 0), 0),
  distance: (row, query) => row.reduce((sum, w, key) => sum + w * Math.abs(key - query), 0),
  first: (row) => row[0],
};

for (const name of Object.keys(MEASURES)) {
  test(`${name} is the mean over the queries`, () => {
    const weights = weightsOf([4, 5, 6], dense, 0);
    dense.forEach((rows, h) => {
      const mean = rows.reduce((sum, row, q) => sum + plainly[name](row, q), 0) / N;
      assert.ok(Math.abs(measured(weights, 4 + h, name) - mean) < 1e-5);
    });
  });
}

test("an even head has its entropy and distance, though nothing of it is listed", () => {
  const n = 300;
  const even = [Array.from({ length: n }, () => Array(n).fill(1 / n))];
  const weights = weightsOf([0], even, 0.01);
  assert.equal(weights.weight.length, 0);
  assert.ok(Math.abs(measured(weights, 0, "entropy") - Math.log2(n)) < 1e-3);
  const distance = (n * n - 1) / (3 * n); // of two positions at random
  assert.ok(Math.abs(measured(weights, 0, "distance") - distance) < 1e-2);
});

test("a row without a listed weight has none on the first token", () => {
  const rows = [
    [0.49, 0.48, 0.03],
    [0.6, 0.2, 0.2],
    [0.5, 0.3, 0.2],
  ];
  const weights = weightsOf([0], [rows], 0.5);
  assert.deepEqual(Array.from(weights.start), [0, 0, 1, 2]);
  assert.ok(Math.abs(measured(weights, 0, "first") - 1.1 / 3) < 1e-6);
});

test("what is not listed is spread evenly over the keys that are not listed", () => {
  const weights = weightsOf([4, 5, 6], dense, 0.08);
  const spread = dense.map((rows) =>
    rows.map((row) => {
      const hidden = row.filter((w) => w < 0.08);
      const mean = hidden.reduce((a, b) => a + b, 0) / hidden.length;
      return row.map((w) => (w < 0.08 ? mean : w));
    }),
  );
  for (const name of ["entropy", "distance"]) {
    spread.forEach((rows, h) => {
      const mean = rows.reduce((sum, row, q) => sum + plainly[name](row, q), 0) / N;
      assert.ok(Math.abs(measured(weights, 4 + h, name) - mean) < 1e-5, `${name} of ${h}`);
    });
  }
});
