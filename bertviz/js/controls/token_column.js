// A column of tokens: hovering over one previews it, click or Enter locks it, arrows move. Only tokens
// near the visible part of the stage are in the DOM.

import { select } from "d3-selection";
import { ROW } from "../parts/token_columns.js";
import { inLine } from "../scenes/token_texts.js";
import { add } from "./dom.js";

/** @typedef {"query" | "key"} Side */
/**
 * @typedef {object} Handlers
 * @property {(position: number) => void} enter
 * @property {() => void} leave
 * @property {(position: number, more: boolean) => void} click more: beside what is selected
 * @property {(position: number, more: boolean) => void} move keyboard
 * @property {(side: Side) => void} [cross] keyboard: to the other column
 */

/**
 * @param {HTMLElement} parent
 * @param {Side} side
 * @param {Handlers} on
 */
export function addTokenColumn(parent, side, on) {
  return new TokenColumn(parent, side, on);
}

export class TokenColumn {
  #side;
  #on;
  /** @type {Int32Array} */
  #shown = new Int32Array(0);
  /** @type {number | null} where keys have moved to; it has the focus once it is drawn */
  #moved = null;

  /**
   * @param {HTMLElement} parent
   * @param {Side} side
   * @param {Handlers} on
   */
  constructor(parent, side, on) {
    this.#side = side;
    this.#on = on;
    this.element = add(parent, `column ${side}`);
    this.element.setAttribute("role", "listbox");
    this.element.setAttribute("aria-label", `${side} tokens`);
    this.element.setAttribute("aria-multiselectable", "true");
    this.#listen();
  }

  #listen() {
    const { element } = this;
    element.addEventListener("pointerover", (event) => {
      const position = positionAt(event);
      if (position !== null && event.pointerType !== "touch") this.#on.enter(position);
    });
    element.addEventListener("pointerleave", (event) => {
      if (event.pointerType !== "touch") this.#on.leave();
    });
    element.addEventListener("click", (event) => {
      const position = positionAt(event);
      const more = event.shiftKey || event.ctrlKey || event.metaKey;
      if (position !== null) this.#on.click(position, more);
    });
    element.addEventListener("focusin", () => (this.#moved = null));
    element.addEventListener("keydown", (event) => {
      const position = positionAt(event);
      if (position === null || event.altKey || event.ctrlKey || event.metaKey) return;
      if (!this.#press(position, event)) return;
      event.preventDefault();
      event.stopPropagation();
    });
  }

  /**
   * @param {number} position
   * @param {KeyboardEvent} event
   * @returns {boolean} whether the key has a meaning here
   */
  #press(position, { key, shiftKey }) {
    const last = this.#shown.length - 1;
    const step = { ArrowDown: 1, ArrowUp: -1, PageDown: 10, PageUp: -10 }[key];
    if (step) {
      const row = this.#shown.indexOf(this.#moved ?? position) + step;
      this.#move(Math.min(Math.max(row, 0), last), shiftKey);
    } else if (key === "Home") this.#move(0, false);
    else if (key === "End") this.#move(last, false);
    else if (key === "Enter" || key === " ") this.#on.click(position, shiftKey);
    else if (this.#on.cross && key === (this.#side === "query" ? "ArrowRight" : "ArrowLeft")) {
      this.#on.cross(this.#side === "query" ? "key" : "query");
    } else return false;
    return true;
  }

  /**
   * @param {number} row
   * @param {boolean} more
   */
  #move(row, more) {
    this.#moved = this.#shown[row];
    this.#on.move(this.#moved, more);
  }

  /** @param {number} position */
  focus(position) {
    const token = this.element.querySelector(`[data-index="${position}"]`);
    /** @type {HTMLElement | null} */ (token)?.focus({ preventScroll: true });
  }

  /**
   * @param {object} options
   * @param {string[]} options.text by position
   * @param {Int32Array} options.positions the model's positions, one a row
   * @param {[number, number]} options.rows the part that is in view
   * @param {number | null} options.selected
   * @param {number[]} [options.also] selected beside it
   * @param {(position: number) => string} [options.className]
   * @param {number} [options.row] height of a row
   */
  draw({ text, positions, rows, selected, also = [], className, row = ROW }) {
    this.#shown = positions;
    const visible = Array.from({ length: Math.max(0, rows[1] - rows[0]) }, (_, i) => rows[0] + i);
    const isChosen = (/** @type {number} */ i) => i === selected || also.includes(i);
    const inTab = selected ?? positions[Math.min(rows[0], positions.length - 1)];
    select(this.element)
      .selectAll("div")
      .data(visible, (r) => positions[/** @type {number} */ (r)])
      .join("div")
      .attr("role", "option")
      .attr("dir", "auto")
      .attr("data-token", this.#side)
      .attr("data-index", (r) => positions[r])
      .attr("tabindex", (r) => (positions[r] === inTab ? 0 : -1))
      .attr("aria-selected", (r) => String(isChosen(positions[r])))
      .attr("class", (r) => {
        const position = positions[r];
        return `token ${isChosen(position) ? "selected" : ""} ${className?.(position) ?? ""}`;
      })
      .style("top", (r) => `${r * row}px`)
      .style("height", `${row}px`)
      .style("line-height", `${row - 2}px`)
      .each(function (r) {
        // Only when it changes: new text under a resting pointer counts as entering the token.
        const element = /** @type {HTMLElement} */ (/** @type {unknown} */ (this));
        const own = inLine(text[positions[r]]);
        if (element.textContent !== own) element.textContent = own;
      });
    if (this.#moved !== null && selected !== null) {
      this.#moved = null;
      this.focus(selected);
    }
  }
}

/** @param {Event} event */
function positionAt(event) {
  const token = /** @type {Element} */ (event.target).closest("[data-token]");
  return token ? Number(/** @type {HTMLElement} */ (token).dataset.index) : null;
}
