// Painters: they put what a scene says on a canvas. They decide nothing: which edges, which
// opacity and which colour are the scene's and the theme's.

/** @typedef {import("./stage.js").Geometry} Geometry */
/**
 * Visits drawn edges: slot counts the drawn heads, rows are places on the screen.
 * @callback EachEdge
 * @param {(slot: number, queryRow: number, keyRow: number, opacity: number) => void} visit
 * @returns {void}
 */

// Below this opacity a line changes no pixel of an 8-bit screen.
const INVISIBLE = 0.5 / 255;

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
 * @param {EachEdge} eachEdge
 * @param {object} options
 * @param {Geometry} options.geometry
 * @param {number} options.x left end of the column
 * @param {number} options.width of all boxes
 * @param {string[]} options.colors per slot
 * @param {"query" | "key"} options.side which end of an edge has the box
 */
export function paintBoxes(context, eachEdge, { geometry, x, width, colors, side }) {
  const { row } = geometry;
  const box = width / colors.length;
  eachEdge((slot, queryRow, keyRow, opacity) => {
    if (opacity < INVISIBLE) return;
    context.fillStyle = colors[slot];
    context.globalAlpha = Math.min(1, opacity);
    const y = (side === "key" ? keyRow : queryRow) * row;
    context.fillRect(x + slot * box, y + 2, box, row - 4);
  });
  context.globalAlpha = 1;
}

/**
 * A head in small: lines between at most a few dozen rows.
 * @param {CanvasRenderingContext2D} context
 * @param {{rows: number, columns: number, values: Float32Array}} bins
 * @param {{x: number, y: number, size: number, color: string}} options
 */
export function paintThumbnail(context, { rows, columns, values }, { x, y, size, color }) {
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
 */
export function paintStripes(context, values, options) {
  const { geometry, positions, rows, headDim, x, width, max, theme, fade } = options;
  const cell = width / headDim;
  const hair = cell >= 3 ? 0.6 : 0;
  for (let r = rows[0]; r < rows[1]; r++) {
    const start = positions[r] * headDim;
    const strength = (fade ? fade(positions[r]) : 1) / (max || 1);
    const y = r * geometry.row + 4;
    for (let n = 0; n < headDim; n++) {
      const value = values[start + n];
      const alpha = Math.min(1, Math.abs(value) * strength);
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
 */
export function paintBars(context, values, { geometry, positions, rows, x, theme }) {
  const zero = x(0);
  for (let r = rows[0]; r < rows[1]; r++) {
    const value = values[positions[r]];
    if (!Number.isFinite(value)) continue;
    const end = x(value);
    context.fillStyle = value < 0 ? theme.negative : theme.positive;
    // A hair for zero: the row has a value, and it is zero.
    const length = Math.max(1, Math.abs(end - zero));
    context.fillRect(Math.min(zero, end), r * geometry.row + 5, length, geometry.row - 10);
  }
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
