// The same weights as a matrix: queries down, keys across, a cell for every pair. Where hundreds of
// lines are one grey, a matrix still shows where its bands and columns are; dragging enlarges.

import { select } from "d3-selection";
import { add, place } from "../controls/dom.js";
import { measuredWidth } from "../controls/text_width.js";
import { addTooltip } from "../controls/tooltip.js";
import { writersOf } from "../data/formats.js";
import { columnWidth } from "./token_columns.js";
import { headName } from "../scenes/token_texts.js";
import { headCount, weightsAt } from "../data/edges.js";
import { paintCells, sized } from "../paint/marks.js";

/** @typedef {import("../shell.js").Frame} Frame */
/** @typedef {import("../state.js").State} State */
/** @typedef {import("../data/edges.js").Edges} Edges */
/** @typedef {import("./lines.js").Picture} Picture */
/**
 * @typedef {object} Cells
 * @property {number} rows
 * @property {number} columns
 * @property {Float32Array} values (rows, columns), with signs where weights are differences
 * @property {number} max of their sizes
 */

const LARGEST = 680; // CSS pixels of the longer side
const CELL = { label: 11, most: 26 };
const CORNER = 76; // room for the way back to the whole text
const DRAG = 5; // pixels that make a click a drag
const SHAPES = 4096; // cells of an exported matrix that are shapes of their own

/**
 * The mean weight over the drawn heads of every pair of tokens; what is not listed lies evenly on
 * the keys that are not listed. Beyond `most` a cell is a bin: what its mean query gives to all of
 * its keys, so rows add up as they did.
 * @param {Edges} edges of nothing selected
 * @param {number} heads
 * @param {number} queries rows in view
 * @param {number} keys
 * @param {number} [most]
 * @returns {Cells}
 */
export function cellsOf(edges, heads, queries, keys, most = 1024) {
  const [rows, columns] = [Math.min(queries, most), Math.min(keys, most)];
  const values = new Float32Array(rows * columns);
  const rowOf = (/** @type {number} */ r) => Math.floor((r * rows) / queries);
  const columnOf = (/** @type {number} */ c) => Math.floor((c * columns) / keys);
  const { signs } = edges;
  const share = 1 / headCount(signs) / edges.gain;

  const listed = new Uint32Array(heads * queries);
  edges.each((slot, r) => listed[slot * queries + r]++);
  const each = new Float32Array(heads * queries); // what an unlisted key gets
  const even = new Float32Array(queries);
  edges.eachSpread((slot, r, mass) => {
    const i = slot * queries + r;
    each[i] = (mass * share) / Math.max(1, keys - listed[i]);
    even[r] += signs[slot] * each[i];
  });
  const wide = new Float32Array(columns); // keys of a column
  for (let c = 0; c < keys; c++) wide[columnOf(c)]++;
  for (let r = 0; r < queries; r++) {
    if (!even[r]) continue;
    const at = rowOf(r) * columns;
    for (let column = 0; column < columns; column++) values[at + column] += even[r] * wide[column];
  }
  edges.each((slot, r, c, opacity) => {
    const own = opacity * share - each[slot * queries + r];
    values[rowOf(r) * columns + columnOf(c)] += signs[slot] * own;
  });
  if (rows < queries) {
    const counts = new Float32Array(rows);
    for (let r = 0; r < queries; r++) counts[rowOf(r)]++;
    for (let i = 0; i < values.length; i++) values[i] /= counts[Math.floor(i / columns)];
  }
  let max = 0;
  for (const value of values) if (Math.abs(value) > max) max = Math.abs(value);
  return { rows, columns, values, max };
}

/**
 * What stands where.
 * @param {Picture} picture with the edges of nothing selected
 * @param {State} state
 * @param {number} available width
 * @param {import("./token_columns.js").Measure} measure of text
 */
export function matrixPlot(picture, state, available, measure) {
  const { queries, keys, text } = picture;
  const longest = Math.max(queries.length, keys.length);
  const named = (/** @type {"query" | "key"} */ name, /** @type {Int32Array} */ rows) =>
    columnWidth(Array.from(rows.subarray(0, 200), (i) => text[name][i]), 48, 130, measure);
  let labels = { query: named("query", queries), key: named("key", keys) };
  if (state.zoom) labels.query = Math.max(labels.query, CORNER);
  const fits = () => Math.min(CELL.most, Math.min(LARGEST, available - labels.query - 8) / longest);
  const written = fits() >= CELL.label;
  if (!written) labels = { query: state.zoom ? CORNER : 44, key: 28 };
  const cell = fits();
  const step = written ? 1 : Math.ceil(40 / cell);
  return {
    ...picture,
    labels,
    cell,
    /** Whether there is room for the tokens; else positions, and the tokens that are selected. */
    written,
    /** Whether opacity is the root of the weight. */
    root: !written,
    width: cell * keys.length,
    height: cell * queries.length,
    axes: /** @type {const} */ ([
      ["query", queries, state.query],
      ["key", keys, state.key],
    ]).map(([axis, rows, chosen]) => ({
      axis,
      labels: Array.from(rows.keys())
        .filter((r) => r % step === 0 || rows[r] === chosen)
        .map((r) => {
          const selected = rows[r] === chosen;
          return { r, position: rows[r], selected, text: written || selected ? text[axis][rows[r]] : String(rows[r]) };
        }),
    })),
    row: queries.indexOf(state.query ?? -1),
    column: keys.indexOf(state.key ?? -1),
  };
}

/**
 * @param {HTMLElement} parent
 * @param {Frame} frame
 */
export function addMatrix(parent, frame) {
  const box = add(parent, "matrix");
  const top = add(box, "across");
  const side = add(box, "down");
  const plotBox = add(box, "plot");
  const canvas = /** @type {HTMLCanvasElement} */ (add(plotBox, "", "canvas"));
  canvas.setAttribute("aria-hidden", "true");
  const bars = [add(plotBox, "bar"), add(plotBox, "bar")];
  const brush = add(plotBox, "brush");
  brush.hidden = true;
  plotBox.tabIndex = 0;
  plotBox.setAttribute("role", "application");
  plotBox.setAttribute(
    "aria-label",
    "Matrix of attention: arrows move, Enter locks, Escape clears; drag enlarges",
  );
  const back = add(box, "link whole", "button");
  back.textContent = "whole text";
  back.addEventListener("click", () => frame.set({ zoom: null }));
  const spoken = add(box, "sr");
  spoken.setAttribute("aria-live", "polite");
  const tooltip = addTooltip(frame.root);
  let painted = "";
  /** @type {{picture: Picture, cells: Cells, cell: number} | null} */
  let now = null;
  /** @type {{x: number, y: number} | null} where a drag began */
  let from = null;

  /** @param {PointerEvent | MouseEvent} event */
  const placeOf = (event) => {
    const around = plotBox.getBoundingClientRect();
    return { x: event.clientX - around.left, y: event.clientY - around.top };
  };
  /** @param {{x: number, y: number}} place @returns {[number, number]} rows of queries and keys */
  const pairAt = ({ x, y }) => {
    const { picture, cell } = /** @type {NonNullable<typeof now>} */ (now);
    const clamp = (/** @type {number} */ v, /** @type {number} */ n) =>
      Math.min(Math.max(Math.floor(v / cell), 0), n - 1);
    return [clamp(y, picture.queries.length), clamp(x, picture.keys.length)];
  };
  /** @param {[number, number]} pair */
  const positions = ([r, c]) => {
    const { queries, keys } = /** @type {NonNullable<typeof now>} */ (now).picture;
    return { query: queries[r], key: keys[c] };
  };
  /** @param {{x: number, y: number}} one @param {{x: number, y: number}} other */
  const dragged = (one, other) => Math.hypot(one.x - other.x, one.y - other.y) > DRAG;

  plotBox.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    from = placeOf(event);
    plotBox.setPointerCapture(event.pointerId);
  });
  plotBox.addEventListener("pointermove", (event) => {
    if (!now) return;
    const at = placeOf(event);
    if (from && dragged(from, at)) {
      brush.hidden = false;
      Object.assign(brush.style, {
        left: `${Math.min(from.x, at.x)}px`,
        top: `${Math.min(from.y, at.y)}px`,
        width: `${Math.abs(from.x - at.x)}px`,
        height: `${Math.abs(from.y - at.y)}px`,
      });
      tooltip.hide();
      return;
    }
    const { query, key } = positions(pairAt(at));
    tooltip.show(explain(now.picture, query, key), event.clientX, event.clientY);
    if (!frame.state().locked) frame.set({ query, key });
  });
  plotBox.addEventListener("pointerup", (event) => {
    if (!now || !from) return;
    const [start, at] = [from, placeOf(event)];
    from = null;
    brush.hidden = true;
    if (dragged(start, at)) {
      const [one, other] = [positions(pairAt(start)), positions(pairAt(at))];
      const span = (/** @type {number} */ a, /** @type {number} */ b) =>
        /** @type {[number, number]} */ ([Math.min(a, b), Math.max(a, b) + 1]);
      const zoom = [...span(one.query, other.query), ...span(one.key, other.key)];
      frame.set({ zoom: /** @type {[number, number, number, number]} */ (zoom), query: null, key: null, locked: false });
      return;
    }
    const { query, key } = positions(pairAt(at));
    const state = frame.state();
    const same = state.locked && state.query === query && state.key === key;
    frame.set({ query, key, locked: !same });
  });
  plotBox.addEventListener("pointercancel", () => {
    from = null;
    brush.hidden = true;
  });
  plotBox.addEventListener("pointerleave", () => {
    tooltip.hide();
    if (!frame.state().locked && !from) frame.set({ query: null, key: null });
  });
  plotBox.addEventListener("dblclick", () => frame.set({ zoom: null }));
  plotBox.addEventListener("keydown", (event) => {
    if (!now) return;
    const { queries, keys } = now.picture;
    const state = frame.state();
    const steps = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };
    const step = steps[/** @type {keyof typeof steps} */ (event.key)];
    const r = state.query === null ? 0 : queries.indexOf(state.query);
    const c = state.key === null ? 0 : keys.indexOf(state.key);
    if (step) {
      const query = queries[Math.min(Math.max(r + step[0], 0), queries.length - 1)];
      const key = keys[Math.min(Math.max(c + step[1], 0), keys.length - 1)];
      frame.set({ query, key, locked: true });
    } else if (event.key === "Enter" && state.query !== null) {
      frame.set({ query: state.query, key: state.key, locked: !state.locked });
    } else {
      return;
    }
    event.preventDefault();
    event.stopPropagation();
  });

  return {
    element: box,
    /**
     * @param {Picture} picture with the edges of nothing selected
     * @param {State} state
     * @param {number} available width
     */
    draw(picture, state, available) {
      const theme = frame.theme();
      const { heads, queries, keys } = picture;
      const plot = matrixPlot(picture, state, available, measuredWidth);
      const { cell, width, height, labels, written, row: r, column: c } = plot;
      const name = `${picture.name} ${theme.mode} ${cell} ${globalThis.devicePixelRatio}`;
      if (name !== painted || !now) {
        painted = name;
        const cells = cellsOf(picture.edges, heads.length, queries.length, keys.length);
        now = { picture, cells, cell };
        const context = sized(canvas, width, height);
        paintCells(context, cells, { ...plot, color: colorOf(picture, theme), negative: theme.negative });
      }
      now = { ...now, picture, cell };

      box.style.height = `${labels.key + height + 4}px`;
      box.style.width = `${labels.query + width}px`;
      place(plotBox, labels.query, width);
      Object.assign(plotBox.style, { top: `${labels.key}px`, height: `${height}px` });
      place(side, 0, labels.query);
      side.style.top = `${labels.key}px`;
      place(top, labels.query, width);
      top.style.height = `${labels.key}px`;
      back.hidden = !state.zoom;

      for (const { axis, labels } of plot.axes) {
        select(axis === "query" ? side : top)
          .classed("written", written)
          .selectAll("div")
          .data(labels, (d) => /** @type {{position: number}} */ (d).position)
          .join("div")
          .attr("data-token", axis)
          .attr("data-index", (d) => d.position)
          .attr("class", (d) => `label ${d.selected ? "selected" : ""}`)
          .attr("dir", "auto")
          .style(axis === "query" ? "top" : "left", (d) => `${d.r * cell}px`)
          .style(axis === "query" ? "height" : "width", `${written ? cell : 14}px`)
          .style("line-height", `${written ? cell : 14}px`)
          .text((d) => d.text);
      }
      bars[0].hidden = r < 0;
      bars[1].hidden = c < 0;
      const thick = Math.max(cell, 1);
      Object.assign(bars[0].style, { left: 0, top: `${r * cell}px`, width: `${width}px`, height: `${thick}px` });
      Object.assign(bars[1].style, { top: 0, left: `${c * cell}px`, height: `${height}px`, width: `${thick}px` });
      spoken.textContent =
        state.locked && r >= 0 && c >= 0 ? explain(picture, queries[r], keys[c]) : "";
      return { ...now.cells, root: plot.root };
    },
  };

  /**
   * @param {Picture} picture
   * @param {number} query
   * @param {number} key
   */
  function explain({ text, weights, heads, edges }, query, key) {
    const write = writersOf(edges);
    const lines = weightsAt({ weights, heads }, query, key);
    const known = lines.map(({ weight }) => weight ?? 0);
    const mean = known.reduce((a, b) => a + b, 0) / known.length;
    return [
      `${text.query[query]} → ${text.key[key]}  (${query} → ${key})`,
      ...(lines.length > 1 ? [`mean  ${write.short(mean)}`] : []),
      ...lines.map(
        ({ head, weight }) =>
          `${headName(head, frame.state())}  ${weight === null ? "not listed" : write.exact(weight)}`,
      ),
    ].join("\n");
  }
}

/**
 * The colour of a full cell: the head's, where there is one.
 * @param {{colors: string[], edges: {signs: number[]}}} picture
 * @param {import("../theme/theme.js").Theme} theme
 */
export function colorOf({ colors, edges }, theme) {
  if (edges.signs.includes(-1)) return theme.positive;
  return colors.length === 1 ? colors[0] : theme.ink;
}

/**
 * The same on a sheet.
 * @param {import("../svg/sheet.js").Sheet} sheet
 * @param {ReturnType<typeof matrixPlot>} plot
 */
export function drawMatrix(sheet, plot) {
  const { theme } = sheet;
  const { cell, width, height, labels, written } = plot;
  const [x, y] = [labels.query, sheet.y + labels.key];
  const cells = cellsOf(plot.edges, plot.heads.length, plot.queries.length, plot.keys.length);
  const color = colorOf(plot, theme);
  const shapes = cells.values.length <= SHAPES;
  sheet.painting(x, y, (context) => paintCells(context, cells, { ...plot, color, negative: theme.negative, shapes }));
  sheet.rect(x - 0.5, y - 0.5, width + 1, height + 1, { stroke: theme.hairline });
  for (const [at, style] of /** @type {const} */ ([
    [plot.row, { x, y: y + plot.row * cell, width, height: cell }],
    [plot.column, { x: x + plot.column * cell, y, width: cell, height }],
  ])) {
    if (at < 0) continue;
    sheet.rect(style.x, style.y, style.width, style.height, { stroke: theme.accent });
  }
  for (const { axis, labels: told } of plot.axes) {
    for (const { r, text, selected } of told) {
      const middle = r * cell + (written ? cell / 2 : 7) + 4;
      sheet.text(text, {
        ...(axis === "query"
          ? { x: x - 8, y: y + middle, anchor: /** @type {const} */ ("end") }
          : written
            ? { x: x + middle, y: y - 6, upright: true }
            : { x: x + r * cell, y: y - 6 }),
        size: written ? Math.min(12, cell) : 11,
        strong: selected,
        color: selected ? theme.accent : written ? theme.ink : theme.muted,
        most: axis === "query" ? labels.query - 8 : written ? labels.key - 6 : undefined,
      });
    }
  }
  sheet.y = y + height + 4;
  return { ...cells, root: plot.root };
}
