import assert from "node:assert/strict";
import { test } from "node:test";
import { MAX_HEIGHT, viewport } from "../../../bertviz/js/parts/viewport.js";

test("few rows are all in view", () => {
  const { geometry, total, first, last } = viewport(300, 10, 24, 0);
  assert.deepEqual(geometry, { width: 300, top: 0, height: 240, row: 24 });
  assert.deepEqual([total, first], [240, 0]);
  assert.ok(last >= 10);
});

test("of many rows those in view and a few around them are drawn", () => {
  const { geometry, total, first, last } = viewport(300, 4096, 24, 24_000);
  assert.deepEqual([geometry.top, geometry.height, total], [24_000, MAX_HEIGHT, 24 * 4096]);
  assert.ok(first < 1000 && first > 980);
  assert.ok(last >= 1000 + MAX_HEIGHT / 24 && last < 1060);
});

test("scrolled beyond its end, a sheet that became shorter shows its last rows", () => {
  const { geometry } = viewport(300, 40, 24, 5000);
  assert.equal(geometry.top + geometry.height, 40 * 24);
  assert.equal(viewport(300, 40, 24, -30).geometry.top, 0);
});
