// What cells of the model view are colored by, and their order.

import { isAttention } from "../data/kinds.js";
import { choicesOf } from "../data/measures.js";
import { addSelect, option } from "./selects.js";

const BY_LAYER = "layer"; // the option that stands for no measure

/**
 * @param {HTMLElement} toolbar
 * @param {import("./frame.js").Frame} frame
 */
export function addMeasureSelects(toolbar, frame) {
  const { payload } = frame.source;
  const measures = addSelect(toolbar, "measure", "Color by", (value) =>
    frame.set({ measure: value === BY_LAYER ? null : value }),
  );
  const order = addSelect(toolbar, "sorted", "Order", (value) =>
    frame.set({ sorted: value === "yes" }),
  );
  const choices = choicesOf(payload).map((c) => ({ ...c, ...option(c.name, c.label) }));
  const none = payload.difference
    ? "differences only"
    : isAttention(payload)
      ? "layer"
      : "values only";
  const offered = [
    { label: "", options: [option(BY_LAYER, none)] },
    { label: "measures", options: choices.filter((c) => c.shipped) },
    { label: "computed from the weights", options: choices.filter((c) => !c.shipped) },
  ];
  const orders = [option("no", "by layer and head"), option("yes", "largest first")];
  return {
    /** @param {{choice: {name: string} | null, sorted: boolean}} scene */
    draw({ choice, sorted }) {
      measures.drawGroups(offered, choice?.name ?? BY_LAYER);
      measures.element.hidden = !isAttention(payload) && !choices.length;
      order.element.hidden = !choice;
      order.draw(orders, sorted ? "yes" : "no");
    },
  };
}
