// The exactness mark: whether what is shown was compared with the model's own attention, and by how
// much the two differ; or that it is something else.

import { format } from "d3-format";
import { isAttention } from "../data/kinds.js";
import { kindName } from "../scenes/kind_texts.js";
import { add } from "./dom.js";

/**
 * @param {HTMLElement} toolbar
 * @param {import("../data/schema.js").Payload} payload
 */
export function addMark(toolbar, payload) {
  const { name, dtype, exactness } = payload.model;
  const badge = add(toolbar, "badge end", "span");
  if (!isAttention(payload)) {
    badge.textContent = kindName(payload);
    badge.title = `${name ?? "Arrays"}, ${dtype}. These numbers are values for pairs of tokens, not attention.`;
    return;
  }
  badge.textContent = exactness
    ? `✓ matches the model: max diff ${format(".0e")(exactness.max_difference)}`
    : "not verified";
  const about = [
    `${name ?? "Arrays"}, ${dtype}.`,
    exactness
      ? `Compared with ${exactness.compared_with}: maximum difference ${exactness.max_difference}.`
      : "This attention has not been compared with the model’s own; extract(…, verify=True) does so.",
  ];
  if (exactness?.terms.length) {
    about.push(`In addition to q·k, the scores contain: ${exactness.terms.join(", ")}.`);
  }
  if (exactness?.note) about.push(`Note: ${exactness.note}.`);
  badge.title = about.join(" ");
}
