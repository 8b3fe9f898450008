// The grid of the model view on a sheet.

import { paintCells } from "../paint/cells.js";
import { paintBar } from "../paint/grid.js";
import { paintRaster, SHADE } from "../paint/raster.js";
import { paintThumbnail } from "../paint/thumbnail.js";
import { barBox, labelsOf, LABELS, lookOf } from "../parts/grid.js";
import { binned, smallMatrix } from "../parts/thumbnails.js";

/** @typedef {import("./sheet.js").Sheet} Sheet */
/** @typedef {import("../scenes/model.js").ModelScene} ModelScene */
/** @typedef {import("../parts/grid.js").Layout} Layout */
/** @typedef {import("../parts/thumbnails.js").Bins} Bins */
/** @typedef {import("../data/cells.js").Cells} Cells */
/** @typedef {{bins: Bins | null, cells: Cells | null, color: string}} Thumbnail as lines or a matrix */

const MANY = 10_000; // lines of all thumbnails that an editor can do with; beyond, they are images
const FINEST = 64; // rows of a small matrix
const VISIBLE = 2 / 255;

/**
 * @param {Sheet} sheet
 * @param {ModelScene} scene
 * @param {Layout} layout
 * @param {import("../data/payload.js").Source} source
 */
export function drawGrid(sheet, scene, layout, source) {
  const { theme } = sheet;
  const { pitch, inner, pad, lift, radius, rows, form } = layout;
  const size = inner - 2 * pad;
  const top = sheet.y + (scene.sorted ? 0 : LABELS.top);
  if (!scene.sorted) drawLabels(sheet, scene, layout, top);

  const drawn = scene.cells.map((cell) => {
    const look = lookOf(scene, layout, cell, theme);
    const thumbnails = look.thumbnails.map(({ ply, color }) => {
      const { queries, keys, scale } = scene;
      const [weights, { head }] = [source.weights(cell.layer), cell];
      const lines = form === "lines";
      return {
        bins: lines ? binned(weights, head, queries, keys, FINEST) : null,
        cells: lines ? null : smallMatrix({ weights, head, queries, keys, ply, scale }, FINEST),
        color,
      };
    });
    return { cell, look, thumbnails };
  });
  const raster = lineCount(drawn.flatMap(({ thumbnails }) => thumbnails)) > MANY;
  for (const { cell, look, thumbnails } of drawn) {
    const [x, y] = [LABELS.left + cell.column * pitch, top + cell.row * pitch];
    sheet.rect(x, y, inner, inner, {
      fill: look.ground,
      radius,
      ...(cell === scene.open ? { stroke: theme.head(cell.head) } : {}),
    });
    if (look.missing) {
      const below = thumbnails.length ? inner + 1 : inner / 2 + 4; // as on the page
      const at = { x: x + inner / 2, y: y + below };
      sheet.text("–", { ...at, anchor: "middle", color: theme.muted });
    }
    for (const thumbnail of thumbnails) {
      sheet.painting(x + pad, y + pad - lift, (context) => paint(context, thumbnail, size, raster));
    }
    const { bar } = look;
    if (bar) sheet.painting(x, y, (context) => paintBar(context, bar, barBox(layout)));
    sheet.text(look.label, { x: x + 3, y: y + inner - (bar ? 10 : 4), size: 10, halo: true });
  }
  sheet.y = top + pitch * rows;
}

/**
 * The numbers of heads above the grid, those of layers beside it.
 * @param {Sheet} sheet
 * @param {ModelScene} scene
 * @param {Layout} layout
 * @param {number} top of the grid
 */
function drawLabels(sheet, scene, layout, top) {
  const { muted: color } = sheet.theme;
  const { left } = LABELS;
  const { pitch, inner, rows, columns } = layout;
  const [middle, across, down] = [
    inner / 2,
    left + (pitch * columns) / 2,
    top + (pitch * rows) / 2,
  ];
  sheet.text("heads", { x: across, y: sheet.y + 11, anchor: "middle", color });
  sheet.text("layers", { x: 11, y: down, anchor: "middle", color, upright: true });
  const labels = labelsOf(scene, layout);
  for (const { text, i } of labels.across) {
    sheet.text(text, { x: left + i * pitch + middle, y: top - 8, anchor: "middle", color });
  }
  for (const { text, i } of labels.down) {
    sheet.text(text, { x: left - 10, y: top + i * pitch + middle + 4, anchor: "end", color });
  }
}

/** @param {Thumbnail[]} thumbnails */
function lineCount(thumbnails) {
  let lines = 0;
  for (const { bins } of thumbnails) {
    for (const value of bins?.values ?? []) if (value >= VISIBLE) lines++;
  }
  return lines;
}

/**
 * @param {CanvasRenderingContext2D} context
 * @param {Thumbnail} thumbnail
 * @param {number} size
 * @param {boolean} raster
 */
function paint(context, { bins, cells, color }, size, raster) {
  if (cells) paintCells(context, cells, { width: size, height: size, color, root: true });
  else if (bins && raster) rasterBins(context, bins, size, color);
  else if (bins) paintThumbnail(context, bins, { x: 0, y: 0, size, color });
}

/**
 * The lines of a thumbnail as an image.
 * @param {CanvasRenderingContext2D} context
 * @param {Bins} bins
 * @param {number} size
 * @param {string} color
 */
function rasterBins(context, { rows, columns, values, hidden }, size, color) {
  const row = size / Math.max(rows, columns);
  paintRaster(
    context,
    (visit) => values.forEach((value, i) => visit(0, Math.floor(i / columns), i % columns, value)),
    {
      ...{ geometry: { width: size, top: 0, height: size, row }, x0: 0, x1: size, colors: [color] },
      lineWidth: Math.max(0.5, Math.min(1.5, size / 48, 0.6 * row)),
      eachSpread(visit) {
        if (hidden > 0) for (let r = 0; r < rows; r++) visit(0, r, SHADE * hidden);
      },
      keyRows: columns,
    },
  );
}
