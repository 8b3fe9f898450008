import assert from "node:assert/strict";
import { test } from "node:test";
import { weightsAt } from "../../../bertviz/js/data/summaries.js";
import { cellsOf } from "../../../bertviz/js/data/cells.js";
import { modelScene } from "../../../bertviz/js/scenes/model.js";
import { initialState, nextState } from "../../../bertviz/js/state.js";
import { headPicture, headScene } from "../../../bertviz/js/scenes/head.js";
import { describeAmong, describeCell } from "../../../bertviz/js/scenes/pair_texts.js";
import { THEMES } from "../../../bertviz/js/theme/colors.js";
import { massNote } from "../../../bertviz/js/scenes/legends.js";
import { modelView } from "../../../bertviz/js/views/model_view.js";
import { close, compared, dense, difference, differences, HEADS, N } from "../model_fixtures.js";

test("the edges of a comparison are differences with their signs", () => {
  const state = initialState(differences, modelView.start(differences));
  const { edges } = modelScene(compared, state);
  assert.equal(edges.weight.length, 2 * 2 * N * N);
  edges.weight.forEach((weight, i) => {
    const [l, h] = [[0, 3].indexOf(edges.layer[i]), HEADS.indexOf(edges.head[i])];
    close(weight, difference(l, h, edges.query[i], edges.key[i]));
    close(edges.opacity[i], Math.abs(weight));
  });
  const open = modelScene(compared, nextState(differences, state, { cell: [0, 4] }));
  open.edges.opacity.forEach((opacity, i) =>
    close(opacity, Math.min(1, open.gain * Math.abs(open.edges.weight[i]))),
  );
  assert.ok(open.gain > 1);
});

const indices = Array.from({ length: N * N }, (_, i) => [Math.floor(i / N), i % N]);

test("the head view of a comparison: numbers, matrix and what is left out", () => {
  const state = nextState(differences, initialState(differences), { view: "head", query: 2 });
  const scene = headScene(compared, state);
  assert.deepEqual(scene.heads, [1, ~1, 4, ~4]);
  for (const { head, weight } of weightsAt(scene, 2, 3)) {
    close(/** @type {number} */ (weight), difference(0, HEADS.indexOf(head), 2, 3));
  }
  assert.deepEqual(
    weightsAt(scene, 2, 3).map((w) => w.head),
    HEADS,
  );
  assert.equal(massNote(scene, state), "");
  const rest = headScene(compared, { ...state, query: null });
  // The largest difference of the layer is drawn at full strength, and over two heads' root.
  const largest = Math.max(
    ...dense[0].flatMap((_, h) => indices.map(([q, k]) => Math.abs(difference(0, h, q, k)))),
  );
  assert.ok(largest > 0.1);
  close(rest.gain, 1 / largest / Math.SQRT2);
  assert.equal(scene.gain, 1, "what is selected has its own opacity");
  const { values, max } = cellsOf(rest, rest.heads.length, N, N);
  values.forEach((value, i) => {
    const [q, k] = [Math.floor(i / N), i % N];
    close(value, (difference(0, 0, q, k) + difference(0, 1, q, k)) / 2);
  });
  close(max, Math.max(...Array.from(values, Math.abs)));
});

test("a tooltip says what is subtracted from what", () => {
  const locked = { view: "head", query: 2, locked: true };
  const state = nextState(differences, initialState(differences), locked);
  const picture = headPicture(headScene(compared, state), state, THEMES.light);
  assert.match(describeAmong(picture, state, "key", 3), /\nb − a\nhead/);
  const edges = Object.create(picture.edges, { names: { value: ["before", "after"] } });
  assert.match(describeCell({ ...picture, edges }, state, 2, 3), /\nafter − before\nmean/);
});
