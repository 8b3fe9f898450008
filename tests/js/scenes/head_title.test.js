import assert from "node:assert/strict";
import { test } from "node:test";
import { headPicture, headScene } from "../../../bertviz/js/scenes/head.js";
import { headTitle } from "../../../bertviz/js/scenes/head_title.js";
import { shownRow } from "../../../bertviz/js/scenes/shown_row.js";
import { nextState } from "../../../bertviz/js/state.js";
import { THEMES } from "../../../bertviz/js/theme/colors.js";
import { pictureOf } from "../parts/pictures.js";
import { payloads, sources, starts } from "../value_fixtures.js";

/** @param {Parameters<typeof pictureOf>[0]} options @param {object} [more] of the state */
function said(options, more = {}) {
  const { picture, dense, state } = pictureOf(options);
  const full = { ...state, layer: 3, ...more };
  return { title: headTitle(picture, shownRow(picture, full), full, {}), dense };
}

/** @param {number[]} values */
const largest = (values) => values.indexOf(Math.max(...values));

test("the title says where a token looks most, and how much", () => {
  const { title, dense } = said({ heads: [5], state: { query: 2 } });
  const row = dense[0][2];
  const best = largest(row);
  assert.equal(title, `Layer 3, head 5: “t2” looks most at “t${best}”, ${row[best].toFixed(2)}`);
});

test("of several heads it is their mean, of several tokens too", () => {
  const { title, dense } = said({ heads: [0, 1], state: { query: 1, also: [4] } });
  const means = dense[0][0].map(
    (_, k) => (dense[0][1][k] + dense[0][4][k] + dense[1][1][k] + dense[1][4][k]) / 4,
  );
  const best = largest(means);
  const wanted = `“t1” and “t4” look most at “t${best}”, ${means[best].toFixed(2)}`;
  assert.equal(title, `Layer 3, mean of 2 heads: ${wanted}`);
});

test("of a key, who looks at it; of nothing, what is looked at", () => {
  const key = said({ heads: [0], state: { key: 1 } });
  const column = key.dense[0].map((row) => row[1]);
  const by = largest(column);
  const wanted = `“t1” is looked at most by “t${by}”, ${column[by].toFixed(2)}`;
  assert.equal(key.title, `Layer 3, head 0: ${wanted}`);
  const rest = said({ heads: [0] });
  const means = rest.dense[0][0].map((_, k) => rest.dense[0].reduce((s, row) => s + row[k] / 6, 0));
  const most = largest(means);
  const told = `“t${most}” is looked at most, ${means[most].toFixed(2)} of a row on average`;
  assert.equal(rest.title, `Layer 3, head 0: ${told}`);
});

test("of a pair, its own number, and not the row's largest", () => {
  const row = said({ heads: [0], state: { query: 2 } }).dense[0][2];
  const key = row.indexOf(Math.min(...row));
  const { title } = said({ heads: [0], state: { query: 2, key } });
  const number = row[key] < 0.005 ? "<0.01" : row[key].toFixed(2);
  assert.equal(title, `Layer 3, head 0: “t2” looks at “t${key}”, ${number}`);
});

test("values and differences are not called attention", () => {
  const state = nextState(payloads.head, starts.head, { query: 2, locked: true });
  const picture = headPicture(headScene(sources.head, state), state, THEMES.light);
  const title = headTitle(picture, shownRow(picture, state), state, payloads.head);
  assert.match(title, /mean of 2 heads: the largest value is from “c” to “a”, −18\.0$/);
  const pair = nextState(payloads.head, starts.head, { query: 2, key: 1 });
  const ofPair = headPicture(headScene(sources.head, pair), pair, THEMES.light);
  const pairTitle = headTitle(ofPair, shownRow(ofPair, pair), pair, payloads.head);
  assert.match(pairTitle, /mean of 2 heads: the value from “c” to “b”, \+10\.0$/);
  const gap = nextState(payloads.head, starts.head, { query: 1 });
  const missing = headPicture(headScene(sources.head, gap), gap, THEMES.light);
  assert.match(headTitle(missing, shownRow(missing, gap), gap, payloads.head), /nothing to show/);
});
