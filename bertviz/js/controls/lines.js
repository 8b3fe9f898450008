// Lines between two columns of tokens in a page.

import { select } from "d3-selection";
import { paintAtRest, paintGaps, paintSelected } from "../paint/lines.js";
import { sentenceOf } from "../parts/line_texts.js";
import { linesPlot, numbersOf } from "../parts/lines.js";
import { ROW } from "../parts/token_columns.js";
import { describeAmong } from "../scenes/pair_texts.js";
import { add, place } from "./dom.js";
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
  #numbers;
  #spoken;
  /** @type {Picture | null} */
  #picture = null;

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
    this.#numbers = add(sheet, "numbers");
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
    const view = this.#stage.prepare(plot.width, plot.rows);
    this.#paint(plot, view, state);
    this.#drawTokens(plot, view);
    this.#drawNumbers(plot, view);
    this.#drawHeadings(plot);
    this.#spoken.textContent = state.locked ? sentenceOf(plot, state) : "";
    if (!plot.selected) this.#tooltip.hide();
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

  /**
   * @param {LinesPlot} plot
   * @param {Prepared} view
   */
  #drawNumbers(plot, view) {
    const { mean, numbers } = plot;
    select(this.#numbers)
      .selectAll("span")
      .data(numbersOf(plot, view.rows(plot.positions.length)))
      .join("span")
      .attr("class", "number")
      .style("top", (d) => `${d.r * ROW}px`)
      .style("left", mean.anchor === "start" ? `${mean.x}px` : "0")
      .style("width", `${numbers}px`)
      .style("text-align", mean.anchor)
      .style("opacity", (d) => d.strength)
      .text((d) => d.text);
  }

  /** @param {LinesPlot} plot */
  #drawHeadings(plot) {
    select(this.#headings)
      .selectAll("span")
      .data(plot.headings)
      .join("span")
      .text((d) => d.text)
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
