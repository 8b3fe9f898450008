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
