// The heads of a model in small, each as the bars of one row: where cells stand and how high their
// bars are.

import { labeled, ROUND_STEPS } from "./ticks.js";

/** @typedef {import("../scenes/model_rows.js").ModelRows} ModelRows */
/**
 * @typedef {object} MapCell
 * @property {number} layer
 * @property {number} head
 * @property {number} x
 * @property {number} y
 * @property {number[] | null} bars heights with their signs, −1..1; null if they are not known yet
 */
/** @typedef {ReturnType<typeof modelMap>} ModelMap */

const LABELS = { left: 26, top: 16 };
const PITCH = { least: 7, most: 36 };
const ROW = { least: 9, most: 24 };
const TALL = 320; // of all layers together, as far as cells can be told apart
const BAR = 2; // least width
const ROOM = { across: 16, down: 13 }; // that a number takes

/**
 * @param {ModelRows} rows
 * @param {number} width
 */
export function modelMap(rows, width) {
  const { layers, positions } = rows;
  const heads = [...new Set(layers.flatMap((row) => row.heads))].sort((a, b) => a - b);
  const pitch = within(Math.floor((width - LABELS.left) / heads.length), PITCH);
  const row = within(Math.floor(TALL / layers.length), ROW);
  const size = { width: pitch - (pitch > 12 ? 3 : 1), height: row - (row > 12 ? 3 : 1) };
  const count = Math.max(1, Math.min(positions.length, Math.floor(size.width / BAR)));
  const cells = layers.flatMap(({ layer, heads: own, values }, i) =>
    own.map((head, h) => ({
      ...{ layer: layer.index, head },
      x: LABELS.left + heads.indexOf(head) * pitch,
      y: LABELS.top + i * row,
      bars: values && barsOf(values[h], count, rows.full),
    })),
  );
  return {
    ...{ cells, heads, pitch, row, size },
    layers: layers.map(({ layer }) => layer.index),
    /** Where a layer's cells are. @param {number} index */
    rowOf: (index) => ({
      top: LABELS.top + layers.findIndex(({ layer }) => layer.index === index) * row,
      height: size.height,
    }),
    width: LABELS.left + pitch * heads.length,
    height: LABELS.top + row * layers.length,
  };
}

/** @param {number} value @param {{least: number, most: number}} bounds */
const within = (value, { least, most }) => Math.max(least, Math.min(most, value));

/**
 * The largest of each run of tokens, as the root of its part of the full size.
 * @param {Float64Array} values
 * @param {number} count
 * @param {number} full
 */
export function barsOf(values, count, full) {
  const bars = new Array(count).fill(0);
  values.forEach((value, r) => {
    const bar = Math.floor((r * count) / values.length);
    const height = Math.sign(value) * Math.sqrt(Math.min(1, Math.abs(value) / full));
    if (Math.abs(height) > Math.abs(bars[bar])) bars[bar] = height;
  });
  return bars;
}

/**
 * The cell at a place.
 * @param {ModelMap} map
 * @param {number} x
 * @param {number} y
 */
export function cellAt({ cells, size }, x, y) {
  const inside = (/** @type {MapCell} */ cell) =>
    x >= cell.x && x <= cell.x + size.width && y >= cell.y && y <= cell.y + size.height;
  return cells.find(inside) ?? null;
}

/**
 * The numbers around the cells; of those that have no room some are not written.
 * @param {ModelMap} map
 */
export function labelsOf({ heads, layers, pitch, row, size }) {
  const across = new Set(labeled(heads.length, pitch, ROOM.across, ROUND_STEPS));
  const down = new Set(labeled(layers.length, row, ROOM.down, ROUND_STEPS));
  return {
    heads: heads
      .map((number, i) => ({ number, at: LABELS.left + i * pitch + size.width / 2 }))
      .filter((_, i) => across.has(i)),
    layers: layers.map((number, i) => ({
      ...{ number, at: LABELS.top + i * row + size.height / 2 },
      written: down.has(i),
    })),
  };
}
