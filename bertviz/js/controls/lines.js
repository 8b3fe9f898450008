// Lines between two columns of tokens in a page.

import { select } from "d3-selection";
import { paintAtRest, paintGaps, paintSelected } from "../paint/lines.js";
import { sentenceOf } from "../parts/line_texts.js";
import { linesPlot } from "../parts/lines.js";
import { ROW } from "../parts/token_columns.js";
import { describeAmong } from "../scenes/pair_texts.js";
import { addBars } from "./bars.js";
import { add, place } from "./dom.js";
import { addExplained } from "./explained.js";
import { selectionHandlers } from "./selection.js";
import { addStage } from "./stage.js";
import { measuredWidth } from "./text_width.js";
import { addTokenColumn } from "./token_column.js";
import { addTooltip } from "./tooltip.js";

/** @typedef {import("./frame.js").Frame} Frame */
/** @typedef {import("../state.js").State} State */
/** @typedef {import("../scenes/picture.js").Picture} Picture */
/** @typedef {import("../parts/lines.js").LinesPlot} LinesPlot */
/** @typedef {import("./token_column.js").Side} Side */
/** @typedef {ReturnType<ReturnType<typeof addStage>["prepare"]>} Prepared */

/**
 * @param {HTMLElement} parent
 * @param {Frame} frame
 * @param {() => boolean} [nothingSelected] Esc, when nothing is selected; whether it did something
 */
export function addLines(parent, frame, nothingSelected) {
  return new Lines(parent, frame, nothingSelected);
}

class Lines {
  #frame;
  #headings;
  #stage;
  #tooltip;
  #columns;
  #bars;
  #spoken;
  /** @type {Picture | null} */
  #picture = null;
  /** The token that was locked when last drawn. */
  #locking = "";

  /**
   * @param {HTMLElement} parent
   * @param {Frame} frame
   * @param {() => boolean} [nothingSelected]
   */
  constructor(parent, frame, nothingSelected) {
    this.#frame = frame;
    this.#headings = add(parent, "headings");
    this.#stage = addStage(parent, frame.redraw);
    this.#tooltip = addTooltip(frame.root);
    const selection = selectionHandlers(frame, this.#stage, {
      explain: (side, position, event) => this.#explain(side, position, event),
      nothingSelected,
      several: true,
      rowOf: (side, position) =>
        this.#picture?.[side === "query" ? "queries" : "keys"].indexOf(position) ?? 0,
    });
    const { sheet } = this.#stage;
    this.#columns = {
      query: addTokenColumn(sheet, "query", selection.on("query")),
      key: addTokenColumn(sheet, "key", selection.on("key")),
    };
    selection.columns(this.#columns);
    this.#bars = addBars(sheet);
    this.#spoken = add(parent, "sr");
    this.#spoken.setAttribute("aria-live", "polite");
  }

  /**
   * @param {Picture} picture
   * @param {State} state
   * @param {number} available width
   */
  draw(picture, state, available) {
    this.#picture = picture;
    const plot = linesPlot(picture, state, available, measuredWidth);
    const view = this.#stage.prepare(plot.width, plot.rows, ROW, plot.painted);
    this.#paint(plot, view, state);
    this.#drawTokens(plot, view);
    this.#bars.draw(plot, view.rows(plot.row.positions.length), this.#frame.theme());
    this.#drawHeadings(plot);
    this.#follow(plot, state);
    this.#spoken.textContent = state.locked ? sentenceOf(plot, state) : "";
    if (!plot.selected) this.#tooltip.hide();
    return plot;
  }

  /**
   * A token that was locked elsewhere, or before the view was there, is brought into sight.
   * @param {LinesPlot} plot
   * @param {State} state
   */
  #follow({ columns }, { locked }) {
    const column = columns.find(({ chosen }) => chosen.length);
    const locking = locked && column ? `${column.side} ${column.chosen[0]}` : "";
    if (column && locking && locking !== this.#locking) {
      this.reveal(column.positions.indexOf(column.chosen[0]));
    }
    this.#locking = locking;
  }

  /**
   * Brings a row of tokens into sight.
   * @param {number} row
   */
  reveal(row) {
    this.#stage.reveal(row, ROW, true);
  }

  /** The first row in sight and the one after the last. @returns {[number, number]} */
  inSight() {
    return this.#stage.inSight();
  }

  /**
   * @param {LinesPlot} plot
   * @param {Prepared} view
   * @param {State} state
   */
  #paint(plot, view, state) {
    const { geometry } = view;
    const rest = `${plot.name} ${this.#frame.theme().mode} ${plot.x.line} ${plot.x.key}`;
    /** @type {import("./stage.js").Paint} */
    const paintRest = (context, coarse) => {
      const finer = paintAtRest(context, plot, geometry, coarse);
      paintGaps(context, plot);
      return finer;
    };
    const touched = `${rest} ${state.query} ${state.key} ${state.also}`;
    view.paint(0, rest, plot.selected ? null : paintRest);
    view.paint(
      1,
      touched,
      plot.selected ? (context) => paintSelected(context, plot, geometry) : null,
    );
  }

  /**
   * @param {LinesPlot} plot
   * @param {Prepared} view
   */
  #drawTokens(plot, view) {
    for (const { side, x, width, positions, chosen } of plot.columns) {
      const column = this.#columns[side];
      place(column.element, x, width);
      column.draw({
        text: plot.text[side],
        positions,
        rows: view.rows(positions.length),
        selected: chosen[0] ?? null,
        also: chosen.slice(1),
        className: () => (chosen.length ? "dim" : ""),
      });
    }
  }

  /** @param {LinesPlot} plot */
  #drawHeadings(plot) {
    const heading = select(this.#headings)
      .selectAll("div")
      .data(plot.headings, (d) => /** @type {LinesPlot["headings"][number]} */ (d).name)
      .join((enter) => {
        const one = enter.append("div");
        one.each((d, i, all) => {
          if (d.term) addExplained(all[i], this.#frame.root).draw(d.term, d.text);
        });
        return one;
      });
    heading.filter((d) => !d.term).text((d) => d.text);
    heading
      .attr("class", (d) => (d.chip ? "chip" : null))
      .style("background", (d) => d.chip ?? null)
      .style("color", (d) => (d.chip ? this.#frame.theme().onHead : null))
      .style("left", (d) => (d.anchor === "start" ? `${d.x}px` : "auto"))
      .style("right", (d) => (d.anchor === "end" ? `calc(100% - ${d.x}px)` : "auto"));
  }

  /**
   * @param {Side} side
   * @param {number} position
   * @param {PointerEvent | null} event where to say it; null to say nothing any more
   */
  #explain(side, position, event) {
    const picture = this.#picture;
    if (!event || !picture) this.#tooltip.hide();
    else {
      const text = describeAmong(picture, this.#frame.state(), side, position);
      this.#tooltip.show(text, event.clientX, event.clientY);
    }
  }
}
