import assert from "node:assert/strict";
import { test } from "node:test";
import { THEMES } from "../../../bertviz/js/theme/colors.js";

test("ramps get stronger step by step, and text on them can be read", () => {
  const luminance = (/** @type {string} */ hex) => {
    const [r, g, b] = [1, 3, 5].map((i) => (parseInt(hex.slice(i, i + 2), 16) / 255) ** 2.2);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  for (const theme of Object.values(THEMES)) {
    const steps = [0, 0.25, 0.5, 0.75, 1].map((f) => luminance(theme.value(f)));
    for (let i = 1; i < steps.length; i++) {
      assert.ok(theme.mode === "light" ? steps[i] < steps[i - 1] : steps[i] > steps[i - 1]);
    }
    for (const ground of [theme.value(0), theme.value(0.65), theme.value(1), theme.diverging(-1)]) {
      const [a, b] = [luminance(ground), luminance(theme.inkOn(ground))].sort((x, y) => y - x);
      assert.ok((a + 0.05) / (b + 0.05) > 3, `${theme.inkOn(ground)} on ${ground}`);
    }
  }
});
