// Buttons that are pressed or not: one of several, or on and off.

import { add, capitalized } from "./dom.js";

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
 * A button that is on or off.
 * @param {HTMLElement} parent
 * @param {string} name
 * @param {string} label
 * @param {string} title what it does
 */
export function addToggle(parent, name, label, title) {
  const button = add(parent, "onoff", "button");
  button.dataset.action = name;
  button.textContent = label;
  button.title = title;
  return {
    element: button,
    /** @param {boolean} on */
    draw(on) {
      button.setAttribute("aria-pressed", String(on));
    },
  };
}
