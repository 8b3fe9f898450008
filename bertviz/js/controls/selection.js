// Hover previews, click locks, Esc clears, arrows move: the same in every view that has tokens.

import { chosenOf } from "../data/edges.js";
import { listenForKeys } from "./outside.js";

/** @typedef {import("../shell.js").Frame} Frame */
/** @typedef {import("./token_column.js").Side} Side */
/** @typedef {ReturnType<typeof import("./token_column.js").addTokenColumn>} Column */

const TOOLTIP_DELAY = 450;

/**
 * @param {Frame} frame
 * @param {{reveal: (row: number) => void}} stage
 * @param {object} on
 * @param {(side: Side, position: number, event: PointerEvent | null) => void} on.explain shows the
 *   tooltip, or hides it when there is no event
 * @param {() => boolean} [on.nothingSelected] Esc, when there is nothing to let go of; whether it
 *   did something
 * @param {boolean} [on.several] whether several tokens can be selected at once
 * @param {(side: Side, position: number) => number} on.rowOf where a token stands
 */
export function selectionHandlers(frame, stage, { explain, nothingSelected, several = false, rowOf }) {
  const { root } = frame;
  /** @type {Record<Side, Column> | null} */
  let columns = null;
  /** @type {PointerEvent | null} */
  let pointer = null;
  let inside = false;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;

  root.addEventListener("pointermove", (event) => {
    pointer = event;
  });
  root.addEventListener("pointerover", (event) => {
    pointer = event;
    inside = true;
  }, { capture: true });
  root.addEventListener("pointerleave", () => {
    inside = false;
  });
  // The pointer over the view is enough: after a click elsewhere in the notebook the lock would
  // otherwise stay.
  listenForKeys(root, (event) => {
    if (event.key !== "Escape") return;
    const focused = /** @type {ShadowRoot} */ (root.getRootNode()).activeElement;
    if (!inside && !focused) return;
    if (clear()) event.stopPropagation(); // else it is the notebook's
  });

  function clear() {
    clearTimeout(timer);
    explain("query", 0, null);
    const { query, key } = frame.state();
    if (query === null && key === null) return nothingSelected?.() ?? false;
    frame.set({ query: null, key: null, locked: false });
    return true;
  }

  /**
   * @param {Side} side
   * @param {number} position
   */
  const chosen = (side, position) =>
    side === "query" ? { query: position, key: null } : { query: null, key: position };

  return {
    /** @param {Record<Side, Column>} both */
    columns(both) {
      columns = both;
    },
    /**
     * Handlers for one column.
     * @param {Side} side
     */
    on(side) {
      return {
        /** @param {number} position */
        enter(position) {
          const state = frame.state();
          clearTimeout(timer);
          explain(side, position, null);
          const opposite = state.locked && state[side] === null;
          timer = setTimeout(() => explain(side, position, pointer), opposite ? 0 : TOOLTIP_DELAY);
          if (!state.locked) frame.set(chosen(side, position));
        },
        leave() {
          clearTimeout(timer);
          explain(side, 0, null);
          if (!frame.state().locked) frame.set({ query: null, key: null });
        },
        /**
         * @param {number} position
         * @param {boolean} [more] beside what is locked
         */
        click(position, more = false) {
          const state = frame.state();
          if (more && several && state.locked && state[side] !== null) frame.set(toggled(state, side, position));
          else if (state.locked && state[side] === position && !state.also?.length) frame.set({ locked: false });
          else frame.set({ ...chosen(side, position), also: [], locked: true });
        },
        /**
         * @param {number} position
         * @param {boolean} [more] what was selected stays so
         */
        move(position, more = false) {
          const { also = [], [side]: before } = frame.state();
          const stays = more && several && before !== null;
          frame.set({ ...chosen(side, position), also: stays ? [...also, before] : [], locked: true });
          stage.reveal(rowOf(side, position));
        },
        /** @param {Side} other */
        cross(other) {
          const state = frame.state();
          const position = state[side] ?? 0;
          frame.set({ ...chosen(other, position), locked: true });
          requestAnimationFrame(() => columns?.[other].focus(position));
        },
      };
    },
  };
}

/**
 * One token more or less among those that are locked; the last one stays.
 * @param {import("../state.js").State} state
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
