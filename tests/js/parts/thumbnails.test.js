import assert from "node:assert/strict";
import { test } from "node:test";
import { strengthOf } from "../../../bertviz/js/paint/cells.js";
import { binned, cellsOfBins } from "../../../bertviz/js/parts/thumbnails.js";
import { weightsOf } from "../fixtures.js";
import { block, close, compared, difference, N } from "../model_fixtures.js";

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

test("a thumbnail of a comparison has two stencils", () => {
  const weights = compared.weights(block.layers[0]);
  const all = Int32Array.from({ length: N }, (_, i) => i);
  const [more, less] = [4, ~4].map((head) => binned(weights, head, all, all).values);
  more.forEach((value, i) => close(value - less[i], difference(0, 1, Math.floor(i / N), i % N)));
});

test("what is not listed lies evenly on a small matrix, so that its rows stay whole", () => {
  const rows = [
    [0.9, 0.05, 0.05],
    [0.2, 0.2, 0.6],
  ];
  const all = Int32Array.from([0, 1, 2]);
  const bins = binned(weightsOf([0], [rows], 0.1), 0, all.subarray(0, 2), all);
  close(bins.hidden, 0.05);
  const { values, max } = cellsOfBins(bins);
  assert.equal(max, 1);
  close(
    values.reduce((a, b) => a + b, 0),
    2,
  );
});

test("a small matrix shows the root of a weight", () => {
  assert.deepEqual([strengthOf(0), strengthOf(0.25), strengthOf(2)], [0, 0.5, 1]);
});
