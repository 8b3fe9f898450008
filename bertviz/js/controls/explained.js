// A term that explains itself, in the view's tooltip: on hover, on focus and on tap.

import { TERMS } from "../scenes/terms.js";
import { add } from "./dom.js";
import { addTooltip } from "./tooltip.js";

/** @typedef {import("../scenes/terms.js").Term} Term */

let count = 0; // of descriptions in this page, for their ids

/**
 * @param {HTMLElement} parent
 * @param {HTMLElement} root of the view
 */
export function addExplained(parent, root) {
  return new Explained(parent, root);
}

class Explained {
  #button;
  #description;
  #tooltip;
  #shown = false;

  /**
   * @param {HTMLElement} parent
   * @param {HTMLElement} root
   */
  constructor(parent, root) {
    this.#tooltip = addTooltip(root);
    this.#button = /** @type {HTMLButtonElement} */ (add(parent, "term", "button"));
    this.#button.type = "button";
    this.#description = add(parent, "", "span");
    this.#description.hidden = true; // a description is read although it is hidden
    this.#description.id = `bertviz-term-${++count}`;
    this.#button.setAttribute("aria-describedby", this.#description.id);
    this.#listen();
  }

  #listen() {
    const button = this.#button;
    for (const type of ["pointerenter", "focus", "click"]) {
      button.addEventListener(type, () => this.#show());
    }
    button.addEventListener("blur", () => this.#hide());
    button.addEventListener("pointerleave", (event) => {
      // A finger leaves as soon as it is lifted; what it has opened closes with the focus.
      if (event.pointerType !== "touch") this.#hide();
    });
    button.addEventListener("keydown", (event) => {
      if (event.key !== "Escape" || !this.#shown) return;
      this.#hide();
      event.stopPropagation();
    });
  }

  /**
   * @param {Term | "exactness"} term
   * @param {string} text in the page
   * @param {string} [meaning] of a term that means something else in every view
   */
  draw(term, text, meaning = term === "exactness" ? "" : TERMS[term]) {
    this.#button.dataset.term = term;
    this.#button.textContent = text;
    this.#description.textContent = meaning;
  }

  #show() {
    this.#shown = true;
    const { left, bottom } = this.#button.getBoundingClientRect();
    this.#tooltip.show(this.#description.textContent ?? "", left - 14, bottom - 10);
  }

  #hide() {
    if (this.#shown) this.#tooltip.hide();
    this.#shown = false;
  }
}
