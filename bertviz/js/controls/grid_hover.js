// The cell under the pointer, or the one that the keyboard is at: a tooltip says what it is, and
// where cells are small, shows what it looks like; the numbers of its layer and head stand out.

import { describe } from "../scenes/model_texts.js";
import { addTooltip } from "./tooltip.js";
import { Lens, needsLens } from "./lens.js";

/** @typedef {import("../parts/grid.js").Layout} Layout */
/** @typedef {import("../scenes/model.js").ModelScene} ModelScene */
/** @typedef {import("../scenes/model_grid.js").Cell} Cell */

export class GridHover {
  #frame;
  #labels;
  #decode;
  #tooltip;
  #lens;
  /** @type {{scene: ModelScene, layout: Layout} | null} what is drawn */
  #now = null;
  /** @type {Cell | null} */
  #cell = null;

  /**
   * @param {import("./frame.js").Frame} frame
   * @param {import("./grid_labels.js").GridLabels} labels
   * @param {(cell: Cell) => Promise<void>} decode
   */
  constructor(frame, labels, decode) {
    this.#frame = frame;
    this.#labels = labels;
    this.#decode = decode;
    this.#tooltip = addTooltip(frame.root);
    this.#lens = new Lens(frame);
  }

  /**
   * @param {ModelScene} scene
   * @param {Layout} layout
   */
  update(scene, layout) {
    this.#now = { scene, layout };
  }

  /**
   * @param {Cell} cell
   * @param {number} x
   * @param {number} y
   */
  enter(cell, x, y) {
    if (!this.#now) return;
    this.#cell = cell;
    this.#labels.mark(cell);
    this.#show(cell, x, y);
    if (needsLens(this.#now.layout) && !this.#frame.source.has(cell.layer, "weights")) {
      this.#decode(cell).then(() => this.#cell === cell && this.#show(cell, x, y));
    }
  }

  leave() {
    this.#cell = null;
    this.#tooltip.hide();
    this.#labels.mark(null);
  }

  /**
   * @param {Cell} cell
   * @param {number} x
   * @param {number} y
   */
  #show(cell, x, y) {
    if (!this.#now) return;
    const { scene, layout } = this.#now;
    const magnified = needsLens(layout) ? this.#lens.over(scene, layout, cell) : null;
    this.#tooltip.show(describe(cell, scene.choice), x, y, magnified);
  }
}
