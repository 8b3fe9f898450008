// What is measured of the heads in a model view, and the order of its cells.

import { isAttention } from "../data/kinds.js";
import { choicesOf } from "../data/measures.js";
import { addSelect, option } from "./selects.js";

const NONE = "none"; // the option that stands for no measure

/**
 * @param {HTMLElement} toolbar
 * @param {import("./frame.js").Frame} frame
 */
export function addMeasureSelects(toolbar, frame) {
  const { payload } = frame.source;
  const measures = addSelect(toolbar, "measure", "Measure", (value) =>
    frame.set({ measure: value === NONE ? null : value }),
  );
  const order = addSelect(toolbar, "sorted", "Order", (value) =>
    frame.set({ sorted: value === "yes" }),
  );
  const choices = choicesOf(payload).map((c) => ({ ...c, ...option(c.name, c.label) }));
  const offered = [
    { label: "", options: [option(NONE)] },
    { label: "measures", options: choices.filter((c) => c.shipped) },
    { label: "computed from the weights", options: choices.filter((c) => !c.shipped) },
  ];
  const orders = [option("no", "by layer and head"), option("yes", "largest first")];
  return {
    /** @param {{choice: {name: string} | null, sorted: boolean}} scene */
    draw({ choice, sorted }) {
      measures.drawGroups(offered, choice?.name ?? NONE);
      measures.element.hidden = !isAttention(payload) && !choices.length;
      order.element.hidden = !choice;
      order.draw(orders, sorted ? "yes" : "no");
    },
  };
}
