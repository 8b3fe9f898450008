// Finding a token, or a position, in a text: "/" begins, Enter goes to the next one and locks it.

import { found } from "../parts/reading.js";
import { add } from "./dom.js";
import { listenForKeys } from "./outside.js";

const OWN_KEYS = "data-lm-suppress-shortcuts"; // JupyterLab's own word for it

/**
 * @param {HTMLElement} parent
 * @param {import("./frame.js").Frame} frame
 * @param {(row: number) => void} choose
 */
export function addSearch(parent, frame, choose) {
  const box = add(parent, "search");
  const field = /** @type {HTMLInputElement} */ (add(box, "", "input"));
  field.type = "search";
  field.name = "search";
  field.placeholder = "Find a token or #position  ( / )";
  field.setAttribute("aria-label", "Find a token, or a position after #");
  const count = add(box, "aside", "span");
  count.setAttribute("role", "status");
  /** @type {{positions: Int32Array, text: string[]}} */
  let searched = { positions: new Int32Array(0), text: [] };
  const rowsFound = () => found(searched.positions, searched.text, field.value);
  let at = -1;
  let inside = false;

  field.addEventListener("input", () => {
    at = -1;
    frame.redraw();
  });
  field.addEventListener("keydown", (event) => {
    event.stopPropagation(); // letters are the notebook's commands
    if (event.key === "Escape") {
      if (!field.value) field.blur();
      field.value = "";
      at = -1;
      frame.redraw();
    }
    if (event.key !== "Enter") return;
    event.preventDefault();
    const rows = rowsFound();
    if (!rows.length) return;
    at = (at + (event.shiftKey ? -1 : 1) + rows.length) % rows.length;
    choose(rows[at]);
    frame.redraw();
  });
  // To a notebook the whole view has the focus, and Enter would open the cell for editing.
  field.addEventListener("focus", () => {
    const { host } = /** @type {ShadowRoot} */ (frame.root.getRootNode());
    host.setAttribute(OWN_KEYS, "");
    // By then the field may be out of the page.
    field.addEventListener("blur", () => host.removeAttribute(OWN_KEYS), { once: true });
  });
  frame.root.addEventListener("pointerenter", () => (inside = true));
  frame.root.addEventListener("pointerleave", () => (inside = false));
  listenForKeys(frame.root, (event) => {
    const { activeElement } = /** @type {ShadowRoot} */ (frame.root.getRootNode());
    if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey) return;
    if (activeElement === field || !(inside || activeElement) || isTyping()) return;
    event.preventDefault();
    event.stopPropagation();
    field.focus();
    field.select();
  });

  return {
    /**
     * @param {Int32Array} positions
     * @param {string[]} text by position
     * @returns {number[]} rows that are found
     */
    draw(positions, text) {
      searched = { positions, text };
      const rows = rowsFound();
      const many = rows.length === 1 ? "1 found" : `${rows.length} found`;
      count.textContent = !field.value.trim() ? "" : at < 0 ? many : `${at + 1} of ${rows.length}`;
      return rows;
    },
  };
}

/** Does the reader write somewhere else, in a cell of a notebook say? */
function isTyping() {
  const element = document.activeElement;
  return (
    element instanceof HTMLElement &&
    (element.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(element.tagName))
  );
}
