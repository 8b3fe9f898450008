import assert from "node:assert/strict";
import { test } from "node:test";
import { paintThumbnail } from "../../../bertviz/js/paint/thumbnail.js";
import { recorder } from "./recorder.js";

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
