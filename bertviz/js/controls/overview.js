// A whole text in small beside a long one: dragging sets the window that is shown, dragging the window
// moves it.

import { cellsOf } from "../data/cells.js";
import { sized } from "../paint/canvas.js";
import { paintOverview } from "../paint/matrix.js";
import { grown, moved, OVERVIEW, overviewPlot, rowsOf, windowOfRows } from "../parts/overview.js";
import { add } from "./dom.js";
import { distance, listenForDrags } from "./drag.js";
import { SETTLED } from "./stage.js";

/** @typedef {import("./frame.js").Frame} Frame */
/** @typedef {import("../state.js").State} State */
/** @typedef {import("../scenes/head.js").Part} Part */
/** @typedef {import("../scenes/picture.js").Picture} Picture */
/** @typedef {import("../parts/overview.js").OverviewPlot} OverviewPlot */
/** @typedef {import("../parts/overview.js").Rows} Rows */
/** @typedef {import("./drag.js").Place} Place */

const DRAG = 3; // pixels until a drag sets a new window

/**
 * @param {HTMLElement} parent
 * @param {Frame} frame
 */
export function addOverview(parent, frame) {
  return new Overview(parent, frame);
}

class Overview {
  #frame;
  #box;
  #canvas;
  #window;
  #note;
  #reset;
  #painted = "";
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;
  /** @type {Part} */
  #all = { queries: new Int32Array(1), keys: new Int32Array(1) };
  #scale = 1;
  /** @type {Rows | null} the window that is being dragged */
  #grabbed = null;

  /**
   * @param {HTMLElement} parent
   * @param {Frame} frame
   */
  constructor(parent, frame) {
    this.#frame = frame;
    this.element = add(parent, "overview");
    add(this.element, "caption").textContent = "whole text";
    this.#box = add(this.element, "plot");
    this.#canvas = /** @type {HTMLCanvasElement} */ (add(this.#box, "", "canvas"));
    this.#canvas.setAttribute("aria-hidden", "true");
    this.#window = add(this.#box, "window");
    this.#box.tabIndex = 0;
    this.#box.setAttribute("role", "slider");
    this.#box.setAttribute(
      "aria-label",
      "Window of the text. Arrow keys move it, plus and minus resize it, Escape shows all.",
    );
    this.#box.setAttribute("aria-valuemin", "0");
    this.#note = add(this.element, "note");
    this.#reset = add(this.element, "link", "button");
    this.#reset.textContent = "show all";
    this.#reset.addEventListener("click", () => frame.set({ zoom: null }));
    this.#listen();
  }

  #listen() {
    listenForDrags(this.#box, 0, {
      press: (from) => (this.#grabbed = this.#windowAt(from)),
      drag: (from, at) => this.#drag(from, at),
    });
    this.#box.addEventListener("dblclick", () => this.#frame.set({ zoom: null }));
    this.#box.addEventListener("keydown", (event) => {
      if (!this.#press(event.key)) return;
      event.preventDefault();
      event.stopPropagation();
    });
  }

  /**
   * The window, if this place lies in it.
   * @param {Place} place
   */
  #windowAt({ x, y }) {
    const { zoom } = this.#frame.state();
    const rows = rowsOf(this.#all, zoom);
    const [r, c] = [y / this.#scale, x / this.#scale];
    const inside = r >= rows[0] && r < rows[1] && c >= rows[2] && c < rows[3];
    return inside && zoom ? rows : null;
  }

  /**
   * @param {Place} from
   * @param {Place} at
   */
  #drag(from, at) {
    const scale = this.#scale;
    if (this.#grabbed) {
      this.#show(moved(this.#grabbed, (at.y - from.y) / scale, (at.x - from.x) / scale));
    } else if (distance(from, at) > DRAG) {
      const [top, bottom] = [Math.min(from.y, at.y), Math.max(from.y, at.y)];
      const [left, right] = [Math.min(from.x, at.x), Math.max(from.x, at.x)];
      this.#show([top / scale, bottom / scale, left / scale, right / scale]);
    }
  }

  /**
   * @param {string} key
   * @returns {boolean} whether it has a meaning here
   */
  #press(key) {
    const { zoom } = this.#frame.state();
    const rows = rowsOf(this.#all, zoom);
    const step = Math.max(1, Math.round((rows[1] - rows[0]) / 8));
    const windows = /** @type {Record<string, Rows>} */ ({
      ArrowUp: moved(rows, -step, 0),
      ArrowDown: moved(rows, step, 0),
      ArrowLeft: moved(rows, 0, -step),
      ArrowRight: moved(rows, 0, step),
      "+": grown(rows, -1 / 4),
      "=": grown(rows, -1 / 4),
      "-": grown(rows, 1 / 2),
    });
    if (Object.hasOwn(windows, key)) this.#show(windows[key]);
    else if (key === "Escape" && zoom) this.#frame.set({ zoom: null });
    else return false;
    return true;
  }

  /** @param {Rows} rows */
  #show(rows) {
    this.#frame.set({ zoom: windowOfRows(this.#all, rows) });
  }

  /**
   * @param {Part} all the text
   * @param {() => Picture} picture of it
   * @param {State} state
   */
  draw(all, picture, state) {
    const plot = overviewPlot(all, state.zoom);
    this.#all = all;
    this.#scale = plot.scale;
    this.#paint(plot, picture, state);
    const { width, height, window, text } = plot;
    Object.assign(this.#box.style, { width: `${width}px`, height: `${height}px` });
    this.#window.hidden = !state.zoom;
    for (const [name, value] of Object.entries(window)) {
      Object.assign(this.#window.style, { [name]: `${value}px` });
    }
    this.#box.setAttribute("aria-valuemax", String(plot.count));
    this.#box.setAttribute("aria-valuenow", String(plot.first));
    this.#box.setAttribute("aria-valuetext", text);
    this.#note.textContent = text;
    this.#reset.hidden = !state.zoom;
  }

  /**
   * Paints the text when it has changed, after everything that the reader waits for.
   * @param {OverviewPlot} plot
   * @param {() => Picture} picture
   * @param {State} state
   */
  #paint(plot, picture, state) {
    const theme = this.#frame.theme();
    const { block, layer, heads, words, combine, hide, pair, renormalize } = state;
    const shown = [block, layer, heads, words, combine, hide, pair, renormalize, theme.mode];
    const name = JSON.stringify(shown);
    if (name === this.#painted) return;
    const paint = () => {
      const { edges, heads } = picture();
      const { queries, keys } = this.#all;
      const cells = cellsOf(edges, heads.length, queries.length, keys.length, OVERVIEW);
      const context = sized(this.#canvas, plot.width, plot.height);
      paintOverview(context, plot, cells, edges.signs.includes(-1), theme);
    };
    clearTimeout(this.#timer);
    if (this.#painted) this.#timer = setTimeout(paint, SETTLED);
    else paint();
    this.#painted = name;
  }
}
