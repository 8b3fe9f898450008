// The head view: where the heads of one layer look. Two columns of tokens, queries left and keys
// right, and a line for every weight.

import { select } from "d3-selection";
import {
  add,
  addHeadSquares,
  addSourceSelects,
  addTokenColumn,
  addTooltip,
  columnWidth,
  describeToken,
  exactWeight,
  ROW,
  shortWeight,
} from "./controls.js";
import { addFooter } from "./footer.js";
import { paintBoxes, paintLines } from "./marks.js";
import { tokensOf } from "./payload.js";
import { addStage } from "./stage.js";
import { positionsOf } from "./state.js";
import { selectionHandlers } from "./selection.js";

/** @typedef {import("./payload.js").Source} Source */
/** @typedef {import("./payload.js").Weights} Weights */
/** @typedef {import("./state.js").State} State */

const NUMBERS = 44; // width of the column of means
const BOXES = 148;

/**
 * The edges of some heads of one layer, with what the reader has selected. Nothing is copied: the
 * weights stay where they were decoded, edge lists are made when somebody asks.
 * @param {Weights} weights
 * @param {object} options
 * @param {number[]} options.heads the model's numbers, those that are drawn
 * @param {Int32Array} options.queries positions, in the order of the rows
 * @param {Int32Array} options.keys
 * @param {number | null} options.query selected
 * @param {number | null} options.key selected
 */
export function edgesOf(weights, { heads, queries, keys, query, key }) {
  const slots = heads.map((head) => weights.heads.indexOf(head));
  const selected = query !== null || key !== null;
  // At rest lines overlap; the root keeps one head at full weight and twelve from becoming a blot.
  const gain = selected ? 1 : 1 / Math.sqrt(heads.length);
  const keyRow = rowsOf(keys, weights.keys);
  const queryRows = Array.from(queries.keys()).filter((r) => query === null || queries[r] === query);

  /** @type {import("./marks.js").EachEdge} */
  const each = (visit) => {
    slots.forEach((slot, i) => {
      for (const r of queryRows) {
        const row = slot * weights.queries + queries[r];
        for (let e = weights.start[row]; e < weights.start[row + 1]; e++) {
          const k = weights.key[e];
          if (keyRow[k] < 0 || (key !== null && k !== key)) continue;
          visit(i, r, keyRow[k], weights.weight[e] * gain);
        }
      }
    });
  };

  const scene = {
    gain,
    each,
    /** Edge lists, {head, query, key, weight, opacity}: typed arrays of equal length. */
    get edges() {
      let n = 0;
      each(() => n++);
      const edges = {
        head: new Uint16Array(n),
        query: new Uint32Array(n),
        key: new Uint32Array(n),
        weight: new Float32Array(n),
        opacity: new Float32Array(n),
      };
      let i = 0;
      each((slot, queryRow, keyRow, opacity) => {
        edges.head[i] = heads[slot];
        edges.query[i] = queries[queryRow];
        edges.key[i] = keys[keyRow];
        edges.weight[i] = opacity / gain;
        edges.opacity[i] = Math.min(1, opacity);
        i++;
      });
      return edges;
    },
    /** The drawn rows, head by head: their numbers, and their mass inside the drawn keys. */
    get rows() {
      const n = slots.length * queryRows.length;
      const rows = {
        head: new Uint16Array(n),
        query: new Uint32Array(n),
        listed: new Float32Array(n),
        outside: new Float32Array(n),
        unlisted: new Float32Array(n),
      };
      let i = 0;
      slots.forEach((slot, s) => {
        for (const r of queryRows) {
          const row = slot * weights.queries + queries[r];
          rows.head[i] = heads[s];
          rows.query[i] = queries[r];
          for (let e = weights.start[row]; e < weights.start[row + 1]; e++) {
            rows[keyRow[weights.key[e]] < 0 ? "outside" : "listed"][i] += weights.weight[e];
          }
          rows.unlisted[i++] = weights.hidden[row];
        }
      });
      return rows;
    },
    /** Mass that is not among the edges, per drawn row: listed + hidden = the row's sum. */
    get hidden() {
      const { outside, unlisted } = scene.rows;
      return outside.map((mass, i) => mass + unlisted[i]);
    },
  };
  return scene;
}

/**
 * @param {Int32Array} positions
 * @param {number} count
 */
function rowsOf(positions, count) {
  const rows = new Int32Array(count).fill(-1);
  positions.forEach((position, row) => {
    rows[position] = row;
  });
  return rows;
}

/**
 * The picture of a state, as data.
 * @param {Source} source
 * @param {State} state
 */
export function headScene(source, state) {
  const block = source.block(state.block);
  const layer = source.layer(state.block, state.layer);
  const weights = source.weights(layer);
  const queries = positionsOf(block, "query", state.pair);
  const keys = positionsOf(block, "key", state.pair);
  const { heads, query, key } = state;
  const edges = edgesOf(weights, { heads, queries, keys, query, key });
  return Object.assign(Object.create(edges), { view: "head", block, layer, heads, queries, keys, query, key });
}

/**
 * Per row of one side, the mean weight over the drawn heads.
 * @param {ReturnType<typeof edgesOf>} scene
 * @param {number} heads
 * @param {"query" | "key"} side
 * @param {number} rows
 */
export function meansOf(scene, heads, side, rows) {
  const means = new Float64Array(rows);
  scene.each((_, queryRow, keyRow, opacity) => {
    means[side === "key" ? keyRow : queryRow] += opacity / scene.gain / heads;
  });
  return means;
}

/** @type {import("./shell.js").View} */
export const headView = {
  start: () => ({}),
  needs: (source, state) => [source.layer(state.block, state.layer)],
  create(frame) {
    const { root, source } = frame;
    const toolbar = add(root, "toolbar");
    const selects = addSourceSelects(toolbar, frame, { layer: true });
    const squares = addHeadSquares(root, frame);
    const headings = add(root, "headings");
    const [queryHeading, keyHeading, meanHeading] = ["query", "key", "mean"].map((text) => {
      const heading = add(headings, "", "span");
      heading.textContent = text;
      return heading;
    });
    const stage = addStage(root, frame.redraw);
    const tooltip = addTooltip(root);
    const selection = selectionHandlers(frame, stage, (side, position, event) => {
      const text = tooltipText(side, position);
      if (text && event) tooltip.show(text, event.clientX, event.clientY);
      else tooltip.hide();
    });
    const query = addTokenColumn(stage.sheet, "query", selection.on("query"));
    const key = addTokenColumn(stage.sheet, "key", selection.on("key"));
    selection.columns({ query, key });
    const numbers = add(stage.sheet, "numbers");
    const footer = addFooter(root, "click locks · Esc clears · ↑ ↓ moves");
    const spoken = add(root, "sr");
    spoken.setAttribute("aria-live", "polite");

    /**
     * @param {"query" | "key"} side
     * @param {number} position
     */
    function tooltipText(side, position) {
      const state = frame.state();
      const block = source.block(state.block);
      const own = describeToken(tokensOf(block, side), position);
      const other = side === "key" ? state.query : state.key;
      if (!state.locked || other === null) return own;
      const pair = { query: side === "query" ? position : other, key: side === "key" ? position : other };
      const weights = weightsAt(source, state, pair.query, pair.key);
      const lines = weights.map(({ head, weight, listed }) =>
        `head ${head}  ${listed ? exactWeight(weight) : "not listed"}`,
      );
      const { text } = tokensOf(block, "query");
      return `${text[pair.query]} → ${tokensOf(block, "key").text[pair.key]}\n${lines.join("\n")}`;
    }

    return {
      draw(state) {
        const theme = frame.theme();
        const scene = headScene(source, state);
        const { block, heads, queries, keys } = scene;
        const colors = heads.map((/** @type {number} */ head) => theme.head(head));
        selects.draw();
        squares.draw();

        // Columns as wide as their tokens need; the lines get the rest, up to a comfortable slope.
        const width = Math.min(frame.width(), 800);
        const most = Math.max(72, Math.min(180, (width - 2 * NUMBERS - 90) / 2));
        const least = Math.min(BOXES, most);
        const queryWidth = columnWidth(tokensOf(block, "query").text, least, most);
        const keyWidth = columnWidth(tokensOf(block, "key").text, least, most);
        const gap = Math.min(300, Math.max(60, width - queryWidth - keyWidth - 2 * NUMBERS));
        const x = { query: NUMBERS, line: NUMBERS + queryWidth + 2, key: NUMBERS + queryWidth + gap };
        const total = x.key + keyWidth + NUMBERS;
        const rowCount = Math.max(queries.length, keys.length);
        const view = stage.prepare(total, rowCount);

        const selected = state.query !== null || state.key !== null;
        const picture = JSON.stringify([state.block, state.layer, heads, state.pair, theme.mode]);
        const lines = { geometry: view.geometry, x0: x.line, x1: x.key - 2, colors };
        view.paint(0, picture, selected ? null : (context) => {
          paintLines(context, scene.each, { ...lines, spread: false });
        });
        const boxSide = state.query !== null ? "key" : "query";
        view.paint(1, `${picture} ${state.query} ${state.key}`, selected ? (context) => {
          paintBoxes(context, scene.each, {
            geometry: view.geometry,
            x: boxSide === "key" ? x.key : x.query,
            width: boxSide === "key" ? keyWidth : queryWidth,
            colors,
            side: boxSide,
          });
          paintLines(context, scene.each, { ...lines, spread: true });
        } : null);

        Object.assign(query.element.style, { left: `${x.query}px`, width: `${queryWidth}px` });
        Object.assign(key.element.style, { left: `${x.key}px`, width: `${keyWidth}px` });
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
        const means = selected ? meansOf(scene, heads.length, boxSide, positions.length) : [];
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

        const headingStyle = { left: "", right: "" };
        Object.assign(queryHeading.style, headingStyle, { right: `calc(100% - ${x.line - 10}px)` });
        Object.assign(keyHeading.style, headingStyle, { left: `${x.key + 8}px` });
        Object.assign(meanHeading.style, headingStyle, {
          left: boxSide === "key" ? `${x.key + keyWidth + 8}px` : `${NUMBERS - 36}px`,
          visibility: selected ? "visible" : "hidden",
        });
        meanHeading.textContent = heads.length > 1 ? "mean" : "weight";

        footer.draw({
          theme,
          legend: scene.gain === 1 ? "weight" : `weight, lines at ${shortWeight(scene.gain)} of it`,
          note: massNote(scene, state),
        });
        spoken.textContent = state.locked ? sentence(block, state, means, positions) : "";
        if (!selected) tooltip.hide();
        return scene;
      },
    };
  },
};

/**
 * One weight per drawn head.
 * @param {Source} source
 * @param {State} state
 * @param {number} query
 * @param {number} key
 */
function weightsAt(source, state, query, key) {
  const weights = source.weights(source.layer(state.block, state.layer));
  return state.heads.map((head) => {
    const row = weights.heads.indexOf(head) * weights.queries + query;
    for (let e = weights.start[row]; e < weights.start[row + 1]; e++) {
      if (weights.key[e] === key) return { head, weight: weights.weight[e], listed: true };
    }
    return { head, weight: 0, listed: weights.hidden[row] < 0.0005 };
  });
}

/**
 * What the picture leaves out, as a mean over its rows.
 * @param {ReturnType<typeof headScene>} scene
 * @param {State} state
 */
function massNote(scene, state) {
  const { outside, unlisted } = scene.rows;
  const mean = (/** @type {Float32Array} */ values) =>
    values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length);
  const parts = [`hidden mass ${mean(unlisted).toFixed(2)}`];
  if (state.pair !== "All") parts.push(`outside ${state.pair} ${mean(outside).toFixed(2)}`);
  const rows = state.query !== null && state.heads.length === 1 ? "" : " (mean per row)";
  return parts.join(" · ") + rows;
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
