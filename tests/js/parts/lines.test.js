import assert from "node:assert/strict";
import { test } from "node:test";
import { barsIn } from "../../../bertviz/js/parts/bars.js";
import { sentenceOf } from "../../../bertviz/js/parts/line_texts.js";
import { linesPlot } from "../../../bertviz/js/parts/lines.js";
import { measure, pictureOf } from "./pictures.js";

/** @param {Parameters<typeof pictureOf>[0]} options @param {number} [available] */
function laidOut(options, available = 600) {
  const { picture, dense, state } = pictureOf(options);
  return { plot: linesPlot(picture, state, available, measure), dense, state };
}

test("columns, lines and bars stand beside each other and fit", () => {
  for (const available of [320, 480, 600, 1200]) {
    for (const heads of [[0], [0, 1], Array.from({ length: 16 }, (_, h) => h)]) {
      const { plot } = laidOut({ heads, state: { query: 2 } }, available);
      const [query, key] = plot.columns;
      assert.equal(query.x, 0);
      assert.ok(plot.ends.x0 >= query.x + query.width);
      assert.ok(plot.ends.x1 - plot.ends.x0 > 50 && plot.ends.x1 <= key.x);
      assert.ok(plot.width <= available, `${plot.width} in ${available}`);
      assert.ok(plot.bars.columns[0].x > key.x + key.width);
      for (const bar of barsIn(plot, [0, 6])) {
        assert.ok(bar.x >= key.x + key.width && bar.x + bar.width <= plot.width);
      }
    }
  }
});

test("nothing moves when a token is selected, on either side", () => {
  const places = [{}, { query: 2 }, { key: 2 }].map((state) => {
    const { plot } = laidOut({ heads: [0, 1], state });
    return [plot.width, plot.ends, plot.columns.map(({ x, width }) => [x, width])];
  });
  assert.deepEqual(places[1], places[0]);
  assert.deepEqual(places[2], places[0]);
});

test("numbers of queries bring their tokens along, numbers of keys stand beside them", () => {
  assert.equal(laidOut({ heads: [0, 1], state: { query: 2 } }).plot.labels, null);
  const { labels, bars, headings } = laidOut({ heads: [0, 1], state: { key: 2 } }).plot;
  assert.ok(labels && labels.x + labels.width < bars.columns[0].x);
  assert.deepEqual(
    headings.map(({ text }) => text),
    ["query", "key", "query", "0", "1", "mean"],
  );
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
