import assert from "node:assert/strict";
import { test } from "node:test";
import {
  grown,
  moved,
  OVERVIEW,
  overviewPlot,
  rowsOf,
  windowOfRows,
} from "../../../bertviz/js/parts/overview.js";

/** @param {number} n @param {(i: number) => boolean} [kept] */
const positions = (n, kept = () => true) =>
  Int32Array.from({ length: n }, (_, i) => i).filter(kept);
const all = { queries: positions(200), keys: positions(100) };

test("the longer side fills the overview; the window lies where its tokens are", () => {
  const plot = overviewPlot(all, [50, 100, 0, 25]);
  assert.deepEqual([plot.height, plot.width], [OVERVIEW, OVERVIEW / 2]);
  const { window } = plot;
  assert.deepEqual(
    [window.top, window.height, window.left, window.width],
    [0.25, 0.25, 0, 0.125].map((part) => part * OVERVIEW),
  );
  assert.equal(plot.text, "queries 50–99, keys 0–24");
  assert.equal(overviewPlot(all, null).text, "200 × 100, drag to select a window");
});

test("a window is of positions, also where tokens are left out", () => {
  const even = { queries: positions(200, (i) => i % 2 === 0), keys: all.keys };
  assert.deepEqual(rowsOf(even, [51, 101, 0, 100]), [26, 51, 0, 100]);
  assert.deepEqual(windowOfRows(even, [26, 51, 0, 50]), [52, 101, 0, 50]);
  assert.deepEqual(rowsOf(even, [0, 300, 0, 300]), [0, 100, 0, 100]);
});

test("a window has at least four tokens, lies inside the text, and keeps its size when moved", () => {
  assert.deepEqual(windowOfRows(all, [10.4, 11.2, 20, 20]), [10, 14, 20, 24]);
  const window = /** @type {[number, number, number, number]} */ ([10, 60, 10, 35]);
  assert.deepEqual(windowOfRows(all, moved(window, -30, 90)), [0, 50, 75, 100]);
  assert.equal(windowOfRows(all, [0, 200, 0, 100]), null, "all of it is no window");
  assert.equal(windowOfRows(all, [-9, 300, -9, 300]), null);
});

test("plus halves a window and minus doubles it, around its middle", () => {
  assert.deepEqual(grown([40, 80, 20, 60], -1 / 4), [50, 70, 30, 50]);
  assert.deepEqual(grown([50, 70, 30, 50], 1 / 2), [40, 80, 20, 60]);
});
