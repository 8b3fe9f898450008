// The line below a picture: its legend, what it leaves out, and what keys and mouse do.

import { rampOf, SIGNS } from "../scenes/legends.js";
import { add } from "./dom.js";
import { addExplained } from "./explained.js";

/** @typedef {import("../theme/colors.js").Theme} Theme */
/** @typedef {import("../scenes/legends.js").Legend} Legend */

const LEFT_OUT = "not drawn";

/**
 * @param {HTMLElement} root
 * @param {string} keys what keyboard and mouse do
 */
export function addFooter(root, keys) {
  const footer = add(root, "footer");
  const legend = add(footer, "legend", "span");
  const name = add(legend, "", "span");
  const least = add(legend, "", "span");
  const ramp = add(legend, "", "i");
  const most = add(legend, "", "span");
  const signs = add(footer, "legend", "span");
  const swatches = SIGNS.map(() => ({
    box: add(signs, "swatch", "i"),
    name: add(signs, "", "span"),
  }));
  const scale = add(signs, "", "span");
  const gaps = add(footer, "legend gaps", "span");
  add(gaps, "swatch hatched", "i");
  const missingName = add(gaps, "", "span");
  const right = add(footer, "", "span");
  const before = add(right, "", "span");
  const term = add(right, "", "span");
  const after = add(right, "", "span");
  return {
    element: footer,
    /** @param {Legend & {theme: Theme}} options */
    draw({
      theme,
      legend: text,
      smallest = "0",
      largest = "1",
      colors,
      ramp: ramped = true,
      strength = 1,
      diverging,
      missing,
      signed,
      signs: names = SIGNS,
      note,
    }) {
      legend.hidden = text === undefined;
      signs.hidden = signed === undefined;
      gaps.hidden = missing === undefined;
      missingName.textContent = missing ?? "";
      name.textContent = text ?? "";
      for (const part of [least, ramp, most]) part.hidden = !ramped;
      least.textContent = smallest;
      most.textContent = largest;
      scale.textContent = signed ?? "";
      swatches.forEach(({ box, name }, i) => {
        box.style.background = i === 0 ? theme.positive : theme.negative;
        name.textContent = names[i];
      });
      const ends = rampOf(theme, colors, diverging).map(
        (color) => `color-mix(in srgb, ${color} ${100 * strength}%, transparent)`,
      );
      ramp.style.background = `linear-gradient(to right, ${ends.join(", ")})`;
      ramp.style.boxShadow = `inset 0 0 0 1px ${theme.hairline}`;
      const [first, ...rest] = [note, keys].filter(Boolean).join(" · ").split(LEFT_OUT);
      before.textContent = first;
      if (rest.length && !term.childElementCount) addExplained(term, root).draw(LEFT_OUT, LEFT_OUT);
      term.hidden = !rest.length;
      after.textContent = rest.join(LEFT_OUT);
    },
  };
}
