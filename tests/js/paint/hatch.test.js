import assert from "node:assert/strict";
import { test } from "node:test";
import { cellPixels, paintCells } from "../../../bertviz/js/paint/cells.js";
import { paintHatch } from "../../../bertviz/js/paint/hatch.js";
import { smallMatrix } from "../../../bertviz/js/parts/thumbnails.js";
import { SvgContext } from "../../../bertviz/js/svg/context.js";
import { VALUES, weights } from "../value_fixtures.js";

const context = /** @type {any} */ (new SvgContext());
const RED = "#ff0000";
const [BLUE, GRAY] = ["#0000ff", "#808080"];

/** @param {number[]} values @param {object} [options] */
function pixelsOf(values, options = {}) {
  const cells = { rows: 1, columns: values.length, values: Float32Array.from(values), max: 4 };
  const colors = { color: BLUE, negative: RED, missing: GRAY, ...options };
  const { data } = cellPixels(context, cells, 10 * values.length, 10, colors);
  return (/** @type {number} */ x, /** @type {number} */ y) =>
    Array.from(
      data.subarray(4 * (10 * values.length * y + x), 4 * (10 * values.length * y + x) + 4),
    );
}

test("a pixel's color is its value; one without a value is hatched", () => {
  const at = pixelsOf([4, -1, NaN, 0]);
  assert.deepEqual(at(5, 5), [0, 0, 255, 255]);
  assert.deepEqual(at(15, 5), [255, 0, 0, 64]);
  assert.equal(at(35, 5)[3], 0);
  const gap = Array.from({ length: 100 }, (_, i) => at(20 + (i % 10), Math.floor(i / 10)));
  const striped = gap.filter(([, , , alpha]) => alpha > 0);
  assert.ok(striped.length > 10 && striped.length < 60);
  for (const [r, g, b] of striped) assert.deepEqual([r, g, b], [128, 128, 128]);
});

test("where several values share a pixel, those that are there are its color", () => {
  const cells = { rows: 1, columns: 4, values: Float32Array.of(4, NaN, NaN, NaN), max: 4 };
  const { data } = cellPixels(context, cells, 2, 1, { color: BLUE, missing: GRAY });
  assert.deepEqual(Array.from(data.subarray(0, 4)), [0, 0, 255, 255]);
  assert.deepEqual(Array.from(data.subarray(4, 7)), [0, 0, 0], "x + y = 1 lies between stripes");
});

/** The ends of all stripes. @param {string} path */
const endsOf = (path) =>
  Array.from(path.matchAll(/[ML]([-\d.]+) ([-\d.]+)/g), ([, x, y]) => [Number(x), Number(y)]);

test("stripes stay inside their rectangle, and continue in the next one", () => {
  const own = new SvgContext();
  paintHatch(/** @type {any} */ (own), { x: 3, y: 10, width: 20, height: 7 }, GRAY);
  const [, path] = own.finish();
  const ends = endsOf(String(path));
  assert.ok(ends.length >= 8);
  for (const [x, y] of ends) {
    assert.ok(x >= 3 && x <= 23 && y >= 10 && y <= 17, `${x} ${y}`);
    assert.equal((x + y) % 5, 0);
  }
});

test("cells as shapes are hatched too", () => {
  const own = new SvgContext();
  const cells = { rows: 1, columns: 2, values: Float32Array.of(2, NaN), max: 4 };
  const options = {
    width: 40,
    height: 20,
    color: BLUE,
    negative: RED,
    missing: GRAY,
    shapes: true,
  };
  paintCells(/** @type {any} */ (own), cells, options);
  const drawn = own.finish().join("");
  assert.match(drawn, /<rect x="0" y="0" width="20" height="20" fill-opacity="0\.5"/);
  assert.match(drawn, /stroke="#808080"/);
});

test("a thumbnail is what is positive, what is negative and what is missing", () => {
  const rows = Int32Array.of(0, 1, 2);
  const small = { weights, head: 1, queries: rows, keys: rows, scale: 80 };
  const plies = /** @type {const} */ (["own", "less", "missing"]).map((ply) =>
    smallMatrix({ ...small, ply }, 64),
  );
  VALUES[0].flat().forEach((value, i) => {
    const [own, less, missing] = plies.map(({ values }) => values[i]);
    assert.equal(own, Math.max(0, value) || 0);
    assert.equal(less, Math.max(0, -value) || 0);
    assert.equal(Number.isNaN(missing), Number.isNaN(value));
  });
  assert.equal(plies[0].max, 80);
});
