import assert from "node:assert/strict";
import { test } from "node:test";
import { sentenceOf } from "../../../bertviz/js/parts/line_texts.js";
import { linesPlot, NUMBERS, numbersOf } from "../../../bertviz/js/parts/lines.js";
import { measure, pictureOf } from "./pictures.js";

/** @param {Parameters<typeof pictureOf>[0]} options @param {number} [available] */
function laidOut(options, available = 600) {
  const { picture, dense, state } = pictureOf(options);
  return { plot: linesPlot(picture, state, available, measure), dense, state };
}

test("columns, lines and numbers stand beside each other and fit", () => {
  for (const available of [320, 480, 600, 1200]) {
    const { plot } = laidOut({ heads: [0, 1] }, available);
    const [query, key] = plot.columns;
    assert.equal(query.x, NUMBERS);
    assert.ok(plot.ends.x0 >= query.x + query.width);
    assert.ok(plot.ends.x1 > plot.ends.x0 && plot.ends.x1 <= key.x);
    assert.ok(plot.width <= Math.max(available, 292), `${plot.width} in ${available}`);
    assert.equal(plot.width, key.x + key.width + NUMBERS);
  }
});

test("at rest there are no boxes, and no numbers", () => {
  const { plot } = laidOut({ heads: [0, 1] });
  assert.deepEqual([plot.boxes, plot.fans, plot.mean.text], [null, [], ""]);
  assert.deepEqual(numbersOf(plot, [0, 6]), []);
});

test("boxes and numbers stand on the side that is not selected", () => {
  const query = laidOut({ heads: [0, 1], state: { query: 2 } });
  const [, keys] = query.plot.columns;
  assert.deepEqual([query.plot.boxes?.x, query.plot.boxes?.width], [keys.x, keys.width]);
  assert.deepEqual([query.plot.mean.text, query.plot.mean.anchor], ["mean", "start"]);
  const key = laidOut({ heads: [0], state: { key: 2 } });
  assert.equal(key.plot.boxes?.x, key.plot.columns[0].x);
  assert.deepEqual([key.plot.mean.text, key.plot.mean.anchor], ["weight", "end"]);
  const numbers = numbersOf(query.plot, [0, 6]);
  const means = [0, 1, 2, 3, 4, 5].map((k) => (query.dense[0][2][k] + query.dense[1][2][k]) / 2);
  assert.deepEqual(
    numbers.map(({ r, text }) => [r, text]),
    means.flatMap((mean, r) => (mean >= 0.01 ? [[r, mean.toFixed(2)]] : [])),
  );
  assert.ok(numbersOf(query.plot, [3, 5]).every(({ r }) => r === 3 || r === 4));
});

test("hidden mass of a selected query is a fan, of a key there is none", () => {
  const { plot, dense } = laidOut({ heads: [0, 1], least: 0.1, state: { query: 2 } });
  assert.equal(plot.fans.length, 1);
  assert.equal(plot.fans[0].row, 2);
  plot.fans[0].masses.forEach((mass, h) => {
    const hidden = dense[h][2].filter((w) => w < 0.1).reduce((a, b) => a + b, 0);
    const told = hidden > 0.005 ? hidden : 0; // below, it is rounding
    assert.ok(Math.abs(mass - told) < 1e-6, `${mass} is not ${told}`);
  });
  assert.ok(Math.max(...plot.fans[0].masses) > 0.05);
  assert.deepEqual(laidOut({ least: 0.1, state: { key: 2 } }).plot.fans, []);
});

test("many lines, and hidden mass, are painted pixel by pixel; a selection never is", () => {
  assert.equal(laidOut({}).plot.raster, false);
  assert.equal(laidOut({ least: 0.1 }).plot.raster, true);
  assert.equal(laidOut({ count: 80 }).plot.raster, true);
  assert.equal(laidOut({ count: 80, state: { query: 1 } }).plot.raster, false);
});

test("a locked token is spoken of with the three that it attends to most", () => {
  const { plot, dense, state } = laidOut({ state: { query: 2 } });
  const best = [0, 1, 2, 3, 4, 5].sort((a, b) => dense[0][2][b] - dense[0][2][a]).slice(0, 3);
  const told = best.map((k) => `t${k} ${dense[0][2][k].toFixed(2)}`).join(", ");
  assert.equal(sentenceOf(plot, state), `t2 attends to ${told}`);
  const key = laidOut({ state: { key: 1, also: [3] } });
  assert.match(sentenceOf(key.plot, key.state), /^t1, t3 are attended to by t\d \d\.\d\d, /);
});
