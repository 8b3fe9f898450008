import assert from "node:assert/strict";
import { test } from "node:test";
import { edgesOf } from "../../../bertviz/js/data/edges.js";
import { found, LISTED, readingOf, shadeOf } from "../../../bertviz/js/parts/reading.js";
import { shownRow } from "../../../bertviz/js/scenes/shown_row.js";
import { headPicture, headScene } from "../../../bertviz/js/scenes/head.js";
import { nextState } from "../../../bertviz/js/state.js";
import { THEMES } from "../../../bertviz/js/theme/colors.js";
import { payloads, sources, starts } from "../value_fixtures.js";
import { pictureOf } from "./pictures.js";

const N = 12;

/** @param {Parameters<typeof pictureOf>[0]} options */
function read(options) {
  const { picture, dense, state } = pictureOf({ count: N, ...options });
  const row = shownRow(picture, state);
  return { reading: readingOf(picture, row, state), row, dense, picture, state };
}

test("the list is the largest means in order, each in its context", () => {
  const { reading, dense } = read({ heads: [0, 1], state: { query: 5 } });
  const means = dense[0][5].map((weight, k) => (weight + dense[1][5][k]) / 2);
  const order = means.map((_, k) => k).sort((a, b) => means[b] - means[a]);
  assert.deepEqual(
    reading.ranked.map(({ position }) => position),
    order.slice(0, LISTED),
  );
  for (const { position, value, text, part, before, token, after } of reading.ranked) {
    assert.ok(Math.abs(value - means[position]) < 1e-6);
    assert.equal(text, value < 0.005 ? "<0.01" : value.toFixed(2));
    assert.ok(Math.abs(part - value / means[order[0]]) < 1e-6);
    const around = (/** @type {number[]} */ places) =>
      places
        .filter((i) => i >= 0 && i < N)
        .map((i) => `t${i}`)
        .join(" ");
    assert.equal(token, `t${position}`);
    assert.equal(before, around([position - 2, position - 1]));
    assert.equal(after, around([position + 1, position + 2]));
  }
  assert.deepEqual(
    [reading.title, reading.listTitle, reading.of],
    ["“t5”", "Where it looks most", "mean of 2 heads"],
  );
});

test("what is listed, what others hold and what is not listed make the row", () => {
  for (const least of [0, 0.02]) {
    const { reading, dense } = read({ least, state: { query: 3 } });
    const stored = dense[0][3].filter((weight) => weight >= least).sort((a, b) => b - a);
    const sum = (/** @type {number[]} */ some) => some.reduce((a, b) => a + b, 0);
    const held = sum(stored.slice(0, LISTED));
    const numbers = (reading.summary.match(/\d\.\d\d/g) ?? []).map(Number);
    assert.ok(Math.abs(numbers[0] - held) < 0.006, reading.summary);
    assert.ok(Math.abs(numbers[1] - (sum(stored) - held)) < 0.006);
    assert.equal(numbers.length, 1 - sum(stored) >= 0.005 ? 3 : 2);
    assert.ok(Math.abs(sum(numbers) - 1) < 0.02);
  }
});

test("of a key, who looks at it; of nothing, what is looked at", () => {
  const key = read({ state: { key: 4 } });
  assert.equal(key.reading.listTitle, "Who looks at it most");
  for (const { position, value } of key.reading.ranked) {
    assert.ok(Math.abs(value - key.dense[0][position][4]) < 1e-6);
  }
  const rest = read({});
  assert.match(rest.reading.listTitle, /mean of all rows/);
  const [first] = rest.reading.ranked;
  const column = rest.dense[0].map((row) => row[first.position]);
  assert.ok(Math.abs(first.value - column.reduce((a, b) => a + b, 0) / N) < 1e-6);
});

test("several selected tokens are read as one", () => {
  const { reading, dense } = read({ state: { query: 1, also: [2] } });
  assert.deepEqual([reading.title, reading.listTitle], ["“t1” and “t2”", "Where they look most"]);
  for (const { position, value } of reading.ranked) {
    assert.ok(Math.abs(value - (dense[0][1][position] + dense[0][2][position]) / 2) < 1e-6);
  }
});

test("a pair is read as its query's row, and what is left out is not guessed", () => {
  const pair = read({ state: { query: 3, key: 7 } });
  const whole = read({ state: { query: 3 } });
  assert.deepEqual(pair.reading.ranked, whole.reading.ranked);
  assert.equal(pair.reading.summary, whole.reading.summary);
  assert.match(pair.reading.summary, /^These 8 hold [01]\.\d\d of the row, 4 others 0\.\d\d\.$/);
});

test("a row that does not sum to one is not said to be hidden: a sink took the rest", () => {
  const { picture, state } = pictureOf({ count: N, state: { query: 3 } });
  picture.weights.weight.forEach((weight, e) => (picture.weights.weight[e] = weight / 2));
  const { summary } = readingOf(picture, shownRow(picture, state), state);
  const [held, others] = (summary.match(/\d\.\d\d/g) ?? []).map(Number);
  assert.ok(Math.abs(held + others - 0.5) < 0.02, summary);
  assert.doesNotMatch(summary, /;/);
});

test("what lies on tokens that are not shown is told, unless rows are renormalized", () => {
  const { picture, state } = pictureOf({ count: N, state: { query: 3 } });
  const keys = picture.keys.subarray(0, 4);
  const outside = picture.weights.weight.subarray(3 * N + 4, 4 * N).reduce((a, b) => a + b, 0);
  const options = { heads: [0], queries: picture.queries, keys, query: 3, key: null };
  /** @param {Int32Array | null} among */
  const summary = (among) => {
    const part = {
      ...picture,
      keys,
      among,
      edges: edgesOf(picture.weights, { ...options, among }),
    };
    return readingOf(part, shownRow(part, state), state).summary;
  };
  assert.match(summary(null), RegExp(`; ${outside.toFixed(2)} lies on tokens that are not shown`));
  assert.match(summary(keys), /^These 4 hold 1\.00 of the row\.$/);
});

test("the darkest of numbers with signs is a size", () => {
  const state = nextState(payloads.head, starts.head, { query: 2 });
  const picture = headPicture(headScene(sources.head, state), state, THEMES.light);
  const { ranked, darkest } = readingOf(picture, shownRow(picture, state), state);
  assert.deepEqual([ranked[0].text, darkest], ["−18.0", "darkest: 18.0"]);
});

test("a shade grows with the weight and stays readable", () => {
  assert.equal(shadeOf(0, 1), 0);
  assert.equal(shadeOf(0.5, 0), 0);
  assert.equal(shadeOf(0.25, 1), shadeOf(1, 1) / 2);
  assert.equal(shadeOf(-0.25, 1), shadeOf(0.25, 1));
  assert.ok(shadeOf(2, 1) <= 0.6);
});

test("a search finds tokens whatever their case, and positions", () => {
  const text = ["The", "cat", "5", "the", "other", "x"];
  const positions = Int32Array.of(0, 1, 2, 3, 4, 5);
  assert.deepEqual(found(positions, text, "THE"), [0, 3, 4]);
  assert.deepEqual(found(positions, text, "#4"), [4]);
  assert.deepEqual(found(positions, text, "5"), [5, 2], "a position first, then tokens");
  assert.deepEqual(found(positions, text, "#9"), []);
  assert.deepEqual(found(positions, text, "  "), []);
  assert.deepEqual(found(Int32Array.of(2, 4), text, "#4"), [1], "rows, where tokens are hidden");
});
