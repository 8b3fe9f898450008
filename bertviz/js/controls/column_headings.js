// What stands above the columns of the neuron view: their titles, the numbers of some neurons, and
// what each neuron contributes.

import { select } from "d3-selection";
import { paintStrip } from "../paint/columns.js";
import { sized } from "../paint/canvas.js";
import { STRIP } from "../parts/columns.js";
import { add, place } from "./dom.js";
import { addExplained } from "./explained.js";

/** @typedef {import("../parts/columns.js").ColumnsPlot} ColumnsPlot */
/** @typedef {ColumnsPlot["titles"][number]} Title */

export class ColumnHeadings {
  #titles;
  #ticks;
  #strip;
  #stripName;
  #root;
  /** @type {WeakMap<Element, (title: Title) => void>} */
  #drawn = new WeakMap();

  /**
   * @param {HTMLElement} parent
   * @param {HTMLElement} root of the view
   */
  constructor(parent, root) {
    this.#root = root;
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
    const drawn = this.#drawn;
    const added = (/** @type {Element} */ element) => this.#addTitle(element);
    select(this.#titles)
      .selectAll("div")
      .data(titles, (d) => /** @type {Title} */ (d).term ?? "")
      .join("div")
      .style("left", (d) => `${d.x + shift}px`)
      .style("width", (d) => `${d.width}px`)
      .each(function (d) {
        const element = /** @type {Element} */ (this);
        const draw = drawn.get(element) ?? added(element);
        drawn.set(element, draw);
        draw(d);
      });
  }

  /**
   * A title stays in the page while its text changes, or it would lose the focus.
   * @param {Element} element
   */
  #addTitle(element) {
    const bold = add(/** @type {HTMLElement} */ (element), "", "b");
    const note = add(/** @type {HTMLElement} */ (element), "", "span");
    /** @type {ReturnType<typeof addExplained> | null} */
    let explained = null;
    return (/** @type {Title} */ title) => {
      note.textContent = title.note;
      if (!title.term) return;
      explained ??= addExplained(bold, this.#root);
      explained.draw(title.term, title.title);
    };
  }
}
