import assert from "node:assert/strict";
import { test } from "node:test";
import { modelScene } from "../../../bertviz/js/scenes/model.js";
import { barOf, groundOf, measureRamp } from "../../../bertviz/js/scenes/model_colors.js";
import { nextState } from "../../../bertviz/js/state.js";
import { THEMES } from "../../../bertviz/js/theme/colors.js";
import { at, close, dense, HEADS, N, payload, source, start } from "../model_fixtures.js";

test("the first score is chosen at the start; colors go from zero to the largest", () => {
  assert.equal(start.measure, "score");
  const scene = modelScene(source, start);
  assert.deepEqual(scene.range, [0, 0.8]);
  assert.deepEqual([at(scene, 0, 1).value, at(scene, 0, 1).chance], [0.2, 0.1]);
  close(at(scene, 0, 1).fraction, 0.25);
  const { light } = THEMES;
  assert.equal(groundOf(scene, at(scene, 0, 4), light, true), light.value(1));
  assert.equal(groundOf(scene, at(scene, 3, 1), light, true), light.surface, "no number, no color");
});

test("a measure with a sign has its middle at zero, whatever its ends", () => {
  const scene = modelScene(source, nextState(payload, start, { measure: "signed" }));
  assert.deepEqual(scene.range, [-0.5, 0.5]);
  assert.deepEqual([at(scene, 0, 1).fraction, at(scene, 0, 4).fraction], [-1, 0]);
  close(at(scene, 3, 1).fraction, 0.5);
  for (const theme of Object.values(THEMES)) {
    assert.equal(theme.diverging(-1), theme.negative);
    assert.equal(theme.diverging(1), theme.positive);
    assert.equal(theme.diverging(0), theme.surface);
  }
});

test("a bar goes from zero to the number, in parts of what the numbers span", () => {
  const { light } = THEMES;
  const scene = modelScene(source, start);
  const bar = barOf(scene, at(scene, 0, 1), light);
  assert.deepEqual(scene.barRange, [0, 0.8]);
  close(bar?.from ?? NaN, 0);
  close(bar?.to ?? NaN, 0.2 / 0.8);
  close(bar?.chance?.at ?? NaN, 0.1 / 0.8);
  assert.equal(bar?.color, light.accent);
  assert.equal(barOf(scene, at(scene, 3, 1), light), null, "no number, no bar");
  assert.equal(barOf(scene, at(scene, 3, 4), light)?.chance, null);
  const signed = modelScene(source, nextState(payload, start, { measure: "signed" }));
  const [below, above] = [at(signed, 0, 1), at(signed, 3, 1)].map((c) => barOf(signed, c, light));
  assert.deepEqual([below?.from, below?.to, below?.color], [0, 0.5, light.negative]);
  assert.deepEqual([above?.from, above?.to, above?.color], [0.5, 0.75, light.positive]);
});

test("a bar of a measure that is nowhere near zero begins at zero all the same", () => {
  const scene = modelScene(source, nextState(payload, start, { measure: "distance" }));
  const [least, most] = scene.range ?? [0, 0];
  assert.ok(least > 0);
  assert.deepEqual(scene.barRange, [0, most]);
  for (const cell of scene.cells) {
    close(barOf(scene, cell, THEMES.light)?.to ?? NaN, (cell.value ?? NaN) / most);
  }
});

test("thumbnails stand on the same ground whatever is measured, tiles have its color", () => {
  const { light } = THEMES;
  const scene = modelScene(source, start);
  const largest = at(scene, 0, 4);
  assert.equal(groundOf(scene, largest, light, false), light.surface);
  const tile = groundOf(scene, largest, light, true);
  assert.equal(tile, light.value(1));
  assert.ok(scene.choice);
  assert.equal(measureRamp(scene.choice, light).at(-1), tile);
});

test("the edges are those of all cells, or of the opened one", () => {
  const { edges, hidden } = modelScene(source, start);
  assert.equal(edges.layer.length, 2 * 2 * N * N);
  edges.weight.forEach((w, i) => {
    const [l, h] = [[0, 3].indexOf(edges.layer[i]), HEADS.indexOf(edges.head[i])];
    close(w, dense[l][h][edges.query[i]][edges.key[i]], 1e-6);
    assert.equal(edges.opacity[i], w);
  });
  assert.equal(hidden.length, 2 * 2 * N);
  const open = modelScene(source, nextState(payload, start, { cell: [3, 4], query: 2 }));
  assert.equal(open.open, at(open, 3, 4));
  assert.deepEqual([...new Set(open.edges.layer)], [3]);
  assert.deepEqual([...new Set(open.edges.head)], [4]);
  assert.deepEqual([...new Set(open.edges.query)], [2]);
  assert.equal(open.edges.key.length, N);
});
