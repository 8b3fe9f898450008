// The line below a picture: its legend, what it leaves out, and the keys.

import { add } from "./controls.js";

/**
 * @param {HTMLElement} root
 * @param {string} keys what the keyboard and the mouse do
 */
export function addFooter(root, keys) {
  const footer = add(root, "footer");
  const legend = add(footer, "legend", "span");
  const name = add(legend, "", "span");
  const zero = add(legend, "", "span");
  zero.textContent = "0";
  const ramp = add(legend, "", "i");
  const one = add(legend, "", "span");
  one.textContent = "1";
  const right = add(footer, "", "span");
  return {
    /**
     * @param {object} options
     * @param {import("./theme.js").Theme} options.theme
     * @param {string} options.legend
     * @param {string} options.note
     */
    draw({ theme, legend: text, note }) {
      name.textContent = text;
      ramp.style.background = `linear-gradient(to right, transparent, ${theme.ink})`;
      ramp.style.boxShadow = `inset 0 0 0 1px ${theme.hairline}`;
      right.textContent = [note, keys].filter(Boolean).join(" · ");
    },
  };
}
