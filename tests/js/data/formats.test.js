import assert from "node:assert/strict";
import { test } from "node:test";
import { exactWeight, shortWeight, writersOf } from "../../../bertviz/js/data/formats.js";

test("a small weight is not zero", () => {
  assert.deepEqual([0, 0.0049, 0.005, 0.994, 1].map(shortWeight), [
    "0.00",
    "<0.01",
    "0.01",
    "0.99",
    "1.00",
  ]);
  assert.equal(exactWeight(0.00004), "0.0000");
});

test("differences have signs, and zero has none", () => {
  const { short, exact } = writersOf({ signs: [1, -1] });
  assert.deepEqual([0.25, -0.25, 0.004, -0.004].map(short), ["+0.25", "−0.25", "0.00", "0.00"]);
  assert.deepEqual([0, -0.0123].map(exact), ["0.0000", "−0.0123"]);
  assert.deepEqual(writersOf({ signs: [1, 1] }), { short: shortWeight, exact: exactWeight });
});
