import assert from "node:assert/strict";
import { test } from "node:test";
import { paintFans, paintLines } from "../../../bertviz/js/paint/strokes.js";
import { geometry, recorder } from "./recorder.js";

/** @type {import("../../../bertviz/js/data/edges.js").EachEdge} */
const each = (visit) => {
  visit(0, 0, 2, 0.25);
  visit(1, 3, 1, 0.75);
  visit(1, 3, 4, 0.0001);
};

test("a line's opacity is the edge's, its ends are the middles of rows", () => {
  const { context, drawn } = recorder();
  paintLines(context, each, { geometry, x0: 10, x1: 90, colors: ["red", "blue"], spread: false });
  assert.deepEqual(
    drawn.map(({ line, alpha, color }) => ({ line, alpha, color })),
    [
      { line: [10, 12, 90, 60], alpha: 0.25, color: "red" },
      { line: [10, 84, 90, 36], alpha: 0.75, color: "blue" },
    ],
  );
  assert.equal(context.globalAlpha, 1);
});

test("lines side by side stay inside their row and do not touch", () => {
  for (const heads of [2, 12, 32]) {
    const { context, drawn } = recorder();
    const colors = Array.from({ length: heads }, String);
    paintLines(context, (visit) => colors.forEach((_, slot) => visit(slot, 1, 1, 0.5)), {
      geometry,
      x0: 0,
      x1: 1,
      colors,
      spread: true,
    });
    const ys = drawn.map(({ line }) => line[1]);
    assert.ok(Math.min(...ys) > 24 && Math.max(...ys) < 48);
    assert.equal(new Set(ys).size, heads);
  }
});

test("lines out of sight are not drawn, those that cross are", () => {
  const { context, drawn } = recorder();
  const options = {
    geometry: { ...geometry, top: 240 },
    x0: 0,
    x1: 1,
    colors: ["c"],
    spread: false,
  };
  paintLines(
    context,
    (visit) => {
      visit(0, 1, 2, 1);
      visit(0, 1, 30, 1);
      visit(0, 40, 50, 1);
    },
    options,
  );
  assert.deepEqual(
    drawn.map(({ line }) => line[3]),
    [30.5 * 24],
  );
});

test("slots that share a lane lie in one place, and lines are as far apart as heads are many", () => {
  const lanes = [0, 0, 1, 1];
  const colors = ["blue", "red", "blue", "red"];
  const heights = (/** @type {number[]} */ slots, /** @type {any} */ options) => {
    const { context, drawn } = recorder();
    const all = { geometry, x0: 0, x1: 1, spread: true, ...options };
    paintLines(context, (visit) => slots.forEach((slot) => visit(slot, 1, 1, 0.5)), all);
    return drawn.map(({ line }) => line[1]);
  };
  const [one, other] = heights([0, 1], { colors: ["blue", "red"] });
  assert.deepEqual(heights([0, 1, 2, 3], { colors, lanes }), [one, one, other, other]);
});

test("a fan is as dark as the mass", () => {
  const { context, drawn } = recorder();
  Object.assign(context, { fill: () => drawn.push({ alpha: context.globalAlpha }) });
  paintFans(context, [0.5, 0, 1], { apex: 0, base: 9, y: 5, height: 99, colors: ["a", "b", "c"] });
  assert.equal(drawn.length, 2);
  assert.ok(Math.abs(drawn[1].alpha / drawn[0].alpha - 2) < 1e-9);
});
