// A whole text in small beside a long one, and the window of it that is shown. What is drawn are rows
// and columns, while a window is of the model's positions: they differ where tokens are left out.

/** @typedef {import("../scenes/head.js").Part} Part */
/** @typedef {import("../state.js").State} State */
/** @typedef {[number, number, number, number]} Rows first and end of queries, the same of keys */
/** @typedef {ReturnType<typeof overviewPlot>} OverviewPlot */

export const OVERVIEW = 132; // pixels of its longer side
const LEAST = 4; // tokens of a window

/**
 * What stands where.
 * @param {Part} all
 * @param {State["zoom"]} zoom
 */
export function overviewPlot(all, zoom) {
  const counts = [all.queries.length, all.keys.length];
  const scale = OVERVIEW / Math.max(...counts);
  const [a, b, c, d] = rowsOf(all, zoom);
  return {
    /** Pixels per row. */
    scale,
    width: counts[1] * scale,
    height: counts[0] * scale,
    window: { left: c * scale, top: a * scale, width: (d - c) * scale, height: (b - a) * scale },
    first: a,
    count: counts[0],
    text: zoom
      ? `queries ${zoom[0]}–${zoom[1] - 1}, keys ${zoom[2]}–${zoom[3] - 1}`
      : `${counts.join(" × ")}, drag to select a window`,
  };
}

/**
 * The rows of a window.
 * @param {Part} all
 * @param {State["zoom"]} [zoom]
 * @returns {Rows}
 */
export function rowsOf({ queries, keys }, zoom) {
  if (!zoom) return [0, queries.length, 0, keys.length];
  return [
    rowFrom(queries, zoom[0]),
    rowFrom(queries, zoom[1]),
    rowFrom(keys, zoom[2]),
    rowFrom(keys, zoom[3]),
  ];
}

/**
 * The row of a position, or of the next one that is there.
 * @param {Int32Array} positions
 * @param {number} position
 */
function rowFrom(positions, position) {
  const row = positions.findIndex((p) => p >= position);
  return row < 0 ? positions.length : row;
}

/**
 * The window of rows, moved and enlarged until it is one inside the text; null for all of it.
 * @param {Part} all
 * @param {Rows} rows fractions of rows are rounded
 * @returns {State["zoom"]}
 */
export function windowOfRows({ queries, keys }, [a, b, c, d]) {
  const [down, across] = [span(queries, a, b), span(keys, c, d)];
  if (down.whole && across.whole) return null;
  return [...down.ends, ...across.ends];
}

/**
 * @param {Int32Array} positions
 * @param {number} from
 * @param {number} to
 */
function span(positions, from, to) {
  const count = positions.length;
  const size = Math.min(count, Math.max(LEAST, Math.round(to - from)));
  const start = Math.min(Math.max(0, Math.round(from)), count - size);
  /** @type {[number, number]} */
  const ends = [positions[start], positions[start + size - 1] + 1];
  return { whole: size === count, ends };
}

/**
 * A window moved.
 * @param {Rows} rows
 * @param {number} down
 * @param {number} right
 * @returns {Rows}
 */
export const moved = ([a, b, c, d], down, right) => [a + down, b + down, c + right, d + right];

/**
 * A window whose ends move apart, by a part of its size; together if it is negative.
 * @param {Rows} rows
 * @param {number} part
 * @returns {Rows}
 */
export function grown([a, b, c, d], part) {
  const [down, right] = [part * (b - a), part * (d - c)];
  return [a - down, b + down, c - right, d + right];
}
