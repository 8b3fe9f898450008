// The line below a picture: its legend, what it leaves out, and the keys.

import { add } from "../controls/dom.js";
import { estimatedWidth } from "../svg/sheet.js";

/**
 * @typedef {object} Legend
 * @property {string} [legend] what the ramp from 0 to 1 means
 * @property {string} [smallest] what the ramp begins with, if not 0
 * @property {string} [largest] what it ends with, if not 1
 * @property {string[]} [colors] of the ramp, if not from nothing to ink
 * @property {string} [signed] what full strength means, where colours tell signs
 * @property {[string, string]} [signs] what the signs are called
 * @property {string} note
 */

const SIGNS = /** @type {[string, string]} */ (["positive", "negative"]);

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
  const swatches = SIGNS.map(() => ({ box: add(signs, "swatch", "i"), name: add(signs, "", "span") }));
  const scale = add(signs, "", "span");
  const right = add(footer, "", "span");
  return {
    element: footer,
    /** @param {Legend & {theme: import("../theme/theme.js").Theme}} options */
    draw({ theme, legend: text, smallest = "0", largest = "1", colors, signed, signs: names = SIGNS, note }) {
      legend.hidden = text === undefined;
      signs.hidden = signed === undefined;
      name.textContent = text ?? "";
      zero.textContent = smallest;
      one.textContent = largest;
      scale.textContent = signed ?? "";
      swatches.forEach(({ box, name }, i) => {
        box.style.background = i === 0 ? theme.positive : theme.negative;
        name.textContent = names[i];
      });
      ramp.style.background = `linear-gradient(to right, ${rampOf(theme, colors).join(", ")})`;
      ramp.style.boxShadow = `inset 0 0 0 1px ${theme.hairline}`;
      right.textContent = [note, keys].filter(Boolean).join(" · ");
    },
  };
}

/**
 * @param {import("../theme/theme.js").Theme} theme
 * @param {string[]} [colors]
 */
const rampOf = (theme, colors) => colors ?? ["transparent", theme.ink];

/**
 * The same on a sheet, without the keys.
 * @param {import("../svg/sheet.js").Sheet} sheet
 * @param {Legend} options
 */
export function drawFooter(sheet, options) {
  const { legend, smallest = "0", largest = "1", colors, signed, signs = SIGNS, note } = options;
  const { theme } = sheet;
  const y = sheet.y + 24;
  let x = 0;
  const say = (/** @type {string} */ text) => {
    sheet.text(text, { x, y, color: theme.muted });
    x += 0.92 * estimatedWidth(text, 11) + 6; // not bold
  };
  if (legend !== undefined) {
    say(legend);
    say(smallest);
    sheet.ramp(x, y - 9, 72, 10, rampOf(theme, colors));
    x += 78;
    say(largest);
  }
  if (signed !== undefined) {
    signs.forEach((sign, i) => {
      sheet.rect(x, y - 9, 10, 10, { fill: i === 0 ? theme.positive : theme.negative, radius: 2 });
      x += 16;
      say(sign);
    });
    say(signed);
  }
  sheet.y = y + 4;
  if (!note) return;
  const fits = x + 12 + estimatedWidth(note, 11) <= sheet.width;
  if (!fits) sheet.y += 16;
  sheet.text(note, fits ? { x: sheet.width, y, anchor: "end", color: theme.muted } : { x: 0, y: sheet.y - 4, color: theme.muted });
}
