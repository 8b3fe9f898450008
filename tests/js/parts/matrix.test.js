import assert from "node:assert/strict";
import { test } from "node:test";
import { matrixPlot, pairAt, pairBeside, windowBetween } from "../../../bertviz/js/parts/matrix.js";
import { measure, pictureOf } from "./pictures.js";

/** @param {Parameters<typeof pictureOf>[0]} options @param {object} [state] */
function laidOut(options, state = {}) {
  const given = pictureOf(options);
  return matrixPlot(given.picture, { ...given.state, ...state }, 700, measure);
}

test("a small matrix has its tokens beside it, a large one positions and the selected token", () => {
  const small = laidOut({ count: 6 });
  assert.deepEqual([small.written, small.root], [true, false]);
  assert.deepEqual(
    small.axes[0].labels.map((l) => l.text),
    ["t0", "t1", "t2", "t3", "t4", "t5"],
  );
  const large = laidOut({ count: 150 }, { query: 7 });
  assert.deepEqual([large.written, large.root], [false, true]);
  const [queries, keys] = large.axes;
  assert.deepEqual(
    queries.labels.find((l) => l.selected),
    { r: 7, position: 7, selected: true, text: "t7" },
  );
  assert.ok(keys.labels.every((l) => l.text === String(l.position)));
  const [first, second] = keys.labels;
  assert.ok((second.r - first.r) * large.cell >= 40, "room for a position");
});

test("the corner says which axis is which, and leaves room for the way back", () => {
  for (const [state, room] of /** @type {const} */ ([
    [{}, 0],
    [{ zoom: [0, 150, 0, 150] }, 16],
  ])) {
    for (const count of [6, 150]) {
      const { headings, labels } = laidOut({ count }, state);
      assert.deepEqual(
        headings.map(({ text }) => text),
        ["key →", "query ↓"],
      );
      const [key, query] = headings.map(({ up }) => up);
      assert.ok(key - query >= 14 && query > 0, "a line each");
      assert.ok(key + 11 + room <= labels.key, "under the button");
      assert.ok(labels.query >= 54, "which is as wide as the text and its margin");
    }
  }
});

test("a matrix fits, with its labels", () => {
  for (const count of [3, 30, 300]) {
    const { width, height, labels, cell } = laidOut({ count });
    assert.equal(width, count * cell);
    assert.equal(height, width);
    assert.ok(width + labels.query <= 700 && cell <= 26);
  }
});

test("a place is a pair of tokens, outside of the matrix the nearest", () => {
  const plot = laidOut({ count: 6 });
  const at = (/** @type {number} */ x, /** @type {number} */ y) => pairAt(plot, { x, y });
  assert.deepEqual(at(2.5 * plot.cell, 4.5 * plot.cell), { query: 4, key: 2 });
  assert.deepEqual(at(-9, 1e4), { query: 5, key: 0 });
});

test("arrows move from the selected pair, and stop at the edge", () => {
  const plot = laidOut({ count: 6 });
  assert.deepEqual(pairBeside(plot, { query: 2, key: 3 }, [-1, 0]), { query: 1, key: 3 });
  assert.deepEqual(pairBeside(plot, { query: 0, key: 5 }, [-1, 0]), { query: 0, key: 5 });
  assert.deepEqual(pairBeside(plot, { query: null, key: null }, [0, 1]), { query: 0, key: 1 });
});

test("a window spans both of its corners, whichever comes first", () => {
  const window = [2, 6, 1, 4];
  assert.deepEqual(windowBetween({ query: 2, key: 3 }, { query: 5, key: 1 }), window);
  assert.deepEqual(windowBetween({ query: 5, key: 1 }, { query: 2, key: 3 }), window);
});
