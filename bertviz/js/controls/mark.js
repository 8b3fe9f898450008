// The exactness mark: whether what is shown was compared with the model's own attention, and by how
// much the two differ; what the model computed that could not be captured; or that it is something
// else.

import { format } from "d3-format";
import { isAttention } from "../data/kinds.js";
import { kindName, NOT_CHECKED } from "../scenes/kind_texts.js";
import { add } from "./dom.js";

/**
 * @param {HTMLElement} toolbar
 * @param {import("../data/schema.js").Payload} payload
 */
export function addMark(toolbar, payload) {
  const { name, dtype, exactness, skipped } = payload.model;
  const badge = add(toolbar, "badge end", "span");
  if (!isAttention(payload)) {
    badge.textContent = kindName(payload);
    badge.title = `${name ?? "Arrays"}, ${dtype}. These numbers are values for pairs of tokens, not attention.`;
    return;
  }
  const gaps = Object.entries(skipped ?? {});
  badge.textContent = exactness
    ? `✓ matches the model: max diff ${format(".0e")(exactness.max_difference)}`
    : gaps.length
      ? `${NOT_CHECKED}, ${gaps.length} not captured`
      : NOT_CHECKED;
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
  if (gaps.length) {
    about.push("Attention that could not be captured is not shown:");
    about.push(...gaps.slice(0, 5).map(([path, reason]) => `${path || "the model"}: ${reason}.`));
    if (gaps.length > 5) about.push(`And ${gaps.length - 5} more.`);
  }
  badge.title = about.join(" ");
}
