import assert from "node:assert/strict";
import { test } from "node:test";
import { paintBars, paintElbows, paintStripes } from "../../../bertviz/js/paint/vectors.js";
import { geometry, recorder } from "./recorder.js";

test("stripes: color and height by sign, so that gray tells it too, strength by size", () => {
  const { context, drawn } = recorder();
  paintStripes(context, Float32Array.from([1, -2, 0, 0.5]), {
    geometry,
    positions: Int32Array.from([0, 1]),
    rows: [0, 2],
    headDim: 2,
    x: 0,
    width: 20,
    max: 2,
    theme: { positive: "blue", negative: "orange" },
  });
  assert.deepEqual(
    drawn.map(({ alpha, color, rect }) => [rect[0], rect[1], rect[3], alpha, color]),
    [
      [0, 3, 14, 0.5, "blue"],
      [10, 7, 14, 1, "orange"],
      [10, 27, 14, 0.25, "blue"],
    ],
  );
});

test("bars go from zero to the value; what is masked has none", () => {
  const { context, drawn } = recorder();
  paintBars(context, [0.5, -0.25, -Infinity, 0], {
    geometry,
    positions: Int32Array.from([0, 1, 2, 3]),
    rows: [0, 4],
    x: (value) => 100 + 40 * value,
    theme: { positive: "blue", negative: "orange" },
  });
  assert.deepEqual(
    drawn.map(({ rect, color }) => [rect[0], rect[2], color]),
    [
      [100, 20, "blue"],
      [90, 10, "orange"],
      [100, 1, "blue"],
    ],
  );
});

test("the upright of a connector is as strong as the strongest beyond, drawn once", () => {
  const { context, drawn } = recorder();
  paintElbows(context, [0.1, 0, 0.3, 0.6], {
    geometry,
    from: 0,
    rows: [0, 4],
    x0: 0,
    x1: 40,
    color: "c",
  });
  const upright = drawn.filter((d) => d.rect).map((d) => d.alpha);
  assert.deepEqual(upright, [0.6, 0.6, 0.6]);
  const level = drawn.filter((d) => d.line && d.line[2] === 40).map((d) => d.alpha);
  assert.deepEqual(level, [0.1, 0.3, 0.6]);
});
