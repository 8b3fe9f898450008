// The one tooltip of a view, shared by its parts. It stays inside the view and never takes the
// pointer.

import { add } from "./dom.js";

/** @type {WeakMap<HTMLElement, Tooltip>} */
const tooltips = new WeakMap();

/**
 * @param {HTMLElement} root
 */
export function addTooltip(root) {
  const tooltip = tooltips.get(root) ?? new Tooltip(root);
  tooltips.set(root, tooltip);
  return tooltip;
}

class Tooltip {
  #root;
  #box;

  /** @param {HTMLElement} root */
  constructor(root) {
    this.#root = root;
    this.#box = add(root, "tooltip");
    this.#box.setAttribute("role", "tooltip");
    this.#box.hidden = true;
  }

  /**
   * @param {string} text
   * @param {number} clientX
   * @param {number} clientY
   * @param {HTMLElement | null} [picture] below the text
   */
  show(text, clientX, clientY, picture = null) {
    const box = this.#box;
    box.textContent = text;
    if (picture) box.append(picture);
    box.hidden = false;
    const around = this.#root.getBoundingClientRect();
    const { offsetWidth: width, offsetHeight: height } = box;
    const x = clientX - around.left + 14;
    const y = clientY - around.top + 16;
    const left = x + width > around.width ? x - width - 28 : x;
    const top = y + height > around.height ? y - height - 32 : y;
    box.style.left = `${Math.max(0, left)}px`;
    box.style.top = `${Math.max(0, top)}px`;
  }

  hide() {
    this.#box.hidden = true;
  }
}
