// The open neuron view in a page: a canvas, and in the DOM around it what is read or touched, which
// are the headings, two columns of tokens, the numbers and the notes.

import { select } from "d3-selection";
import { tokensOf } from "../data/schema.js";
import { paintColumns } from "../paint/columns.js";
import { columnsPlot, numbersOf } from "../parts/columns.js";
import { ROW } from "../parts/token_columns.js";
import { notesOf, sentenceOf, tokenText } from "../scenes/neuron_texts.js";
import { ColumnHeadings } from "./column_headings.js";
import { add, place } from "./dom.js";
import { addTokenColumn } from "./token_column.js";
import { addTooltip } from "./tooltip.js";
import { addNeuronPicking } from "./neuron_picking.js";
import { selectionHandlers } from "./selection.js";
import { addStage } from "./stage.js";
import { measuredWidth } from "./text_width.js";

/** @typedef {import("../parts/columns.js").ColumnsPlot} ColumnsPlot */
/** @typedef {import("../scenes/neuron.js").NeuronScene} NeuronScene */
/** @typedef {import("../state.js").State} State */
/** @typedef {{query: [number, number], key: [number, number]}} Rows */

export class Columns {
  #frame;
  #headings;
  #stage;
  #tokens;
  #numbers;
  #notes;
  #spoken;
  /** @type {{scene: NeuronScene, stripes: ColumnsPlot["stripes"]} | null} */
  #now = null;

  /**
   * @param {HTMLElement} parent
   * @param {import("./frame.js").Frame} frame
   */
  constructor(parent, frame) {
    this.#frame = frame;
    this.#headings = new ColumnHeadings(parent, frame.root);
    this.#stage = addStage(parent, frame.redraw);
    const { sheet } = this.#stage;
    const tooltip = addTooltip(frame.root);
    const selection = selectionHandlers(frame, this.#stage, {
      explain: (side, position, event) => {
        const text =
          event && this.#now && tokenText(this.#now.scene, frame.state().query, side, position);
        if (event && text) tooltip.show(text, event.clientX, event.clientY);
        else tooltip.hide();
      },
      rowOf: (side, position) => {
        const { scene } = this.#now ?? {};
        return scene?.[side === "query" ? "queries" : "keys"].indexOf(position) ?? 0;
      },
    });
    this.#tokens = {
      query: addTokenColumn(sheet, "query", selection.on("query")),
      key: addTokenColumn(sheet, "key", selection.on("key")),
    };
    selection.columns(this.#tokens);
    this.#numbers = add(sheet, "numbers");
    this.#notes = add(parent, "notes");
    this.#spoken = add(parent, "sr");
    this.#spoken.setAttribute("aria-live", "polite");
    addNeuronPicking(sheet, frame, tooltip, () => this.#now);
  }

  /** Where the button that closes the view belongs. */
  get headings() {
    return this.#headings.element;
  }

  /** How far everything is to the right of where the plot says. */
  get shift() {
    return -this.#stage.element.scrollLeft;
  }

  /**
   * @param {NeuronScene} scene
   * @param {State} state
   * @returns {ColumnsPlot}
   */
  draw(scene, state) {
    const theme = this.#frame.theme();
    const plot = columnsPlot(scene, state, this.#frame.width(), measuredWidth);
    this.#now = { scene, stripes: plot.stripes };
    const view = this.#stage.prepare(plot.width, plot.rows);
    const rows = { query: view.rows(plot.queries.length), key: view.rows(plot.keys.length) };
    const { block, layer, heads, pair, query, off, sort, temperature } = state;
    const picture = JSON.stringify([
      ...[block, layer, heads, pair, theme.mode, query, off, sort, temperature],
    ]);
    view.paint(0, picture, (context) => paintColumns(context, plot, theme, view.geometry, rows));
    view.paint(1, "", null);
    this.#drawTokens(scene, state, plot, rows);
    this.#drawNumbers(plot, rows.key);
    this.#headings.draw(plot, this.shift, theme);
    const right = plot.width + this.shift - this.#frame.width(); // what is out of sight there
    this.#stage.element.parentElement?.classList.toggle("goes-on", right > 2);
    this.#notes.textContent = notesOf(scene, state);
    this.#spoken.textContent = state.locked ? sentenceOf(scene, plot.strengths) : "";
    return plot;
  }

  /**
   * @param {NeuronScene} scene
   * @param {State} state
   * @param {ColumnsPlot} plot
   * @param {Rows} rows
   */
  #drawTokens({ block }, state, plot, rows) {
    const { query, key } = this.#tokens;
    place(query.element, 0, plot.queryWidth);
    place(key.element, plot.x.key, plot.keyWidth);
    query.draw({
      text: tokensOf(block, "query").text,
      positions: plot.queries,
      rows: rows.query,
      selected: state.query,
      className: () => "dim",
    });
    key.draw({
      text: tokensOf(block, "key").text,
      positions: plot.keys,
      rows: rows.key,
      selected: state.key,
      className: (position) => (position === plot.best ? "strong" : ""),
    });
  }

  /**
   * @param {ColumnsPlot} plot
   * @param {[number, number]} rows of keys
   */
  #drawNumbers(plot, rows) {
    select(this.#numbers)
      .selectAll("span")
      .data(numbersOf(plot, rows))
      .join("span")
      .attr("class", (d) => `number ${d.half ?? ""}`)
      .style("top", (d) => `${d.r * ROW}px`)
      .style("left", (d) => `${d.x}px`)
      .style("width", (d) => `${d.width}px`)
      .style("text-align", (d) => (d.end ? "right" : "left"))
      .style("opacity", (d) => d.strength)
      .text((d) => d.text);
  }
}
