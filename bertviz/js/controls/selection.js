// Hover previews, click locks, Esc clears, arrows move: the same in every view that has tokens.

import { chosenOf } from "../state.js";
import { listenForKeys } from "./outside.js";

/** @typedef {import("./frame.js").Frame} Frame */
/** @typedef {import("../state.js").State} State */
/** @typedef {import("./token_column.js").Side} Side */
/** @typedef {import("./token_column.js").TokenColumn} Column */
/**
 * @typedef {object} On
 * @property {(side: Side, position: number, event: PointerEvent | null) => void} explain shows the
 *   tooltip, or hides it when there is no event
 * @property {() => boolean} [nothingSelected] Esc, when nothing is selected; whether it did something
 * @property {boolean} [several] whether several tokens can be selected at once
 * @property {(side: Side, position: number) => number} rowOf where a token stands
 */

const TOOLTIP_DELAY = 450;

/**
 * @param {Frame} frame
 * @param {{reveal: (row: number) => void}} stage
 * @param {On} on
 */
export function selectionHandlers(frame, stage, on) {
  return new Selection(frame, stage, on);
}

class Selection {
  #frame;
  #stage;
  #on;
  /** @type {Record<Side, Column> | null} */
  #columns = null;
  /** @type {PointerEvent | null} */
  #pointer = null;
  #inside = false;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;

  /**
   * @param {Frame} frame
   * @param {{reveal: (row: number) => void}} stage
   * @param {On} on
   */
  constructor(frame, stage, on) {
    this.#frame = frame;
    this.#stage = stage;
    this.#on = on;
    this.#followPointer(frame.root);
    // The pointer over the view is enough: after a click elsewhere in the notebook the lock would
    // otherwise stay.
    listenForKeys(frame.root, (event) => {
      if (event.key !== "Escape") return;
      const { activeElement } = /** @type {ShadowRoot} */ (frame.root.getRootNode());
      if (!this.#inside && !activeElement) return;
      if (this.#clear()) event.stopPropagation(); // else it is the notebook's
    });
  }

  /** @param {Record<Side, Column>} both */
  columns(both) {
    this.#columns = both;
  }

  /**
   * Handlers for one column.
   * @param {Side} side
   * @returns {import("./token_column.js").Handlers}
   */
  on(side) {
    return {
      enter: (position) => this.#enter(side, position),
      leave: () => this.#leave(side),
      click: (position, more) => this.#click(side, position, more),
      move: (position, more) => this.#move(side, position, more),
      cross: (other) => this.#cross(side, other),
    };
  }

  /** @param {HTMLElement} root */
  #followPointer(root) {
    root.addEventListener("pointermove", (event) => {
      this.#pointer = event;
    });
    const enter = (/** @type {PointerEvent} */ event) => {
      this.#pointer = event;
      this.#inside = true;
    };
    root.addEventListener("pointerover", enter, { capture: true });
    root.addEventListener("pointerleave", () => {
      this.#inside = false;
    });
  }

  /** @returns {boolean} whether there was something to clear */
  #clear() {
    this.#silence("query");
    const { query, key } = this.#frame.state();
    if (query === null && key === null) return this.#on.nothingSelected?.() ?? false;
    this.#frame.set({ query: null, key: null, locked: false });
    return true;
  }

  /**
   * No tooltip, now or later.
   * @param {Side} side
   * @param {number} [position]
   */
  #silence(side, position = 0) {
    clearTimeout(this.#timer);
    this.#on.explain(side, position, null);
  }

  /**
   * @param {Side} side
   * @param {number} position
   */
  #enter(side, position) {
    const state = this.#frame.state();
    this.#silence(side, position);
    const opposite = state.locked && state[side] === null;
    const explain = () => this.#on.explain(side, position, this.#pointer);
    this.#timer = setTimeout(explain, opposite ? 0 : TOOLTIP_DELAY);
    if (!state.locked) this.#frame.set(only(side, position));
  }

  /** @param {Side} side */
  #leave(side) {
    this.#silence(side);
    if (!this.#frame.state().locked) this.#frame.set({ query: null, key: null });
  }

  /**
   * @param {Side} side
   * @param {number} position
   * @param {boolean} more beside what is locked
   */
  #click(side, position, more) {
    const state = this.#frame.state();
    const again = state.locked && state[side] === position && !state.also?.length;
    if (more && this.#on.several && state.locked && state[side] !== null) {
      this.#frame.set(toggled(state, side, position));
    } else if (again) this.#frame.set({ locked: false });
    else this.#frame.set({ ...only(side, position), also: [], locked: true });
  }

  /**
   * @param {Side} side
   * @param {number} position
   * @param {boolean} more what was selected stays so
   */
  #move(side, position, more) {
    const { also = [], [side]: before } = this.#frame.state();
    const stays = more && this.#on.several && before !== null;
    const patch = { ...only(side, position), also: stays ? [...also, before] : [] };
    this.#frame.set({ ...patch, locked: true });
    this.#stage.reveal(this.#on.rowOf(side, position));
  }

  /**
   * @param {Side} side
   * @param {Side} other
   */
  #cross(side, other) {
    const position = this.#frame.state()[side] ?? 0;
    this.#frame.set({ ...only(other, position), locked: true });
    requestAnimationFrame(() => this.#columns?.[other].focus(position));
  }
}

/**
 * @param {Side} side
 * @param {number} position
 */
const only = (side, position) =>
  side === "query" ? { query: position, key: null } : { query: null, key: position };

/**
 * One token more or less among those that are locked; the last one stays.
 * @param {State} state
 * @param {Side} side
 * @param {number} position
 */
function toggled(state, side, position) {
  const before = chosenOf(state, side);
  const after = before.includes(position)
    ? before.filter((i) => i !== position)
    : [position, ...before];
  const [first = position, ...also] = after;
  return { query: null, key: null, [side]: first, also };
}
