import assert from "node:assert/strict";
import { test } from "node:test";
import { headLegend } from "../../../bertviz/js/scenes/head_legend.js";
import { cellColor, slotColors } from "../../../bertviz/js/scenes/picture.js";
import { THEMES } from "../../../bertviz/js/theme/colors.js";
import { pictureOf } from "../parts/pictures.js";

const scale = { max: 0.5, root: false, color: "red" };
const theme = THEMES.light;

/** @param {Parameters<typeof pictureOf>[0]} options @param {object} state @param {any} [of] */
function legend(options, state = {}, of = undefined) {
  const given = pictureOf(options);
  const whole = { pair: "All", zoom: null, ...given.state, ...state };
  return headLegend(given.picture.edges, whole, of);
}

test("lines of one head are weights; those of several are drawn fainter, and that is said", () => {
  assert.deepEqual(legend({}), {
    legend: "weight",
    largest: "1",
    note: "",
  });
  const four = legend({ heads: [0, 1, 2, 3] });
  assert.deepEqual([four.legend, four.largest, four.strength], ["weight", "1", 0.5]);
  assert.equal(legend({ heads: [0, 1], state: { query: 1 } }).legend, "weight");
});

test("heads as one are named, and a sum may exceed one", () => {
  const sum = legend({}, { combine: "sum", heads: [0, 1] });
  assert.deepEqual([sum.legend, sum.largest], ["sum of 2 heads", "1 or more"]);
  assert.equal(legend({}, { combine: "mean", heads: [0, 1] }).legend, "mean of 2 heads");
});

test("a matrix's ramp ends at its largest value, in its color", () => {
  const one = legend({}, {}, scale);
  assert.deepEqual(
    [one.legend, one.largest, one.colors],
    ["weight", "0.50", ["transparent", "red"]],
  );
  const two = { heads: [0, 1] };
  assert.equal(legend(two, {}, scale).legend, "weight", "a matrix each");
  assert.equal(legend(two, { combine: "mean", ...two }, scale).legend, "mean weight");
  assert.equal(legend({}, {}, { ...scale, root: true }).legend, "√ weight");
});

test("the mass of one selected row is no mean", () => {
  assert.equal(legend({ state: { query: 1 } }).note, "", "nothing of what is zero");
  const small = "\\d+% too small to be listed, shaded$";
  assert.match(legend({ least: 0.1 }).note, RegExp(`^not drawn, of each row: ${small}`));
  const row = legend({ least: 0.1, state: { query: 2 } }).note;
  assert.match(row, RegExp(`^not drawn, of the row: ${small}`));
  assert.doesNotMatch(legend({ least: 0.1, state: { key: 1 } }).note, /shaded/);
});

test("differences have the colors of their signs, and words for them", () => {
  const edges = /** @type {any} */ ({
    ...{ heads: [3, ~3], signs: [1, -1], gain: 4, names: ["a", "b"] },
    rows: { outside: [0], weaker: [0], unlisted: [0.2], head: [3, ~3] },
  });
  const state = /** @type {any} */ ({ heads: [3], pair: "All", query: null, key: null });
  const lines = headLegend(edges, state);
  assert.deepEqual(
    [lines.signed, lines.signs],
    ["opacity: |b − a| · 4.00", ["more in b", "more in a"]],
  );
  const named = headLegend({ ...edges, names: ["before", "after"] }, state);
  assert.deepEqual(
    [named.signed, named.signs],
    ["opacity: |after − before| · 4.00", ["more in after", "more in before"]],
  );
  assert.match(lines.note, /^not drawn, of each row’s differences: 0\.40 too small to be listed/);
  const matrix = headLegend(edges, state, { ...scale, root: true });
  assert.equal(matrix.signed, "√ full strength: 0.50");
  const colors = slotColors(edges, theme.head, theme);
  assert.deepEqual(colors, [theme.positive, theme.negative]);
  assert.equal(cellColor({ colors, edges }, theme), theme.positive);
});

test("a matrix has the color of its head, of several heads that of ink", () => {
  const edges = { signs: [1] };
  assert.equal(cellColor({ colors: ["red"], edges }, theme), "red");
  assert.equal(cellColor({ colors: ["red", "blue"], edges }, theme), theme.ink);
});
