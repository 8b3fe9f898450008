// A head drawn small, as a cell of the model view shows it.

import { INVISIBLE, line } from "./canvas.js";
import { FAN } from "./strokes.js";

/**
 * A head in small: lines between at most a few dozen rows.
 * @param {CanvasRenderingContext2D} context
 * @param {{rows: number, columns: number, values: Float32Array, hidden?: number}} bins hidden mass
 *   lies everywhere, so it shades the whole
 * @param {{x: number, y: number, size: number, color: string}} options
 */
export function paintThumbnail(
  context,
  { rows, columns, values, hidden = 0 },
  { x, y, size, color },
) {
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
