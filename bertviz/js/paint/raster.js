// Tens of thousands of lines, as the picture that stroking them one by one would give. Stroking
// takes seconds. Seen from the side, lines over each other let through the product of what each
// lets through; so every line leaves the logarithm of that where it begins and ends in each column
// of pixels, and one sum down the column gives what all of them let through.

import { channels } from "../theme/colors.js";
import { INVISIBLE } from "./canvas.js";

/** @typedef {import("../data/edges.js").EachEdge} EachEdge */
/** @typedef {import("../data/edges.js").EachSpread} EachSpread */
/** @typedef {import("../parts/geometry.js").Geometry} Geometry */

// While something moves, columns are this many CSS pixels wide and stretched: a fraction of the
// work.
const COLUMN = 4;
// What a logarithm lets through, in steps finer than an 8-bit screen: an exponential per pixel and
// head would take most of the time.
const LEAST = 7;
const STEPS = 512;
const THROUGH = Float32Array.from({ length: LEAST * STEPS }, (_, i) =>
  Math.exp(-(i + 0.5) / STEPS),
);
// Nothing is entirely opaque: the logarithm of zero could not be added to others.
const OPAQUE = 0.98;
/** Hidden mass is shaded this much darker than it is; otherwise a screen would not show it. */
export const SHADE = 3;

/**
 * @param {CanvasRenderingContext2D} context
 * @param {EachEdge} eachEdge head by head
 * @param {object} options
 * @param {Geometry} options.geometry
 * @param {number} options.x0
 * @param {number} options.x1
 * @param {string[]} options.colors per slot
 * @param {number} [options.lineWidth]
 * @param {EachSpread} options.eachSpread mass that is spread evenly over all keys
 * @param {number} options.keyRows
 * @param {boolean} [options.coarse] quick, for a moment
 */
export function paintRaster(context, eachEdge, options) {
  const {
    geometry,
    x0,
    x1,
    colors,
    eachSpread,
    keyRows,
    lineWidth = 1.75,
    coarse = false,
  } = options;
  const ratio = context.getTransform().a;
  const column = coarse ? COLUMN : 1 / ratio;
  const width = Math.max(1, Math.round((x1 - x0) / column));
  const height = Math.round(geometry.height * ratio);
  const row = geometry.row * ratio;
  const top = geometry.top * ratio;
  const raster = new Raster(width, height, lineWidth * ratio, column * ratio);
  const spread = new SpreadMass(eachSpread);

  const finish = (/** @type {number} */ slot) => {
    const masses = spread.of(slot);
    if (masses) raster.shade(masses, { rows: spread.rows, keyRows, row, top });
    raster.blend(channels(colors[slot]));
  };
  let current = 0;
  eachEdge((slot, queryRow, keyRow, opacity) => {
    if (opacity < INVISIBLE) return;
    while (slot > current) finish(current++);
    const log = Math.log1p(-Math.min(OPAQUE, opacity));
    raster.line((queryRow + 0.5) * row - top, (keyRow + 0.5) * row - top, log);
  });
  while (current < colors.length) finish(current++);

  const image = context.createImageData(width, height);
  raster.copyTo(image.data);
  if (!coarse) {
    context.putImageData(image, Math.round(x0 * ratio), 0);
    return;
  }
  const small = new OffscreenCanvas(width, height);
  small.getContext("2d")?.putImageData(image, 0, 0);
  context.drawImage(small, x0, geometry.top, x1 - x0, geometry.height);
}

/** Adds up what the lines of one head let through, then lays its color over the heads before it. */
class Raster {
  #width;
  #height;
  #thickness;
  #column;
  #ends;
  #sums;
  #pixels;

  /**
   * @param {number} width columns
   * @param {number} height pixels
   * @param {number} thickness of a line, in pixels
   * @param {number} column its width in pixels
   */
  constructor(width, height, thickness, column) {
    this.#width = width;
    this.#height = height;
    this.#thickness = thickness;
    this.#column = column;
    // Row by row, as pixels lie: steps down a column would each miss the cache.
    this.#ends = new Float32Array(width * (height + 1));
    this.#sums = new Float32Array(width);
    this.#pixels = new Float32Array(width * height * 4); // color times opacity, and opacity
  }

  /**
   * A line from one height at the left edge to another at the right.
   * @param {number} y0
   * @param {number} y1
   * @param {number} log of what it lets through
   */
  line(y0, y1, log) {
    const width = this.#width;
    const height = this.#height;
    const thickness = this.#thickness;
    const slope = (y1 - y0) / width;
    // As thick as it is across: the steeper, the more of a column it takes. Where columns are wider
    // than the line, it takes all the way to the next one, paler, or it would be dashes.
    const own = thickness * Math.hypot(1, slope / this.#column);
    const thick = Math.max(1, Math.round(Math.max(own, Math.abs(slope))));
    if (own < thick - 1) log *= own / thick;
    let y = y0 + slope / 2 - thick / 2 + 0.5;
    // A steep line ends at its tokens too.
    const half = thickness / 2;
    const highest = Math.max(0, Math.floor(Math.min(y0, y1) - half + 0.5));
    const lowest = Math.min(height, Math.floor(Math.max(y0, y1) + half + 0.5));
    if (lowest <= 0 || highest >= height) return;
    let from = 0;
    let to = width;
    if (slope !== 0) {
      // Only the columns in which it is in sight.
      const a = (-thick - y) / slope;
      const b = (height - y) / slope;
      from = Math.max(0, Math.floor(Math.min(a, b)));
      to = Math.min(width, Math.ceil(Math.max(a, b)) + 1);
      y += slope * from;
    }
    const ends = this.#ends;
    for (let x = from; x < to; x++, y += slope) {
      const start = Math.floor(y);
      const end = start + thick;
      if (start >= highest && end <= lowest) {
        ends[start * width + x] += log;
        ends[end * width + x] -= log;
      } else if (end > highest && start < lowest) {
        ends[Math.max(start, highest) * width + x] += log;
        ends[Math.min(end, lowest) * width + x] -= log;
      }
    }
  }

  /**
   * Hidden mass of all rows of a head: in every column of pixels a row takes the span of all keys
   * as seen from it, which is equally long for all rows.
   * @param {Float32Array} masses
   * @param {{rows: number, keyRows: number, row: number, top: number}} options lengths in pixels
   */
  shade(masses, { rows, keyRows, row, top }) {
    const width = this.#width;
    const height = this.#height;
    const thickness = this.#thickness;
    const ends = this.#ends;
    const before = new Float64Array(rows + 1); // of the rows above
    for (let r = 0; r < rows; r++) before[r + 1] = before[r] + (masses[r] ?? 0);
    for (let x = 0; x < width; x++) {
      const t = (x + 0.5) / width;
      const step = row * (1 - t);
      const first = 0.5 * row - top; // where the span of row 0 begins, as row 0 is the first key
      const span = Math.max((keyRows - 1) * row * t, thickness);
      const share = thickness / span;
      /** @param {number} y @returns {number} rows whose span begins above */
      const above = (y) => Math.min(rows, Math.max(0, Math.ceil((y - first) / step)));
      const logOf = (/** @type {number} */ r) => {
        const part = masses[r] * share;
        return part < 0.01 ? -part : Math.log1p(-Math.min(OPAQUE, part)); // quicker, and as good
      };
      const [gone, begun, last] = [above(1 - span), above(1), above(height)];
      ends[x] -= (before[begun] - before[gone]) * share;
      for (let r = begun; r < last; r++) {
        if (masses[r]) ends[Math.floor(first + r * step) * width + x] += logOf(r);
      }
      for (let r = gone, stop = above(height - span); r < stop; r++) {
        if (!masses[r]) continue;
        const log = r < begun ? -masses[r] * share : logOf(r);
        ends[Math.min(height, Math.ceil(first + r * step + span)) * width + x] -= log;
      }
    }
  }

  /**
   * Lays what has been added up since the last head over the heads before it.
   * @param {number[]} color red, green and blue
   */
  blend([red, green, blue]) {
    const width = this.#width;
    const height = this.#height;
    const ends = this.#ends;
    const sums = this.#sums;
    const pixels = this.#pixels;
    sums.fill(0);
    for (let y = 0, i = 0; y < height; y++) {
      for (let x = 0; x < width; x++, i++) {
        const sum = (sums[x] += ends[i]);
        if (sum > -1e-4) continue;
        const through = sum > -LEAST ? THROUGH[(sum * -STEPS) | 0] : 0;
        const own = 1 - through;
        const p = 4 * i;
        pixels[p] = pixels[p] * through + red * own;
        pixels[p + 1] = pixels[p + 1] * through + green * own;
        pixels[p + 2] = pixels[p + 2] * through + blue * own;
        pixels[p + 3] = pixels[p + 3] * through + own;
      }
    }
    ends.fill(0);
  }

  /** @param {Uint8ClampedArray} data of an image */
  copyTo(data) {
    const pixels = this.#pixels;
    for (let p = 0; p < pixels.length; p += 4) {
      const alpha = pixels[p + 3];
      if (alpha <= 0) continue;
      data[p] = pixels[p] / alpha;
      data[p + 1] = pixels[p + 1] / alpha;
      data[p + 2] = pixels[p + 2] / alpha;
      data[p + 3] = 255 * alpha;
    }
  }
}

/** The hidden mass of rows, slot by slot, as typed arrays. */
class SpreadMass {
  /** @type {(Float32Array | undefined)[]} */
  #masses = [];
  /** How many rows have been seen. */
  rows = 0;

  /** @param {EachSpread} eachSpread */
  constructor(eachSpread) {
    eachSpread((slot, queryRow, mass) => {
      this.rows = Math.max(this.rows, queryRow + 1);
      const own = (this.#masses[slot] ??= new Float32Array(1024));
      if (queryRow < own.length) own[queryRow] = mass;
      else (this.#masses[slot] = grown(own, queryRow))[queryRow] = mass;
    });
  }

  /** @param {number} slot */
  of(slot) {
    return this.#masses[slot];
  }
}

/**
 * @param {Float32Array} values
 * @param {number} index that must fit
 */
function grown(values, index) {
  const more = new Float32Array(2 * Math.max(values.length, index));
  more.set(values);
  return more;
}
