// A slider with a label before it and what it means after it.

import { add } from "./dom.js";

/**
 * @param {HTMLElement} parent
 * @param {string} name
 * @param {string} label
 * @param {(value: number) => void} chosen while it is moved
 */
export function addRange(parent, name, label, chosen) {
  const element = /** @type {HTMLLabelElement} */ (add(parent, "range", "label"));
  element.append(label);
  const slider = document.createElement("input");
  slider.type = "range";
  slider.name = name;
  slider.addEventListener("input", () => chosen(Number(slider.value)));
  element.append(slider);
  const said = add(element, "said", "span");
  return {
    element,
    /**
     * @param {{min: number, max: number, step?: number, value: number}} options
     * @param {string} text what the value means
     */
    draw({ min, max, step = 1, value }, text) {
      Object.assign(slider, { min: String(min), max: String(max), step: String(step) });
      slider.value = String(value);
      slider.setAttribute("aria-valuetext", text);
      said.textContent = text;
    },
  };
}
