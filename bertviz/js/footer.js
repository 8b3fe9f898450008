// The line below a picture: its legend, what it leaves out, and the keys.

import { add } from "./controls.js";
import { estimatedWidth } from "./svg.js";

/**
 * @typedef {object} Legend
 * @property {string} [legend] what the ramp from 0 to 1 means
 * @property {string} [smallest] what the ramp begins with, if not 0
 * @property {string} [largest] what it ends with, if not 1
 * @property {string[]} [colors] of the ramp, if not from nothing to ink
 * @property {string} [signed] what full strength means, where colours tell signs
 * @property {string} note
 */

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
    /** @param {Legend & {theme: import("./theme.js").Theme}} options */
    draw({ theme, legend: text, smallest = "0", largest = "1", colors, signed, note }) {
      legend.hidden = text === undefined;
      signs.hidden = signed === undefined;
      name.textContent = text ?? "";
      zero.textContent = smallest;
      one.textContent = largest;
      scale.textContent = signed ?? "";
      swatches[0].style.background = theme.positive;
      swatches[1].style.background = theme.negative;
      ramp.style.background = `linear-gradient(to right, ${rampOf(theme, colors).join(", ")})`;
      ramp.style.boxShadow = `inset 0 0 0 1px ${theme.hairline}`;
      right.textContent = [note, keys].filter(Boolean).join(" · ");
    },
  };
}

/**
 * @param {import("./theme.js").Theme} theme
 * @param {string[]} [colors]
 */
const rampOf = (theme, colors) => colors ?? ["transparent", theme.ink];

/**
 * The same on a sheet, without the keys.
 * @param {import("./svg.js").Sheet} sheet
 * @param {Legend} legend
 */
export function drawFooter(sheet, { legend, smallest = "0", largest = "1", colors, signed, note }) {
  const { theme } = sheet;
  const y = sheet.y + 24;
  let x = 0;
  const say = (/** @type {string} */ text) => {
    sheet.text(text, { x, y, color: theme.muted });
    x += estimatedWidth(text, 11) + 6;
  };
  if (legend !== undefined) {
    say(legend);
    say(smallest);
    sheet.ramp(x, y - 9, 72, 10, rampOf(theme, colors));
    x += 78;
    say(largest);
  }
  if (signed !== undefined) {
    for (const sign of /** @type {const} */ (["positive", "negative"])) {
      sheet.rect(x, y - 9, 10, 10, { fill: theme[sign], radius: 2 });
      x += 16;
      say(sign);
    }
    say(signed);
  }
  sheet.y = y + 4;
  if (!note) return;
  const fits = x + 12 + estimatedWidth(note, 11) <= sheet.width;
  if (!fits) sheet.y += 16;
  sheet.text(note, fits ? { x: sheet.width, y, anchor: "end", color: theme.muted } : { x: 0, y: sheet.y - 4, color: theme.muted });
}
