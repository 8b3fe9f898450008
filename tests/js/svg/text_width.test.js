import assert from "node:assert/strict";
import { test } from "node:test";
import { estimatedWidth, shortened } from "../../../bertviz/js/svg/text_width.js";

test("a width follows the size, the letters, and nothing that has no width", () => {
  assert.equal(estimatedWidth("abc", 20), 2 * estimatedWidth("abc", 10));
  assert.ok(estimatedWidth("iii") < estimatedWidth("mmm"));
  assert.equal(estimatedWidth("e\u0301"), estimatedWidth("e"), "a combining accent");
  assert.ok(estimatedWidth("注") > estimatedWidth("é"));
});

test("a text that is too wide is cut off where its ellipsis still fits", () => {
  assert.equal(shortened("short", 200, 12), "short");
  const long = "incomprehensibilities ".repeat(500);
  const cut = shortened(long, 100, 12);
  assert.ok(cut.endsWith("…") && long.startsWith(cut.slice(0, -1)));
  assert.ok(estimatedWidth(cut, 12) <= 100);
  assert.ok(estimatedWidth(long.slice(0, cut.length) + "…", 12) > 100, "one letter more");
  assert.equal(shortened("🙂🙂🙂", 1, 12), "🙂…", "no half characters");
});
