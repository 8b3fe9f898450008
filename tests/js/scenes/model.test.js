import assert from "node:assert/strict";
import { test } from "node:test";
import { modelScene } from "../../../bertviz/js/scenes/model.js";
import { groundOf, inkOf, measureRamp } from "../../../bertviz/js/scenes/model_colors.js";
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

test("a color is paler behind a thumbnail than on a tile, and the legend says so", () => {
  const scene = modelScene(source, start);
  const { light } = THEMES;
  const largest = at(scene, 0, 4);
  const [tile, behind] = [true, false].map((tiles) => groundOf(scene, largest, light, tiles));
  assert.deepEqual([tile, behind], [light.value(1), light.value(0.65)]);
  assert.equal(inkOf(scene, largest, light, false), light.inkOn(behind));
  const { choice } = scene;
  assert.ok(choice);
  assert.equal(measureRamp(scene, choice, light, true).at(-1), tile);
  assert.equal(measureRamp(scene, choice, light, false).at(-1), behind);
});

test("without a measure cells have no ground of their own, and ink tells the layer", () => {
  const scene = modelScene(source, nextState(payload, start, { measure: null }));
  const { dark } = THEMES;
  const last = at(scene, 3, 4);
  assert.equal(groundOf(scene, last, dark, false), dark.surface);
  assert.equal(inkOf(scene, last, dark, false), dark.layer(1));
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
