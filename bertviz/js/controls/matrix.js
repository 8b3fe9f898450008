// A matrix in a page: hovering over a cell tells its weights, a click locks it, dragging enlarges.

import { select } from "d3-selection";
import { cellsOf } from "../data/cells.js";
import { sized } from "../paint/marks.js";
import { paintMatrix } from "../paint/matrix.js";
import { matrixPlot, pairAt, pairBeside, windowBetween } from "../parts/matrix.js";
import { describeCell } from "../scenes/pair_texts.js";
import { add, place } from "./dom.js";
import { listenForDrags } from "./drag.js";
import { measuredWidth } from "./text_width.js";
import { addTooltip } from "./tooltip.js";

/** @typedef {import("../shell.js").Frame} Frame */
/** @typedef {import("../state.js").State} State */
/** @typedef {import("../scenes/picture.js").Picture} Picture */
/** @typedef {import("../data/cells.js").Cells} Cells */
/** @typedef {import("../parts/matrix.js").MatrixPlot} MatrixPlot */
/** @typedef {import("./drag.js").Place} Place */

const DRAG = 5; // pixels that make a click a drag
const STEPS = /** @type {Record<string, [number, number]>} */ ({
  ArrowUp: [-1, 0],
  ArrowDown: [1, 0],
  ArrowLeft: [0, -1],
  ArrowRight: [0, 1],
});

/**
 * @param {HTMLElement} parent
 * @param {Frame} frame
 */
export function addMatrix(parent, frame) {
  return new Matrix(parent, frame);
}

class Matrix {
  #frame;
  #across;
  #down;
  #box;
  #canvas;
  #bars;
  #brush;
  #back;
  #spoken;
  #tooltip;
  #painted = "";
  /** @type {Cells | null} of the picture that is painted */
  #cells = null;
  /** @type {MatrixPlot | null} */
  #plot = null;

  /**
   * @param {HTMLElement} parent
   * @param {Frame} frame
   */
  constructor(parent, frame) {
    this.#frame = frame;
    this.element = add(parent, "matrix");
    this.#across = add(this.element, "across");
    this.#down = add(this.element, "down");
    this.#box = add(this.element, "plot");
    this.#canvas = /** @type {HTMLCanvasElement} */ (add(this.#box, "", "canvas"));
    this.#canvas.setAttribute("aria-hidden", "true");
    this.#bars = { row: add(this.#box, "bar"), column: add(this.#box, "bar") };
    this.#brush = add(this.#box, "brush");
    this.#brush.hidden = true;
    this.#box.tabIndex = 0;
    this.#box.setAttribute("role", "application");
    this.#box.setAttribute(
      "aria-label",
      "Matrix of attention: arrows move, Enter locks, Escape clears; drag enlarges",
    );
    this.#back = add(this.element, "link whole", "button");
    this.#back.textContent = "whole text";
    this.#back.addEventListener("click", () => frame.set({ zoom: null }));
    this.#spoken = add(this.element, "sr");
    this.#spoken.setAttribute("aria-live", "polite");
    this.#tooltip = addTooltip(frame.root);
    this.#listen();
  }

  #listen() {
    const frame = this.#frame;
    listenForDrags(this.#box, DRAG, {
      hover: (at, event) => this.#hover(at, event),
      drag: (from, at) => this.#showBrush(from, at),
      end: () => (this.#brush.hidden = true),
      drop: (from, at) => this.#enlarge(from, at),
      click: (at) => this.#click(at),
      leave: (pressed) => {
        this.#tooltip.hide();
        if (!frame.state().locked && !pressed) frame.set({ query: null, key: null });
      },
    });
    this.#box.addEventListener("dblclick", () => frame.set({ zoom: null }));
    this.#box.addEventListener("keydown", (event) => {
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
    const plot = this.#plot;
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
    const plot = this.#plot;
    if (!plot) return;
    const zoom = windowBetween(pairAt(plot, from), pairAt(plot, at));
    this.#frame.set({ zoom, query: null, key: null, locked: false });
  }

  /** @param {Place} at */
  #click(at) {
    if (!this.#plot) return;
    const { query, key } = pairAt(this.#plot, at);
    const state = this.#frame.state();
    const same = state.locked && state.query === query && state.key === key;
    this.#frame.set({ query, key, locked: !same });
  }

  /**
   * @param {string} key
   * @returns {boolean} whether it has a meaning here
   */
  #press(key) {
    if (!this.#plot) return false;
    const state = this.#frame.state();
    const step = STEPS[key];
    if (step) this.#frame.set({ ...pairBeside(this.#plot, state, step), locked: true });
    else if (key === "Enter" && state.query !== null) {
      this.#frame.set({ query: state.query, key: state.key, locked: !state.locked });
    } else return false;
    return true;
  }

  /**
   * @param {Picture} picture with the edges of nothing selected
   * @param {State} state
   * @param {number} available width
   */
  draw(picture, state, available) {
    const plot = matrixPlot(picture, state, available, measuredWidth);
    this.#plot = plot;
    const cells = this.#paint(plot);
    this.#place(plot);
    this.#back.hidden = !state.zoom;
    for (const axis of plot.axes) this.#drawLabels(plot, axis);
    this.#drawBars(plot);
    const { row, column, queries, keys } = plot;
    const locked = state.locked && row >= 0 && column >= 0;
    this.#spoken.textContent = locked
      ? describeCell(picture, state, queries[row], keys[column])
      : "";
    return { ...cells, root: plot.root };
  }

  /**
   * Paints the cells, unless they are painted already.
   * @param {MatrixPlot} plot
   */
  #paint(plot) {
    const theme = this.#frame.theme();
    const { heads, queries, keys, edges, width, height } = plot;
    const name = `${plot.name} ${theme.mode} ${plot.cell} ${globalThis.devicePixelRatio}`;
    if (this.#cells && name === this.#painted) return this.#cells;
    const cells = cellsOf(edges, heads.length, queries.length, keys.length);
    paintMatrix(sized(this.#canvas, width, height), plot, cells, theme);
    this.#painted = name;
    this.#cells = cells;
    return cells;
  }

  /** @param {MatrixPlot} plot */
  #place({ labels, width, height }) {
    this.element.style.height = `${labels.key + height + 4}px`;
    this.element.style.width = `${labels.query + width}px`;
    place(this.#box, labels.query, width);
    Object.assign(this.#box.style, { top: `${labels.key}px`, height: `${height}px` });
    place(this.#down, 0, labels.query);
    this.#down.style.top = `${labels.key}px`;
    place(this.#across, labels.query, width);
    this.#across.style.height = `${labels.key}px`;
  }

  /**
   * @param {MatrixPlot} plot
   * @param {MatrixPlot["axes"][number]} axis
   */
  #drawLabels({ written, cell }, { axis, labels }) {
    const room = `${written ? cell : 14}px`;
    select(axis === "query" ? this.#down : this.#across)
      .classed("written", written)
      .selectAll("div")
      .data(labels, (d) => /** @type {{position: number}} */ (d).position)
      .join("div")
      .attr("data-token", axis)
      .attr("data-index", (d) => d.position)
      .attr("class", (d) => `label ${d.selected ? "selected" : ""}`)
      .attr("dir", "auto")
      .style(axis === "query" ? "top" : "left", (d) => `${d.r * cell}px`)
      .style(axis === "query" ? "height" : "width", room)
      .style("line-height", room)
      .text((d) => d.text);
  }

  /**
   * Frames around the selected row and column.
   * @param {MatrixPlot} plot
   */
  #drawBars({ row: r, column: c, cell, width, height }) {
    const thick = `${Math.max(cell, 1)}px`;
    const { row, column } = this.#bars;
    row.hidden = r < 0;
    column.hidden = c < 0;
    Object.assign(row.style, { left: 0, top: `${r * cell}px`, width: `${width}px`, height: thick });
    Object.assign(column.style, { top: 0, left: `${c * cell}px`, height: `${height}px`, width: thick });
  }
}
