import assert from "node:assert/strict";
import { test } from "node:test";
import { barsIn } from "../../../bertviz/js/parts/bars.js";
import { linesPlot } from "../../../bertviz/js/parts/lines.js";
import { measure, pictureOf } from "./pictures.js";

const N = 6;
const ALL = /** @type {[number, number]} */ ([0, N]);

/** @param {Parameters<typeof pictureOf>[0]} options @param {number} [available] */
function laidOut(options, available = 900) {
  const { picture, dense, state } = pictureOf(options);
  return { plot: linesPlot(picture, state, available, measure), dense, heads: picture.heads };
}

/** @param {number} count */
const numbered = (count) => Array.from({ length: count }, (_, head) => head);

/** @param {number[]} values */
const mean = (values) => values.reduce((a, b) => a + b, 0) / values.length;

test("a bar is as long as its weight, with its number beside it, and none where there is none", () => {
  const { plot, dense } = laidOut({ heads: [3, 7], state: { query: 2 } });
  const found = barsIn(plot, ALL);
  const { columns, step } = plot.bars;
  assert.deepEqual(
    columns.map(({ head, color }) => [head, color]),
    [
      [3, "color 3"],
      [7, "color 7"],
      ["mean", null],
    ],
  );
  const rows = [
    ...dense.map((head) => head[2]),
    numbered(N).map((k) => mean([dense[0][2][k], dense[1][2][k]])),
  ];
  const wanted = columns.flatMap(({ head }, i) =>
    rows[i].flatMap((weight, r) => (weight >= 0.01 ? [[head, r, weight.toFixed(2)]] : [])),
  );
  assert.ok(wanted.length < 3 * N, "some weights are too small");
  assert.deepEqual(
    found.map(({ head, r, text }) => [head, r, text]),
    wanted,
  );
  const unit = found[0].width / found[0].value;
  for (const { width, value, x, head, textX } of found) {
    assert.ok(Math.abs(width - Math.max(1, unit * value)) < 1e-6);
    assert.equal(x, columns.find((column) => column.head === head)?.x);
    assert.ok(textX > x + width && textX < x + step);
  }
  assert.deepEqual(
    barsIn(plot, [2, 4]),
    found.filter(({ r }) => r === 2 || r === 3),
  );
});

test("of a selected key, what each query gives it", () => {
  const { plot, dense } = laidOut({ heads: [0], state: { key: 1 } });
  for (const { head, r, value } of barsIn(plot, ALL)) {
    assert.equal(head, 0);
    assert.ok(Math.abs(value - dense[0][r][1]) < 1e-6);
  }
});

test("at rest, the mean of all rows", () => {
  const { plot, dense } = laidOut({ heads: [0, 1] });
  const found = barsIn(plot, ALL).filter(({ head }) => head === 1);
  assert.ok(found.length > 2);
  for (const { r, value } of found) {
    assert.ok(Math.abs(value - mean(dense[1].map((row) => row[r]))) < 1e-6);
  }
});

test("six heads have numbers beside bars, twelve above; of more the strongest six", () => {
  const few = laidOut({ heads: numbered(6), state: { query: 0 } }, 1040).plot.bars;
  assert.deepEqual([few.columns.length, few.beside, few.some], [7, true, false]);
  const small = laidOut({ heads: numbered(12), state: { query: 0 } });
  assert.deepEqual(
    [small.plot.bars.columns.length, small.plot.bars.beside, small.plot.bars.some],
    [13, false, false],
  );
  for (const { value, text } of barsIn(small.plot, ALL)) {
    assert.equal(text, value >= 0.095 ? value.toFixed(2).slice(1) : "");
  }
  const many = laidOut({ heads: numbered(20), state: { query: 0 } }, 1040);
  const shown = many.plot.bars.columns.slice(0, -1).map(({ head }) => Number(head));
  assert.deepEqual([shown.length, many.plot.bars.some], [6, true]);
  assert.deepEqual(
    shown,
    [...shown].sort((a, b) => a - b),
  );
  /** @param {number} head */
  const most = (head) => Math.max(...many.dense[head][0]);
  const weakest = Math.min(...shown.map(most));
  for (const head of many.heads) {
    assert.ok(shown.includes(head) || most(head) <= weakest, `head ${head}`);
  }
});

test("where there is little room there are fewer heads, and always their mean", () => {
  const { columns } = laidOut({ heads: numbered(12), state: { query: 0 } }, 320).plot.bars;
  assert.ok(columns.length >= 2 && columns.length < 6);
  assert.equal(columns[columns.length - 1].head, "mean");
});

test("even attention is drawn to its largest weight", () => {
  const { picture, state } = pictureOf({ heads: [0], count: 40, state: { query: 0 } });
  const flat = { ...picture.weights, weight: picture.weights.weight.map(() => 1 / 40) };
  const edges = {
    ...picture.edges,
    each: (/** @type {any} */ visit) => numbered(40).forEach((k) => visit(0, 0, k, 1 / 40)),
    gaps: null,
  };
  const even = /** @type {any} */ ({ ...picture, weights: flat, edges });
  const plot = linesPlot(even, state, 900, measure);
  assert.ok(Math.abs(plot.bars.full - 1 / 40) < 1e-6);
  const found = barsIn(plot, [0, 40]);
  assert.equal(found.length, 40);
  assert.ok(found.every(({ width, text }) => width > 40 && text === "0.03"));
  const rest = laidOut({ heads: [0], count: 40 });
  assert.deepEqual([rest.plot.bars.full, rest.plot.row.largest < 0.1], [1, true], "not at rest");
  const strong = laidOut({ heads: [0], state: { query: 0 } });
  assert.equal(strong.plot.bars.full, 1);
});
