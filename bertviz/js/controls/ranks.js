// A list of what is strongest: a number in front, a token in its context, a bar and its value.

import { select } from "d3-selection";
import { add } from "./dom.js";

/**
 * A line of the list.
 * @typedef {object} Rank
 * @property {string} place in front
 * @property {string} before what stands in front of the token
 * @property {string} token
 * @property {string} after
 * @property {number} value
 * @property {string} text the value
 * @property {number} part of the largest value, 0..1
 * @property {string} [away] an arrow to what is out of sight
 * @property {string} [color] of the bar
 * @property {Record<string, string | number>} data attributes of the line
 */

/** @param {HTMLElement} parent */
export function addRanks(parent) {
  const element = add(parent, "ranks");
  return {
    element,
    /**
     * As many lines whatever is selected, so that nothing below them moves.
     * @param {Rank[]} ranked
     * @param {number} count
     * @param {import("../theme/colors.js").Theme} theme
     */
    draw(ranked, count, theme) {
      const lines = Array.from({ length: count }, (_, i) => ranked[i] ?? null);
      const line = select(element)
        .selectAll("button")
        .data(lines)
        .join((enter) => {
          const one = enter.append("button").attr("type", "button");
          for (const name of ["position", "context", "track", "value", "away"]) {
            one.append("span").attr("class", name);
          }
          const context = one.select(".context");
          for (const tag of ["span", "b", "span"]) context.append(tag);
          one.select(".track").append("i");
          return one;
        })
        .style("visibility", (d) => (d ? null : "hidden"));
      line.each(function (d, i) {
        const button = /** @type {HTMLElement} */ (this);
        for (const name of Object.keys(button.dataset)) delete button.dataset[name];
        Object.assign(button.dataset, { rank: i + 1, ...d?.data });
        const [before, token, after] = /** @type {any} */ (button).querySelector(
          ".context",
        ).children;
        before.textContent = d?.before ? `${d.before} ` : "";
        token.textContent = d?.token ?? "";
        after.textContent = d?.after ? ` ${d.after}` : "";
      });
      line.select(".position").text((d) => d?.place ?? "");
      line
        .select("i")
        .style("width", (d) => `${100 * (d?.part ?? 0)}%`)
        .style("background", (d) => d?.color ?? (d && d.value < 0 ? theme.negative : theme.accent));
      line.select(".value").text((d) => d?.text ?? "");
      line.select(".away").text((d) => d?.away ?? "");
    },
  };
}
