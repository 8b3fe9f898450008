// The buttons over the picture of the grid, one for every head: what a pointer, the keyboard or a
// screen reader takes hold of. There may be thousands, so only what has changed is touched, and a
// head keeps its button wherever it stands.

import { barBox, labelOf } from "../parts/grid.js";
import { describe } from "../scenes/model_texts.js";
import { add } from "./dom.js";

/** @typedef {import("../parts/grid.js").Layout} Layout */
/** @typedef {import("../scenes/model.js").ModelScene} ModelScene */
/** @typedef {import("../scenes/model_grid.js").Cell} Cell */
/**
 * @typedef {object} Handlers
 * @property {(cell: Cell) => void} open
 * @property {(cell: Cell, x: number, y: number) => void} enter
 * @property {() => void} leave
 */

/** @type {Record<string, [number, number]>} */
const STEPS = { ArrowRight: [0, 1], ArrowLeft: [0, -1], ArrowDown: [1, 0], ArrowUp: [-1, 0] };

/** @param {Cell} cell */
const nameOf = ({ layer, head }) => `${layer.index} ${head}`;

export class GridCells {
  #box;
  #on;
  /** @type {Map<string, HTMLElement>} */
  #buttons = new Map();
  /** @type {Cell[]} */
  #cells = [];
  #columns = 0;
  /** @type {string | null} the cell that Tab stops at */
  #stop = null;
  /** @type {HTMLElement | null} */
  #pressed = null;

  /**
   * @param {HTMLElement} parent
   * @param {Handlers} on
   */
  constructor(parent, on) {
    this.#on = on;
    this.#box = add(parent, "cells");
    this.#box.setAttribute("role", "group");
    this.#box.setAttribute("aria-label", "Heads by layer. Enter opens a head, arrow keys move.");
    this.#listen();
  }

  #listen() {
    const { open, enter, leave } = this.#on;
    this.#box.addEventListener("click", (event) => {
      const found = this.#cellAt(event.target);
      if (!found) return;
      this.#stopAt(found.button, found.cell);
      open(found.cell);
    });
    this.#box.addEventListener("pointerover", (event) => {
      const found = this.#cellAt(event.target);
      if (found && event.pointerType !== "touch") enter(found.cell, event.clientX, event.clientY);
      else leave();
    });
    this.#box.addEventListener("pointerleave", leave);
    this.#box.addEventListener("focusin", (event) => {
      const found = this.#cellAt(event.target);
      if (!found || !found.button.matches(":focus-visible")) return;
      const around = found.button.getBoundingClientRect();
      enter(found.cell, around.right - 8, around.bottom - 10);
    });
    this.#box.addEventListener("focusout", leave);
    this.#box.addEventListener("keydown", (event) => {
      if (event.altKey || event.ctrlKey || event.metaKey || !this.#move(event)) return;
      event.preventDefault();
      event.stopPropagation();
    });
  }

  /** @param {EventTarget | null} target */
  #cellAt(target) {
    const button = /** @type {Element} */ (target).closest("button");
    if (!button) return null;
    const { layer, head } = button.dataset;
    const cell = this.#cells.find(
      (c) => c.layer.index === Number(layer) && c.head === Number(head),
    );
    return cell ? { button, cell } : null;
  }

  /**
   * Moves the focus by a key, if it is one of those that do.
   * @param {KeyboardEvent} event
   */
  #move({ key, target }) {
    const found = this.#cellAt(target);
    const ends = /** @type {Record<string, number>} */ ({ Home: 0, End: this.#columns - 1 });
    if (!found || !(key in STEPS || key in ends)) return false;
    const { row, column } = found.cell;
    const [down, across] = STEPS[key] ?? [0, ends[key] - column];
    const next = this.#cells.find((c) => c.row === row + down && c.column === column + across);
    const button = next && this.#buttons.get(nameOf(next));
    if (next && button) {
      this.#stopAt(button, next);
      button.focus();
    }
    return true;
  }

  /**
   * The one cell that Tab stops at.
   * @param {HTMLElement} button
   * @param {Cell} cell
   */
  #stopAt(button, cell) {
    this.#box.querySelector('[tabindex="0"]')?.setAttribute("tabindex", "-1");
    button.tabIndex = 0;
    this.#stop = nameOf(cell);
  }

  /** Back to the cell, when what had the focus is gone. */
  focus() {
    this.#buttons.get(this.#stop ?? "")?.focus({ preventScroll: true });
  }

  /**
   * Puts every button where its cell stands.
   * @param {ModelScene} scene
   * @param {Layout} layout
   */
  place(scene, layout) {
    const { pitch, inner, tiles } = layout;
    const gone = new Set(this.#buttons.keys());
    const all = scene.cells.map((cell) => {
      const button = this.#buttons.get(nameOf(cell)) ?? this.#create(cell);
      gone.delete(nameOf(cell));
      const text = labelOf(scene, layout, cell);
      if (button.textContent !== text) button.textContent = text;
      const [left, top] = [cell.column * pitch, cell.row * pitch];
      const bottom = scene.choice && !tiles ? inner - barBox(layout).y : 1;
      const size = `width: ${inner}px; height: ${inner}px; padding-bottom: ${bottom}px`;
      const style = `left: ${left}px; top: ${top}px; ${size}`;
      button.style.cssText = style;
      return button;
    });
    for (const name of gone) {
      this.#buttons.get(name)?.remove();
      this.#buttons.delete(name);
    }
    if (all.some((button, i) => this.#box.children[i] !== button)) {
      const focused = all.find((button) => button.matches(":focus"));
      this.#box.append(...all);
      focused?.focus({ preventScroll: true }); // what moves in the page loses it
    }
    if (!this.#buttons.has(this.#stop ?? "")) this.#stopAt(all[0], scene.cells[0]);
  }

  /** @param {Cell} cell */
  #create(cell) {
    const button = document.createElement("button");
    button.setAttribute("type", "button");
    Object.assign(button.dataset, { layer: cell.layer.index, head: cell.head });
    button.tabIndex = -1;
    button.setAttribute("aria-pressed", "false");
    this.#buttons.set(nameOf(cell), button);
    return button;
  }

  /**
   * What is written on a cell is part of its name: a voice asks for what an eye sees.
   * @param {ModelScene} scene
   */
  name({ cells, choice }) {
    for (const cell of cells) {
      const button = this.#buttons.get(nameOf(cell));
      const parts = [...describe(cell, choice).split("\n"), button?.textContent];
      button?.setAttribute("aria-label", parts.filter(Boolean).join(", "));
    }
  }

  /**
   * What has changed with every picture: which cells there are, and which one is open.
   * @param {ModelScene} scene
   * @param {Layout} layout
   */
  update({ cells, open }, { columns }) {
    this.#cells = cells;
    this.#columns = columns;
    const button = (open && this.#buttons.get(nameOf(open))) ?? null;
    if (button === this.#pressed) return;
    this.#pressed?.setAttribute("aria-pressed", "false");
    button?.setAttribute("aria-pressed", "true");
    this.#pressed = button;
  }
}
