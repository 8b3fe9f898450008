import assert from "node:assert/strict";
import { test } from "node:test";
import { choicesOf, written } from "../../../bertviz/js/data/measures.js";
import { modelScene } from "../../../bertviz/js/scenes/model.js";
import { initialState, nextState } from "../../../bertviz/js/state.js";
import { differences, payload, source, start } from "../model_fixtures.js";

test("a measure of the payload replaces the page's own of that name, even without a number", () => {
  assert.deepEqual(
    choicesOf(payload).map((c) => c.name),
    ["score", "signed", "entropy", "distance", "first"],
  );
  assert.equal(modelScene(source, nextState(payload, start, { measure: "entropy" })).range, null);
});

test("numbers in words", () => {
  assert.deepEqual(
    [written(0.256, 2), written(0, 2), written(0.0004, 2)],
    ["0.26", "0.00", "4.0e-4"],
  );
  assert.deepEqual(
    [written(-0.25, 2, true), written(0.25, 3, true), written(0, 2, true)],
    ["−0.25", "+0.250", "0.00"],
  );
});

test("what would cancel out is not offered for differences", () => {
  assert.deepEqual(
    choicesOf(differences).map((c) => c.name),
    ["score", "signed", "entropy"],
  );
  const head = initialState(differences, { combine: "each" });
  const state = nextState(differences, head, { combine: "sum" });
  assert.equal(state.combine, "each");
});
