import assert from "node:assert/strict";
import { test } from "node:test";
import { headPicture, headScene, unselected, windowOf } from "../../../bertviz/js/scenes/head.js";
import { headLegend } from "../../../bertviz/js/scenes/head_legend.js";
import { modelScene } from "../../../bertviz/js/scenes/model.js";
import { legendOf, notesOf } from "../../../bertviz/js/scenes/model_texts.js";
import { missingText, valueRamp, zeroText } from "../../../bertviz/js/scenes/value_legend.js";
import { describeAmong, describeCell } from "../../../bertviz/js/scenes/pair_texts.js";
import { sentenceOf } from "../../../bertviz/js/parts/line_texts.js";
import { barsIn } from "../../../bertviz/js/parts/bars.js";
import { layoutOf } from "../../../bertviz/js/parts/grid.js";
import { linesPlot } from "../../../bertviz/js/parts/lines.js";
import { nextState } from "../../../bertviz/js/state.js";
import { THEMES } from "../../../bertviz/js/theme/colors.js";
import { measure } from "../parts/pictures.js";
import { payloads, sources, starts } from "../value_fixtures.js";

const theme = THEMES.light;
const stateOf = (/** @type {object} */ patch) => nextState(payloads.head, starts.head, patch);
const pictureOf = (/** @type {any} */ state) =>
  headPicture(headScene(sources.head, state), state, theme);

test("lines: the scale with its number, and what is missing", () => {
  const legend = headLegend(headScene(sources.head, starts.head), starts.head);
  assert.deepEqual(legend, {
    legend: "value",
    strength: 1 / Math.sqrt(2),
    smallest: "−40.0",
    largest: "+40.0",
    diverging: true,
    note: "",
    missing: "missing: 8 of 18 values",
  });
  const selected = stateOf({ query: 0 });
  assert.equal(headLegend(headScene(sources.head, selected), selected).legend, "value");
});

test("a matrix: the largest mean; values outside a window are told", () => {
  const state = stateOf({ mode: "matrix", zoom: [0, 3, 0, 2] });
  const scene = headScene(sources.head, state);
  const whole = unselected(pictureOf(state), windowOf(scene.all, state.zoom));
  const scale = { max: 18, root: true, color: theme.positive };
  const { legend, largest, note } = headLegend(whole.edges, state, scale);
  assert.deepEqual([legend, largest], ["√ mean value", "+18.0"]);
  assert.equal(note, "left out of Σ|value|: 7% outside the window");
});

test("numbers, tooltips and sentences say missing, and nothing of attention", () => {
  const state = stateOf({ query: 2, locked: true });
  const plot = linesPlot(pictureOf(state), state, 600, measure);
  const means = (/** @type {any} */ of) =>
    barsIn(of, [0, 3]).flatMap(({ head, r, text }) => (head === "mean" ? [[r, text]] : []));
  assert.deepEqual(means(plot), [
    [0, "−18.0"],
    [1, "+10.0"],
    [2, "+6.0"],
  ]);
  assert.equal(sentenceOf(plot, state), "query c: largest values a −18.0, b +10.0, c +6.0");
  assert.equal(
    describeAmong(pictureOf(state), state, "key", 1),
    "c → b\nhead 1  +10.00\nhead 4  missing",
  );
  const gap = stateOf({ query: 1, locked: true });
  const empty = linesPlot(pictureOf(gap), gap, 600, measure);
  assert.deepEqual(
    means(empty).map(([, text]) => text),
    ["missing", "missing", "missing"],
  );
  assert.equal(sentenceOf(empty, gap), "query b: all values missing");
  assert.match(describeCell(pictureOf(gap), gap, 1, 0), /^b → a {2}\(1 → 0\)\nmean {2}missing\n/);
  assert.equal(linesPlot(pictureOf(starts.head), starts.head, 600, measure).gaps?.count, 8);
});

test("the model view: one scale for all heads, and that of the open one", () => {
  const scene = modelScene(sources.model, starts.model);
  const layout = layoutOf(scene, 760);
  assert.equal(layout.form, "matrix");
  assert.deepEqual(scene.plies, ["own", "less", "missing"]);
  assert.deepEqual(legendOf(scene, layout, theme), {
    legend: "√ value",
    smallest: "−40.0",
    largest: "+40.0",
    diverging: true,
    missing: "missing: 8 of 18 values",
  });
  const state = nextState(payloads.model, starts.model, { cell: [0, 1] });
  const open = modelScene(sources.model, state);
  assert.equal(legendOf(open, layout, theme).missing, "missing: 8 of 18 values", "of the grid");
  const { edges } = { edges: open.edgesOfCell(/** @type {any} */ (open.open)) };
  assert.equal(
    notesOf(open, layout, edges, state),
    "lines of the opened head, full strength: ±40.0",
  );
});

test("a legend of thumbnails whose pixels are bins says what they show", () => {
  const scene = modelScene(sources.model, starts.model);
  const layout = { ...layoutOf(scene, 760), inner: 4, pad: 1 };
  assert.equal(legendOf(scene, layout, theme).legend, "√ value, the strongest of each pixel");
});

test("without a value above or below zero there is no ramp", () => {
  assert.deepEqual(valueRamp("value", 0, true, "all values are 0"), {
    legend: "all values are 0",
    ramp: false,
  });
  assert.equal(zeroText(null), "all values are 0");
  assert.equal(zeroText({ count: 3, total: 4 }, "mean value"), "all mean values are 0");
  assert.equal(zeroText({ count: 4, total: 4 }), "no values");
  assert.equal(missingText({ count: 1234, total: 98765 }), "missing: 1,234 of 98,765 values");
});

test("rows are no wholes: neither words, sums nor renormalized rows", () => {
  const state = stateOf({ words: true, combine: "sum", renormalize: true, hide: "first" });
  assert.deepEqual(
    [state.words, state.combine, state.renormalize, state.hide],
    [false, "each", false, "first"],
  );
  assert.equal(nextState(payloads.model, starts.model, { measure: "entropy" }).measure, null);
});
