// A scrolling stage: rows of tokens as tall as they are, and canvases as tall as what is seen.
// A canvas beyond 65,535 pixels fails without a word, and one of 4,096 rows would take a gigabyte.
//
// Two canvases lie on each other: what rests below, what is touched above. Hovering repaints only
// the upper one; the lower one is hidden meanwhile and comes back as it was.

import { add } from "./dom.js";
import { ROW } from "../parts/token_columns.js";
import { sized } from "../paint/marks.js";

const MARGIN_ROWS = 12;
export const SETTLED = 150; // milliseconds without a change
export const MAX_HEIGHT = 744; // 31 rows

/**
 * @typedef {object} Geometry what a painter needs to know of the stage
 * @property {number} width
 * @property {number} top first visible pixel of the sheet
 * @property {number} height visible pixels
 * @property {number} row height of a row
 */

/**
 * @param {HTMLElement} parent
 * @param {() => void} redraw after scrolling
 */
export function addStage(parent, redraw) {
  const stage = add(parent, "stage");
  stage.style.maxHeight = `${MAX_HEIGHT}px`;
  const sheet = add(stage, "sheet");
  const pane = add(sheet, "pane");
  const layers = [0, 1].map(() => {
    const canvas = /** @type {HTMLCanvasElement} */ (add(pane, "", "canvas"));
    canvas.setAttribute("aria-hidden", "true"); // what it shows is said by tokens and tooltip
    return { canvas, painted: "", coarse: false, timer: /** @type {any} */ (undefined) };
  });
  stage.addEventListener("scroll", redraw, { passive: true });

  return {
    element: stage,
    sheet,
    /**
     * Makes room for so many rows.
     * @param {number} width
     * @param {number} rowCount
     * @param {number} [row]
     */
    prepare(width, rowCount, row = ROW) {
      const total = rowCount * row;
      sheet.style.height = `${total}px`;
      sheet.style.width = `${width}px`;
      const height = Math.min(total, MAX_HEIGHT); // a scrollbar may cover its end
      const top = Math.min(Math.max(0, stage.scrollTop), total - height);
      const ratio = globalThis.devicePixelRatio || 1;
      pane.style.height = `${height}px`;
      const first = Math.max(0, Math.floor(top / row) - MARGIN_ROWS);
      const last = Math.ceil((top + height) / row) + MARGIN_ROWS;
      /** @type {Geometry} */
      const geometry = { width, top, height, row };
      return {
        geometry,
        /**
         * The rows of a column that are in view or near it.
         * @param {number} count
         * @returns {[number, number]}
         */
        rows: (count) => [Math.min(first, count), Math.min(last, count)],
        /**
         * Paints one canvas, unless it already shows this very picture: at once, and if that can be
         * done better, again when nothing moves any more.
         * @param {0 | 1} which
         * @param {string} picture what the painting depends on, beside the geometry
         * @param {((context: CanvasRenderingContext2D, coarse: boolean) => boolean | void) | null} paint
         *   says whether there is something finer; null hides it
         */
        paint(which, picture, paint) {
          const layer = layers[which];
          clearTimeout(layer.timer);
          layer.canvas.style.visibility = paint ? "visible" : "hidden";
          if (!paint) return;
          const put = (/** @type {boolean} */ coarse) => {
            const context = sized(layer.canvas, width, height);
            context.translate(0, -top);
            layer.coarse = Boolean(paint(context, coarse)) && coarse;
          };
          const wanted = `${JSON.stringify(geometry)} ${ratio} ${picture}`;
          if (layer.painted !== wanted) {
            layer.painted = wanted;
            put(true);
          }
          if (layer.coarse) layer.timer = setTimeout(() => layer.canvas.isConnected && put(false), SETTLED);
        },
      };
    },
    /**
     * Scrolls a row into view, inside the stage, never the page.
     * @param {number} index
     * @param {number} [row]
     */
    reveal(index, row = ROW) {
      const y = index * row;
      if (y < stage.scrollTop) stage.scrollTop = y - row;
      else if (y + row > stage.scrollTop + stage.clientHeight) {
        stage.scrollTop = y + 2 * row - stage.clientHeight;
      }
    },
  };
}
