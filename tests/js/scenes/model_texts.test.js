import assert from "node:assert/strict";
import { test } from "node:test";
import { modelScene, openedPicture } from "../../../bertviz/js/scenes/model.js";
import {
  describe,
  describeValue,
  legendOf,
  notesOf,
} from "../../../bertviz/js/scenes/model_texts.js";
import { nextState } from "../../../bertviz/js/state.js";
import { THEMES } from "../../../bertviz/js/theme/colors.js";
import { at, compared, differences, payload, source, start } from "../model_fixtures.js";

const { light } = THEMES;
const lines = { form: /** @type {const} */ ("lines"), tiles: false };
const matrix = { form: /** @type {const} */ ("matrix"), tiles: false };
const tiles = { form: /** @type {const} */ ("matrix"), tiles: true };

test("a cell in words: its head, its number, what it would be by chance", () => {
  const scene = modelScene(source, start);
  const [first, missing, last] = [at(scene, 0, 1), at(scene, 3, 1), at(scene, 3, 4)];
  const { choice } = scene;
  assert.equal(describe(first, choice), "Layer 0, head 1: score 0.200\nby chance 0.100");
  assert.equal(describeValue(first, choice), "score 0.200, by chance 0.100");
  assert.equal(describe(missing, choice), "Layer 3, head 1: score not available");
  assert.equal(describeValue(last, choice), "score 0.400");
  assert.deepEqual([describe(first, null), describeValue(first, null)], ["Layer 0, head 1", ""]);
});

test("numbers of a measure with a sign are written with theirs", () => {
  const scene = modelScene(source, nextState(payload, start, { measure: "signed" }));
  assert.equal(describeValue(at(scene, 0, 1), scene.choice), "signed −0.500");
  const { legend, smallest, largest, colors } = legendOf(scene, tiles, light);
  assert.deepEqual([legend, smallest, largest], ["signed (negative · positive)", "−0.50", "+0.50"]);
  assert.equal(colors?.[2], light.diverging(0));
});

test("the legend of tiles is that of the measure, else that of the weights", () => {
  const scene = modelScene(source, start);
  const { legend, smallest, largest } = legendOf(scene, tiles, light);
  assert.deepEqual([legend, smallest, largest], ["score", "0.00", "0.80"]);
  const plain = modelScene(source, nextState(payload, start, { measure: null }));
  assert.deepEqual(legendOf(plain, lines, light), { legend: "weight" });
  assert.deepEqual(legendOf(plain, matrix, light), { legend: "√ weight" });
  const none = modelScene(source, nextState(payload, start, { measure: "entropy" }));
  assert.equal(legendOf(none, tiles, light).legend, "entropy: not available for any head");
});

test("a comparison's legend says what opacity means, and how much an open cell boosts it", () => {
  const state = nextState(differences, start, { measure: null });
  const closed = legendOf(modelScene(compared, state), matrix, light);
  assert.match(closed.signed ?? "", /^opacity: √\|b − a\|$/);
  const open = modelScene(compared, nextState(differences, state, { cell: [0, 4] }));
  const gain = open.gain.toFixed(1);
  assert.equal(legendOf(open, matrix, light).signed, `opacity: √|b − a|, lines |b − a| · ${gain}`);
});

test("notes say that numbers are missing, and what an opened cell leaves out", () => {
  const scene = modelScene(source, start);
  assert.equal(notesOf(scene, tiles, null, start), "– not available");
  assert.equal(
    notesOf(scene, lines, null, start),
    "bar: score, 0.00 to 0.80, marked: by chance · – not available",
  );
  const none = modelScene(source, nextState(payload, start, { measure: "entropy" }));
  assert.equal(notesOf(none, lines, null, start), "entropy: not available for any head");
  const state = nextState(payload, start, { cell: [0, 1], measure: null });
  const opened = modelScene(source, state);
  assert.ok(opened.open);
  const { edges } = openedPicture(source, opened, state, opened.open, light);
  assert.equal(notesOf(opened, lines, edges, state), "");
});
