// A scrolling stage: rows of tokens as tall as they are, and canvases as tall as what is in view.
//
// Two canvases lie on each other: what rests below, what is selected above. Hovering repaints only the
// upper one; the lower one is hidden meanwhile and comes back as it was.

import { sized } from "../paint/canvas.js";
import { ROW } from "../parts/token_columns.js";
import { MAX_HEIGHT, viewport } from "../parts/viewport.js";
import { add } from "./dom.js";

/** @typedef {import("../parts/geometry.js").Geometry} Geometry */
/** @typedef {(context: CanvasRenderingContext2D, coarse: boolean) => boolean | void} Paint says
 *   whether it could paint something finer */

export const SETTLED = 150; // milliseconds without a change

/**
 * @param {HTMLElement} parent
 * @param {() => void} redraw after scrolling
 */
export function addStage(parent, redraw) {
  return new Stage(parent, redraw);
}

class Stage {
  #pane;
  #layers;

  /**
   * @param {HTMLElement} parent
   * @param {() => void} redraw
   */
  constructor(parent, redraw) {
    this.element = add(parent, "stage");
    this.element.style.maxHeight = `${MAX_HEIGHT}px`;
    this.element.addEventListener("scroll", redraw, { passive: true });
    this.sheet = add(this.element, "sheet");
    this.#pane = add(this.sheet, "pane");
    this.#layers = [new CanvasLayer(this.#pane), new CanvasLayer(this.#pane)];
  }

  /**
   * Makes room for so many rows.
   * @param {number} width
   * @param {number} rowCount
   * @param {number} [row] height of a row
   * @param {number} [painted] width of the canvases, if they are narrower
   */
  prepare(width, rowCount, row = ROW, painted = width) {
    const { scrollTop } = this.element;
    const { geometry, total, first, last } = viewport(painted, rowCount, row, scrollTop);
    this.sheet.style.height = `${total}px`;
    this.sheet.style.width = `${width}px`;
    this.#pane.style.height = `${geometry.height}px`;
    return {
      geometry,
      /**
       * The rows of a column that are in view or near it.
       * @param {number} count
       * @returns {[number, number]}
       */
      rows: (count) => [Math.min(first, count), Math.min(last, count)],
      /**
       * Paints one canvas, unless it already shows this very picture.
       * @param {0 | 1} which
       * @param {string} picture what the painting depends on, beside the geometry
       * @param {Paint | null} paint null hides it
       */
      paint: (which, picture, paint) => this.#layers[which].draw(geometry, picture, paint),
    };
  }

  /**
   * The first row in sight and the one after the last.
   * @param {number} [row] height of a row
   * @returns {[number, number]}
   */
  inSight(row = ROW) {
    const { scrollTop, clientHeight } = this.element;
    return [Math.floor(scrollTop / row + 0.5), Math.floor((scrollTop + clientHeight) / row + 0.5)];
  }

  /**
   * Scrolls a row into view, inside the stage, never the page.
   * @param {number} index
   * @param {number} [row] height of a row
   * @param {boolean} [middle] to the middle, if it is out of sight
   */
  reveal(index, row = ROW, middle = false) {
    const stage = this.element;
    const y = index * row;
    const above = y < stage.scrollTop;
    if (!above && y + row <= stage.scrollTop + stage.clientHeight) return;
    const half = y - stage.clientHeight / 2;
    stage.scrollTop = middle ? half : above ? y - row : y + 2 * row - stage.clientHeight;
  }
}

/** A canvas that is painted at once, and if it can be painted finer, again when nothing moves. */
class CanvasLayer {
  #canvas;
  #painted = "";
  #coarse = false;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;

  /** @param {HTMLElement} pane */
  constructor(pane) {
    this.#canvas = /** @type {HTMLCanvasElement} */ (add(pane, "", "canvas"));
    this.#canvas.setAttribute("aria-hidden", "true"); // tokens and tooltip say what it shows
  }

  /**
   * @param {Geometry} geometry
   * @param {string} picture
   * @param {Paint | null} paint
   */
  draw(geometry, picture, paint) {
    clearTimeout(this.#timer);
    this.#canvas.style.visibility = paint ? "visible" : "hidden";
    if (!paint) return;
    const ratio = globalThis.devicePixelRatio || 1;
    const wanted = `${JSON.stringify(geometry)} ${ratio} ${picture}`;
    if (this.#painted !== wanted) {
      this.#painted = wanted;
      this.#paint(geometry, paint, true);
    }
    if (!this.#coarse) return;
    this.#timer = setTimeout(() => {
      if (this.#canvas.isConnected) this.#paint(geometry, paint, false);
    }, SETTLED);
  }

  /**
   * @param {Geometry} geometry
   * @param {Paint} paint
   * @param {boolean} coarse
   */
  #paint({ width, height, top }, paint, coarse) {
    const context = sized(this.#canvas, width, height);
    context.translate(0, -top);
    this.#coarse = Boolean(paint(context, coarse)) && coarse;
  }
}
