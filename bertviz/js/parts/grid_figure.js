// The grid of the model view on a sheet.

import { LABELS } from "./grid.js";
import { paintCells } from "../paint/cells.js";
import { paintRaster } from "../paint/raster.js";
import { paintThumbnail } from "../paint/thumbnail.js";
import { binned } from "./thumbnails.js";

/** @typedef {import("./grid.js").Scene} Scene */
/** @typedef {import("./grid.js").Layout} Layout */
/** @typedef {import("../views/model_view.js").Cell} Cell */
/** @typedef {import("./thumbnails.js").Bins} Bins */

const MANY = 10_000; // lines of all thumbnails that an editor can do with; beyond, they are images
const FINEST = 64; // rows of a small matrix
const SHADE = 3; // as in lines.js
const VISIBLE = 2 / 255;

/**
 * @param {import("../svg/sheet.js").Sheet} sheet
 * @param {Scene} scene
 * @param {Layout} layout
 * @param {import("../data/payload.js").Source} source
 */
export function drawGrid(sheet, scene, layout, source) {
  const { theme } = sheet;
  const { cells, choice, queries, keys, sorted, heads, block } = scene;
  const { pitch, inner, pad, tiles, form, rows } = layout;
  const size = inner - 2 * pad;
  const [left, top] = [LABELS.left, sheet.y + (sorted ? 0 : LABELS.top)];

  if (!sorted) {
    const every = (/** @type {number} */ room) => [1, 2, 5, 10].find((n) => n * pitch >= room) ?? 20;
    const middle = inner / 2;
    sheet.text("heads", { x: left + (pitch * heads.length) / 2, y: sheet.y + 11, anchor: "middle", color: theme.muted });
    sheet.text("layers", { x: 11, y: top + (pitch * rows) / 2, anchor: "middle", color: theme.muted, upright: true });
    heads.forEach((head, i) => {
      if (i % every(16)) return;
      sheet.text(String(head), { x: left + i * pitch + middle, y: top - 8, anchor: "middle", color: theme.muted });
    });
    block.layers.forEach(({ index }, i) => {
      if (i % every(13)) return;
      sheet.text(String(index), { x: left - 10, y: top + i * pitch + middle + 4, anchor: "end", color: theme.muted });
    });
  }

  /** @type {Map<Cell, {bins: Bins, color: string}[]>} differences have two parts, others one */
  const thumbnails = new Map();
  let lines = 0;
  if (!tiles) {
    for (const cell of cells) {
      const weights = source.weights(cell.layer);
      const parts = scene.difference
        ? [{ head: cell.head, color: theme.positive }, { head: ~cell.head, color: theme.negative }]
        : [{ head: cell.head, color: scene.inkOf(cell, theme, tiles) }];
      thumbnails.set(
        cell,
        parts.map(({ head, color }) => ({ bins: binned(weights, head, queries, keys, FINEST), color })),
      );
      for (const { bins } of thumbnails.get(cell) ?? []) {
        lines += bins.values.filter((value) => value >= VISIBLE).length;
      }
    }
  }
  for (const cell of cells) {
    const [x, y] = [left + cell.column * pitch, top + cell.row * pitch];
    const open = cell === scene.open;
    sheet.rect(x, y, inner, inner, {
      fill: scene.groundOf(cell, theme, tiles),
      radius: Math.min(6, inner / 8),
      ...(open ? { stroke: theme.accent } : {}),
    });
    if (choice && cell.value === null) sheet.text("–", { x: x + inner / 2, y: y + inner / 2 + 4, anchor: "middle", color: theme.muted });
    for (const { bins, color } of thumbnails.get(cell) ?? []) {
      sheet.painting(x + pad, y + pad, (context) => paint(context, bins, { size, color, form, raster: lines > MANY }));
    }
    if (sorted && pitch >= 40) {
      sheet.text(`${cell.layer.index}·${cell.head}`, { x: x + 3, y: y + inner - 4, size: 10, halo: true });
    }
  }
  sheet.y = top + pitch * rows;
}

/**
 * @param {CanvasRenderingContext2D} context
 * @param {Bins} bins
 * @param {{size: number, color: string, form: Layout["form"], raster: boolean}} options
 */
function paint(context, bins, { size, color, form, raster }) {
  const { rows, columns, values, hidden } = bins;
  if (form === "matrix") {
    const whole = values.map((value) => value + hidden / columns);
    paintCells(context, { rows, columns, values: whole, max: 1 }, { width: size, height: size, color, root: true });
  } else if (!raster) {
    paintThumbnail(context, bins, { x: 0, y: 0, size, color });
  } else {
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
}
