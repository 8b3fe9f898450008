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
  const ramp = add(legend, "", "i");
  const one = add(legend, "", "span");
  const signs = add(footer, "legend", "span");
  const swatches = ["positive", "negative"].map((name) => {
    const swatch = add(signs, "swatch", "i");
    add(signs, "", "span").textContent = name;
    return swatch;
  });
  const scale = add(signs, "", "span");
  const right = add(footer, "", "span");
  return {
    element: footer,
    /**
     * @param {object} options
     * @param {import("./theme.js").Theme} options.theme
     * @param {string} [options.legend] what the ramp from 0 to 1 means
     * @param {string} [options.smallest] what the ramp begins with, if not 0
     * @param {string} [options.largest] what it ends with, if not 1
     * @param {string[]} [options.colors] of the ramp, if not from nothing to ink
     * @param {string} [options.signed] what full strength means, where colours tell signs
     * @param {string} options.note
     */
    draw({ theme, legend: text, smallest = "0", largest = "1", colors, signed, note }) {
      legend.hidden = text === undefined;
      signs.hidden = signed === undefined;
      name.textContent = text ?? "";
      zero.textContent = smallest;
      one.textContent = largest;
      scale.textContent = signed ?? "";
      swatches[0].style.background = theme.positive;
      swatches[1].style.background = theme.negative;
      ramp.style.background = `linear-gradient(to right, ${colors?.join(", ") ?? `transparent, ${theme.ink}`})`;
      ramp.style.boxShadow = `inset 0 0 0 1px ${theme.hairline}`;
      right.textContent = [note, keys].filter(Boolean).join(" · ");
    },
  };
}
