// What painters put on a canvas, by a context that writes down what it is told.

import assert from "node:assert/strict";
import { test } from "node:test";
import { paintRaster } from "../../bertviz/js/paint/raster.js";
import { paintBoxes, paintFans, paintLines } from "../../bertviz/js/paint/strokes.js";
import { paintThumbnail } from "../../bertviz/js/paint/thumbnail.js";
import { paintBars, paintElbows, paintStripes } from "../../bertviz/js/paint/vectors.js";

function recorder() {
  /** @type {any[]} */
  const drawn = [];
  /** @type {any} */
  const context = { globalAlpha: 1, strokeStyle: "", fillStyle: "", lineWidth: 1 };
  /** @type {number[]} */
  let path = [];
  Object.assign(context, {
    beginPath: () => (path = []),
    moveTo: (/** @type {number[]} */ ...at) => path.push(...at),
    lineTo: (/** @type {number[]} */ ...at) => path.push(...at),
    stroke: () =>
      drawn.push({ line: path, alpha: context.globalAlpha, color: context.strokeStyle, width: context.lineWidth }),
    fillRect: (/** @type {number[]} */ ...rect) =>
      drawn.push({ rect, alpha: context.globalAlpha, color: context.fillStyle }),
  });
  return { context, drawn };
}
const geometry = { width: 400, top: 0, height: 240, row: 24 };
/** @type {import("../../bertviz/js/data/edges.js").EachEdge} */
const each = (visit) => {
  visit(0, 0, 2, 0.25);
  visit(1, 3, 1, 0.75);
  visit(1, 3, 4, 0.0001);
};

test("a line's opacity is the edge's, its ends are the middles of rows", () => {
  const { context, drawn } = recorder();
  paintLines(context, each, { geometry, x0: 10, x1: 90, colors: ["red", "blue"], spread: false });
  assert.deepEqual(drawn.map(({ line, alpha, color }) => ({ line, alpha, color })), [
    { line: [10, 12, 90, 60], alpha: 0.25, color: "red" },
    { line: [10, 84, 90, 36], alpha: 0.75, color: "blue" },
  ]);
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
  const options = { geometry: { ...geometry, top: 240 }, x0: 0, x1: 1, colors: ["c"], spread: false };
  paintLines(context, (visit) => {
    visit(0, 1, 2, 1);
    visit(0, 1, 30, 1);
    visit(0, 40, 50, 1);
  }, options);
  assert.deepEqual(drawn.map(({ line }) => line[3]), [30.5 * 24]);
});

test("boxes lie beside each other, one per head, opacity is the weight", () => {
  const { context, drawn } = recorder();
  const boxes = Float32Array.from([0, 0, 0.25, 0, 0.75, 0]); // (heads, rows)
  paintBoxes(context, boxes, { geometry, x: 100, width: 60, colors: ["red", "blue"] });
  assert.deepEqual(drawn, [
    { rect: [100, 50, 30, 20], alpha: 0.25, color: "red" },
    { rect: [130, 26, 30, 20], alpha: 0.75, color: "blue" },
  ]);
});

test("stripes: colour by sign, strength by size", () => {
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
  assert.deepEqual(drawn.map(({ alpha, color, rect }) => [rect[0], rect[1], alpha, color]), [
    [0, 4, 0.5, "blue"],
    [10, 4, 1, "orange"],
    [10, 28, 0.25, "blue"],
  ]);
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
  assert.deepEqual(drawn.map(({ rect, color }) => [rect[0], rect[2], color]), [
    [100, 20, "blue"],
    [90, 10, "orange"],
    [100, 1, "blue"],
  ]);
});

test("the upright of a connector is as strong as the strongest beyond, drawn once", () => {
  const { context, drawn } = recorder();
  paintElbows(context, [0.1, 0, 0.3, 0.6], { geometry, from: 0, rows: [0, 4], x0: 0, x1: 40, color: "c" });
  const upright = drawn.filter((d) => d.rect).map((d) => d.alpha);
  assert.deepEqual(upright, [0.6, 0.6, 0.6]);
  const level = drawn.filter((d) => d.line && d.line[2] === 40).map((d) => d.alpha);
  assert.deepEqual(level, [0.1, 0.3, 0.6]);
});

test("a thumbnail of a head that looks everywhere is shaded, not empty", () => {
  const { context, drawn } = recorder();
  const bins = { rows: 2, columns: 2, values: new Float32Array(4), hidden: 0.9 };
  paintThumbnail(context, bins, { x: 3, y: 4, size: 60, color: "c" });
  assert.equal(drawn.length, 1);
  assert.deepEqual(drawn[0].rect, [3, 4, 60, 60]);
  assert.ok(drawn[0].alpha > 0.1 && drawn[0].alpha < 0.2);
});

test("a thumbnail's lines are thinner than their gaps", () => {
  const { context, drawn } = recorder();
  const values = new Float32Array(64 * 64).fill(0.5);
  paintThumbnail(context, { rows: 64, columns: 64, values }, { x: 0, y: 0, size: 60, color: "c" });
  assert.equal(drawn.length, 64 * 64);
  assert.ok(drawn.every(({ width, alpha }) => width < 60 / 64 && alpha === 0.5));
});

/**
 * What the raster shows, as rgba of (x, y).
 * @param {import("../../bertviz/js/data/edges.js").EachEdge} edges
 * @param {object} [options]
 */
function rastered(edges, options = {}) {
  /** @type {any} */
  let image = null;
  const context = /** @type {any} */ ({
    getTransform: () => ({ a: 1 }),
    createImageData: (/** @type {number} */ width, /** @type {number} */ height) => ({
      width,
      height,
      data: new Uint8ClampedArray(4 * width * height),
    }),
    putImageData: (/** @type {any} */ put) => (image = put),
  });
  paintRaster(context, edges, {
    geometry: { width: 100, top: 0, height: 240, row: 24 },
    x0: 0,
    x1: 100,
    colors: ["#ff0000", "#0000ff"],
    lineWidth: 2,
    eachSpread: () => {},
    keyRows: 10,
    ...options,
  });
  return (/** @type {number} */ x, /** @type {number} */ y) =>
    Array.from(image.data.slice(4 * (y * image.width + x), 4 * (y * image.width + x) + 4));
}

test("a rastered line has the edge's opacity, from its query to its key", () => {
  const at = rastered((visit) => {
    visit(0, 1, 1, 0.4);
    visit(1, 3, 7, 0.8);
  });
  assert.deepEqual(at(50, 36), [255, 0, 0, Math.floor(255 * 0.4)]);
  assert.equal(at(50, 40)[3], 0);
  assert.deepEqual(at(0, 85).slice(0, 3), [0, 0, 255]);
  assert.ok(Math.abs(at(50, 132)[3] - 204) <= 1);
  assert.ok(Math.abs(at(99, 179)[3] - 204) <= 1);
  assert.equal(at(50, 84)[3], 0);
});

test("rastered lines over each other let through what both let through", () => {
  const same = rastered((visit) => {
    visit(0, 1, 1, 0.5);
    visit(0, 1, 1, 0.5);
  });
  assert.ok(Math.abs(same(50, 36)[3] - 255 * 0.75) <= 1);
  const other = rastered((visit) => {
    visit(0, 1, 1, 0.5);
    visit(1, 1, 1, 0.5);
  });
  const [red, , blue, alpha] = other(50, 36);
  assert.ok(Math.abs(alpha - 255 * 0.75) <= 1);
  assert.ok(Math.abs(blue / red - 2) < 0.05, "the later head lies on top");
});

test("hidden mass is drawn, spread over all keys, and no more of it than there is", () => {
  const at = rastered(() => {}, {
    eachSpread: (/** @type {(...spread: number[]) => void} */ visit) => visit(0, 4, 1),
  });
  for (const x of [10, 50, 90]) {
    let ink = 0;
    for (let y = 0; y < 240; y++) ink += at(x, y)[3] / 255;
    assert.ok(ink > 1 && ink < 2.4, `${ink} of a line of 2`);
  }
  assert.ok(at(95, 5)[3] === 0 && at(95, 120)[3] > 0);
});

test("a rastered line outside the window is not drawn, one that crosses it is", () => {
  const geometry = { width: 100, top: 480, height: 240, row: 24 };
  const at = rastered((visit) => {
    visit(0, 1, 3, 1);
    visit(0, 0, 49, 0.9);
  }, { geometry });
  const seen = [];
  for (let x = 0; x < 100; x++) for (let y = 0; y < 240; y++) if (at(x, y)[3]) seen.push(x);
  assert.ok(Math.min(...seen) > 35 && Math.max(...seen) < 65, `${Math.min(...seen)}`);
});

test("coarse columns are four pixels wide, stretched to where they belong, and lines have no gaps", () => {
  /** @type {any} */
  let image = null;
  /** @type {any} */ (globalThis).OffscreenCanvas = class {
    getContext = () => ({ putImageData: (/** @type {any} */ put) => (image = put) });
  };
  /** @type {number[]} */
  let box = [];
  const context = /** @type {any} */ ({
    canvas: {},
    getTransform: () => ({ a: 1 }),
    createImageData: (/** @type {number} */ width, /** @type {number} */ height) => ({
      width,
      height,
      data: new Uint8ClampedArray(4 * width * height),
    }),
    drawImage: (/** @type {any} */ _, /** @type {number[]} */ ...to) => (box = to),
  });
  const options = {
    geometry: { width: 140, top: 48, height: 240, row: 24 },
    x0: 20,
    x1: 120,
    colors: ["#ff0000", "#0000ff"],
    lineWidth: 2,
    eachSpread: () => {},
    keyRows: 20,
    coarse: true,
  };
  paintRaster(context, (visit) => visit(1, 5, 9, 0.8), options);
  assert.equal(image.width, 25);
  assert.deepEqual(box, [20, 48, 100, 240]);
  const runs = Array.from({ length: 25 }, (_, x) => {
    const column = [];
    for (let y = 0; y < 240; y++) if (image.data[4 * (25 * y + x) + 3]) column.push(y);
    return { first: column[0], end: column[column.length - 1] + 1 };
  });
  // Row 5's middle is 84 below the top of what is seen, row 9's 180.
  for (const [x, middle] of [[0, 86], [12, 132], [24, 178]]) {
    assert.ok(Math.abs((runs[x].first + runs[x].end) / 2 - middle) <= 2, `${x}: ${runs[x].first}`);
  }
  for (let x = 1; x < 25; x++) assert.ok(runs[x].first <= runs[x - 1].end, `a gap at ${x}`);
});

test("a fan is as dark as the mass", () => {
  const { context, drawn } = recorder();
  Object.assign(context, { fill: () => drawn.push({ alpha: context.globalAlpha }) });
  paintFans(context, [0.5, 0, 1], { apex: 0, base: 9, y: 5, height: 99, colors: ["a", "b", "c"] });
  assert.equal(drawn.length, 2);
  assert.ok(Math.abs(drawn[1].alpha / drawn[0].alpha - 2) < 1e-9);
});
