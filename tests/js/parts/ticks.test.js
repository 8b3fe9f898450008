import assert from "node:assert/strict";
import { test } from "node:test";
import { BINARY_STEPS, labeled, ROUND_STEPS, stepFor } from "../../../bertviz/js/parts/ticks.js";

test("as many labels as there is room for", () => {
  assert.deepEqual(labeled(6, 20, 16), [0, 1, 2, 3, 4, 5]);
  assert.deepEqual(labeled(6, 10, 16), [0, 2, 4]);
  assert.deepEqual(labeled(7, 4, 16), [0, 4]);
  assert.deepEqual(labeled(0, 4, 16), []);
});

test("steps are those that are easy to count in", () => {
  assert.equal(stepFor(4, 16, ROUND_STEPS), 5);
  assert.equal(stepFor(4, 16, BINARY_STEPS), 4);
  assert.equal(stepFor(3, 16, BINARY_STEPS), 8);
  assert.equal(stepFor(20, 16, ROUND_STEPS), 1);
});

test("a step beyond those is as large as it has to be", () => {
  assert.equal(stepFor(0.5, 16, ROUND_STEPS), 32);
  assert.equal(stepFor(3, 16), 6);
});

test("labels never overlap", () => {
  for (const pitch of [0.3, 1, 2.5, 7, 13, 40]) {
    for (const steps of [undefined, ROUND_STEPS, BINARY_STEPS]) {
      const places = labeled(300, pitch, 22, steps).map((i) => i * pitch);
      assert.ok(
        places.every((x, i) => i === 0 || x - places[i - 1] >= 22 - 1e-9),
        `${pitch}`,
      );
    }
  }
});
