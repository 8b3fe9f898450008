import assert from "node:assert/strict";
import { test } from "node:test";
import { linesPlot } from "../../../bertviz/js/parts/lines.js";
import { matrixPlot } from "../../../bertviz/js/parts/matrix.js";
import { drawFooter } from "../../../bertviz/js/svg/footer.js";
import { drawLines } from "../../../bertviz/js/svg/lines.js";
import { drawMatrix } from "../../../bertviz/js/svg/matrix.js";
import { Sheet } from "../../../bertviz/js/svg/sheet.js";
import { estimatedWidth } from "../../../bertviz/js/svg/text_width.js";
import { THEMES } from "../../../bertviz/js/theme/colors.js";
import { measure, pictureOf } from "../parts/pictures.js";

const sheet = () => new Sheet(THEMES.light, 600, "test");
/** @param {string} svg @param {string} text */
const times = (svg, text) => svg.split(`>${text}<`).length - 1;

test("every token of both columns is on the sheet, and every mean that can be told from zero", async () => {
  const { picture, dense, state } = pictureOf({ count: 40, state: { query: 2 } });
  const own = sheet();
  const before = own.y;
  drawLines(own, linesPlot(picture, state, 600, measure));
  const svg = await own.svg();
  for (let i = 0; i < 40; i++) assert.equal(times(svg, `t${i}`), 2, `t${i}`);
  const numbers = dense[0][2].filter((w) => w >= 0.01).map((w) => w.toFixed(2));
  for (const number of new Set(numbers)) {
    assert.equal(times(svg, number), numbers.filter((n) => n === number).length, number);
  }
  assert.equal(own.y - before, 22 + 40 * 24);
});

test("a small matrix is shapes, one per cell that can be seen; a large one is an image", async () => {
  const cells = async (/** @type {number} */ count) => {
    const { picture, state } = pictureOf({ count });
    const own = sheet();
    const { root, max } = drawMatrix(own, matrixPlot(picture, state, 600, measure));
    const svg = await own.svg();
    return { root, max, rects: svg.split("<rect").length - 1, image: svg.includes("<image") };
  };
  const small = await cells(6);
  assert.deepEqual([small.root, small.image], [false, false]);
  assert.ok(small.rects > 20 && small.rects <= 38, `${small.rects}`);
  const large = await cells(70);
  assert.deepEqual([large.root, large.image], [true, true]);
});

test("a note that does not fit beside the legend stands below it, in lines", async () => {
  const notes = ["short", "not so short ".repeat(8).trim(), "long ".repeat(40).trim()];
  const sheets = notes.map((note) => {
    const own = sheet();
    drawFooter(own, { legend: "weight", note });
    return own;
  });
  const [short, below, lines] = sheets.map((own) => own.y);
  assert.deepEqual([below - short, lines - short], [16, 2 * 16]);
  const words = (await sheets[2].svg()).match(/long/g) ?? [];
  assert.equal(words.length, 40);
});

test("a legend goes on in the next line where the sheet ends", async () => {
  const legend = { signed: "full strength: 1", missing: "missing: 3 of 9 values", note: "" };
  const [wide, narrow] = [600, 200].map((width) => {
    const own = new Sheet(THEMES.light, width, "test");
    drawFooter(own, legend);
    return own;
  });
  assert.ok(narrow.y > wide.y);
  const [one, other] = await Promise.all([wide.svg(), narrow.svg()]);
  for (const text of ["positive", "negative", legend.signed, legend.missing]) {
    assert.deepEqual([times(one, text), times(other, text)], [1, 1], text);
  }
  for (const [, x, text] of other.matchAll(/<text x="([\d.]+)"[^>]*>([^<]+)</g)) {
    assert.ok(Number(x) + 0.92 * estimatedWidth(text, 11) <= 200.5, text);
  }
});
