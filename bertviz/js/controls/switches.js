// One of several, or on and off.

import { capitalized } from "../data/texts.js";
import { add } from "./dom.js";

/**
 * Two or three ways to look at the same thing.
 * @param {HTMLElement} parent
 * @param {string} name
 * @param {string[]} values
 * @param {(value: string) => void} chosen
 */
export function addSwitch(parent, name, values, chosen) {
  const group = add(parent, "switch");
  group.setAttribute("role", "group");
  group.setAttribute("aria-label", name);
  const buttons = values.map((value) => {
    const button = add(group, "", "button");
    button.dataset[name] = value;
    button.textContent = capitalized(value);
    button.addEventListener("click", () => chosen(value));
    return button;
  });
  return {
    /** @param {string} value */
    draw(value) {
      buttons.forEach((button, i) =>
        button.setAttribute("aria-pressed", String(values[i] === value)),
      );
    },
  };
}

/**
 * A box that is checked or not.
 * @param {HTMLElement} parent
 * @param {string} name
 * @param {string} label
 * @param {string} title what it does
 * @param {(on: boolean) => void} chosen
 */
export function addCheck(parent, name, label, title, chosen) {
  const element = /** @type {HTMLLabelElement} */ (add(parent, "check", "label"));
  const box = document.createElement("input");
  box.type = "checkbox";
  box.name = name;
  box.addEventListener("change", () => chosen(box.checked));
  element.append(box, label);
  element.title = title;
  return {
    element,
    /** @param {boolean} on */
    draw(on) {
      box.checked = on;
    },
  };
}
