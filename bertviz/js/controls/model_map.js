// All heads of the model at the row that is selected: a map of small bars, and a list of the strongest.
// A click on a layer's number opens the layer, one on a head shows that head alone; what they do is
// also done by the toolbar, so the keyboard stops at neither.

import { select } from "d3-selection";
import { isSigned } from "../data/kinds.js";
import { sized } from "../paint/canvas.js";
import { paintModelMap } from "../paint/model_map.js";
import { cellAt, labelsOf, modelMap } from "../parts/model_map.js";
import { LISTED } from "../parts/reading.js";
import { modelRows, strongestHeads, strongestOf } from "../scenes/model_rows.js";
import { headSaid, mapCaption, strongestRanks, strongestTitle } from "../scenes/model_row_texts.js";
import { add } from "./dom.js";
import { addRanks } from "./ranks.js";
import { addTooltip } from "./tooltip.js";

/** @typedef {import("./frame.js").Frame} Frame */
/** @typedef {import("../scenes/picture.js").Picture} Picture */
/** @typedef {import("../scenes/shown_row.js").ShownRow} ShownRow */
/** @typedef {import("../scenes/model_rows.js").ModelRows} ModelRows */
/** @typedef {import("../state.js").State} State */
/** @typedef {import("../parts/model_map.js").ModelMap} ModelMap */
/** @typedef {{map: ModelMap, rows: ModelRows, picture: Picture, row: ShownRow}} Drawn */

/**
 * @param {HTMLElement} parent
 * @param {Frame} frame
 */
export function addModelMap(parent, frame) {
  return new ModelMapPanel(parent, frame);
}

class ModelMapPanel {
  #frame;
  #caption;
  #sheet;
  #canvas;
  #shown;
  #heads;
  #layers;
  #listTitle;
  #list;
  #tooltip;
  #decoding = false;
  /** @type {Drawn | null} */
  #drawn = null;

  /**
   * @param {HTMLElement} parent
   * @param {Frame} frame
   */
  constructor(parent, frame) {
    this.#frame = frame;
    this.element = add(parent, "map");
    this.element.dataset.part = "map";
    this.#caption = add(this.element, "aside");
    this.#sheet = add(add(this.element, "scroller"), "sheet");
    this.#canvas = /** @type {HTMLCanvasElement} */ (add(this.#sheet, "", "canvas"));
    this.#canvas.setAttribute("aria-hidden", "true"); // the list says the most important of it
    this.#shown = add(this.#sheet, "shown");
    this.#heads = add(this.#sheet, "head-numbers");
    this.#layers = add(this.#sheet, "layer-numbers");
    this.#listTitle = add(this.element, "heading");
    this.#list = addRanks(this.element);
    this.#tooltip = addTooltip(frame.root);
    this.#listen();
  }

  #listen() {
    const { set } = this.#frame;
    this.#layers.addEventListener("click", ({ target }) => {
      const { layer } = /** @type {HTMLElement} */ (target).dataset;
      if (layer !== undefined) set({ layer: Number(layer) });
    });
    this.#list.element.addEventListener("click", ({ target }) => {
      const line = /** @type {Element} */ (target).closest("button");
      const { cell } = line?.dataset ?? {};
      if (!cell) return;
      const [layer, head] = cell.split(".").map(Number);
      set({ layer, heads: [head] });
    });
    this.#canvas.addEventListener("click", (event) => {
      const cell = this.#cellAt(event);
      if (cell) set({ layer: cell.layer, heads: [cell.head] });
    });
    this.#canvas.addEventListener("pointermove", (event) => {
      const cell = this.#cellAt(event);
      const { rows, picture, row } = /** @type {Drawn} */ (this.#drawn);
      this.#canvas.style.cursor = cell ? "pointer" : "";
      if (!cell) return this.#tooltip.hide();
      const said = headSaid(picture, row, strongestOf(rows, cell));
      this.#tooltip.show(said, event.clientX, event.clientY);
    });
    this.#canvas.addEventListener("pointerleave", () => this.#tooltip.hide());
  }

  /** @param {MouseEvent} event */
  #cellAt({ offsetX, offsetY }) {
    return this.#drawn && cellAt(this.#drawn.map, offsetX, offsetY);
  }

  /**
   * @param {Picture} picture of the layer that is shown
   * @param {ShownRow} row
   * @param {State} state
   */
  draw(picture, row, state) {
    const { source } = this.#frame;
    const rows = modelRows(source, state, row);
    const map = modelMap(rows, this.element.clientWidth);
    this.#drawn = { map, rows, picture, row };
    const color = this.#colorIn(map, state);
    const signed = isSigned(source.payload);
    const theme = this.#frame.theme();
    const context = sized(this.#canvas, map.width, map.height);
    paintModelMap(context, map, { signed, color, theme });
    this.#place(map, state);
    this.#caption.textContent = mapCaption(rows, row, picture);
    const { strongest, without } = strongestHeads(rows, LISTED);
    this.#listTitle.textContent = strongestTitle(picture, row, without);
    const lines = strongestRanks(picture, row, strongest).map((rank) => ({
      ...rank,
      color: signed ? undefined : color(rank.layer, rank.head),
      data: { cell: rank.place, index: row.positions[rank.r] },
    }));
    this.#list.draw(lines, Math.min(LISTED, map.cells.length), theme);
    if (rows.layers.some(({ values }) => !values)) this.#decode();
  }

  /**
   * Heads have their own colors in the layer that is shown, elsewhere that of their layer.
   * @param {ModelMap} map
   * @param {State} state
   * @returns {(layer: number, head: number) => string}
   */
  #colorIn({ layers }, { layer: shown }) {
    const theme = this.#frame.theme();
    const deepest = Math.max(1, layers.length - 1);
    return (layer, head) =>
      layer === shown ? theme.head(head) : theme.layer(layers.indexOf(layer) / deepest);
  }

  /**
   * The numbers of heads and layers, and a frame around the layer that is shown.
   * @param {ModelMap} map
   * @param {State} state
   */
  #place(map, state) {
    const labels = labelsOf(map);
    Object.assign(this.#sheet.style, { width: `${map.width}px`, height: `${map.height}px` });
    select(this.#heads)
      .selectAll("span")
      .data(labels.heads)
      .join("span")
      .style("left", (d) => `${d.at}px`)
      .text((d) => d.number);
    select(this.#layers)
      .selectAll("button")
      .data(labels.layers)
      .join((enter) => enter.append("button").attr("type", "button").attr("tabindex", -1))
      .attr("data-layer", (d) => d.number)
      .attr("aria-label", (d) => `Layer ${d.number}`)
      .classed("on", (d) => d.number === state.layer)
      .style("top", (d) => `${d.at}px`)
      .text((d) => (d.written ? d.number : ""));
    const { top, height } = map.rowOf(state.layer);
    Object.assign(this.#shown.style, { top: `${top}px`, height: `${height}px` });
  }

  /** The other layers, one after the other, while the page stays alive. */
  async #decode() {
    if (this.#decoding) return;
    this.#decoding = true;
    try {
      const { source, state } = this.#frame;
      const block = source.block(state().block);
      for (const layer of block.layers.filter((one) => !source.has(one, "weights"))) {
        await source.ensure(block, [layer], "weights");
        if (state().panel !== "model" || state().block !== block.name) break;
      }
    } finally {
      this.#decoding = false;
    }
    this.#frame.redraw();
  }
}
