// "?": a tour of the view in a few steps, each beside the part that it explains.

import { TOURS } from "../scenes/tour.js";
import { add, place } from "./dom.js";

const WIDTH = 320; // CSS pixels of a card
const APART = 10; // from a part to its card
const FRAME = 4; // around a part

/**
 * @param {HTMLElement} parent
 * @param {import("./frame.js").Frame} frame
 */
export function addTour(parent, frame) {
  const tour = new Tour(frame);
  const button = add(parent, "help", "button");
  button.dataset.action = "tour";
  button.textContent = "?";
  button.title = "What is what: a short tour";
  button.setAttribute("aria-label", button.title);
  button.addEventListener("click", () => tour.start(button));
}

class Tour {
  #frame;
  #frameBox;
  #card;
  #text;
  #count;
  #back;
  #next;
  /** @type {{element: Element, text: string, inside: boolean}[]} */
  #stops = [];
  #at = 0;
  /** @type {HTMLElement | null} */
  #from = null;

  /** @param {import("./frame.js").Frame} frame */
  constructor(frame) {
    this.#frame = frame;
    this.#frameBox = add(frame.root, "toured");
    this.#card = add(frame.root, "tour");
    this.#card.hidden = this.#frameBox.hidden = true;
    this.#card.setAttribute("role", "dialog");
    this.#card.setAttribute("aria-label", "Tour");
    this.#text = add(this.#card, "", "p");
    this.#text.setAttribute("aria-live", "polite");
    const line = add(this.#card, "line");
    this.#count = add(line, "", "span");
    this.#back = this.#button(line, "Back", () => this.#show(this.#at - 1));
    this.#next = this.#button(line, "Next", () => this.#show(this.#at + 1));
    this.#button(line, "Close", () => this.#end());
    this.#card.addEventListener("keydown", (event) => this.#press(event));
  }

  /** @param {HTMLElement} from where the focus goes back to */
  start(from) {
    const { root } = this.#frame;
    this.#end();
    this.#from = from;
    this.#stops = TOURS[this.#frame.state().view].flatMap(({ part, text, inside = false }) => {
      const element = root.querySelector(part);
      return element?.checkVisibility() ? [{ element, text, inside }] : [];
    });
    root.append(this.#frameBox, this.#card); // over what was added since
    this.#card.hidden = this.#frameBox.hidden = false;
    this.#show(0);
  }

  /** @param {number} at */
  #show(at) {
    if (at >= this.#stops.length) return this.#end();
    this.#at = Math.max(0, at);
    const { element, text, inside } = this.#stops[this.#at];
    const last = this.#at === this.#stops.length - 1;
    this.#text.textContent = text;
    this.#count.textContent = `${this.#at + 1} of ${this.#stops.length}`;
    this.#back.hidden = this.#at === 0;
    this.#next.textContent = last ? "Done" : "Next";
    element.scrollIntoView?.({ block: "nearest" });
    this.#place(inside ? contentsOf(element) : element.getBoundingClientRect());
    this.#next.focus({ preventScroll: true });
  }

  /**
   * A frame around the part, and the card beside it: below it or above it, or right of what is tall.
   * @param {DOMRect} box
   */
  #place(box) {
    const around = this.#frame.root.getBoundingClientRect();
    const [left, top] = [box.left - around.left, box.top - around.top];
    place(this.#frameBox, left - FRAME, box.width + 2 * FRAME);
    this.#frameBox.style.top = `${top - FRAME}px`;
    this.#frameBox.style.height = `${box.height + 2 * FRAME}px`;
    const { offsetWidth: width, offsetHeight: height } = this.#card;
    const within = (/** @type {number} */ value, /** @type {number} */ most) =>
      Math.max(0, Math.min(value, most));
    const right = left + box.width + APART;
    const isTall = box.height > innerHeight / 2;
    const beside = isTall && right + width <= around.width;
    const lowest = around.height - height - APART;
    const below = top + box.height + APART;
    let y = below <= lowest || top < height ? below : top - height - APART;
    if (isTall) y = Math.max(top, -around.top) + APART;
    if (isTall && !beside) y = Math.min(box.bottom, innerHeight) - around.top - height - APART;
    place(this.#card, within(beside ? right : left, around.width - width), WIDTH);
    this.#card.style.top = `${within(y, lowest)}px`;
  }

  #end() {
    if (this.#card.hidden) return;
    this.#card.hidden = this.#frameBox.hidden = true;
    this.#from?.focus({ preventScroll: true });
  }

  /** @param {KeyboardEvent} event */
  #press(event) {
    if (event.key === "Escape") this.#end();
    else if (event.key === "ArrowRight") this.#show(this.#at + 1);
    else if (event.key === "ArrowLeft") this.#show(this.#at - 1);
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  /**
   * @param {HTMLElement} parent
   * @param {string} label
   * @param {() => void} act
   */
  #button(parent, label, act) {
    const button = add(parent, "link", "button");
    button.textContent = label;
    button.addEventListener("click", act);
    return button;
  }
}

/**
 * Where that is which stands in an element.
 * @param {Element} element
 */
function contentsOf(element) {
  const range = document.createRange();
  range.selectNodeContents(element);
  return range.getBoundingClientRect();
}
