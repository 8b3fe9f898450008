// The model view: every layer and head at a glance. A grid of thumbnails, layers down and heads
// across; a click opens a cell with its tokens.

import { add, addMark, addSelect, addSourceSelects, option } from "./controls.js";
import { edgesOf } from "./edges.js";
import { addFooter } from "./footer.js";
import { massNote } from "./head_view.js";
import { addLines } from "./lines.js";
import { paintThumbnail } from "./marks.js";
import { measured, MEASURES } from "./measures.js";
import { tokensOf } from "./payload.js";
import { positionsOf } from "./state.js";
import { select } from "d3-selection";

/** @typedef {import("./payload.js").Source} Source */
/** @typedef {import("./payload.js").Weights} Weights */
/** @typedef {import("./state.js").State} State */

const LABELS = 40; // width of the layer numbers
const DETAIL = 400; // width of the opened cell beside the grid
const CELL = { least: 18, comfortable: 88, most: 148 };
const BINS = 64;

/**
 * @typedef {object} Cell
 * @property {import("./payload.js").Layer} layer
 * @property {number} head
 * @property {number} row place in the grid
 * @property {number} column
 * @property {number | null} value of the measure
 * @property {number} fraction 0..1, for its colour
 */

/**
 * The picture of a state, as data. Without an open cell its edges are those of every cell; with
 * one, those of that cell, and with a selected token there, that token's.
 * @param {Source} source
 * @param {State} state
 */
export function modelScene(source, state) {
  const block = source.block(state.block);
  const queries = positionsOf(block, "query", state);
  const keys = positionsOf(block, "key", state);
  const heads = [...new Set(block.layers.flatMap((layer) => layer.heads))].sort((a, b) => a - b);
  const { measure } = state;
  /** @type {Cell[]} */
  const cells = block.layers.flatMap((layer, row) =>
    layer.heads.map((head) => ({
      layer,
      head,
      row,
      column: heads.indexOf(head),
      value: measure ? measured(source.weights(layer), head, measure) : null,
      fraction: block.layers.length > 1 ? row / (block.layers.length - 1) : 0,
    })),
  );
  const values = cells.map((c) => c.value ?? 0);
  const range = measure ? [Math.min(...values), Math.max(...values)] : null;
  if (range) {
    for (const c of cells) {
      c.fraction = range[1] > range[0] ? ((c.value ?? 0) - range[0]) / (range[1] - range[0]) : 0;
    }
  }
  if (state.sorted) {
    cells.sort((a, b) => (b.value ?? 0) - (a.value ?? 0));
    cells.forEach((c, i) => {
      c.row = Math.floor(i / heads.length);
      c.column = i % heads.length;
    });
  }
  const { cell, query, key } = state;
  /**
   * @param {import("./payload.js").Layer} layer
   * @param {number} head
   * @param {boolean} open
   */
  const edgesOfCell = (layer, head, open) =>
    edgesOf(source.weights(layer), {
      heads: [head],
      queries,
      keys,
      query: open ? query : null,
      key: open ? key : null,
    });
  const open = cell && cells.find((c) => c.layer.index === cell[0] && c.head === cell[1]);
  const drawn = open ? [open] : cells;
  const scene = {
    view: "model",
    block,
    queries,
    keys,
    heads,
    cells,
    /** Smallest and largest of the measure that cells are coloured by. */
    range,
    open: open ?? null,
    gain: 1, // a cell has one head, so opacity is the weight
    edgesOfCell,
    get edges() {
      const parts = drawn.map((c) => edgesOfCell(c.layer, c.head, Boolean(open)).edges);
      const layer = drawn.map((c, i) => new Uint16Array(parts[i].head.length).fill(c.layer.index));
      return {
        layer: joined(Uint16Array, layer),
        head: joined(Uint16Array, parts.map((p) => p.head)),
        query: joined(Uint32Array, parts.map((p) => p.query)),
        key: joined(Uint32Array, parts.map((p) => p.key)),
        weight: joined(Float32Array, parts.map((p) => p.weight)),
        opacity: joined(Float32Array, parts.map((p) => p.opacity)),
      };
    },
    /** Mass that is not among the edges, per drawn row, cell by cell. */
    get hidden() {
      return joined(
        Float32Array,
        drawn.map((c) => edgesOfCell(c.layer, c.head, Boolean(open)).hidden),
      );
    },
  };
  return scene;
}

/**
 * @template {Uint16Array | Uint32Array | Float32Array} T
 * @param {new (length: number) => T} Type
 * @param {T[]} parts
 */
function joined(Type, parts) {
  const all = new Type(parts.reduce((n, part) => n + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(/** @type {any} */ (part), at);
    at += part.length;
  }
  return all;
}

/**
 * One head's weights on at most BINS rows and columns: a cell holds what the mean query of its bin
 * gives to all keys of its bin, so a row adds up as it did, and a pattern stays where it was. What
 * is not listed is the mean row's hidden mass.
 * @param {Weights} weights
 * @param {number} head
 * @param {Int32Array} queries
 * @param {Int32Array} keys
 */
export function binned(weights, head, queries, keys) {
  const rows = Math.min(BINS, queries.length);
  const columns = Math.min(BINS, keys.length);
  const values = new Float32Array(rows * columns);
  const counts = new Float32Array(rows);
  const columnOf = new Int32Array(weights.keys).fill(-1);
  keys.forEach((key, i) => {
    columnOf[key] = Math.floor((i * columns) / keys.length);
  });
  const slot = weights.heads.indexOf(head);
  let hidden = 0;
  queries.forEach((query, i) => {
    const bin = Math.floor((i * rows) / queries.length);
    counts[bin]++;
    const row = slot * weights.queries + query;
    hidden += weights.hidden[row] / queries.length;
    for (let e = weights.start[row]; e < weights.start[row + 1]; e++) {
      const column = columnOf[weights.key[e]];
      if (column >= 0) values[bin * columns + column] += weights.weight[e];
    }
  });
  for (let i = 0; i < values.length; i++) values[i] /= counts[Math.floor(i / columns)];
  return { rows, columns, values, hidden };
}

/** @type {import("./shell.js").View} */
export const modelView = {
  keys: ["cell", "measure", "sorted"],
  start: () => ({ cell: null, measure: null, sorted: false }),
  needs: (source, state) => source.block(state.block).layers,
  create(frame) {
    const { root, source } = frame;
    const toolbar = add(root, "toolbar");
    const selects = addSourceSelects(toolbar, frame, { layer: false });
    const measures = addSelect(toolbar, "measure", "Colour", (value) =>
      frame.set({ measure: value === "layer" ? null : value }),
    );
    const order = addSelect(toolbar, "sorted", "Order", (value) => frame.set({ sorted: value === "yes" }));
    addMark(toolbar, source.payload.model);
    const body = add(root, "model");
    const scroller = add(body, "grid");
    const grid = add(scroller, "sheet");
    const canvas = /** @type {HTMLCanvasElement} */ (add(grid, "", "canvas"));
    canvas.setAttribute("aria-hidden", "true");
    const labels = add(grid, "labels");
    const buttons = add(grid, "cells");
    buttons.setAttribute("role", "group");
    buttons.setAttribute("aria-label", "Heads by layer: Enter opens, arrows move");
    const detail = add(body, "detail");
    const title = add(detail, "title");
    const path = add(detail, "path");
    const lines = addLines(detail, frame, () => {
      const open = frame.state().cell != null;
      if (open) frame.set({ cell: null });
      return open;
    });
    const footer = addFooter(root, "click opens a head · click locks a token · Esc clears");
    let painted = "";

    buttons.addEventListener("click", (event) => {
      const button = /** @type {Element} */ (event.target).closest("button");
      if (!button) return;
      const cell = cellOf(button);
      const { cell: open } = frame.state();
      const same = open && open[0] === cell[0] && open[1] === cell[1];
      frame.set({ cell: same ? null : cell, query: null, key: null, locked: false });
    });
    buttons.addEventListener("keydown", (event) => {
      const button = /** @type {Element} */ (event.target).closest("button");
      const steps = { ArrowRight: [0, 1], ArrowLeft: [0, -1], ArrowDown: [1, 0], ArrowUp: [-1, 0] };
      const step = steps[/** @type {keyof steps} */ (event.key)];
      if (!button || !step) return;
      const [row, column] = [Number(button.dataset.row), Number(button.dataset.column)];
      const selector = `[data-row="${row + step[0]}"][data-column="${column + step[1]}"]`;
      const next = /** @type {HTMLElement | null} */ (buttons.querySelector(selector));
      if (next) {
        button.tabIndex = -1;
        next.tabIndex = 0;
        next.focus();
      }
      event.preventDefault();
    });

    return {
      draw(state) {
        const theme = frame.theme();
        const scene = modelScene(source, state);
        const { block, queries, keys, heads, cells, open, range } = scene;
        selects.draw();
        const { measure, sorted } = state;
        measures.draw(
          [option("layer", "by layer"), ...Object.entries(MEASURES).map(([k, m]) => option(k, m.label))],
          measure ?? "layer",
        );
        order.element.hidden = !measure;
        order.draw([option("no", "layers and heads"), option("yes", "largest first")], sorted ? "yes" : "no");
        const rowCount = sorted ? Math.ceil(cells.length / heads.length) : block.layers.length;

        // Room for an open cell is kept beside the grid where there is some, so nothing moves.
        const width = frame.width();
        const beside = width - DETAIL - 24 - LABELS >= Math.max(44 * heads.length, 240);
        const room = (beside ? width - DETAIL - 24 : width) - LABELS;
        const fitting = Math.floor(room / heads.length);
        const most = heads.length * rowCount <= 12 ? CELL.most : CELL.comfortable;
        const pitch = Math.max(CELL.least, Math.min(fitting, most));
        const inner = pitch - Math.max(2, Math.round(pitch * 0.11));
        const pad = Math.max(1, Math.round(inner * 0.08));
        const size = {
          width: LABELS + pitch * heads.length,
          height: 24 + pitch * rowCount,
        };
        const left = (/** @type {number} */ column) => LABELS + column * pitch;
        const top = (/** @type {number} */ row) => 24 + row * pitch;
        const color = (/** @type {Cell} */ c) => theme.layer(c.fraction);

        grid.style.width = `${size.width}px`;
        grid.style.height = `${size.height}px`;
        const ratio = globalThis.devicePixelRatio || 1;
        const picture = JSON.stringify([state.block, state.pair, theme.mode, pitch, ratio, measure, sorted]);
        if (picture !== painted) {
          painted = picture;
          canvas.width = Math.round(size.width * ratio);
          canvas.height = Math.round(size.height * ratio);
          canvas.style.width = `${size.width}px`;
          canvas.style.height = `${size.height}px`;
          const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
          context.setTransform(ratio, 0, 0, ratio, 0, 0);
          for (const cell of cells) {
            const { layer, row, head, column } = cell;
            const [x, y] = [left(column), top(row)];
            context.fillStyle = theme.surface;
            context.beginPath();
            context.roundRect(x, y, inner, inner, Math.min(6, inner / 8));
            context.fill();
            paintThumbnail(context, binned(source.weights(layer), head, queries, keys), {
              x: x + pad,
              y: y + pad,
              size: inner - 2 * pad,
              color: color(cell),
            });
          }
        }

        select(labels)
          .selectAll("span")
          .data(sorted ? [] : [
            ...heads.map((head, column) => ({ text: head, x: left(column), y: 0, width: inner, height: 20, end: false })),
            ...block.layers.map((layer, row) => ({ text: layer.index, x: 0, y: top(row), width: LABELS - 10, height: inner, end: true })),
          ])
          .join("span")
          .style("left", (d) => `${d.x}px`)
          .style("top", (d) => `${d.y}px`)
          .style("width", (d) => `${d.width}px`)
          .style("line-height", (d) => `${d.height}px`)
          .style("text-align", (d) => (d.end ? "right" : "center"))
          .text((d) => d.text);
        const tab = open ?? cells[0];
        select(buttons)
          .selectAll("button")
          .data(cells)
          .join("button")
          .attr("type", "button")
          .attr("data-layer", (d) => d.layer.index)
          .attr("data-head", (d) => d.head)
          .attr("data-row", (d) => d.row)
          .attr("data-column", (d) => d.column)
          .attr("tabindex", (d) => (d === tab ? 0 : -1))
          .attr("aria-label", (d) => nameOf(d, measure))
          .attr("aria-pressed", (d) => String(d === open))
          .attr("title", (d) => nameOf(d, measure))
          .text((d) => (sorted && pitch >= 40 ? `${d.layer.index}·${d.head}` : ""))
          .style("left", (d) => `${left(d.column)}px`)
          .style("top", (d) => `${top(d.row)}px`)
          .style("width", `${inner}px`)
          .style("height", `${inner}px`);

        const legend = range
          ? {
              legend: MEASURES[/** @type {string} */ (measure)].label,
              smallest: range[0].toFixed(2),
              largest: range[1].toFixed(2),
              colors: [0, 0.25, 0.5, 0.75, 1].map((f) => theme.layer(f)),
            }
          : { legend: "weight" };
        body.classList.toggle("beside", beside);
        detail.hidden = !open;
        if (open) {
          title.textContent = `Layer ${open.layer.index} · Head ${open.head}`;
          path.textContent = open.layer.name;
          const edges = scene.edgesOfCell(open.layer, open.head, true);
          lines.draw(
            {
              block,
              weights: source.weights(open.layer),
              edges,
              heads: [open.head],
              queries,
              keys,
              text: { query: tokensOf(block, "query").text, key: tokensOf(block, "key").text },
              colors: [color(open)],
              name: JSON.stringify([state.block, state.pair, open.layer.index, open.head]),
            },
            state,
            (beside ? DETAIL : width) - 32,
          );
          const note = massNote(edges, { ...state, heads: [open.head] });
          footer.draw({ theme, ...legend, note });
        } else {
          footer.draw({ theme, ...legend, note: "" });
        }
        return scene;
      },
    };
  },
};

/**
 * @param {HTMLElement} button
 * @returns {[number, number]}
 */
function cellOf(button) {
  return [Number(button.dataset.layer), Number(button.dataset.head)];
}

/**
 * @param {Cell} cell
 * @param {string | null | undefined} measure
 */
function nameOf({ layer, head, value }, measure) {
  const name = `Layer ${layer.index}, head ${head}`;
  return measure && value !== null ? `${name}: ${MEASURES[measure].label} ${value.toFixed(3)}` : name;
}
