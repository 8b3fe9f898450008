// The part of a tall sheet of rows that is in view. A canvas beyond 65,535 pixels fails without an
// error, and one of 4,096 rows would take a gigabyte, so only what is in view is painted.

/** @typedef {import("./geometry.js").Geometry} Geometry */

export const MAX_HEIGHT = 744; // 31 rows
const MARGIN_ROWS = 12; // in the page beyond what is in view

/**
 * @param {number} width
 * @param {number} rowCount
 * @param {number} row height of a row
 * @param {number} scrolled pixels above what is in view
 * @returns {{geometry: Geometry, total: number, first: number, last: number}} total is the height of
 *   all rows; first and last are rows in view or near it
 */
export function viewport(width, rowCount, row, scrolled) {
  const total = rowCount * row;
  const height = Math.min(total, MAX_HEIGHT); // a scrollbar may cover its end
  const top = Math.min(Math.max(0, scrolled), total - height);
  return {
    geometry: { width, top, height, row },
    total,
    first: Math.max(0, Math.floor(top / row) - MARGIN_ROWS),
    last: Math.ceil((top + height) / row) + MARGIN_ROWS,
  };
}
