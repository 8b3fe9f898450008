// Mouse and keyboard on a matrix: hovering over a cell shows its weights, a click locks it, dragging
// enlarges a window.

import { pairAt, pairBeside, windowBetween } from "../parts/matrix.js";
import { describeCell } from "../scenes/pair_texts.js";
import { listenForDrags } from "./drag.js";

/** @typedef {import("../parts/matrix.js").MatrixPlot} MatrixPlot */
/** @typedef {import("./drag.js").Place} Place */
/**
 * @typedef {object} Parts
 * @property {HTMLElement} box
 * @property {HTMLElement} brush the window that is being dragged
 * @property {import("./frame.js").Frame} frame
 * @property {ReturnType<typeof import("./tooltip.js").addTooltip>} tooltip
 * @property {() => MatrixPlot | null} plot that is drawn
 */

const DRAG = 5; // pixels that make a click a drag
const STEPS = /** @type {Record<string, [number, number]>} */ ({
  ArrowUp: [-1, 0],
  ArrowDown: [1, 0],
  ArrowLeft: [0, -1],
  ArrowRight: [0, 1],
});

/** @param {Parts} parts */
export function addMatrixInput(parts) {
  return new MatrixInput(parts);
}

class MatrixInput {
  #frame;
  #brush;
  #tooltip;
  #plot;

  /** @param {Parts} parts */
  constructor({ box, brush, frame, tooltip, plot }) {
    this.#frame = frame;
    this.#brush = brush;
    this.#tooltip = tooltip;
    this.#plot = plot;
    listenForDrags(box, DRAG, {
      hover: (at, event) => this.#hover(at, event),
      drag: (from, at) => this.#showBrush(from, at),
      end: () => (brush.hidden = true),
      drop: (from, at) => this.#enlarge(from, at),
      click: (at) => this.#click(at),
      leave: (pressed) => {
        tooltip.hide();
        if (!frame.state().locked && !pressed) frame.set({ query: null, key: null });
      },
    });
    box.addEventListener("dblclick", () => frame.set({ zoom: null }));
    box.addEventListener("keydown", (event) => {
      if (!this.#press(event.key)) return;
      event.preventDefault();
      event.stopPropagation();
    });
  }

  /**
   * @param {Place} at
   * @param {PointerEvent} event
   */
  #hover(at, event) {
    const plot = this.#plot();
    if (!plot) return;
    const { query, key } = pairAt(plot, at);
    const state = this.#frame.state();
    const text = describeCell(plot, state, query, key);
    this.#tooltip.show(text, event.clientX, event.clientY);
    if (!state.locked) this.#frame.set({ query, key });
  }

  /**
   * @param {Place} from
   * @param {Place} at
   */
  #showBrush(from, at) {
    this.#brush.hidden = false;
    Object.assign(this.#brush.style, {
      left: `${Math.min(from.x, at.x)}px`,
      top: `${Math.min(from.y, at.y)}px`,
      width: `${Math.abs(from.x - at.x)}px`,
      height: `${Math.abs(from.y - at.y)}px`,
    });
    this.#tooltip.hide();
  }

  /**
   * @param {Place} from
   * @param {Place} at
   */
  #enlarge(from, at) {
    const plot = this.#plot();
    if (!plot) return;
    const zoom = windowBetween(pairAt(plot, from), pairAt(plot, at));
    this.#frame.set({ zoom, query: null, key: null, locked: false });
  }

  /** @param {Place} at */
  #click(at) {
    const plot = this.#plot();
    if (!plot) return;
    const { query, key } = pairAt(plot, at);
    const state = this.#frame.state();
    const same = state.locked && state.query === query && state.key === key;
    this.#frame.set({ query, key, locked: !same });
  }

  /**
   * @param {string} key
   * @returns {boolean} whether it has a meaning here
   */
  #press(key) {
    const plot = this.#plot();
    if (!plot) return false;
    const state = this.#frame.state();
    const step = STEPS[key];
    if (step) this.#frame.set({ ...pairBeside(plot, state, step), locked: true });
    else if (key === "Enter" && state.query !== null) {
      this.#frame.set({ query: state.query, key: state.key, locked: !state.locked });
    } else return false;
    return true;
  }
}
