// The grid of the model view on a canvas, in whole device pixels.

import { barBox } from "../parts/grid.js";

/** @typedef {import("../parts/grid.js").CellLook} CellLook */
/**
 * @typedef {object} Drawn
 * @property {import("../scenes/model_grid.js").Cell} cell
 * @property {CellLook} look
 * @property {{row: number, column: number}} at place in the atlases
 */

/**
 * @param {CanvasRenderingContext2D} context
 * @param {Drawn[]} drawn
 * @param {import("../parts/grid.js").Layout} layout
 * @param {object} options
 * @param {number} options.ratio device pixels per CSS pixel
 * @param {number} options.size of a thumbnail, in device pixels
 * @param {CanvasImageSource[]} options.atlases thumbnails in their colors; none for tiles
 * @param {string} options.dash color of what stands for a missing number
 */
export function paintGrid(context, drawn, layout, { ratio, size, atlases, dash }) {
  const { pitch, inner, pad, lift, radius } = layout;
  const side = Math.round(inner * ratio);
  const round = Math.round(radius * ratio);
  const shift = Math.round(pad * ratio);
  const down = Math.round((pad - lift) * ratio);
  const box = barBox(layout);
  for (const { cell, look, at } of drawn) {
    const x = Math.round(cell.column * pitch * ratio);
    const y = Math.round(cell.row * pitch * ratio);
    context.fillStyle = look.ground;
    context.beginPath();
    context.roundRect(x, y, side, side, round);
    context.fill();
    if (look.missing) {
      context.fillStyle = dash;
      const margin = atlases.length ? side - shift - size : side;
      const thick = Math.max(1, Math.min(Math.round(ratio), margin));
      const wide = Math.min(side * 0.4, 8 * ratio);
      // On a tile in the middle, else below the thumbnail, where it is not taken for a part of it.
      const below = side - Math.round((margin + thick) / 2);
      context.fillRect(x + Math.round((side - wide) / 2), y + below, Math.round(wide), thick);
    }
    if (look.bar) {
      const own = { x: x + ratio * box.x, y: y + ratio * box.y };
      paintBar(context, look.bar, { ...own, width: ratio * box.width, height: ratio * box.height });
    }
    const [left, top] = [at.column * size, at.row * size];
    for (const atlas of atlases) {
      context.drawImage(atlas, left, top, size, size, x + shift, y + down, size, size);
    }
  }
}

/**
 * A cell's number as the length of a bar, with a mark where it would be by chance.
 * @param {CanvasRenderingContext2D} context
 * @param {import("../scenes/model_colors.js").ScoreBar} bar
 * @param {{x: number, y: number, width: number, height: number}} box
 */
export function paintBar(context, { from, to, color, track, chance }, { x, y, width, height }) {
  context.fillStyle = track;
  context.fillRect(x, y, width, height);
  context.fillStyle = color;
  context.fillRect(x + from * width, y, (to - from) * width, height);
  if (!chance) return;
  context.fillStyle = chance.color;
  const thick = height / 4;
  context.fillRect(x + chance.at * width - thick / 2, y - thick, thick, height + 2 * thick);
}
