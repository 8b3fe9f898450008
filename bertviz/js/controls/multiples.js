// The heads as matrices beside each other, all in one scale. What is selected is selected in all of
// them; a click on a head's number shows that head alone.

import { select } from "d3-selection";
import { cellsOf } from "../data/cells.js";
import { AXES_IN_LINE, BETWEEN, multiplesLayout } from "../parts/multiples.js";
import { perHead } from "../scenes/head.js";
import { add } from "./dom.js";
import { addMatrix } from "./matrix.js";

/** @typedef {import("./frame.js").Frame} Frame */
/** @typedef {import("../state.js").State} State */
/** @typedef {import("../data/cells.js").Cells} Cells */
/** @typedef {ReturnType<typeof perHead>[number]} HeadPicture */
/** @typedef {{element: HTMLElement, chip: HTMLElement, matrix: ReturnType<typeof addMatrix>}} Multiple */

/**
 * @param {HTMLElement} parent
 * @param {Frame} frame
 */
export function addMultiples(parent, frame) {
  return new Multiples(parent, frame);
}

class Multiples {
  #frame;
  #box;
  #back;
  /** @type {Multiple[]} one for each head, used again for others */
  #parts = [];
  /** @type {Map<string, Cells>} of the pictures that are drawn */
  #cells = new Map();

  /**
   * @param {HTMLElement} parent
   * @param {Frame} frame
   */
  constructor(parent, frame) {
    this.#frame = frame;
    this.element = add(parent, "multiples");
    const line = add(this.element, "caption");
    add(line, "", "span").textContent = AXES_IN_LINE;
    this.#back = add(line, "link", "button");
    this.#back.textContent = "whole text";
    this.#back.addEventListener("click", () => frame.set({ zoom: null }));
    this.#box = add(this.element, "grid-of-heads");
    Object.assign(this.#box.style, {
      columnGap: `${BETWEEN.across}px`,
      rowGap: `${BETWEEN.down}px`,
    });
  }

  /**
   * @param {Parameters<typeof perHead>[0]} picture with the edges of nothing selected
   * @param {State} state
   * @param {number} available width
   * @param {number | null} preview the head that stands out, if one does
   */
  draw(picture, state, available, preview) {
    const pictures = perHead(picture);
    const { columns, width } = multiplesLayout(pictures.length, available);
    this.#back.hidden = !state.zoom;
    this.#box.style.gridTemplateColumns = `repeat(${columns}, ${width}px)`;
    const cells = this.#cellsOf(pictures);
    const max = Math.max(...cells.map((own) => own.max));
    const theme = this.#frame.theme();
    while (this.#parts.length < pictures.length) this.#parts.push(this.#add());
    this.#parts.forEach(({ element }, i) => (element.hidden = i >= pictures.length));
    pictures.forEach((own, i) => {
      const { element, chip, matrix } = this.#parts[i];
      element.classList.toggle("back", preview !== null && preview !== own.head);
      select(chip)
        .attr("data-only", own.head)
        .attr("aria-label", `Only head ${own.head}`)
        .style("background", picture.edges.signs.includes(-1) ? theme.muted : own.colors[0])
        .style("color", theme.onHead)
        .text(own.head);
      matrix.name(` of head ${own.head}`);
      matrix.draw(own, state, width, { ...cells[i], max });
    });
    const matrices = pictures.map(({ head }, i) => ({ head, ...cells[i], max }));
    return { matrices, max, root: true };
  }

  /**
   * Computed once: hovering draws the same matrices again and again.
   * @param {HeadPicture[]} pictures
   */
  #cellsOf(pictures) {
    const known = this.#cells;
    this.#cells = new Map();
    return pictures.map(({ name, edges, heads, queries, keys }) => {
      const cells = known.get(name) ?? cellsOf(edges, heads.length, queries.length, keys.length);
      this.#cells.set(name, cells);
      return cells;
    });
  }

  /** @returns {Multiple} */
  #add() {
    const element = add(this.#box, "multiple");
    const chip = add(element, "chip", "button");
    chip.addEventListener("click", () => this.#frame.set({ heads: [Number(chip.dataset.only)] }));
    return { element, chip, matrix: addMatrix(element, this.#frame) };
  }
}
