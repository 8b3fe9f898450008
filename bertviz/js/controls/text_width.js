// How wide this browser draws a token.

/** @type {CanvasRenderingContext2D | null} */
let context = null;

/**
 * @type {import("../parts/token_columns.js").Measure}
 */
export function measuredWidth(text) {
  if (!context) {
    context = /** @type {CanvasRenderingContext2D} */ (
      document.createElement("canvas").getContext("2d")
    );
    // 600 is the weight of a selected token: selecting must not cut it off.
    context.font = '600 13.5px system-ui, -apple-system, "Segoe UI", "DejaVu Sans", sans-serif';
  }
  return context.measureText(text).width;
}
