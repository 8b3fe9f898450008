// A view that was opened from another begins with the way back.

import { add } from "./dom.js";
import { listenForKeys } from "./outside.js";

/** @typedef {import("../state.js").State} State */

/**
 * @param {HTMLElement} root
 * @param {() => void} goBack
 * @returns {HTMLElement} where to build the view
 */
export function addWayBack(root, goBack) {
  const back = add(add(root, "trail"), "link", "button");
  back.dataset.action = "back";
  back.textContent = "← all heads";
  back.addEventListener("click", goBack);
  return add(root, "opened");
}

/**
 * Esc with nothing selected is the way back, too; before it, the view lets go of a selection.
 * @param {HTMLElement} host
 * @param {() => State | null} opened the state of a view that was opened from another
 * @param {() => void} goBack
 */
export function goBackOnEscape(host, opened, goBack) {
  listenForKeys(host, (event) => {
    const state = event.key === "Escape" && host.matches(":hover, :focus-within") ? opened() : null;
    if (!state) return;
    // The open columns of the neuron view always have a query.
    const selected = state.locked || state.key !== null || (state.query !== null && !state.detail);
    if (selected) return;
    event.stopImmediatePropagation();
    goBack();
  });
}
