// Two columns of tokens and the lines between them: the whole of the head view, a cell of the model
// view when it is opened, and the neuron view when it is closed. linesPlot says what stands where
// and how it is painted; a page and an exported figure are two ways to put that down.

import { select } from "d3-selection";
import { add, place } from "../controls/dom.js";
import { addTokenColumn } from "../controls/token_column.js";
import { measuredWidth } from "../controls/text_width.js";
import { addTooltip } from "../controls/tooltip.js";
import { writersOf } from "../data/formats.js";
import { columnWidth, ROW } from "./token_columns.js";
import { describeToken, headName } from "../scenes/token_texts.js";
import { boxesOf, chosenOf, headCount, meansOf, weightsAt } from "../data/edges.js";
import { paintBoxes, paintFans, paintLines, paintRaster } from "../paint/marks.js";
import { tokensOf } from "../data/payload.js";
import { selectionHandlers } from "../controls/selection.js";
import { addStage } from "../controls/stage.js";

/** @typedef {import("../data/payload.js").Block} Block */
/** @typedef {import("../data/payload.js").Weights} Weights */
/** @typedef {import("../data/edges.js").Edges} Edges */
/** @typedef {import("../state.js").State} State */
/** @typedef {import("../controls/stage.js").Geometry} Geometry */
/**
 * @typedef {object} Picture what there is to draw
 * @property {Block} block
 * @property {Weights} weights
 * @property {Edges} edges
 * @property {number[]} heads
 * @property {Int32Array} queries
 * @property {Int32Array} keys
 * @property {{query: string[], key: string[]}} text by position
 * @property {string[]} colors per head
 * @property {string} name changes when the lines at rest change
 */
/** @typedef {ReturnType<typeof linesPlot>} LinesPlot */

const NUMBERS = 44; // width of the column of means
const BOXES = 148;
const MANY = 6000; // lines that are quicker rastered than stroked, and too many for an editor
const SHADE = 3; // hidden mass is shaded stronger than it is, or one would not see it on a screen
const WIDEST = 800;

/**
 * What stands where.
 * @param {Picture} picture
 * @param {State} state
 * @param {number} available width
 * @param {import("./token_columns.js").Measure} measure of text
 */
export function linesPlot(picture, state, available, measure) {
  const { edges, heads, queries, keys, text, colors } = picture;
  // Columns as wide as their tokens need; the lines get the rest, up to a comfortable slope.
  const width = Math.min(available, WIDEST);
  const most = Math.max(72, Math.min(180, (width - 2 * NUMBERS - 90) / 2));
  const least = Math.min(heads.length > 1 ? BOXES : 72, most);
  const queryWidth = columnWidth(text.query, least, most, measure);
  const keyWidth = columnWidth(text.key, least, most, measure);
  const gap = Math.min(300, Math.max(60, width - queryWidth - keyWidth - 2 * NUMBERS));
  const x = { query: NUMBERS, line: NUMBERS + queryWidth + 2, key: NUMBERS + queryWidth + gap };
  const lines = { x0: x.line, x1: x.key - 2, colors };

  const selected = state.query !== null || state.key !== null;
  const boxSide = /** @type {"query" | "key"} */ (state.query !== null ? "key" : "query");
  const positions = boxSide === "key" ? keys : queries;
  const chosen = { query: chosenOf(state, "query"), key: chosenOf(state, "key") };
  const count = Math.max(1, chosen.query.length, chosen.key.length);
  const boxes = selected ? boxesOf(edges, heads.length, boxSide, positions.length, count) : null;
  const means = boxes ? meansOf(boxes, edges.signs) : new Float64Array(0);
  const write = writersOf(edges);
  const drawnHeads = headCount(edges.signs);
  let hidden = false;
  if (!selected) edges.eachSpread(() => (hidden = true));

  return {
    ...picture,
    x,
    width: x.key + keyWidth + NUMBERS,
    rows: Math.max(queries.length, keys.length),
    columns: [
      { side: /** @type {const} */ ("query"), x: x.query, width: queryWidth, positions: queries, chosen: chosen.query },
      { side: /** @type {const} */ ("key"), x: x.key, width: keyWidth, positions: keys, chosen: chosen.key },
    ],
    selected,
    means,
    positions,
    /** Whether the lines at rest are painted pixel by pixel. */
    raster: !selected && (hidden || edges.count > MANY),
    headings: [
      { name: "query", text: "query", x: x.line - 10, anchor: /** @type {const} */ ("end") },
      { name: "key", text: "key", x: x.key + 8, anchor: /** @type {const} */ ("start") },
      {
        name: "mean",
        text: selected ? (drawnHeads * count > 1 ? "mean" : edges.signs.includes(-1) ? "b − a" : "weight") : "",
        x: boxSide === "key" ? x.key + keyWidth + 8 : NUMBERS - 8,
        anchor: /** @type {"start" | "end"} */ (boxSide === "key" ? "start" : "end"),
      },
    ],
    /**
     * Means beside the boxes, where they can be told from zero.
     * @param {[number, number]} rows
     */
    numbers: ([from, to]) =>
      Array.from(means.keys())
        .filter((r) => r >= from && r < to && Math.abs(means[r]) >= 0.01)
        .map((r) => ({
          r,
          text: write.short(means[r]),
          strength: 0.6 + 0.4 * Math.min(1, Math.abs(means[r]) * 4),
        })),

    /**
     * @param {CanvasRenderingContext2D} context
     * @param {Geometry} geometry
     * @param {boolean} [coarse]
     */
    atRest(context, geometry, coarse) {
      if (this.raster) {
        /** @type {typeof edges.eachSpread} */
        const eachSpread = (visit) =>
          edges.eachSpread((slot, row, mass) => visit(slot, row, SHADE * mass));
        const options = { ...lines, geometry, eachSpread, keyRows: keys.length, coarse };
        paintRaster(context, edges.each, options);
      } else {
        paintLines(context, edges.each, { ...lines, geometry, spread: false });
      }
      return this.raster;
    },
    /**
     * @param {CanvasRenderingContext2D} context
     * @param {Geometry} geometry
     */
    touched(context, geometry) {
      for (const query of chosen.query) {
        const row = queries.indexOf(query);
        const masses = heads.map(() => 0);
        edges.eachSpread((slot, r, mass) => {
          if (r === row) masses[slot] = mass;
        });
        paintFans(context, masses, {
          apex: x.line,
          base: x.key - 2,
          y: (row + 0.5) * ROW,
          height: keys.length * ROW,
          colors,
        });
      }
      if (boxes) {
        paintBoxes(context, boxes, {
          geometry,
          x: boxSide === "key" ? x.key : x.query,
          width: boxSide === "key" ? keyWidth : queryWidth,
          colors,
        });
      }
      paintLines(context, edges.each, { ...lines, geometry, spread: true });
    },
  };
}

/**
 * @param {HTMLElement} parent
 * @param {import("../shell.js").Frame} frame
 * @param {() => boolean} [nothingSelected] Esc, when there is nothing to let go of; whether it did
 *   something
 */
export function addLines(parent, frame, nothingSelected) {
  const headings = add(parent, "headings");
  const stage = addStage(parent, frame.redraw);
  const tooltip = addTooltip(frame.root);
  const selection = selectionHandlers(frame, stage, {
    explain(side, position, event) {
      if (event && now) tooltip.show(tooltipText(now, side, position), event.clientX, event.clientY);
      else tooltip.hide();
    },
    nothingSelected,
    several: true,
    rowOf: (side, position) => now?.[side === "query" ? "queries" : "keys"].indexOf(position) ?? 0,
  });
  const query = addTokenColumn(stage.sheet, "query", selection.on("query"));
  const key = addTokenColumn(stage.sheet, "key", selection.on("key"));
  selection.columns({ query, key });
  const numbers = add(stage.sheet, "numbers");
  const spoken = add(parent, "sr");
  spoken.setAttribute("aria-live", "polite");

  /** @type {Picture | null} */
  let now = null;

  /**
   * @param {Picture} picture
   * @param {"query" | "key"} side
   * @param {number} position
   */
  function tooltipText(picture, side, position) {
    const state = frame.state();
    const { block, text } = picture;
    const other = side === "key" ? state.query : state.key;
    if (!state.locked || other === null) {
      return describeToken(tokensOf(block, side), position, text[side]);
    }
    const [from, to] = side === "key" ? [other, position] : [position, other];
    const lines = weightsAt(picture, from, to).map(
      ({ head, weight }) =>
        `${headName(head, state)}  ${weight === null ? "not listed" : writersOf(picture.edges).exact(weight)}`,
    );
    return [`${text.query[from]} → ${text.key[to]}`, ...lines].join("\n");
  }

  return {
    /**
     * @param {Picture} picture
     * @param {State} state
     * @param {number} available width
     */
    draw(picture, state, available) {
      now = picture;
      const theme = frame.theme();
      const plot = linesPlot(picture, state, available, measuredWidth);
      const { x, selected } = plot;
      const view = stage.prepare(plot.width, plot.rows);
      const rest = `${picture.name} ${theme.mode} ${x.line} ${x.key}`;
      view.paint(0, rest, selected ? null : (context, coarse) => plot.atRest(context, view.geometry, coarse));
      view.paint(
        1,
        `${rest} ${state.query} ${state.key} ${state.also}`,
        selected ? (context) => plot.touched(context, view.geometry) : null,
      );

      for (const { side, x, width, positions, chosen } of plot.columns) {
        const column = side === "query" ? query : key;
        place(column.element, x, width);
        column.draw({
          text: picture.text[side],
          positions,
          rows: view.rows(positions.length),
          selected: chosen[0] ?? null,
          also: chosen.slice(1),
          className: () => (chosen.length ? "dim" : ""),
        });
      }

      const [, , mean] = plot.headings;
      select(numbers)
        .selectAll("span")
        .data(plot.numbers(view.rows(plot.positions.length)))
        .join("span")
        .attr("class", "number")
        .style("top", (d) => `${d.r * ROW}px`)
        .style("left", mean.anchor === "start" ? `${mean.x}px` : "0")
        .style("width", `${NUMBERS - 8}px`)
        .style("text-align", mean.anchor)
        .style("opacity", (d) => d.strength)
        .text((d) => d.text);
      select(headings)
        .selectAll("span")
        .data(plot.headings)
        .join("span")
        .text((d) => d.text)
        .style("left", (d) => (d.anchor === "start" ? `${d.x}px` : "auto"))
        .style("right", (d) => (d.anchor === "end" ? `calc(100% - ${d.x}px)` : "auto"));
      spoken.textContent = state.locked ? sentence(picture.text, state, plot) : "";
      if (!selected) tooltip.hide();
    },
  };
}

/**
 * The same on a sheet: every row.
 * @param {import("../svg/sheet.js").Sheet} sheet
 * @param {LinesPlot} plot
 */
export function drawLines(sheet, plot) {
  const { theme } = sheet;
  for (const { text, x, anchor } of plot.headings) {
    sheet.text(text, { x, y: sheet.y + 12, anchor, color: theme.muted });
  }
  sheet.y += 22;
  const size = { width: plot.width, rows: plot.rows, row: ROW };
  sheet.rows(0, sheet.y, size, plot.selected ? plot.touched.bind(plot) : plot.atRest.bind(plot), plot.raster);
  for (const { side, x, width, positions, chosen } of plot.columns) {
    positions.forEach((position, r) => {
      const own = chosen.includes(position);
      const y = sheet.y + r * ROW;
      if (own) {
        sheet.rect(x + 0.5, y + 0.5, width - 1, ROW - 1, { fill: theme.field, stroke: theme.accent, radius: 6 });
      }
      sheet.text(plot.text[side][position], {
        x: side === "query" ? x + width - 9 : x + 9,
        y: y + 16.5,
        size: 13.5,
        strong: own,
        anchor: side === "query" ? "end" : "start",
        color: own ? theme.accent : chosen.length ? theme.muted : theme.ink,
        most: width - 14,
        halo: plot.selected && !own,
      });
    });
  }
  const [, , mean] = plot.headings;
  for (const { r, text, strength } of plot.numbers([0, plot.rows])) {
    sheet.text(text, { x: mean.x, y: sheet.y + r * ROW + 16, anchor: mean.anchor, opacity: strength });
  }
  sheet.y += plot.rows * ROW;
}

/**
 * What a screen reader says of a locked token.
 * @param {{query: string[], key: string[]}} text
 * @param {State} state
 * @param {LinesPlot} plot
 */
function sentence(text, state, { means, positions, edges }) {
  const forward = state.query !== null;
  const own = chosenOf(state, forward ? "query" : "key").map((i) => text[forward ? "query" : "key"][i]);
  const other = text[forward ? "key" : "query"];
  const best = Array.from(positions.keys())
    .sort((a, b) => Math.abs(means[b]) - Math.abs(means[a]))
    .slice(0, 3)
    .map((r) => `${other[positions[r]]} ${writersOf(edges).short(means[r])}`);
  const verb = forward ? (own.length > 1 ? "attend to" : "attends to") : `${own.length > 1 ? "are" : "is"} attended to by`;
  return `${own.join(", ")} ${verb} ${best.join(", ")}`;
}
