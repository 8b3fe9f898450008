// The row of numbered head squares. A click switches a head on or off (the last one stays), a double
// click keeps only that head, and a double click on the only head brings all heads back.

import { select } from "d3-selection";
import { add } from "./dom.js";

/** @typedef {import("./frame.js").Frame} Frame */

/**
 * The heads of the layer that is shown.
 * @param {Frame} frame
 */
export function headsOf(frame) {
  const state = frame.state();
  return frame.source.layer(state.block, state.layer).heads;
}

/**
 * @param {HTMLElement} parent
 * @param {Frame} frame
 */
export function addHeadSquares(parent, frame) {
  return new HeadSquares(parent, frame);
}

class HeadSquares {
  #frame;
  #squares;
  #all;

  /**
   * @param {HTMLElement} parent
   * @param {Frame} frame
   */
  constructor(parent, frame) {
    this.#frame = frame;
    this.element = add(parent, "heads");
    add(this.element, "", "span").textContent = "Heads";
    this.#squares = add(this.element, "squares");
    this.#squares.setAttribute("role", "group");
    this.#squares.setAttribute(
      "aria-label",
      "Heads. Click shows or hides a head, double-click shows only that head.",
    );
    this.#all = add(this.element, "link", "button");
    this.#all.textContent = "all";
    this.#all.setAttribute("aria-label", "All heads");
    this.#all.addEventListener("click", () => frame.set({ heads: headsOf(frame) }));
    this.#on("click", (head) => this.#toggle(head));
    this.#on("dblclick", (head) => this.#keepOnly(head));
    this.#on("keydown", (head, event) => this.#press(head, /** @type {KeyboardEvent} */ (event)));
  }

  /** @param {string | null} color of all, where they are drawn as one */
  draw(color) {
    const { heads } = this.#frame.state();
    const theme = this.#frame.theme();
    const all = headsOf(this.#frame);
    select(this.#squares)
      .selectAll("button")
      .data(all)
      .join("button")
      .attr("type", "button")
      .attr("data-head", (head) => head)
      .attr("aria-pressed", (head) => String(heads.includes(head)))
      .attr("aria-label", (head) => `Head ${head}`)
      .style("background", (head) => color ?? theme.head(head))
      .style("color", theme.onHead)
      .text((head) => head);
    this.#all.style.visibility = heads.length === all.length ? "hidden" : "visible";
  }

  /**
   * @param {string} type
   * @param {(head: number, event: Event) => void} handle
   */
  #on(type, handle) {
    this.#squares.addEventListener(type, (event) => {
      const button = /** @type {Element} */ (event.target).closest("button");
      if (button) handle(Number(button.dataset.head), event);
    });
  }

  /** @param {number} head */
  #toggle(head) {
    const { heads } = this.#frame.state();
    const next = heads.includes(head) ? heads.filter((h) => h !== head) : [...heads, head];
    if (next.length) this.#frame.set({ heads: next });
  }

  /** @param {number} head */
  #keepOnly(head) {
    const { heads } = this.#frame.state();
    const alone = heads.length === 1 && heads[0] === head;
    this.#frame.set({ heads: alone ? headsOf(this.#frame) : [head] });
  }

  /**
   * @param {number} head
   * @param {KeyboardEvent} event
   */
  #press(head, event) {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (step) this.#focus(head, step);
    else if (event.key === "Enter" && event.shiftKey) this.#keepOnly(head);
    else return;
    event.preventDefault();
  }

  /**
   * @param {number} head
   * @param {number} step to its neighbor, around the ends
   */
  #focus(head, step) {
    const heads = headsOf(this.#frame);
    const next = heads[(heads.indexOf(head) + step + heads.length) % heads.length];
    /** @type {HTMLElement} */ (this.#squares.querySelector(`[data-head="${next}"]`)).focus();
  }
}
