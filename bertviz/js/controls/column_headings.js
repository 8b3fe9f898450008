// What stands above the columns of the neuron view: their titles, the numbers of some neurons, and
// what each neuron contributes.

import { select } from "d3-selection";
import { paintStrip } from "../paint/columns.js";
import { sized } from "../paint/canvas.js";
import { STRIP } from "../parts/columns.js";
import { add, place } from "./dom.js";

/** @typedef {import("../parts/columns.js").ColumnsPlot} ColumnsPlot */

export class ColumnHeadings {
  #titles;
  #ticks;
  #strip;
  #stripName;

  /** @param {HTMLElement} parent */
  constructor(parent) {
    this.element = add(parent, "headings columns");
    this.#titles = add(this.element, "titles");
    this.#ticks = add(this.element, "ticks");
    this.#strip = /** @type {HTMLCanvasElement} */ (add(this.element, "strip", "canvas"));
    this.#stripName = add(this.element, "strip-name", "span");
  }

  /**
   * @param {ColumnsPlot} plot
   * @param {number} shift to the right, as far as the columns are scrolled
   * @param {import("../theme/colors.js").Theme} theme
   */
  draw(plot, shift, theme) {
    this.#drawTitles(plot.titles, shift);
    select(this.#ticks)
      .selectAll("span")
      .data(plot.ticks)
      .join("span")
      .style("left", (d) => `${d.x + shift}px`)
      .text((d) => d.text);
    const { x, width, room, name } = plot.strip;
    paintStrip(sized(this.#strip, width, STRIP), plot, theme);
    this.#strip.style.left = `${x + shift}px`;
    this.#stripName.textContent = name;
    place(this.#stripName, x - room - 6 + shift, room);
  }

  /**
   * @param {ColumnsPlot["titles"]} titles
   * @param {number} shift
   */
  #drawTitles(titles, shift) {
    select(this.#titles)
      .selectAll("div")
      .data(titles)
      .join("div")
      .style("left", (d) => `${d.x + shift}px`)
      .style("width", (d) => `${d.width}px`)
      .each(function (d) {
        const title = /** @type {HTMLElement} */ (this);
        title.replaceChildren();
        add(title, "", "b").textContent = d.title;
        add(title, "", "span").textContent = d.note;
      });
  }
}
