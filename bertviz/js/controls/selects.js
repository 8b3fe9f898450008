// Native selects with labels.

import { select } from "d3-selection";
import { add } from "./dom.js";

/**
 * A labeled native select.
 * @param {HTMLElement} parent
 * @param {string} name
 * @param {string} label
 * @param {(value: string) => void} chosen
 */
export function addSelect(parent, name, label, chosen) {
  const element = /** @type {HTMLLabelElement} */ (add(parent, "", "label"));
  element.append(label);
  const box = document.createElement("select");
  box.name = name;
  box.addEventListener("change", () => chosen(box.value));
  element.append(box);
  return {
    element,
    /**
     * @param {{value: string, text: string}[]} options
     * @param {string} value
     */
    draw(options, value) {
      select(box)
        .selectAll("option")
        .data(options)
        .join("option")
        .attr("value", (d) => d.value)
        .text((d) => d.text);
      box.value = value;
    },
    /**
     * Options under headings; options without a heading come first.
     * @param {{label: string, options: {value: string, text: string}[]}[]} groups
     * @param {string} value
     */
    drawGroups(groups, value) {
      if (!box.options.length) {
        for (const { label, options } of groups.filter((g) => g.options.length)) {
          const parent = label ? document.createElement("optgroup") : box;
          if (parent !== box) Object.assign(parent, { label });
          parent.append(...options.map((o) => new Option(o.text, o.value)));
          if (parent !== box) box.append(parent);
        }
      }
      box.value = value;
    },
  };
}

/**
 * @param {string | number} value
 * @param {string} [text]
 */
export function option(value, text) {
  return { value: String(value), text: text ?? String(value) };
}
