// The row of numbered head squares. Under the pointer or the focus a head is shown alone, for as long as
// it stays there; a click shows only that head, a click on the only one brings all back, and with Shift,
// or held down on a touch screen, it adds a head or takes it away (the last one stays).

import { select } from "d3-selection";
import { add } from "./dom.js";

/** @typedef {import("./frame.js").Frame} Frame */
/** @typedef {import("../state.js").State} State */

const HELD = 450; // milliseconds until a touch is one that holds
const HINT = {
  mouse: "click: only this head · Shift-click: add or remove",
  alone: "click: all heads · Shift-click: add another",
  touch: "tap: only this head · hold: add or remove",
};

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
  #hint;
  /** @type {number | null} the head that is shown alone for a while */
  #preview = null;
  #touch;
  /** @type {number | null} the head that was clicked and that the pointer has not left */
  #clicked = null;

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
    this.#squares.setAttribute("aria-label", "Heads");
    this.#all = add(this.element, "link", "button");
    this.#all.textContent = "all";
    this.#all.setAttribute("aria-label", "All heads");
    this.#all.addEventListener("click", () => frame.set({ heads: headsOf(frame) }));
    this.#hint = add(this.element, "hint", "span");
    this.#hint.textContent = HINT.mouse;
    this.#touch = new Touch((head) => this.#toggle(head));
    this.#listen();
  }

  #listen() {
    const squares = this.#squares;
    this.#on("click", (head, event) => this.#click(head, /** @type {MouseEvent} */ (event)));
    this.#on("keydown", (head, event) => this.#press(head, /** @type {KeyboardEvent} */ (event)));
    this.#on("pointerover", (head, event) => {
      if (/** @type {PointerEvent} */ (event).pointerType === "mouse") this.#come(head);
    });
    this.#on("focusin", (head, event) => {
      if (/** @type {Element} */ (event.target).matches(":focus-visible")) this.#show(head);
    });
    this.#on("pointerdown", (head, event) => {
      if (/** @type {PointerEvent} */ (event).pointerType === "mouse") return;
      this.#hint.textContent = HINT.touch;
      squares.classList.add("touched");
      this.#touch.begin(head);
    });
    for (const type of ["pointerup", "pointercancel", "pointerleave"]) {
      squares.addEventListener(type, () => this.#touch.end());
    }
    squares.addEventListener("contextmenu", (event) => {
      if (this.#touch.held) event.preventDefault();
    });
    squares.addEventListener("pointerleave", () => this.#come(null));
    squares.addEventListener("focusout", () => this.#show(null));
    squares.addEventListener("focusout", () => squares.classList.remove("touched"));
  }

  /**
   * The state with the head that is shown for a while.
   * @param {State} state
   * @returns {State}
   */
  seen(state) {
    const head = this.#preview;
    if (head === null || !headsOf(this.#frame).includes(head)) return state;
    return { ...state, heads: [head] };
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
      .classed("preview", (head) => head === this.#preview)
      .style("background", (head) => color ?? theme.head(head))
      .style("color", theme.onHead)
      .text((head) => head);
    this.#all.style.visibility = heads.length === all.length ? "hidden" : "visible";
    this.#hint.hidden = all.length === 1;
    if (this.#hint.textContent !== HINT.touch) {
      this.#hint.textContent = heads.length === 1 ? HINT.alone : HINT.mouse;
    }
  }

  /**
   * The pointer comes to a head; a browser says so again where the head under it was drawn again.
   * @param {number | null} head
   */
  #come(head) {
    if (head !== null && head === this.#clicked) return;
    this.#clicked = null;
    this.#show(head);
  }

  /** @param {number | null} head */
  #show(head) {
    if (head === this.#preview) return;
    this.#preview = head;
    this.#frame.redraw();
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

  /**
   * @param {number} head
   * @param {MouseEvent} event
   */
  #click(head, event) {
    if (this.#touch.taken()) return;
    this.#clicked = head; // what was chosen is seen, until the pointer comes to another head
    this.#show(null);
    if (event.shiftKey || event.ctrlKey || event.metaKey) this.#toggle(head);
    else this.#keepOnly(head);
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
    if (!step) return;
    this.#focus(head, step);
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

/** A finger that stays is another gesture than one that taps; the click that ends it is none. */
class Touch {
  #hold;
  #timer = 0;
  held = false;

  /** @param {(head: number) => void} hold */
  constructor(hold) {
    this.#hold = hold;
  }

  /** @param {number} head */
  begin(head) {
    this.held = false;
    this.#timer = window.setTimeout(() => {
      this.held = true;
      this.#hold(head);
    }, HELD);
  }

  end() {
    clearTimeout(this.#timer);
  }

  /** Whether the click belongs to a touch that was held; asked once. */
  taken() {
    const { held } = this;
    this.held = false;
    return held;
  }
}
