// The numbers of layers and heads around the grid. They stay in sight when it scrolls, and those of
// the cell under the pointer stand out.

import { select } from "d3-selection";
import { labelsOf } from "../parts/grid.js";
import { add } from "./dom.js";

/** @typedef {import("../parts/grid.js").Layout} Layout */
/** @typedef {import("../scenes/model.js").ModelScene} ModelScene */

export class GridLabels {
  #across;
  #down;
  #captions;

  /** @param {HTMLElement} box of the grid */
  constructor(box) {
    this.#across = add(add(box, "across"), "labels");
    this.#down = add(add(box, "down"), "labels");
    this.#captions = ["heads", "layers"].map((text) => {
      const caption = add(box, `caption of-${text}`, "span");
      caption.textContent = text;
      return caption;
    });
  }

  /** @param {{left: number, top: number}} scrolled */
  scroll({ left, top }) {
    this.#across.style.transform = `translateX(${-left}px)`;
    this.#down.style.transform = `translateY(${-top}px)`;
  }

  /**
   * @param {ModelScene} scene
   * @param {Layout} layout
   */
  draw(scene, layout) {
    const { pitch, inner } = layout;
    const labels = labelsOf(scene, layout);
    select(this.#across)
      .selectAll("span")
      .data(labels.across)
      .join("span")
      .attr("data-column", (d) => d.i)
      .property("style", (d) => `left: ${d.i * pitch - 10}px; width: ${inner + 20}px`)
      .text((d) => d.text);
    select(this.#down)
      .selectAll("span")
      .data(labels.down)
      .join("span")
      .attr("data-row", (d) => d.i)
      .property("style", (d) => `top: ${d.i * pitch + inner / 2 - 8}px`)
      .text((d) => d.text);
    for (const caption of this.#captions) caption.hidden = scene.sorted;
  }

  /** @param {{row: number, column: number} | null} cell under the pointer */
  mark(cell) {
    for (const label of [...this.#across.children, ...this.#down.children]) {
      const { row, column } = /** @type {HTMLElement} */ (label).dataset;
      const own = row ? cell?.row === Number(row) : cell?.column === Number(column);
      label.classList.toggle("on", own);
    }
  }
}
