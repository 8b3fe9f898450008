// The grid of the model view: a cell for every head, layers down and heads across. It fits into the
// width and about a screen's height as long as its cells can be told apart, then it scrolls inside,
// and the numbers of layers and heads stay where they are.

import { select } from "d3-selection";
import { add } from "../controls/dom.js";
import { addTooltip } from "../controls/tooltip.js";
import { Atlas, formOf, paintHead } from "./thumbnails.js";

/** @typedef {import("../views/model_view.js").Cell} Cell */
/** @typedef {ReturnType<typeof import("../views/model_view.js").modelScene>} Scene */
/**
 * @typedef {object} Layout
 * @property {boolean} beside is there room for an open cell beside the grid?
 * @property {number} rows
 * @property {number} columns
 * @property {number} pitch from a cell to the next
 * @property {number} inner size of a cell
 * @property {number} pad around its thumbnail
 * @property {boolean} tiles cells are plain colours, for want of room
 * @property {"lines" | "matrix"} form
 */

export const DETAIL = 400; // width of the opened cell beside the grid
export const GAP = 24;
export const LABELS = { left: 54, top: 40 };
const TALL = 880; // a screen's height, about
const CELL = { tile: 10, thumbnail: 16, least: 18, clear: 24, roomy: 44, comfortable: 88, most: 148 };
const MAGNIFIED = 168;
const READABLE = 56; // cells below this size are magnified under the pointer

/**
 * @param {Scene} scene
 * @param {number} width CSS pixels
 * @returns {Layout}
 */
export function layoutOf(scene, width) {
  const { heads, cells, block, dense, sorted, queries, keys, choice, difference } = scene;
  const columns = heads.length;
  const rows = sorted ? Math.ceil(cells.length / columns) : block.layers.length;
  const least = dense ? CELL.tile : CELL.least;
  const most = columns * rows <= 12 ? CELL.most : CELL.comfortable;
  /** @param {number} room */
  const pitchIn = (room) => {
    const across = Math.floor((room - LABELS.left) / columns);
    let down = Math.floor(TALL / rows);
    // What has to scroll anyway need not be small.
    if (!dense && down < CELL.clear) down = CELL.roomy;
    return { pitch: Math.min(most, Math.max(least, Math.min(across, down))), across };
  };
  const whole = pitchIn(width);
  const part = pitchIn(width - DETAIL - GAP);
  // Room for an open cell is kept beside the grid where there is some, so nothing moves.
  const beside =
    part.across >= part.pitch &&
    part.pitch >= Math.min(CELL.roomy, 0.6 * whole.pitch) &&
    width - DETAIL - GAP - LABELS.left >= 240;
  const { pitch } = beside ? part : whole;
  const inner = pitch - Math.max(1, Math.round(pitch * 0.11));
  const pad = inner < CELL.clear ? 1 : Math.round(inner * 0.08);
  return {
    beside,
    rows,
    columns,
    pitch,
    inner,
    pad,
    tiles: choice !== null && (dense || inner < CELL.thumbnail),
    // Lines of small differences would not be seen; a matrix shows the root.
    form: difference ? "matrix" : formOf(inner - 2 * pad, Math.max(queries.length, keys.length)),
  };
}

/** @param {Layout} layout */
export const gridWidth = ({ pitch, columns }) => LABELS.left + pitch * columns;

/**
 * @param {HTMLElement} parent
 * @param {import("../controls/frame.js").Frame} frame
 * @param {object} on
 * @param {(layer: number, head: number) => void} on.open
 * @param {(cell: Cell) => string} on.describe
 * @param {(cell: Cell) => Promise<void>} on.decode
 */
export function addGrid(parent, frame, { open: openCell, describe, decode }) {
  const box = add(parent, "grid");
  const across = add(add(box, "across"), "labels");
  const down = add(add(box, "down"), "labels");
  const captions = ["heads", "layers"].map((text) => {
    const caption = add(box, `caption of-${text}`, "span");
    caption.textContent = text;
    return caption;
  });
  const scroller = add(box, "scroller");
  const sheet = add(scroller, "sheet");
  const canvas = /** @type {HTMLCanvasElement} */ (add(sheet, "", "canvas"));
  canvas.setAttribute("aria-hidden", "true");
  const buttons = add(sheet, "cells");
  buttons.setAttribute("role", "group");
  buttons.setAttribute("aria-label", "Heads by layer: Enter opens, arrows move");
  const tooltip = addTooltip(frame.root);
  const lens = document.createElement("canvas");
  const atlases = [new Atlas(), new Atlas()]; // of comparisons the second holds what a has more
  /** @type {{scene: Scene, layout: Layout} | null} */
  let now = null;
  /** @type {Cell | null} */
  let hovered = null;
  /** @type {HTMLElement | null} */
  let pressed = null;
  /** @type {[number, number] | null} the cell that the keyboard is at */
  let at = null;
  const drawn = { picture: "", places: "", names: "" };
  /** @type {Map<string, HTMLElement>} */
  const byCell = new Map();
  const scrolled = { left: 0, top: 0 };

  scroller.addEventListener("scroll", () => {
    Object.assign(scrolled, { left: scroller.scrollLeft, top: scroller.scrollTop });
    across.style.transform = `translateX(${-scrolled.left}px)`;
    down.style.transform = `translateY(${-scrolled.top}px)`;
  }, { passive: true });

  /** @param {EventTarget | null} target */
  const cellAt = (target) => {
    const button = /** @type {HTMLElement | null} */ (/** @type {Element} */ (target).closest("button"));
    if (!button || !now) return null;
    const { layer, head } = button.dataset;
    const cell = now.scene.cells.find((c) => c.layer.index === Number(layer) && c.head === Number(head));
    return cell ? { button, cell } : null;
  };
  buttons.addEventListener("click", (event) => {
    const found = cellAt(event.target);
    if (!found) return;
    stopAt(found.button, found.cell);
    openCell(found.cell.layer.index, found.cell.head);
  });
  buttons.addEventListener("pointerover", (event) => {
    const found = cellAt(event.target);
    if (found && event.pointerType !== "touch") explain(found.cell, event.clientX, event.clientY);
    else leave();
  });
  buttons.addEventListener("pointerleave", leave);
  buttons.addEventListener("focusin", (event) => {
    const found = cellAt(event.target);
    if (!found || !found.button.matches(":focus-visible")) return;
    const around = found.button.getBoundingClientRect();
    explain(found.cell, around.right - 8, around.bottom - 10);
  });
  buttons.addEventListener("focusout", leave);
  buttons.addEventListener("keydown", (event) => {
    const found = cellAt(event.target);
    if (!found || !now || event.altKey || event.ctrlKey || event.metaKey) return;
    const { row, column } = found.cell;
    const ends = { Home: 0, End: now.layout.columns - 1 };
    const steps = { ArrowRight: [0, 1], ArrowLeft: [0, -1], ArrowDown: [1, 0], ArrowUp: [-1, 0] };
    const step = steps[/** @type {keyof typeof steps} */ (event.key)];
    const end = ends[/** @type {keyof typeof ends} */ (event.key)];
    if (!step && end === undefined) return;
    const wanted = step ? [row + step[0], column + step[1]] : [row, end];
    const next = now.scene.cells.find((c) => c.row === wanted[0] && c.column === wanted[1]);
    const button = next && buttonOf(next.layer.index, next.head);
    if (next && button) {
      stopAt(button, next);
      button.focus();
    }
    event.preventDefault();
    event.stopPropagation();
  });

  /**
   * The one cell that Tab stops at.
   * @param {HTMLElement} button
   * @param {Cell} cell
   */
  function stopAt(button, cell) {
    buttons.querySelector('[tabindex="0"]')?.setAttribute("tabindex", "-1");
    button.tabIndex = 0;
    at = [cell.layer.index, cell.head];
  }

  /**
   * @param {number} layer
   * @param {number} head
   */
  function buttonOf(layer, head) {
    return byCell.get(`${layer} ${head}`);
  }

  function leave() {
    hovered = null;
    tooltip.hide();
    mark();
  }

  /** The numbers of the cell under the pointer. */
  function mark() {
    for (const label of [across, down].flatMap((l) => Array.from(l.children))) {
      const { row, column } = /** @type {HTMLElement} */ (label).dataset;
      const on = hovered && (row ? hovered.row === Number(row) : hovered.column === Number(column));
      label.classList.toggle("on", Boolean(on) && !now?.scene.sorted);
    }
  }

  /**
   * What a cell is, and where it is small, what it looks like.
   * @param {Cell} cell
   * @param {number} x
   * @param {number} y
   */
  function explain(cell, x, y) {
    if (!now) return;
    hovered = cell;
    mark();
    const magnify = now.layout.inner < READABLE || now.layout.tiles;
    const show = () => tooltip.show(describe(cell), x, y, magnify && magnified(cell) ? lens : null);
    show();
    if (magnify && !frame.source.has(cell.layer, "weights")) {
      decode(cell).then(() => hovered === cell && show());
    }
  }

  /** @param {Cell} cell */
  function magnified(cell) {
    if (!now || !frame.source.has(cell.layer, "weights")) return false;
    const { scene } = now;
    const ratio = globalThis.devicePixelRatio || 1;
    const size = Math.round(MAGNIFIED * ratio);
    lens.width = lens.height = size;
    lens.style.width = lens.style.height = `${MAGNIFIED}px`;
    const context = /** @type {CanvasRenderingContext2D} */ (lens.getContext("2d"));
    const { queries, keys, difference } = scene;
    const weights = frame.source.weights(cell.layer);
    const theme = frame.theme();
    const at = { x: 0, y: 0, size, ratio };
    const of = { weights, queries, keys };
    const { form } = now.layout;
    if (difference) {
      // Painted over each other: pixels replace pixels, so the second is put on by a copy.
      paintHead(context, form, { ...of, head: cell.head }, { ...at, color: theme.positive });
      const other = document.createElement("canvas");
      other.width = other.height = size;
      const less = /** @type {CanvasRenderingContext2D} */ (other.getContext("2d"));
      paintHead(less, form, { ...of, head: ~cell.head }, { ...at, color: theme.negative });
      context.drawImage(other, 0, 0);
    } else {
      const color = theme.layer(scene.depthOf(cell.layer));
      paintHead(context, form, { ...of, head: cell.head }, { ...at, color });
    }
    return true;
  }

  /**
   * @param {Scene} scene
   * @param {Layout} layout
   */
  function picturesOf({ block, pair, choice, sorted, queries, keys }, { inner, pad, form, pitch, tiles }) {
    const ratio = globalThis.devicePixelRatio || 1;
    const size = Math.max(1, Math.round((inner - 2 * pad) * ratio));
    const stencils = JSON.stringify([block.name, pair, form, size, ratio]);
    const name = JSON.stringify([stencils, pitch, frame.theme().mode, choice?.name, sorted, tiles]);
    return { stencils, name, ratio, size, form, queries, keys };
  }

  /**
   * The stencils that a picture needs.
   * @param {Scene} scene
   * @param {ReturnType<typeof picturesOf>} picture
   */
  function* make({ block, heads, difference }, { stencils, ...options }) {
    const rows = block.layers.length;
    for (const [i, atlas] of atlases.slice(0, difference ? 2 : 1).entries()) {
      const all = block.layers.flatMap((layer, row) => {
        if (!frame.source.has(layer, "weights")) return [];
        const weights = frame.source.weights(layer);
        return layer.heads.map((head) => {
          return { head: i ? ~head : head, row, column: heads.indexOf(head), weights };
        });
      });
      yield* atlas.make(stencils, { ...options, rows, columns: heads.length, stencils: all });
    }
  }

  return {
    element: box,
    /**
     * Thumbnails, a step each.
     * @param {Scene} scene
     */
    *prepare(scene) {
      const layout = layoutOf(scene, frame.width());
      const picture = picturesOf(scene, layout);
      if (!layout.tiles && picture.name !== drawn.picture) yield* make(scene, picture);
    },
    /** Back to the cell, when what had the focus is gone. */
    focus() {
      if (at) buttonOf(...at)?.focus({ preventScroll: true });
    },
    /**
     * @param {Scene} scene
     * @param {Layout} layout
     */
    draw(scene, layout) {
      now = { scene, layout };
      const theme = frame.theme();
      const { block, heads, cells, open, sorted, choice } = scene;
      const { pitch, inner, pad, rows, columns, tiles } = layout;
      const [width, height] = [pitch * columns, pitch * rows];
      const [left, top] = [(/** @type {number} */ c) => c * pitch, (/** @type {number} */ r) => r * pitch];

      const picture = picturesOf(scene, layout);
      if (picture.name !== drawn.picture) {
        drawn.picture = picture.name;
        const { ratio, size } = picture;
        if (!tiles) for (const _ of make(scene, picture)); // of what was not prepared
        canvas.width = Math.round(width * ratio);
        canvas.height = Math.round(height * ratio);
        canvas.style.width = `${width}px`;
        canvas.style.height = `${height}px`;
        const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
        const places = cells.map((cell) => ({
          row: block.layers.indexOf(cell.layer),
          column: heads.indexOf(cell.head),
          color: scene.inkOf(cell, theme, tiles),
        }));
        const colored = (/** @type {string} */ color) => places.map((place) => ({ ...place, color }));
        const tinted = tiles
          ? []
          : scene.difference
            ? [atlases[0].tinted(colored(theme.positive)), atlases[1].tinted(colored(theme.negative))]
            : [atlases[0].tinted(places)];
        const side = Math.round(inner * ratio);
        const round = Math.round(Math.min(6, inner / 8) * ratio);
        cells.forEach((cell, i) => {
          const [x, y] = [Math.round(left(cell.column) * ratio), Math.round(top(cell.row) * ratio)];
          context.fillStyle = scene.groundOf(cell, theme, tiles);
          context.beginPath();
          context.roundRect(x, y, side, side, round);
          context.fill();
          if (choice && cell.value === null) {
            context.fillStyle = theme.muted;
            const dash = Math.max(1, Math.round(ratio));
            context.fillRect(x + side * 0.3, y + Math.round(side / 2), side * 0.4, dash);
          }
          const shift = Math.round(pad * ratio);
          const { row, column } = places[i];
          for (const stencils of tinted) {
            context.drawImage(stencils, column * size, row * size, size, size, x + shift, y + shift, size, size);
          }
        });
      }

      // Only what has changed: there may be thousands of buttons.
      const places = JSON.stringify([block.name, pitch, inner, sorted && choice?.name, sorted]);
      if (places !== drawn.places) {
        drawn.places = places;
        box.style.width = `${Math.min(frame.width(), gridWidth(layout))}px`;
        sheet.style.width = `${width}px`;
        sheet.style.height = `${height}px`;
        drawLabels(scene, layout);
        place(scene, layout);
      }
      const names = JSON.stringify([block.name, choice?.name, places]);
      if (names !== drawn.names) {
        drawn.names = names;
        for (const cell of cells) {
          const button = buttonOf(cell.layer.index, cell.head);
          // What is written on a cell is part of its name: a voice asks for what an eye sees.
          const parts = [...describe(cell).split("\n"), button?.textContent];
          button?.setAttribute("aria-label", parts.filter(Boolean).join(", "));
        }
      }
      const button = (open && buttonOf(open.layer.index, open.head)) ?? null;
      if (button !== pressed) {
        pressed?.setAttribute("aria-pressed", "false");
        button?.setAttribute("aria-pressed", "true");
        pressed = button;
      }
      // A view that was away comes back scrolled to its beginning.
      if (scroller.scrollTop !== scrolled.top || scroller.scrollLeft !== scrolled.left) {
        scroller.scrollTo(scrolled);
      }
    },
  };

  /**
   * The buttons: the same one for a head, wherever it stands.
   * @param {Scene} scene
   * @param {Layout} layout
   */
  function place({ cells, sorted }, { pitch, inner }) {
    const gone = new Set(byCell.keys());
    const all = [];
    for (const { layer, head, row, column } of cells) {
      const name = `${layer.index} ${head}`;
      let button = byCell.get(name);
      if (!button) {
        button = document.createElement("button");
        button.setAttribute("type", "button");
        Object.assign(button.dataset, { layer: layer.index, head });
        button.tabIndex = -1;
        button.setAttribute("aria-pressed", "false");
        byCell.set(name, button);
      }
      gone.delete(name);
      const text = sorted && pitch >= 40 ? `${layer.index}·${head}` : "";
      if (button.textContent !== text) button.textContent = text;
      const size = `width: ${inner}px; height: ${inner}px`;
      button.setAttribute("style", `left: ${column * pitch}px; top: ${row * pitch}px; ${size}`);
      all.push(button);
    }
    for (const name of gone) {
      byCell.get(name)?.remove();
      byCell.delete(name);
    }
    if (all.some((button, i) => buttons.children[i] !== button)) {
      const focused = all.find((button) => button.matches(":focus"));
      buttons.append(...all);
      focused?.focus({ preventScroll: true }); // what moves in the page loses it
    }
    const kept = at && buttonOf(...at);
    if (!kept) {
      at = [cells[0].layer.index, cells[0].head];
      buttonOf(...at)?.setAttribute("tabindex", "0");
    }
  }

  /**
   * As many numbers as there is room for.
   * @param {Scene} scene
   * @param {Layout} layout
   */
  function drawLabels({ heads, block, sorted }, { pitch, inner }) {
    const stepFor = (/** @type {number} */ room) => [1, 2, 5, 10].find((n) => n * pitch >= room) ?? 20;
    const [columnStep, rowStep] = [stepFor(16), stepFor(13)];
    const labels = {
      across: sorted ? [] : heads.flatMap((text, i) => (i % columnStep ? [] : [{ text, i }])),
      down: sorted ? [] : block.layers.flatMap((l, i) => (i % rowStep ? [] : [{ text: l.index, i }])),
    };
    select(across)
      .selectAll("span")
      .data(labels.across)
      .join("span")
      .attr("data-column", (d) => d.i)
      .attr("style", (d) => `left: ${d.i * pitch - 10}px; width: ${inner + 20}px`)
      .text((d) => d.text);
    select(down)
      .selectAll("span")
      .data(labels.down)
      .join("span")
      .attr("data-row", (d) => d.i)
      .attr("style", (d) => `top: ${d.i * pitch + inner / 2 - 8}px`)
      .text((d) => d.text);
    for (const caption of captions) caption.hidden = sorted;
  }
}
