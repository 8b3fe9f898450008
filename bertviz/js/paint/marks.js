// Painters: they put what a scene says on a canvas. They decide nothing: which edges, which
// opacity and which colour are the scene's and the theme's.

import { channels } from "../theme/theme.js";

/** @typedef {import("../controls/stage.js").Geometry} Geometry */
/**
 * Visits drawn edges: slot counts the drawn heads, rows are places on the screen.
 * @callback EachEdge
 * @param {(slot: number, queryRow: number, keyRow: number, opacity: number) => void} visit
 * @returns {void}
 */

// Below this opacity a line changes no pixel of an 8-bit screen.
const INVISIBLE = 0.5 / 255;

/**
 * A canvas of so many CSS pixels, cleared, and its context in those.
 * @param {HTMLCanvasElement} canvas
 * @param {number} width
 * @param {number} height
 */
export function sized(canvas, width, height) {
  const ratio = globalThis.devicePixelRatio || 1;
  canvas.width = Math.max(1, Math.round(width * ratio));
  canvas.height = Math.max(1, Math.round(height * ratio));
  canvas.style.width = `${width}px`;
  canvas.style.height = `${height}px`;
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  return context;
}

/**
 * Straight lines from query to key.
 * @param {CanvasRenderingContext2D} context
 * @param {EachEdge} eachEdge
 * @param {object} options
 * @param {Geometry} options.geometry
 * @param {number} options.x0 where lines leave the query
 * @param {number} options.x1 where they reach the key
 * @param {string[]} options.colors per slot
 * @param {boolean} options.spread lines of several heads lie side by side
 * @param {number} [options.lineWidth]
 */
export function paintLines(context, eachEdge, options) {
  const { geometry, x0, x1, colors, spread, lineWidth = 1.75 } = options;
  const { top, height, row } = geometry;
  const bottom = top + height;
  // Side by side they share four fifths of a row.
  const step = spread ? Math.min(3, (0.8 * row) / colors.length) : 0;
  context.lineWidth = spread && colors.length > 1 ? Math.max(1, step) : lineWidth;
  context.lineCap = "butt";
  let last = -1;
  eachEdge((slot, queryRow, keyRow, opacity) => {
    if (opacity < INVISIBLE) return;
    const shift = (slot - (colors.length - 1) / 2) * step;
    const y0 = (queryRow + 0.5) * row + shift;
    const y1 = (keyRow + 0.5) * row + shift;
    if ((y0 < top && y1 < top) || (y0 > bottom && y1 > bottom)) return;
    if (slot !== last) context.strokeStyle = colors[(last = slot)];
    context.globalAlpha = Math.min(1, opacity);
    context.beginPath();
    context.moveTo(x0, y0);
    context.lineTo(x1, y1);
    context.stroke();
  });
  context.globalAlpha = 1;
}

/**
 * Adjacent boxes, one per head, behind the tokens of a column; opacity is the weight.
 * @param {CanvasRenderingContext2D} context
 * @param {Float32Array} boxes (heads, rows)
 * @param {object} options
 * @param {Geometry} options.geometry
 * @param {number} options.x left end of the column
 * @param {number} options.width of all boxes
 * @param {string[]} options.colors per slot
 */
export function paintBoxes(context, boxes, { geometry, x, width, colors }) {
  const { row } = geometry;
  const box = width / colors.length;
  const rows = boxes.length / colors.length;
  boxes.forEach((opacity, i) => {
    if (opacity < INVISIBLE) return;
    const slot = Math.floor(i / rows);
    context.fillStyle = colors[slot];
    context.globalAlpha = Math.min(1, opacity);
    context.fillRect(x + slot * box, (i % rows) * row + 2, box, row - 4);
  });
  context.globalAlpha = 1;
}

/**
 * A head in small: lines between at most a few dozen rows.
 * @param {CanvasRenderingContext2D} context
 * @param {{rows: number, columns: number, values: Float32Array, hidden?: number}} bins hidden mass
 *   lies everywhere, so it shades the whole
 * @param {{x: number, y: number, size: number, color: string}} options
 */
export function paintThumbnail(context, { rows, columns, values, hidden = 0 }, { x, y, size, color }) {
  if (FAN * hidden >= INVISIBLE) {
    context.fillStyle = color;
    context.globalAlpha = FAN * hidden;
    context.fillRect(x, y, size, size);
  }
  context.strokeStyle = color;
  // Never wider than the gap to the next line, or a long text is one block.
  context.lineWidth = Math.max(0.3, Math.min(1.5, size / 48, (0.6 * size) / rows));
  for (let row = 0, i = 0; row < rows; row++) {
    const y0 = y + ((row + 0.5) * size) / rows;
    for (let column = 0; column < columns; column++, i++) {
      if (values[i] < 4 * INVISIBLE) continue; // thousands of lines that nobody would see
      context.globalAlpha = Math.min(1, values[i]);
      line(context, x, y0, x + size, y + ((column + 0.5) * size) / columns);
    }
  }
  context.globalAlpha = 1;
}

/**
 * Vectors as stripes: a cell per neuron, blue above zero and orange below, strength by |value|.
 * @param {CanvasRenderingContext2D} context
 * @param {Float32Array} values (position, headDim)
 * @param {object} options
 * @param {Geometry} options.geometry
 * @param {Int32Array} options.positions one a row
 * @param {[number, number]} options.rows
 * @param {number} options.headDim
 * @param {number} options.x
 * @param {number} options.width
 * @param {number} options.max the |value| of full strength
 * @param {{positive: string, negative: string}} options.theme
 * @param {(position: number) => number} [options.fade] 0..1 per row
 * @param {number[]} [options.order] neurons from left to right, if not the model's order
 * @param {Set<number>} [options.off] neurons that are switched off: faint
 */
export function paintStripes(context, values, options) {
  const { geometry, positions, rows, headDim, x, width, max, theme, fade, order, off } = options;
  const cell = width / headDim;
  const hair = cell >= 3 ? 0.6 : 0;
  for (let r = rows[0]; r < rows[1]; r++) {
    const start = positions[r] * headDim;
    const strength = (fade ? fade(positions[r]) : 1) / (max || 1);
    const y = r * geometry.row + 4;
    for (let n = 0; n < headDim; n++) {
      const neuron = order ? order[n] : n;
      const value = values[start + neuron];
      const alpha = Math.min(1, Math.abs(value) * strength) * (off?.has(neuron) ? 0.15 : 1);
      if (alpha < INVISIBLE) continue;
      context.globalAlpha = alpha;
      context.fillStyle = value > 0 ? theme.positive : theme.negative;
      context.fillRect(x + n * cell, y, cell - hair, geometry.row - 8);
    }
  }
  context.globalAlpha = 1;
}

/**
 * One horizontal bar a row, from zero to a value.
 * @param {CanvasRenderingContext2D} context
 * @param {ArrayLike<number>} values by position
 * @param {object} options
 * @param {Geometry} options.geometry
 * @param {Int32Array} options.positions
 * @param {[number, number]} options.rows
 * @param {(value: number) => number} options.x
 * @param {{positive: string, negative: string}} options.theme
 * @param {[number, number]} [options.inset] from the top and the bottom of a row
 * @param {number} [options.strength] 0..1
 */
export function paintBars(context, values, options) {
  const { geometry, positions, rows, x, theme, inset = [5, 5], strength = 1 } = options;
  const zero = x(0);
  context.globalAlpha = strength;
  for (let r = rows[0]; r < rows[1]; r++) {
    const value = values[positions[r]];
    if (!Number.isFinite(value)) continue;
    const end = x(value);
    context.fillStyle = value < 0 ? theme.negative : theme.positive;
    // A hair for zero: the row has a value, and it is zero.
    const length = Math.max(1, Math.abs(end - zero));
    const height = geometry.row - inset[0] - inset[1];
    context.fillRect(Math.min(zero, end), r * geometry.row + inset[0], length, height);
  }
  context.globalAlpha = 1;
}

/**
 * Right-angle connectors from one row on the left to every row on the right.
 * @param {CanvasRenderingContext2D} context
 * @param {ArrayLike<number>} opacities by row
 * @param {object} options
 * @param {Geometry} options.geometry
 * @param {number} options.from row
 * @param {[number, number]} options.rows
 * @param {number} options.x0
 * @param {number} options.x1
 * @param {string} options.color
 */
export function paintElbows(context, opacities, { geometry, from, rows, x0, x1, color }) {
  const { row } = geometry;
  const middle = Math.round((x0 + x1) / 2) - 0.5;
  const y0 = (from + 0.5) * row;
  context.strokeStyle = color;
  context.lineWidth = 2;
  context.lineJoin = "round";
  // The upright belongs to all rows beyond a point: it is as strong as the strongest of them, so
  // it is drawn once, from the far ends in, and never adds up.
  for (const direction of [-1, 1]) {
    let strongest = 0;
    const last = direction < 0 ? 0 : opacities.length - 1;
    for (let r = last; direction < 0 ? r < from : r > from; r -= direction) {
      strongest = Math.max(strongest, opacities[r]);
      if (strongest < INVISIBLE) continue;
      context.globalAlpha = strongest;
      context.fillStyle = color;
      const y = (r + 0.5) * row;
      context.fillRect(middle - 1, direction < 0 ? y : y - row, 2, row);
    }
  }
  const strongest = Math.max(0, ...Array.from(opacities));
  context.globalAlpha = Math.max(0.25, strongest);
  line(context, x0, y0, middle, y0);
  for (let r = rows[0]; r < rows[1]; r++) {
    if (opacities[r] < INVISIBLE) continue;
    context.globalAlpha = opacities[r];
    const y = (r + 0.5) * row;
    line(context, middle, y, x1, y);
  }
  context.globalAlpha = 1;
}

/**
 * A horizontal piece in every row.
 * @param {CanvasRenderingContext2D} context
 * @param {ArrayLike<number>} opacities by row
 * @param {object} options
 * @param {Geometry} options.geometry
 * @param {[number, number]} options.rows
 * @param {number} options.x0
 * @param {number} options.x1
 * @param {string} options.color
 */
export function paintRungs(context, opacities, { geometry, rows, x0, x1, color }) {
  context.strokeStyle = color;
  context.lineWidth = 2;
  for (let r = rows[0]; r < rows[1]; r++) {
    if (opacities[r] < INVISIBLE) continue;
    context.globalAlpha = opacities[r];
    line(context, x0, (r + 0.5) * geometry.row, x1, (r + 0.5) * geometry.row);
  }
  context.globalAlpha = 1;
}

/**
 * @param {CanvasRenderingContext2D} context
 * @param {number} x0
 * @param {number} y0
 * @param {number} x1
 * @param {number} y1
 */
function line(context, x0, y0, x1, y1) {
  context.beginPath();
  context.moveTo(x0, y0);
  context.lineTo(x1, y1);
  context.stroke();
}

// How dark a fan of hidden mass is: all of a row's mass in it.
const FAN = 0.14;

/**
 * What a selected row does not list, as a fan to all keys (or from all queries).
 * @param {CanvasRenderingContext2D} context
 * @param {number[]} masses per slot, 0..1
 * @param {object} options
 * @param {number} options.apex x of the selected token's end
 * @param {number} options.base x of the other tokens' ends
 * @param {number} options.y of the selected token
 * @param {number} options.height of all rows
 * @param {string[]} options.colors per slot
 */
export function paintFans(context, masses, { apex, base, y, height, colors }) {
  masses.forEach((mass, slot) => {
    const alpha = (FAN * mass) / masses.length;
    if (alpha < INVISIBLE) return;
    context.globalAlpha = alpha;
    context.fillStyle = colors[slot];
    context.beginPath();
    context.moveTo(apex, y);
    context.lineTo(base, 0);
    context.lineTo(base, height);
    context.fill();
  });
  context.globalAlpha = 1;
}

// While something moves, columns are this many CSS pixels wide and stretched: a fraction of the work.
const COLUMN = 4;
// What a logarithm lets through, in steps finer than an 8-bit screen: an exponential per pixel and
// head would take most of the time.
const LEAST = 7;
const STEPS = 512;
const THROUGH = Float32Array.from({ length: LEAST * STEPS }, (_, i) => Math.exp(-(i + 0.5) / STEPS));

/**
 * Tens of thousands of lines, as the picture that stroking them one by one would give. Seen from the
 * side, lines over each other let through the product of what each lets through; so every line
 * leaves the logarithm of that where it begins and ends in each column of pixels, and one sum down
 * the column gives what all of them let through.
 * @param {CanvasRenderingContext2D} context
 * @param {EachEdge} eachEdge head by head
 * @param {object} options
 * @param {Geometry} options.geometry
 * @param {number} options.x0
 * @param {number} options.x1
 * @param {string[]} options.colors per slot
 * @param {number} [options.lineWidth]
 * @param {(visit: (slot: number, queryRow: number, mass: number) => void) => void} options.eachSpread
 *   mass that is spread evenly over all keys
 * @param {number} options.keyRows
 * @param {boolean} [options.coarse] quick, for a moment
 */
export function paintRaster(context, eachEdge, options) {
  const { geometry, x0, x1, colors, eachSpread, keyRows, lineWidth = 1.75, coarse = false } = options;
  const ratio = context.getTransform().a;
  const column = coarse ? COLUMN : 1 / ratio;
  const width = Math.max(1, Math.round((x1 - x0) / column));
  const height = Math.round(geometry.height * ratio);
  const row = geometry.row * ratio;
  const top = geometry.top * ratio;
  // Row by row, as pixels lie: steps down a column would each be a miss of the cache.
  const ends = new Float32Array(width * (height + 1));
  const sums = new Float32Array(width);
  const pixels = new Float32Array(width * height * 4);

  /**
   * From one height to another.
   * @param {number} y0
   * @param {number} y1
   * @param {number} log of what it lets through
   */
  const line = (y0, y1, log) => {
    const slope = (y1 - y0) / width;
    // As thick as it is across: the steeper, the more of a column it takes. Where columns are wider
    // than the line, it takes all the way to the next one, paler, or it would be dashes.
    const own = lineWidth * ratio * Math.hypot(1, slope / column / ratio);
    const thick = Math.max(1, Math.round(Math.max(own, Math.abs(slope))));
    if (own < thick - 1) log *= own / thick;
    let y = y0 + slope / 2 - thick / 2 + 0.5;
    // A steep line ends at its tokens too.
    const half = (lineWidth * ratio) / 2;
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
  };

  /** @type {(Float32Array | undefined)[]} per slot, the hidden mass of its rows */
  const spread = [];
  let rows = 0;
  eachSpread((slot, queryRow, mass) => {
    rows = Math.max(rows, queryRow + 1);
    const own = (spread[slot] ??= new Float32Array(1024));
    if (queryRow < own.length) own[queryRow] = mass;
    else (spread[slot] = grown(own, queryRow))[queryRow] = mass;
  });

  /**
   * Hidden mass of all rows of a head: in every column of pixels a row takes the span of all keys as
   * seen from it, which is as long for all of them.
   * @param {Float32Array} masses
   */
  const shade = (masses) => {
    const before = new Float64Array(rows + 1); // of the rows above
    for (let r = 0; r < rows; r++) before[r + 1] = before[r] + (masses[r] ?? 0);
    for (let x = 0; x < width; x++) {
      const t = (x + 0.5) / width;
      const step = row * (1 - t);
      const first = 0.5 * row - top; // where the span of row 0 begins, as row 0 is the first key
      const span = Math.max((keyRows - 1) * row * t, lineWidth * ratio);
      const share = (lineWidth * ratio) / span;
      /** @param {number} y @returns {number} rows whose span begins above */
      const above = (y) => Math.min(rows, Math.max(0, Math.ceil((y - first) / step)));
      const logOf = (/** @type {number} */ r) => {
        const part = masses[r] * share;
        return part < 0.01 ? -part : Math.log1p(-Math.min(0.98, part)); // quicker, and as good
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
  };

  /** @param {number} slot */
  const finish = (slot) => {
    const masses = spread[slot];
    if (masses) shade(masses);
    const [red, green, blue] = channels(colors[slot]);
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
  };

  let current = 0;
  eachEdge((slot, queryRow, keyRow, opacity) => {
    if (opacity < INVISIBLE) return;
    while (slot > current) finish(current++);
    const log = Math.log1p(-Math.min(0.98, opacity));
    line((queryRow + 0.5) * row - top, (keyRow + 0.5) * row - top, log);
  });
  while (current < colors.length) finish(current++);

  const image = context.createImageData(width, height);
  for (let p = 0; p < pixels.length; p += 4) {
    const alpha = pixels[p + 3];
    if (alpha <= 0) continue;
    image.data[p] = pixels[p] / alpha;
    image.data[p + 1] = pixels[p + 1] / alpha;
    image.data[p + 2] = pixels[p + 2] / alpha;
    image.data[p + 3] = 255 * alpha;
  }
  if (!coarse) {
    context.putImageData(image, Math.round(x0 * ratio), 0);
    return;
  }
  const small = new OffscreenCanvas(width, height);
  small.getContext("2d")?.putImageData(image, 0, 0);
  context.drawImage(small, x0, geometry.top, x1 - x0, geometry.height);
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

/**
 * How strong a small cell is: the root, since a pixel has no neighbours to lie over it as lines do,
 * and a weight of 0.05 would not be seen.
 * @param {number} weight
 */
export function strengthOf(weight) {
  return Math.sqrt(Math.min(1, Math.max(0, weight)));
}

/**
 * @typedef {object} CellColors
 * @property {string} color
 * @property {string} [negative] for values below zero
 * @property {boolean} [root] opacity is the root of the value
 */
/** @typedef {{rows: number, columns: number, values: Float32Array, max: number}} Cells */

/**
 * @param {Cells} cells
 * @param {boolean} [root]
 * @returns {(value: number) => number} opacity
 */
function opacities({ max }, root) {
  const share = max > 0 ? 1 / max : 0;
  return (value) => (root ? strengthOf(Math.abs(value) * share) : Math.min(1, Math.abs(value) * share));
}

/**
 * A matrix: opacity from nothing to a colour, up to the largest value; below zero to another. Linear,
 * or the root, where cells are so small that only the strongest would be seen.
 * @param {CanvasRenderingContext2D} context
 * @param {Cells} cells
 * @param {CellColors & {width: number, height: number, shapes?: boolean}} options shapes: every cell
 *   a shape of its own, for an editor
 */
export function paintCells(context, cells, options) {
  const { width, height, color, negative = color, root, shapes } = options;
  if (!shapes) {
    const ratio = context.getTransform().a;
    const [wide, high] = [width, height].map((size) => Math.max(1, Math.round(size * ratio)));
    context.putImageData(cellPixels(context, cells, wide, high, options), 0, 0);
    return;
  }
  const opacityOf = opacities(cells, root);
  const [wide, high] = [width / cells.columns, height / cells.rows];
  cells.values.forEach((value, i) => {
    context.fillStyle = value < 0 ? negative : color;
    context.globalAlpha = opacityOf(value);
    if (context.globalAlpha < INVISIBLE) return;
    context.fillRect((i % cells.columns) * wide, Math.floor(i / cells.columns) * high, wide, high);
  });
  context.globalAlpha = 1;
}

/**
 * A matrix as pixels. Cells smaller than a pixel share it; larger ones have sharp edges.
 * @param {CanvasRenderingContext2D} context
 * @param {Cells} cells
 * @param {number} wide pixels
 * @param {number} high
 * @param {CellColors} colors
 */
export function cellPixels(context, cells, wide, high, { color, negative = color, root }) {
  const { rows, columns, values } = cells;
  const opacityOf = opacities(cells, root);
  const image = context.createImageData(wide, high);
  const colors = { above: channels(color), below: channels(negative) };
  const [across, down] = [columns / wide, rows / high];
  for (let y = 0, p = 0; y < high; y++) {
    const [r0, r1] = [Math.floor(y * down), Math.max(Math.floor(y * down) + 1, Math.floor((y + 1) * down))];
    for (let x = 0; x < wide; x++, p += 4) {
      const c0 = Math.floor(x * across);
      const c1 = Math.max(c0 + 1, Math.floor((x + 1) * across));
      let sum = 0;
      for (let r = r0; r < r1; r++) for (let c = c0; c < c1; c++) sum += values[r * columns + c];
      const [red, green, blue] = sum < 0 ? colors.below : colors.above;
      image.data[p] = red;
      image.data[p + 1] = green;
      image.data[p + 2] = blue;
      image.data[p + 3] = 255 * opacityOf(sum / ((r1 - r0) * (c1 - c0)));
    }
  }
  return image;
}
