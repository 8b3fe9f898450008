import assert from "node:assert/strict";
import { test } from "node:test";
import { Atlas } from "../../../bertviz/js/paint/atlas.js";
import { paintGrid } from "../../../bertviz/js/paint/grid.js";
import { barBox } from "../../../bertviz/js/parts/grid.js";
import { weightsOf } from "../fixtures.js";

/** A canvas that writes down what is painted on it. */
function recorded() {
  /** @type {any[]} */
  const drawn = [];
  /** @type {any} */
  const context = { fillStyle: "", lineWidth: 1, globalCompositeOperation: "source-over" };
  const note =
    (/** @type {string} */ what) =>
    (/** @type {any[]} */ ...args) =>
      drawn.push([what, context.fillStyle, ...args]);
  for (const name of ["beginPath", "fill", "moveTo", "lineTo", "setTransform"])
    context[name] = () => {};
  for (const name of ["roundRect", "fillRect", "drawImage", "stroke"]) context[name] = note(name);
  const canvas = /** @type {any} */ ({ width: 0, height: 0, getContext: () => context });
  return { canvas, context, drawn };
}

const layout = /** @type {any} */ ({ pitch: 20, inner: 18, pad: 1, lift: 0, radius: 2 });
const look = { ground: "#aaa", thumbnails: [], bar: null, missing: false, label: "" };

test("cells stand in whole device pixels, their thumbnails inside", () => {
  const { context, drawn } = recorded();
  const cell = /** @type {any} */ ({ row: 1, column: 3 });
  const atlas = /** @type {any} */ ("atlas");
  const options = { ratio: 1.5, size: 24, atlases: [atlas], dash: "#888" };
  paintGrid(context, [{ cell, look, at: { row: 2, column: 0 } }], layout, options);
  assert.deepEqual(drawn, [
    ["roundRect", "#aaa", 90, 30, 27, 27, 3],
    ["drawImage", "#aaa", atlas, 0, 48, 24, 24, 92, 32, 24, 24],
  ]);
});

test("a dash below a thumbnail is not in it", () => {
  for (const ratio of [1, 1.25, 1.5, 2, 3]) {
    const { context, drawn } = recorded();
    const cell = /** @type {any} */ ({ row: 0, column: 0 });
    const drawnCell = { cell, look: { ...look, missing: true }, at: { row: 0, column: 0 } };
    const size = Math.round((layout.inner - 2 * layout.pad) * ratio);
    const options = { ratio, size, atlases: [/** @type {any} */ ("atlas")], dash: "#888" };
    paintGrid(context, [drawnCell], layout, options);
    const [, , x, y, wide, thick] = drawn.find(([what]) => what === "fillRect") ?? [];
    const side = Math.round(layout.inner * ratio);
    assert.ok(Math.abs(x + wide / 2 - side / 2) <= 1, "in the middle");
    assert.ok(y >= Math.round(layout.pad * ratio) + size && y + thick <= side, "in the margin");
  }
});

test("a dash stands for a missing number, and a tile has no thumbnail", () => {
  const { context, drawn } = recorded();
  const cell = /** @type {any} */ ({ row: 0, column: 0 });
  const drawnCell = { cell, look: { ...look, missing: true }, at: { row: 0, column: 0 } };
  paintGrid(context, [drawnCell], layout, { ratio: 1, size: 16, atlases: [], dash: "#888" });
  assert.deepEqual(
    drawn.map(([what, color]) => [what, color]),
    [
      ["roundRect", "#aaa"],
      ["fillRect", "#888"],
    ],
  );
});

const all = Int32Array.from([0, 1]);
const rows = [
  [0.9, 0.1],
  [0.5, 0.5],
];
const places = [0, 1].map((column) => ({
  ...{ row: 0, column, head: column },
  weights: weightsOf([0, 1], [rows, rows]),
}));
const shape = { rows: 1, columns: 2 };
const stencils = {
  ...{ name: "one", size: 40, ratio: 1, queries: all, keys: all },
  form: /** @type {const} */ ("lines"),
};

test("a stencil is made once, a step at a time, until its size changes", () => {
  const { canvas } = recorded();
  const atlas = new Atlas(() => canvas);
  const steps = atlas.make(stencils, places, shape);
  assert.equal(steps.next().done, false);
  assert.deepEqual([canvas.width, canvas.height], [80, 40]);
  assert.equal([...atlas.make(stencils, places, shape)].length, 1, "the other one is left");
  assert.equal([...atlas.make(stencils, places, shape)].length, 0);
  const larger = { ...stencils, name: "two", size: 50 };
  assert.equal([...atlas.make(larger, places, shape)].length, 2);
  assert.equal([...steps].length, 0, "the smaller ones are given up");
});

test("stencils are tinted where they stand", () => {
  const { canvas, drawn } = recorded();
  const atlas = new Atlas(() => canvas);
  for (const _ of atlas.make(stencils, places, shape));
  drawn.length = 0;
  assert.equal(atlas.tinted([{ row: 0, column: 1, color: "#f00" }]), canvas);
  assert.deepEqual(drawn.at(-1), ["fillRect", "#f00", 40, 0, 40, 40]);
});

test("a bar is as long as its number, on a track below the thumbnail", () => {
  const { context, drawn } = recorded();
  const cell = /** @type {any} */ ({ row: 0, column: 0 });
  const chance = { at: 0.5, color: "#000" };
  const bar = { from: 0, to: 0.25, color: "#00f", track: "#ccc", chance };
  const roomy = { ...layout, pitch: 110, inner: 100, pad: 8 };
  const drawnCell = { cell, look: { ...look, bar }, at: { row: 0, column: 0 } };
  paintGrid(context, [drawnCell], roomy, { ratio: 2, size: 168, atlases: [], dash: "#888" });
  const { x, y, width, height } = barBox(roomy);
  assert.ok(y >= roomy.pad + 84, "below the thumbnail");
  assert.deepEqual(drawn.slice(1), [
    ["fillRect", "#ccc", 2 * x, 2 * y, 2 * width, 2 * height],
    ["fillRect", "#00f", 2 * x, 2 * y, 0.25 * 2 * width, 2 * height],
    ["fillRect", "#000", 2 * x + width - height / 4, 2 * y - height / 2, height / 2, 3 * height],
  ]);
});
