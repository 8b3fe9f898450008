// The exactness mark: whether what is shown was compared with the model's own attention, and by how
// much the two differ; what the model computed that could not be captured; or that it is something
// else.

import { format } from "d3-format";
import { isAttention } from "../data/kinds.js";
import { kindName, NOT_CHECKED } from "../scenes/kind_texts.js";
import { add } from "./dom.js";
import { addExplained } from "./explained.js";

/** @typedef {import("../data/schema.js").Payload} Payload */

const ROOMY = 1120; // CSS pixels of a view, from which on the mark is said in full

/**
 * @param {HTMLElement} parent
 * @param {import("./frame.js").Frame} frame
 */
export function addMark(parent, frame) {
  const { payload } = frame.source;
  const badge = add(parent, "badge", "span");
  const mark = addExplained(badge, frame.root);
  const { long, short } = wordsOf(payload);
  const about = aboutOf(payload);
  return {
    draw() {
      mark.draw("exactness", frame.width() >= ROOMY ? long : short, about);
    },
  };
}

/** @param {Payload} payload */
function wordsOf(payload) {
  const { exactness, skipped } = payload.model;
  if (!isAttention(payload)) return { long: kindName(payload), short: kindName(payload) };
  const gaps = Object.keys(skipped ?? {}).length;
  const missing = gaps ? `, ${gaps} not captured` : "";
  if (!exactness) {
    return { long: `${NOT_CHECKED}${missing}`, short: missing.slice(2) || "not checked" };
  }
  const difference = format(".0e")(exactness.max_difference);
  return { long: `✓ matches the model: max diff ${difference}`, short: `✓ ${difference}` };
}

/** @param {Payload} payload */
function aboutOf(payload) {
  const { name, dtype, exactness, skipped } = payload.model;
  if (!isAttention(payload)) {
    return `${name ?? "Arrays"}, ${dtype}. These numbers are values for pairs of tokens, not attention.`;
  }
  const gaps = Object.entries(skipped ?? {});
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
  return about.join(" ");
}
