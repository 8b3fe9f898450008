// Two columns of tokens and the lines between them: the whole of the head view, a cell of the model
// view when it is opened, and the neuron view when it is closed.

import { select } from "d3-selection";
import {
  add,
  addTokenColumn,
  addTooltip,
  columnWidth,
  describeToken,
  exactWeight,
  place,
  ROW,
  shortWeight,
} from "./controls.js";
import { meansOf, weightsAt } from "./edges.js";
import { paintBoxes, paintFans, paintLines, paintRaster } from "./marks.js";
import { tokensOf } from "./payload.js";
import { selectionHandlers } from "./selection.js";
import { addStage } from "./stage.js";

/** @typedef {import("./payload.js").Block} Block */
/** @typedef {import("./payload.js").Weights} Weights */
/** @typedef {import("./edges.js").Edges} Edges */
/** @typedef {import("./state.js").State} State */
/**
 * @typedef {object} Picture what there is to draw
 * @property {Block} block
 * @property {Weights} weights
 * @property {Edges} edges
 * @property {number[]} heads
 * @property {Int32Array} queries
 * @property {Int32Array} keys
 * @property {string[]} colors per head
 * @property {string} name changes when the lines at rest change
 */

const NUMBERS = 44; // width of the column of means
const BOXES = 148;
const MANY = 6000; // lines that are quicker rastered than stroked
const SHADE = 3; // hidden mass is shaded stronger than it is, or one would not see it on a screen

/**
 * @param {HTMLElement} parent
 * @param {import("./shell.js").Frame} frame
 * @param {() => boolean} [nothingSelected] Esc, when there is nothing to let go of; whether it did
 *   something
 */
export function addLines(parent, frame, nothingSelected) {
  const headings = add(parent, "headings");
  const [queryHeading, keyHeading, meanHeading] = ["query", "key", "mean"].map((text) => {
    const heading = add(headings, "", "span");
    heading.textContent = text;
    return heading;
  });
  const stage = addStage(parent, frame.redraw);
  const tooltip = addTooltip(frame.root);
  const selection = selectionHandlers(frame, stage, {
    explain(side, position, event) {
      if (event && now) tooltip.show(tooltipText(now, side, position), event.clientX, event.clientY);
      else tooltip.hide();
    },
    nothingSelected,
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
    const { block } = picture;
    const other = side === "key" ? state.query : state.key;
    if (!state.locked || other === null) return describeToken(tokensOf(block, side), position);
    const [from, to] = side === "key" ? [other, position] : [position, other];
    const lines = weightsAt(picture, from, to).map(
      ({ head, weight }) => `head ${head}  ${weight === null ? "not listed" : exactWeight(weight)}`,
    );
    const title = `${tokensOf(block, "query").text[from]} → ${tokensOf(block, "key").text[to]}`;
    return [title, ...lines].join("\n");
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
      const { block, edges, heads, queries, keys, colors } = picture;

      // Columns as wide as their tokens need; the lines get the rest, up to a comfortable slope.
      const width = Math.min(available, 800);
      const most = Math.max(72, Math.min(180, (width - 2 * NUMBERS - 90) / 2));
      const least = Math.min(heads.length > 1 ? BOXES : 72, most);
      const queryWidth = columnWidth(tokensOf(block, "query").text, least, most);
      const keyWidth = columnWidth(tokensOf(block, "key").text, least, most);
      const gap = Math.min(300, Math.max(60, width - queryWidth - keyWidth - 2 * NUMBERS));
      const x = { query: NUMBERS, line: NUMBERS + queryWidth + 2, key: NUMBERS + queryWidth + gap };
      const view = stage.prepare(x.key + keyWidth + NUMBERS, Math.max(queries.length, keys.length));

      const selected = state.query !== null || state.key !== null;
      const boxSide = state.query !== null ? "key" : "query";
      const rest = `${picture.name} ${theme.mode} ${x.line} ${x.key}`;
      const lines = { geometry: view.geometry, x0: x.line, x1: x.key - 2, colors };
      const atRest = (/** @type {CanvasRenderingContext2D} */ context) => {
        let hidden = false;
        edges.eachSpread(() => (hidden = true));
        if (hidden || edges.count > MANY) {
          /** @type {typeof edges.eachSpread} */
          const eachSpread = (visit) =>
            edges.eachSpread((slot, row, mass) => visit(slot, row, SHADE * mass));
          paintRaster(context, edges.each, { ...lines, eachSpread, keyRows: keys.length });
        } else {
          paintLines(context, edges.each, { ...lines, spread: false });
        }
      };
      const touched = (/** @type {CanvasRenderingContext2D} */ context) => {
        if (state.query !== null) {
          const masses = heads.map(() => 0);
          edges.eachSpread((slot, _, mass) => (masses[slot] = mass));
          paintFans(context, masses, {
            apex: x.line,
            base: x.key - 2,
            y: (queries.indexOf(state.query) + 0.5) * ROW,
            height: keys.length * ROW,
            colors,
          });
        }
        paintBoxes(context, edges.each, {
          geometry: view.geometry,
          x: boxSide === "key" ? x.key : x.query,
          width: boxSide === "key" ? keyWidth : queryWidth,
          colors,
          side: boxSide,
        });
        paintLines(context, edges.each, { ...lines, spread: true });
      };
      view.paint(0, rest, selected ? null : atRest);
      view.paint(1, `${rest} ${state.query} ${state.key}`, selected ? touched : null);

      place(query.element, x.query, queryWidth);
      place(key.element, x.key, keyWidth);
      for (const [side, column, positions] of /** @type {const} */ ([
        ["query", query, queries],
        ["key", key, keys],
      ])) {
        const own = state[side];
        const other = state[side === "query" ? "key" : "query"];
        column.draw({
          tokens: tokensOf(block, side),
          positions,
          rows: view.rows(positions.length),
          selected: own,
          className: () => (own !== null && other === null ? "dim" : ""),
        });
      }

      // Means beside the boxes, where they can be told from zero.
      const positions = boxSide === "key" ? keys : queries;
      const means = selected ? meansOf(edges, heads.length, boxSide, positions.length) : [];
      const [from, to] = view.rows(positions.length);
      const told = Array.from(means.keys()).filter((r) => r >= from && r < to && means[r] >= 0.01);
      select(numbers)
        .selectAll("span")
        .data(told)
        .join("span")
        .attr("class", "number")
        .style("top", (r) => `${r * ROW}px`)
        .style("left", boxSide === "key" ? `${x.key + keyWidth + 8}px` : "0")
        .style("width", `${NUMBERS - 8}px`)
        .style("text-align", boxSide === "key" ? "left" : "right")
        .style("opacity", (r) => 0.6 + 0.4 * Math.min(1, means[r] * 4))
        .text((r) => shortWeight(means[r]));

      queryHeading.style.right = `calc(100% - ${x.line - 10}px)`;
      keyHeading.style.left = `${x.key + 8}px`;
      meanHeading.style.left = boxSide === "key" ? `${x.key + keyWidth + 8}px` : `${NUMBERS - 36}px`;
      meanHeading.style.visibility = selected ? "visible" : "hidden";
      meanHeading.textContent = heads.length > 1 ? "mean" : "weight";
      spoken.textContent = state.locked ? sentence(block, state, means, positions) : "";
      if (!selected) tooltip.hide();
    },
  };
}

/**
 * What a screen reader says of a locked token.
 * @param {import("./payload.js").Block} block
 * @param {State} state
 * @param {ArrayLike<number>} means
 * @param {Int32Array} positions
 */
function sentence(block, state, means, positions) {
  const forward = state.query !== null;
  const own = tokensOf(block, forward ? "query" : "key").text[/** @type {number} */ (forward ? state.query : state.key)];
  const other = tokensOf(block, forward ? "key" : "query").text;
  const best = Array.from(positions.keys())
    .sort((a, b) => means[b] - means[a])
    .slice(0, 3)
    .map((r) => `${other[positions[r]]} ${shortWeight(means[r])}`);
  return `${own} ${forward ? "attends to" : "is attended to by"} ${best.join(", ")}`;
}
