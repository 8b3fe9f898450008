// The grid of the model view in a page: a cell for every head, layers down and heads across. Its
// parts have files of their own: the picture, the buttons over it, the numbers around it, and what
// happens under the pointer.

import { gridWidth, layoutOf } from "../parts/grid.js";
import { add } from "./dom.js";
import { GridCells } from "./grid_cells.js";
import { GridHover } from "./grid_hover.js";
import { GridLabels } from "./grid_labels.js";
import { GridPicture } from "./grid_picture.js";

/** @typedef {import("../parts/grid.js").Layout} Layout */
/** @typedef {import("../scenes/model.js").ModelScene} ModelScene */
/** @typedef {import("../scenes/model_grid.js").Cell} Cell */

export class ModelGrid {
  #frame;
  #box;
  #scroller;
  #sheet;
  #labels;
  #picture;
  #hover;
  #cells;
  #scrolled = { left: 0, top: 0 };
  #drawn = { places: "", names: "" };

  /**
   * @param {HTMLElement} parent
   * @param {import("./frame.js").Frame} frame
   * @param {object} on
   * @param {(cell: Cell) => void} on.open
   * @param {(cell: Cell) => Promise<void>} on.decode
   */
  constructor(parent, frame, { open, decode }) {
    this.#frame = frame;
    this.#box = add(parent, "grid");
    this.#labels = new GridLabels(this.#box);
    this.#scroller = add(this.#box, "scroller");
    this.#sheet = add(this.#scroller, "sheet");
    this.#picture = new GridPicture(this.#sheet, frame);
    const hover = (this.#hover = new GridHover(frame, this.#labels, decode));
    this.#cells = new GridCells(this.#sheet, {
      open,
      enter: (cell, x, y) => hover.enter(cell, x, y),
      leave: () => hover.leave(),
    });
    this.#scroller.addEventListener("scroll", () => this.#scroll(), { passive: true });
  }

  #scroll() {
    this.#scrolled = { left: this.#scroller.scrollLeft, top: this.#scroller.scrollTop };
    this.#labels.scroll(this.#scrolled);
  }

  /**
   * Work before drawing, a step at a time.
   * @param {ModelScene} scene
   */
  prepare(scene) {
    return this.#picture.prepare(scene, layoutOf(scene, this.#frame.width()));
  }

  /** Back to the cell, when what had the focus is gone. */
  focus() {
    this.#cells.focus();
  }

  /**
   * @param {ModelScene} scene
   * @param {Layout} layout
   */
  draw(scene, layout) {
    this.#hover.update(scene, layout);
    this.#picture.draw(scene, layout);
    this.#place(scene, layout);
    this.#cells.update(scene, layout);
    // A view that was away comes back scrolled to its beginning.
    const { left, top } = this.#scrolled;
    if (this.#scroller.scrollTop !== top || this.#scroller.scrollLeft !== left) {
      this.#scroller.scrollTo({ left, top });
    }
  }

  /**
   * Only what has changed: there may be thousands of buttons.
   * @param {ModelScene} scene
   * @param {Layout} layout
   */
  #place(scene, layout) {
    const { pitch, inner, columns, rows } = layout;
    const { block, choice, sorted } = scene;
    const places = JSON.stringify([block.name, pitch, inner, sorted && choice?.name, sorted]);
    if (places !== this.#drawn.places) {
      this.#drawn.places = places;
      this.#box.style.width = `${Math.min(this.#frame.width(), gridWidth(layout))}px`;
      this.#sheet.style.width = `${pitch * columns}px`;
      this.#sheet.style.height = `${pitch * rows}px`;
      this.#labels.draw(scene, layout);
      this.#cells.place(scene, layout);
    }
    const names = JSON.stringify([block.name, choice?.name, places]);
    if (names !== this.#drawn.names) {
      this.#drawn.names = names;
      this.#cells.name(scene);
    }
  }
}
