import assert from "node:assert/strict";
import { test } from "node:test";
import { gridWidth, labelOf, labelsOf, layoutOf, lookOf } from "../../../bertviz/js/parts/grid.js";
import { formOf } from "../../../bertviz/js/parts/thumbnails.js";
import { modelScene } from "../../../bertviz/js/scenes/model.js";
import { initialState, nextState } from "../../../bertviz/js/state.js";
import { THEMES } from "../../../bertviz/js/theme/colors.js";
import { modelView } from "../../../bertviz/js/views/model_view.js";
import { sourceOf, weightsOf } from "../fixtures.js";
import {
  at,
  compared,
  dense,
  differences,
  payload,
  payloadOfSize,
  source,
  start,
} from "../model_fixtures.js";

/** @param {number} layers @param {number} heads @param {object} [state] */
function sceneOfSize(layers, heads, state = {}) {
  const own = payloadOfSize(layers, heads);
  const weights = own.blocks[0].layers.map(() => weightsOf([0], [dense[0][0]], 0));
  const wanted = nextState(own, initialState(own, modelView.start(own)), state);
  return modelScene(sourceOf(own, [weights]), wanted);
}

/** @param {number} layers @param {number} heads @param {number} width @param {object} [state] */
const laidOut = (layers, heads, width, state) => layoutOf(sceneOfSize(layers, heads, state), width);

test("a grid fits into the width, and into a screen's height where cells can be told apart", () => {
  for (const [layers, heads, width] of [
    [12, 12, 1000],
    [12, 12, 480],
    [24, 16, 760],
    [32, 32, 1000],
    [80, 64, 1000],
  ]) {
    const { pitch, rows, columns } = laidOut(layers, heads, width);
    assert.ok(pitch * columns + 54 <= width, `${layers} × ${heads} in ${width}`);
    assert.ok(pitch * rows <= 880);
  }
  assert.ok(laidOut(80, 64, 480).pitch >= 10, "then it scrolls");
});

test("what is left out enlarges what remains", () => {
  assert.ok(laidOut(80, 2, 1000).pitch > laidOut(80, 64, 1000).pitch);
  assert.ok(laidOut(4, 3, 1000).pitch > laidOut(12, 12, 1000).pitch);
});

test("cells are lines, small matrices or tiles, by their size", () => {
  assert.equal(laidOut(12, 12, 1000).form, "lines");
  assert.deepEqual([laidOut(32, 32, 1000).form, laidOut(32, 32, 1000).tiles], ["matrix", false]);
  assert.equal(laidOut(80, 64, 1000).tiles, true);
  assert.equal(
    laidOut(80, 64, 1000, { measure: null }).tiles,
    false,
    "without a number a small matrix",
  );
  assert.deepEqual([formOf(70, 40), formOf(70, 60), formOf(30, 8)], ["lines", "matrix", "matrix"]);
});

test("room for an open cell is beside the grid, unless that would halve the cells", () => {
  assert.equal(laidOut(12, 12, 1100).beside, true);
  assert.equal(laidOut(12, 12, 760).beside, false);
  assert.equal(laidOut(32, 32, 1600).beside, true);
});

test("layers and heads are numbered as often as there is room, sorted cells by themselves", () => {
  const scene = sceneOfSize(80, 64);
  const layout = layoutOf(scene, 1000);
  assert.ok(layout.pitch < 16, "too narrow for a number a column");
  const { across, down } = labelsOf(scene, layout);
  assert.deepEqual(
    across.slice(0, 3),
    [0, 2, 4].map((i) => ({ i, text: String(i) })),
  );
  assert.equal(across.length, 32);
  assert.ok(down.every(({ i }) => i % (down[1].i - down[0].i) === 0));
  const few = modelScene(source, start);
  assert.deepEqual(
    labelsOf(few, layoutOf(few, 760)).down.map((d) => d.text),
    ["0", "3"],
  );
  const sorted = modelScene(source, nextState(payload, start, { sorted: true }));
  const wide = layoutOf(sorted, 760);
  assert.deepEqual(labelsOf(sorted, wide), { across: [], down: [] });
  assert.equal(lookOf(sorted, wide, at(sorted, 3, 4), THEMES.light).label, "3·4");
  assert.equal(lookOf(few, layoutOf(few, 760), at(few, 3, 4), THEMES.light).label, "");
});

test("a cell has the color of its layer and a bar, or a dash where there is no number", () => {
  const { light } = THEMES;
  const scene = modelScene(source, start);
  const layout = layoutOf(scene, 760);
  const look = lookOf(scene, layout, at(scene, 0, 4), light);
  assert.deepEqual(look.thumbnails, [{ ply: "own", color: light.layer(0) }]);
  assert.equal(look.bar?.to, 1, "the largest of all");
  assert.equal(look.missing, false);
  assert.equal(lookOf(scene, layout, at(scene, 3, 1), light).missing, true);
  assert.equal(lookOf(scene, layout, at(scene, 3, 1), light).bar, null);
  const plain = lookOf(scene, { ...layout, tiles: true }, at(scene, 0, 4), light);
  assert.deepEqual(plain.thumbnails, []);
});

test("a label is written on its head where it has room, without a word that goes without saying", () => {
  const scene = modelScene(source, start);
  const cell = { ...at(scene, 0, 4), label: "previous token" };
  const written = (/** @type {number} */ inner) =>
    labelOf(scene, { ...layoutOf(scene, 760), inner }, cell);
  assert.deepEqual([written(100), written(50), written(30)], ["previous token", "previous", ""]);
  const tiles = { ...layoutOf(scene, 760), inner: 100, tiles: true };
  assert.equal(labelOf(scene, tiles, cell), "");
});

test("of a comparison a cell has two thumbnails, one a sign", () => {
  const { light } = THEMES;
  const scene = modelScene(compared, initialState(differences, modelView.start(differences)));
  const layout = layoutOf(scene, 760);
  assert.equal(layout.form, "matrix");
  assert.deepEqual(lookOf(scene, layout, at(scene, 0, 4), light).thumbnails, [
    { ply: "own", color: light.positive },
    { ply: "less", color: light.negative },
  ]);
});

test("a grid is as wide as its labels and columns", () => {
  const layout = laidOut(12, 12, 760);
  assert.equal(gridWidth(layout), 54 + 12 * layout.pitch);
});
