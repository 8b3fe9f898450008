import assert from "node:assert/strict";
import { test } from "node:test";
import { paintLines } from "../../../bertviz/js/paint/strokes.js";
import { SvgContext } from "../../../bertviz/js/svg/context.js";
import { escaped } from "../../../bertviz/js/svg/markup.js";

/** @param {(context: any) => void} paint */
async function written(paint) {
  const context = new SvgContext();
  paint(context);
  return (await Promise.all(context.finish())).join("");
}

test("lines of one color share a group, each with its own opacity", async () => {
  const svg = await written((context) =>
    paintLines(
      context,
      (visit) => {
        visit(0, 0, 1, 0.5);
        visit(0, 1, 1, 1);
        visit(1, 1, 0, 0.25);
      },
      {
        geometry: { width: 100, top: 0, height: 48, row: 24 },
        x0: 0,
        x1: 100,
        colors: ["#ff0000", "#0000ff"],
        spread: false,
      },
    ),
  );
  assert.equal(
    svg,
    '<g fill="none" stroke="#ff0000" stroke-width="1.75">' +
      '<path d="M0 12L100 36" stroke-opacity="0.5"/><path d="M0 36L100 36"/></g>' +
      '<g fill="none" stroke="#0000ff" stroke-width="1.75">' +
      '<path d="M0 36L100 12" stroke-opacity="0.25"/></g>',
  );
});

test("pixels are an image, at two pixels a unit", async () => {
  const svg = await written((context) => {
    assert.equal(context.getTransform().a, 2);
    context.putImageData(context.createImageData(6, 4), 10, 0);
  });
  assert.match(svg, /^<image x="5" y="0" width="3" height="2" href="data:image\/png;base64,/);
});

test("text is what XML can hold", () => {
  assert.equal(escaped('<a href="x">&'), "&lt;a href=&quot;x&quot;&gt;&amp;");
  assert.equal(escaped("a\u0000b\ud800c🙂"), "a\ufffdb\ufffdc🙂");
});
