import assert from "node:assert/strict";
import { test } from "node:test";
import { columnWidth } from "../../../bertviz/js/parts/token_columns.js";

test("a column is as wide as its widest text, within bounds", () => {
  const measure = (/** @type {string} */ text) => 10 * text.length + 0.5;
  const texts = ["a", "four", "ab"];
  assert.equal(columnWidth(texts, 20, 100, measure), 63);
  assert.equal(columnWidth(texts, 80, 100, measure), 80);
  assert.equal(columnWidth(texts, 20, 50, measure), 50);
  assert.equal(columnWidth([], 20, 50, measure), 20);
});

test("texts are measured once by each measure, and long ones not at all", () => {
  /** @type {string[]} */
  const measured = [];
  const measure = (/** @type {string} */ text) => {
    measured.push(text);
    return 10;
  };
  const texts = ["a", "a", "b"];
  assert.equal(columnWidth(texts, 0, 100, measure), 32);
  assert.equal(columnWidth(texts, 40, 100, measure), 40);
  assert.deepEqual(measured, ["a", "b"]);
  assert.equal(
    columnWidth(texts, 0, 100, () => 20),
    42,
    "another measure is asked, too",
  );
  assert.equal(columnWidth(["x".repeat(41)], 0, 100, measure), 100);
  assert.deepEqual(measured, ["a", "b"]);
});
