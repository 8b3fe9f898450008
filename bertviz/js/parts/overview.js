// A whole text in small, and the window that is looked at: dragging sets it, dragging it moves it.

import { add } from "../controls/dom.js";
import { paintCells, sized } from "../paint/marks.js";
import { cellsOf } from "./matrix.js";
import { SETTLED } from "../controls/stage.js";

/** @typedef {import("../shell.js").Frame} Frame */
/** @typedef {import("../state.js").State} State */

export const OVERVIEW = 132; // pixels of its longer side
const LEAST = 4; // tokens of a window

/** @typedef {[number, number, number, number]} Rows first and end of queries, the same of keys */

/**
 * @param {HTMLElement} parent
 * @param {Frame} frame
 */
export function addOverview(parent, frame) {
  const box = add(parent, "overview");
  add(box, "caption").textContent = "whole text";
  const plot = add(box, "plot");
  const canvas = /** @type {HTMLCanvasElement} */ (add(plot, "", "canvas"));
  canvas.setAttribute("aria-hidden", "true");
  const pane = add(plot, "window");
  plot.tabIndex = 0;
  plot.setAttribute("role", "slider");
  plot.setAttribute("aria-label", "Window of the text: arrows move it, plus and minus resize it, Escape shows all");
  plot.setAttribute("aria-valuemin", "0");
  const note = add(box, "note");
  const reset = add(box, "link", "button");
  reset.textContent = "show all";
  reset.addEventListener("click", () => frame.set({ zoom: null }));
  let painted = "";
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  // What is drawn, in rows: positions may have gaps where tokens are left out.
  /** @type {{queries: Int32Array, keys: Int32Array}} */
  let all = { queries: new Int32Array(1), keys: new Int32Array(1) };
  let scale = 1; // pixels per row
  /** @type {{x: number, y: number, rows: Rows | null} | null} */
  let from = null;

  const counts = () => [all.queries.length, all.keys.length];
  /** @returns {Rows} the window of a state */
  const rowsOf = (/** @type {{zoom?: State["zoom"]}} */ { zoom }) => {
    const [queries, keys] = counts();
    if (!zoom) return [0, queries, 0, keys];
    const place = (/** @type {Int32Array} */ positions, /** @type {number} */ position) => {
      const row = positions.findIndex((p) => p >= position);
      return row < 0 ? positions.length : row;
    };
    const { queries: q, keys: k } = all;
    return [place(q, zoom[0]), place(q, zoom[1]), place(k, zoom[2]), place(k, zoom[3])];
  };

  /** @param {PointerEvent} event */
  const placeOf = (event) => {
    const around = plot.getBoundingClientRect();
    return { x: (event.clientX - around.left) / scale, y: (event.clientY - around.top) / scale };
  };
  /**
   * A window inside the text.
   * @param {number} a @param {number} b @param {number} c @param {number} d
   */
  const show = (a, b, c, d) => {
    const span = (/** @type {number} */ from, /** @type {number} */ to, /** @type {Int32Array} */ positions) => {
      const count = positions.length;
      const size = Math.min(count, Math.max(LEAST, Math.round(to - from)));
      const start = Math.min(Math.max(0, Math.round(from)), count - size);
      return { whole: size === count, ends: [positions[start], positions[start + size - 1] + 1] };
    };
    const [rows, columns] = [span(a, b, all.queries), span(c, d, all.keys)];
    const zoom = rows.whole && columns.whole ? null : [...rows.ends, ...columns.ends];
    frame.set({ zoom: /** @type {State["zoom"]} */ (zoom) });
  };

  plot.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    const { x, y } = placeOf(event);
    const rows = rowsOf(frame.state());
    const inside = y >= rows[0] && y < rows[1] && x >= rows[2] && x < rows[3];
    from = { x, y, rows: inside && frame.state().zoom ? rows : null };
    plot.setPointerCapture(event.pointerId);
  });
  plot.addEventListener("pointermove", (event) => {
    if (!from) return;
    const { x, y } = placeOf(event);
    const [dx, dy] = [x - from.x, y - from.y];
    const { rows } = from;
    if (rows) show(rows[0] + dy, rows[1] + dy, rows[2] + dx, rows[3] + dx);
    else if (Math.hypot(dx, dy) * scale > 3) {
      show(Math.min(y, from.y), Math.max(y, from.y), Math.min(x, from.x), Math.max(x, from.x));
    }
  });
  const end = () => (from = null);
  plot.addEventListener("pointerup", end);
  plot.addEventListener("pointercancel", end);
  plot.addEventListener("dblclick", () => frame.set({ zoom: null }));
  plot.addEventListener("keydown", (event) => {
    const [a, b, c, d] = rowsOf(frame.state());
    const step = Math.max(1, Math.round((b - a) / 8));
    const moves = /** @type {Record<string, [number, number]>} */ ({
      ArrowUp: [-step, 0],
      ArrowDown: [step, 0],
      ArrowLeft: [0, -step],
      ArrowRight: [0, step],
    });
    const move = moves[event.key];
    if (move) show(a + move[0], b + move[0], c + move[1], d + move[1]);
    else if (event.key === "+" || event.key === "=") {
      show(a + (b - a) / 4, b - (b - a) / 4, c + (d - c) / 4, d - (d - c) / 4);
    } else if (event.key === "-") show(a - (b - a) / 2, b + (b - a) / 2, c - (d - c) / 2, d + (d - c) / 2);
    else if (event.key === "Escape" && frame.state().zoom) frame.set({ zoom: null });
    else return;
    event.preventDefault();
    event.stopPropagation();
  });

  return {
    element: box,
    /**
     * @param {{queries: Int32Array, keys: Int32Array}} whole the text
     * @param {() => import("./lines.js").Picture} picture of it
     * @param {State} state
     */
    draw(whole, picture, state) {
      const theme = frame.theme();
      all = whole;
      scale = OVERVIEW / Math.max(...counts());
      const [height, width] = counts().map((count) => count * scale);
      const { words, combine, hide, pair, renormalize } = state;
      const name = JSON.stringify([state.block, state.layer, state.heads, words, combine, hide, pair, renormalize, theme.mode]);
      if (name !== painted) {
        const paint = () => {
          const { edges, heads } = picture();
          const cells = cellsOf(edges, heads.length, all.queries.length, all.keys.length, OVERVIEW);
          const color = edges.signs.includes(-1) ? theme.positive : theme.ink;
          const options = { width, height, color, negative: theme.negative, root: true };
          paintCells(sized(canvas, width, height), cells, options);
        };
        // What is touched comes first.
        clearTimeout(timer);
        if (painted) timer = setTimeout(paint, SETTLED);
        else paint();
        painted = name;
      }
      Object.assign(plot.style, { width: `${width}px`, height: `${height}px` });
      const [a, b, c, d] = rowsOf(state);
      pane.hidden = !state.zoom;
      Object.assign(pane.style, {
        left: `${c * scale}px`,
        top: `${a * scale}px`,
        width: `${(d - c) * scale}px`,
        height: `${(b - a) * scale}px`,
      });
      plot.setAttribute("aria-valuemax", String(all.queries.length));
      plot.setAttribute("aria-valuenow", String(a));
      const { zoom } = state;
      const text = zoom
        ? `queries ${zoom[0]}–${zoom[1] - 1}, keys ${zoom[2]}–${zoom[3] - 1}`
        : `${counts().join(" × ")}, drag for a window`;
      plot.setAttribute("aria-valuetext", text);
      note.textContent = text;
      reset.hidden = !state.zoom;
    },
  };
}
