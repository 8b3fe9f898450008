// A matrix in a page: its cells, its labels, and frames around what is selected.

import { select } from "d3-selection";
import { cellsOf } from "../data/cells.js";
import { isAttention } from "../data/kinds.js";
import { sized } from "../paint/canvas.js";
import { paintMatrix } from "../paint/matrix.js";
import { bareMatrixPlot, matrixPlot } from "../parts/matrix.js";
import { describeCell } from "../scenes/pair_texts.js";
import { add, place } from "./dom.js";
import { addMatrixInput } from "./matrix_input.js";
import { measuredWidth } from "./text_width.js";
import { addTooltip } from "./tooltip.js";

/** @typedef {import("./frame.js").Frame} Frame */
/** @typedef {import("../state.js").State} State */
/** @typedef {import("../scenes/picture.js").Picture} Picture */
/** @typedef {import("../data/cells.js").Cells} Cells */
/** @typedef {import("../parts/matrix.js").MatrixPlot} MatrixPlot */

/**
 * @param {HTMLElement} parent
 * @param {Frame} frame
 */
export function addMatrix(parent, frame) {
  return new Matrix(parent, frame);
}

class Matrix {
  #frame;
  #corner;
  #across;
  #down;
  #box;
  #canvas;
  #bars;
  #back;
  #spoken;
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
    this.#corner = add(this.element, "corner");
    this.#corner.setAttribute("aria-hidden", "true"); // the plot says it
    this.#across = add(this.element, "across");
    this.#down = add(this.element, "down");
    this.#box = add(this.element, "plot");
    this.#canvas = /** @type {HTMLCanvasElement} */ (add(this.#box, "", "canvas"));
    this.#canvas.setAttribute("aria-hidden", "true");
    this.#bars = { row: add(this.#box, "bar"), column: add(this.#box, "bar") };
    const brush = add(this.#box, "brush");
    brush.hidden = true;
    this.#box.tabIndex = 0;
    this.#box.setAttribute("role", "application");
    this.name("");
    this.#back = add(this.element, "link whole", "button");
    this.#back.textContent = "whole text";
    this.#back.addEventListener("click", () => frame.set({ zoom: null }));
    this.#spoken = add(this.element, "sr");
    this.#spoken.setAttribute("aria-live", "polite");
    const tooltip = addTooltip(frame.root);
    addMatrixInput({ box: this.#box, brush, frame, tooltip, plot: () => this.#plot });
  }

  /** For those who do not see it. @param {string} whose it is, of several */
  name(whose) {
    const what = isAttention(this.#frame.source.payload) ? "Attention matrix" : "Matrix of values";
    this.#box.setAttribute(
      "aria-label",
      `${what}${whose}, queries down, keys across. Arrow keys move, Enter locks, Escape clears,` +
        " dragging zooms in.",
    );
  }

  /**
   * @param {Picture} picture with the edges of nothing selected
   * @param {State} state
   * @param {number} available width
   * @param {Cells | null} [given] the cells of one of several matrices, which has no labels
   */
  draw(picture, state, available, given = null) {
    const plot = given
      ? bareMatrixPlot(picture, state, available)
      : matrixPlot(picture, state, available, measuredWidth);
    this.#plot = plot;
    const cells = this.#paint(plot, given);
    this.#place(plot);
    this.#back.hidden = !state.zoom || given !== null;
    for (const axis of plot.axes) this.#drawLabels(plot, axis);
    this.#drawBars(plot);
    const { row, column, queries, keys } = plot;
    const own = given === null || this.#box.matches(":focus"); // of several one is enough
    const locked = own && state.locked && row >= 0 && column >= 0;
    this.#spoken.textContent = locked
      ? describeCell(picture, state, queries[row], keys[column])
      : "";
    return { ...cells, root: plot.root };
  }

  /**
   * Paints the cells, unless they are painted already.
   * @param {MatrixPlot} plot
   * @param {Cells | null} given
   */
  #paint(plot, given) {
    const theme = this.#frame.theme();
    const { heads, queries, keys, edges, width, height } = plot;
    const shown = `${plot.name} ${theme.mode} ${plot.cell} ${given?.max}`;
    const name = `${shown} ${globalThis.devicePixelRatio}`;
    if (this.#cells && name === this.#painted) return this.#cells;
    const cells = given ?? cellsOf(edges, heads.length, queries.length, keys.length);
    paintMatrix(sized(this.#canvas, width, height), plot, cells, theme);
    this.#painted = name;
    this.#cells = cells;
    return cells;
  }

  /** @param {MatrixPlot} plot */
  #place({ labels, headings, width, height }) {
    this.#corner.textContent = headings.map(({ text }) => text).join("\n");
    place(this.#corner, 0, labels.query);
    this.#corner.style.height = `${labels.key}px`;
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
    Object.assign(column.style, {
      top: 0,
      left: `${c * cell}px`,
      height: `${height}px`,
      width: thick,
    });
  }
}
