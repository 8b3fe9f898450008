import assert from "node:assert/strict";
import { test } from "node:test";
import { barsOf, cellAt, labelsOf, modelMap } from "../../../bertviz/js/parts/model_map.js";
import { layerPicture } from "../../../bertviz/js/scenes/head.js";
import { modelRows, strongestHeads, strongestOf } from "../../../bertviz/js/scenes/model_rows.js";
import { mapCaption, strongestTitle } from "../../../bertviz/js/scenes/model_row_texts.js";
import { shownRow } from "../../../bertviz/js/scenes/shown_row.js";
import { initialState, nextState } from "../../../bertviz/js/state.js";
import { layerOf, payloadOf, sourceOf, tokens, weightsOf } from "../fixtures.js";
import * as signed from "../value_fixtures.js";

// (layer, head, query, key); what every head but one looks at most is the first token.
const DENSE = [
  [
    [
      [1, 0, 0],
      [0.6, 0.4, 0],
      [0.5, 0.3, 0.2],
    ],
    [
      [1, 0, 0],
      [0.9, 0.1, 0],
      [0.7, 0.1, 0.2],
    ],
  ],
  [
    [
      [1, 0, 0],
      [0.2, 0.8, 0],
      [0.1, 0.25, 0.65],
    ],
    [
      [1, 0, 0],
      [1, 0, 0],
      [0.8, 0.1, 0.1],
    ],
  ],
];
const HEADS = [0, 3];

/** @param {object} patch of the state */
function at(patch, undecoded = false) {
  const block = { name: "decoder", kind: "decoder", query: tokens([..."abc"]), key: null };
  const layers = [layerOf(4, HEADS), layerOf(7, HEADS)];
  const payload = payloadOf({ blocks: [{ ...block, layers }] });
  const source = sourceOf(payload, [DENSE.map((dense) => weightsOf(HEADS, dense))]);
  if (undecoded) source.decoded.weights.delete(layers[1]);
  const state = nextState(payload, initialState(payload), patch);
  const picture = layerPicture(source, state, layers[0]);
  const row = shownRow(picture, state);
  return { rows: modelRows(source, state, row), picture, row };
}

/** @param {ReturnType<typeof at>["rows"]} rows */
const numbers = ({ layers }) =>
  layers.map(({ values }) => values?.map((own) => Array.from(own, (v) => Number(v.toFixed(4)))));

test("every head has the row of the query, the column of the key, or its mean row", () => {
  assert.deepEqual(
    numbers(at({ query: 2 }).rows),
    DENSE.map((layer) => layer.map((head) => head[2])),
  );
  assert.deepEqual(
    numbers(at({ key: 1 }).rows),
    DENSE.map((layer) => layer.map((head) => head.map((row) => row[1]))),
  );
  const mean = (/** @type {number[][]} */ head) =>
    head[0].map((_, k) => Number((head.reduce((sum, row) => sum + row[k], 0) / 3).toFixed(4)));
  assert.deepEqual(
    numbers(at({}).rows),
    DENSE.map((layer) => layer.map(mean)),
  );
});

test("the strongest heads leave out what most of them look at most, and say so", () => {
  const { rows, picture, row } = at({ query: 2 });
  const { strongest, without } = strongestHeads(rows, 3);
  assert.equal(without, 0);
  assert.deepEqual(
    strongest.map(({ layer, head, r, value }) => [layer, head, r, Number(value.toFixed(2))]),
    [
      [7, 0, 2, 0.65],
      [4, 0, 1, 0.3],
      [4, 3, 2, 0.2],
    ],
  );
  assert.equal(strongestTitle(picture, row, without), "Strongest heads, “a” left out");
  const own = strongestOf(rows, { layer: 7, head: 3 });
  assert.deepEqual([own.r, Number(own.value.toFixed(2))], [0, 0.8], "under the pointer it is not");
});

test("a layer that is not decoded yet has no values, and the caption says what is to come", () => {
  const { rows, picture, row } = at({ query: 1 }, true);
  assert.equal(rows.layers[1].values, null);
  assert.equal(strongestHeads(rows, 8).strongest.length, 2);
  assert.match(mapCaption(rows, row, picture), /1 layer to come$/);
  assert.equal(strongestOf(rows, { layer: 7, head: 0 }).r, -1);
});

test("values keep their signs, and the largest size is full height", () => {
  const { sources, starts, VALUES } = signed;
  const state = { ...starts.head, query: 0 };
  const picture = layerPicture(sources.head, state, sources.head.payload.blocks[0].layers[0]);
  const rows = modelRows(sources.head, state, shownRow(picture, state));
  assert.deepEqual(
    rows.layers[0].values?.map((own) => Array.from(own, Math.round)),
    [VALUES[0][0], VALUES[1][0]],
  );
  assert.equal(Math.round(rows.full), 20);
});

test("a bar is the root of the largest weight of its tokens", () => {
  assert.deepEqual(barsOf(Float64Array.of(0.25, 1, 0, 0.04), 4, 1), [0.5, 1, 0, 0.2]);
  assert.deepEqual(barsOf(Float64Array.of(0.25, 1, 0, -0.04), 2, 1), [1, -0.2]);
});

test("cells stand in rows of layers and columns of heads, and are found where they stand", () => {
  const { rows } = at({ query: 2 });
  const map = modelMap(rows, 300);
  assert.equal(map.cells.length, 4);
  for (const cell of map.cells) {
    const { layer, head } = cell;
    assert.deepEqual(cellAt(map, cell.x + 1, cell.y + 1), cell);
    const { top, height } = map.rowOf(layer);
    assert.ok(cell.y >= top && cell.y < top + height);
    assert.ok(HEADS.includes(head));
  }
  assert.equal(cellAt(map, 1, 1), null);
  assert.deepEqual(
    labelsOf(map).layers.map(({ number }) => number),
    [4, 7],
  );
  assert.ok(modelMap(rows, 5000).width < 300, "few heads are not stretched");
});
