// The same weights as a matrix: queries down, keys across, a cell for every pair. Where hundreds of
// lines are one grey, a matrix still shows where its bands and columns are; dragging enlarges.

import { select } from "d3-selection";
import { add, addTooltip, columnWidth, exactWeight, place, shortWeight } from "./controls.js";
import { weightsAt } from "./edges.js";
import { tokensOf } from "./payload.js";

/** @typedef {import("./shell.js").Frame} Frame */
/** @typedef {import("./state.js").State} State */
/** @typedef {import("./edges.js").Edges} Edges */
/** @typedef {import("./lines.js").Picture} Picture */
/**
 * @typedef {object} Cells
 * @property {number} rows
 * @property {number} columns
 * @property {Float32Array} values (rows, columns)
 * @property {number} max
 */

const LARGEST = 680; // CSS pixels of the longer side
const CELL = { label: 11, most: 26 };
const CORNER = 76; // room for the way back to the whole text
const DRAG = 5; // pixels that make a click a drag

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
  const share = 1 / heads / edges.gain;

  const listed = new Uint32Array(heads * queries);
  edges.each((slot, r) => listed[slot * queries + r]++);
  const each = new Float32Array(heads * queries); // what an unlisted key gets
  const even = new Float32Array(queries);
  edges.eachSpread((slot, r, mass) => {
    const i = slot * queries + r;
    each[i] = (mass * share) / Math.max(1, keys - listed[i]);
    even[r] += each[i];
  });
  for (let r = 0; r < queries; r++) {
    if (!even[r]) continue;
    for (let c = 0; c < keys; c++) values[rowOf(r) * columns + columnOf(c)] += even[r];
  }
  edges.each((slot, r, c, opacity) => {
    values[rowOf(r) * columns + columnOf(c)] += opacity * share - each[slot * queries + r];
  });
  if (rows < queries) {
    const counts = new Float32Array(rows);
    for (let r = 0; r < queries; r++) counts[rowOf(r)]++;
    for (let i = 0; i < values.length; i++) values[i] /= counts[Math.floor(i / columns)];
  }
  let max = 0;
  for (const value of values) if (value > max) max = value;
  return { rows, columns, values, max };
}

/**
 * @param {HTMLElement} parent
 * @param {Frame} frame
 */
export function addMatrix(parent, frame) {
  const box = add(parent, "matrix");
  const top = add(box, "across");
  const side = add(box, "down");
  const plot = add(box, "plot");
  const canvas = /** @type {HTMLCanvasElement} */ (add(plot, "", "canvas"));
  canvas.setAttribute("aria-hidden", "true");
  const bars = [add(plot, "bar"), add(plot, "bar")];
  const brush = add(plot, "brush");
  brush.hidden = true;
  plot.tabIndex = 0;
  plot.setAttribute("role", "application");
  plot.setAttribute(
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
    const around = plot.getBoundingClientRect();
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

  plot.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    from = placeOf(event);
    plot.setPointerCapture(event.pointerId);
  });
  plot.addEventListener("pointermove", (event) => {
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
  plot.addEventListener("pointerup", (event) => {
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
  plot.addEventListener("pointercancel", () => {
    from = null;
    brush.hidden = true;
  });
  plot.addEventListener("pointerleave", () => {
    tooltip.hide();
    if (!frame.state().locked && !from) frame.set({ query: null, key: null });
  });
  plot.addEventListener("dblclick", () => frame.set({ zoom: null }));
  plot.addEventListener("keydown", (event) => {
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
      const { block, edges, heads, queries, keys, colors } = picture;
      const longest = Math.max(queries.length, keys.length);
      const text = { query: tokensOf(block, "query").text, key: tokensOf(block, "key").text };
      const named = (/** @type {"query" | "key"} */ name, /** @type {Int32Array} */ rows) =>
        columnWidth(Array.from(rows.subarray(0, 200), (i) => text[name][i]), 48, 130);
      let labels = { query: named("query", queries), key: named("key", keys) };
      if (state.zoom) labels.query = Math.max(labels.query, CORNER);
      const fits = () => Math.min(CELL.most, Math.min(LARGEST, available - labels.query - 8) / longest);
      const written = fits() >= CELL.label;
      if (!written) labels = { query: state.zoom ? CORNER : 44, key: 28 };
      const cell = fits();
      const [width, height] = [cell * keys.length, cell * queries.length];

      const name = `${picture.name} ${theme.mode} ${cell} ${globalThis.devicePixelRatio}`;
      if (name !== painted || !now) {
        painted = name;
        const cells = cellsOf(edges, heads.length, queries.length, keys.length);
        now = { picture, cells, cell };
        paint(canvas, cells, width, height, heads.length === 1 ? colors[0] : theme.ink);
      }
      now = { ...now, picture, cell };

      box.style.height = `${labels.key + height + 4}px`;
      place(plot, labels.query, width);
      Object.assign(plot.style, { top: `${labels.key}px`, height: `${height}px` });
      place(side, 0, labels.query);
      side.style.top = `${labels.key}px`;
      place(top, labels.query, width);
      top.style.height = `${labels.key}px`;
      back.hidden = !state.zoom;

      for (const [axis, parent, rows, chosen] of /** @type {const} */ ([
        ["query", side, queries, state.query],
        ["key", top, keys, state.key],
      ])) {
        const step = written ? 1 : Math.ceil(40 / cell);
        const shown = Array.from(rows.keys()).filter((r) => r % step === 0 || rows[r] === chosen);
        select(parent)
          .classed("written", written)
          .selectAll("div")
          .data(shown, (r) => rows[/** @type {number} */ (r)])
          .join("div")
          .attr("data-token", axis)
          .attr("data-index", (r) => rows[r])
          .attr("class", (r) => `label ${rows[r] === chosen ? "selected" : ""}`)
          .attr("dir", "auto")
          .style(axis === "query" ? "top" : "left", (r) => `${r * cell}px`)
          .style(axis === "query" ? "height" : "width", `${written ? cell : 14}px`)
          .style("line-height", `${written ? cell : 14}px`)
          .text((r) => (written || rows[r] === chosen ? text[axis][rows[r]] : rows[r]));
      }
      const [r, c] = [queries.indexOf(state.query ?? -1), keys.indexOf(state.key ?? -1)];
      bars[0].hidden = r < 0;
      bars[1].hidden = c < 0;
      const thick = Math.max(cell, 1);
      Object.assign(bars[0].style, { left: 0, top: `${r * cell}px`, width: `${width}px`, height: `${thick}px` });
      Object.assign(bars[1].style, { top: 0, left: `${c * cell}px`, height: `${height}px`, width: `${thick}px` });
      spoken.textContent =
        state.locked && r >= 0 && c >= 0 ? explain(picture, queries[r], keys[c]) : "";
      return now.cells;
    },
  };

  /**
   * @param {Picture} picture
   * @param {number} query
   * @param {number} key
   */
  function explain({ block, weights, heads }, query, key) {
    const lines = weightsAt({ weights, heads }, query, key);
    const known = lines.map(({ weight }) => weight ?? 0);
    const mean = known.reduce((a, b) => a + b, 0) / known.length;
    const title = `${tokensOf(block, "query").text[query]} → ${tokensOf(block, "key").text[key]}`;
    return [
      `${title}  (${query} → ${key})`,
      ...(lines.length > 1 ? [`mean  ${shortWeight(mean)}`] : []),
      ...lines.map(
        ({ head, weight }) => `head ${head}  ${weight === null ? "not listed" : exactWeight(weight)}`,
      ),
    ].join("\n");
  }
}

/**
 * @param {HTMLCanvasElement} canvas
 * @param {Cells} cells
 * @param {number} width
 * @param {number} height
 * @param {string} color
 */
function paint(canvas, { rows, columns, values, max }, width, height, color) {
  const ratio = globalThis.devicePixelRatio || 1;
  const small = document.createElement("canvas");
  small.width = columns;
  small.height = rows;
  const image = new ImageData(columns, rows);
  const [red, green, blue] = [1, 3, 5].map((i) => parseInt(color.slice(i, i + 2), 16));
  const scale = max > 0 ? 255 / max : 0;
  for (let i = 0, p = 0; i < values.length; i++, p += 4) {
    image.data[p] = red;
    image.data[p + 1] = green;
    image.data[p + 2] = blue;
    image.data[p + 3] = values[i] * scale;
  }
  /** @type {CanvasRenderingContext2D} */ (small.getContext("2d")).putImageData(image, 0, 0);
  canvas.width = Math.max(1, Math.round(width * ratio));
  canvas.height = Math.max(1, Math.round(height * ratio));
  canvas.style.width = `${width}px`;
  canvas.style.height = `${height}px`;
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  context.imageSmoothingEnabled = canvas.width < columns;
  context.drawImage(small, 0, 0, canvas.width, canvas.height);
}
