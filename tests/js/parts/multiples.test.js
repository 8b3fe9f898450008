import assert from "node:assert/strict";
import { test } from "node:test";
import { multiplesLayout } from "../../../bertviz/js/parts/multiples.js";
import { bareMatrixPlot } from "../../../bertviz/js/parts/matrix.js";
import { perHead, unselected } from "../../../bertviz/js/scenes/head.js";
import { pictureOf } from "./pictures.js";
import * as signed from "../value_fixtures.js";
import { headPicture, headScene } from "../../../bertviz/js/scenes/head.js";
import { THEMES } from "../../../bertviz/js/theme/colors.js";

test("matrices fill the width, in lines of about equal length", () => {
  for (const available of [300, 390, 560, 890, 1200]) {
    for (const count of [2, 3, 4, 8, 12, 16, 32]) {
      const { columns, lines, width } = multiplesLayout(count, available);
      assert.ok(columns * width + (columns - 1) * 16 <= available);
      assert.ok(width >= 130 && width <= 340);
      assert.ok(columns * lines >= count && columns * (lines - 1) < count);
    }
  }
  assert.equal(multiplesLayout(5, 890).columns, 5);
  assert.equal(multiplesLayout(6, 890).columns, 3, "not five and one");
});

test("each head has its own weights and its color", () => {
  const { picture, dense, state } = pictureOf({ heads: [0, 1], count: 4 });
  const part = { queries: picture.queries, keys: picture.keys };
  const each = perHead(unselected(/** @type {any} */ ({ ...picture, name: "p" }), part));
  assert.deepEqual(
    each.map(({ head }) => head),
    [0, 1],
  );
  each.forEach(({ edges, colors }, h) => {
    assert.deepEqual(colors, [picture.colors[h]]);
    edges.each((slot, q, k, opacity) => {
      assert.equal(slot, 0);
      assert.ok(Math.abs(opacity / edges.gain - dense[h][q][k]) < 1e-6);
    });
  });
  const plot = bareMatrixPlot(each[0], state, 200);
  assert.deepEqual([plot.width, plot.labels], [4 * plot.cell, { query: 0, key: 0 }]);
});

test("a head of signed values keeps both of its slots", () => {
  const { sources, starts, HEADS } = signed;
  const scene = headScene(sources.head, starts.head);
  const picture = headPicture(scene, starts.head, THEMES.light);
  const each = perHead(unselected(picture, scene.all));
  assert.deepEqual(
    each.map(({ head, heads }) => [head, heads]),
    HEADS.map((head) => [head, [head, ~head]]),
  );
});
