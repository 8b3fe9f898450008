import assert from "node:assert/strict";
import { test } from "node:test";
import { paintRaster } from "../../../bertviz/js/paint/raster.js";

/**
 * What the raster shows, as rgba of (x, y).
 * @param {import("../../../bertviz/js/data/edges.js").EachEdge} edges
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
  const at = rastered(
    (visit) => {
      visit(0, 1, 3, 1);
      visit(0, 0, 49, 0.9);
    },
    { geometry },
  );
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
  for (const [x, middle] of [
    [0, 86],
    [12, 132],
    [24, 178],
  ]) {
    assert.ok(Math.abs((runs[x].first + runs[x].end) / 2 - middle) <= 2, `${x}: ${runs[x].first}`);
  }
  for (let x = 1; x < 25; x++) assert.ok(runs[x].first <= runs[x - 1].end, `a gap at ${x}`);
});
