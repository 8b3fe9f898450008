// The bars of every head beside the tokens, in a page.

import { select } from "d3-selection";
import { barColor, barsIn } from "../parts/bars.js";
import { ROW } from "../parts/token_columns.js";
import { inLine } from "../scenes/token_texts.js";
import { add } from "./dom.js";

/** @typedef {import("../parts/lines.js").LinesPlot} LinesPlot */
/** @typedef {import("../theme/colors.js").Theme} Theme */

/** @param {HTMLElement} parent */
export function addBars(parent) {
  const element = add(parent, "bars");
  element.dataset.part = "columns";
  const labels = add(element, "labels");
  const cells = add(element, "");

  return {
    /**
     * @param {LinesPlot} plot
     * @param {[number, number]} rows those in view
     * @param {Theme} theme
     */
    draw(plot, rows, theme) {
      const { bars, row } = plot;
      const drawn = barsIn(plot, rows);
      element.classList.toggle("above", !bars.beside);
      const cell = select(cells)
        .selectAll("div")
        .data(drawn)
        .join((enter) => {
          const one = enter.append("div");
          one.append("i");
          one.append("span");
          return one;
        })
        .attr("data-head", (d) => d.head)
        .attr("data-index", (d) => row.positions[d.r])
        .style("top", (d) => `${d.r * ROW}px`);
      cell
        .select("i")
        .style("left", (d) => `${d.x}px`)
        .style("width", (d) => `${d.width}px`)
        .style("background", (d) => barColor(d, bars, theme));
      cell
        .select("span")
        .style("left", (d) => `${d.textX}px`)
        .text((d) => d.text);
      drawLabels(plot, rows);
    },
  };

  /**
   * @param {LinesPlot} plot
   * @param {[number, number]} rows
   */
  function drawLabels({ labels: place, text }, [from, to]) {
    const shown = place ? Array.from(place.positions.subarray(from, to)) : [];
    select(labels)
      .selectAll("span")
      .data(shown)
      .join("span")
      .style("top", (_, i) => `${(from + i) * ROW}px`)
      .style("left", `${place?.x}px`)
      .style("width", `${place?.width}px`)
      .text((position) => inLine(text.query[position]));
  }
}
