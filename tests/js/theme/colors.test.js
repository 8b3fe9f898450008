import assert from "node:assert/strict";
import { test } from "node:test";
import { oklch, THEMES } from "../../../bertviz/js/theme/colors.js";

/** WCAG 2.2, relative luminance. @param {string} hex */
function luminance(hex) {
  const [r, g, b] = [1, 3, 5].map((i) => {
    const v = parseInt(hex.slice(i, i + 2), 16) / 255;
    return v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}
/** @param {string} a @param {string} b */
function contrast(a, b) {
  const [light, dark] = [luminance(a), luminance(b)].sort((x, y) => y - x);
  return (light + 0.05) / (dark + 0.05);
}
/** Björn Ottosson's OKLab. @param {string} hex */
function oklab(hex) {
  const [r, g, b] = [1, 3, 5].map((i) => {
    const v = parseInt(hex.slice(i, i + 2), 16) / 255;
    return v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
  });
  const l = Math.cbrt(0.4122214708 * r + 0.5363325363 * g + 0.0514459929 * b);
  const m = Math.cbrt(0.2119034982 * r + 0.6806995451 * g + 0.1073969566 * b);
  const s = Math.cbrt(0.0883024619 * r + 0.2817188376 * g + 0.6299787005 * b);
  return [
    0.2104542553 * l + 0.793617785 * m - 0.0040720468 * s,
    1.9779984951 * l - 2.428592205 * m + 0.4505937099 * s,
    0.0259040371 * l + 0.7827717662 * m - 0.808675766 * s,
  ];
}
const distance = (/** @type {string} */ a, /** @type {string} */ b) =>
  Math.hypot(...oklab(a).map((v, i) => v - oklab(b)[i]));

for (const theme of Object.values(THEMES)) {
  const heads = Array.from({ length: 12 }, (_, head) => theme.head(head));

  test(`${theme.mode}: text can be read`, () => {
    assert.ok(contrast(theme.ink, theme.ground) >= 7);
    assert.ok(contrast(theme.muted, theme.ground) >= 4.5);
    assert.ok(contrast(theme.accent, theme.ground) >= 4.5);
  });

  test(`${theme.mode}: a number on every head's color can be read`, () => {
    for (let head = 0; head < 36; head++) {
      const ratio = contrast(theme.onHead, theme.head(head));
      assert.ok(ratio >= 4.5, `head ${head}: ${ratio.toFixed(2)}`);
      assert.ok(contrast(theme.ground, theme.head(head)) >= 3);
    }
  });

  test(`${theme.mode}: twelve heads are told apart, neighbours most`, () => {
    for (let a = 0; a < 12; a++) {
      for (let b = 0; b < a; b++) {
        assert.ok(distance(heads[a], heads[b]) > 0.06, `heads ${b} and ${a}`);
      }
      assert.ok(distance(heads[a], heads[(a + 1) % 12]) > 0.12, `heads ${a} and ${a + 1}`);
    }
  });

  test(`${theme.mode}: 36 heads have 36 colors`, () => {
    const colors = Array.from({ length: 36 }, (_, head) => theme.head(head));
    assert.equal(new Set(colors).size, 36);
  });
}

test("oklch gives the colors of its definition", () => {
  assert.equal(oklch(1, 0, 0), "#ffffff");
  assert.equal(oklch(0, 0, 0), "#000000");
  const [lightness] = oklab(oklch(0.6, 0.1, 200));
  assert.ok(Math.abs(lightness - 0.6) < 0.005);
});
