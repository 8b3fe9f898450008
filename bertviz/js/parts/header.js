// What an exported figure says of itself above the picture, where a page has its controls.

import { HIDDEN } from "../data/filters.js";
import { estimatedWidth } from "../svg/text_width.js";

/** @typedef {import("../state.js").State} State */

const CHIP = 20;

/**
 * One line of words, and the heads in their colours.
 * @param {import("../svg/sheet.js").Sheet} sheet
 * @param {import("../data/schema.js").Payload} payload
 * @param {State} state
 * @param {object} [options]
 * @param {{head: number, color: string}[]} [options.heads]
 * @param {string} [options.what] said after the layer
 * @param {string} [options.title] in place of the layer
 */
export function drawHeader(sheet, payload, state, { heads = [], what = "", title = `Layer ${state.layer}` } = {}) {
  const { theme } = sheet;
  const { hide = "nothing" } = state;
  const parts = [
    payload.blocks.length > 1 ? `${state.block} attention` : "",
    what,
    state.pair === "All" ? "" : `only ${state.pair}`,
    hide === "nothing" ? "" : `without ${HIDDEN[hide].label}`,
    state.words ? "words" : "",
    state.zoom ? `tokens ${state.zoom[0]}–${state.zoom[1] - 1}` : "",
  ].filter(Boolean);
  sheet.text(title, { x: 0, y: sheet.y + 13, size: 13.5, strong: true });
  const from = estimatedWidth(title) + 12;
  sheet.text(parts.join(" · "), { x: from, y: sheet.y + 13, size: 12, color: theme.muted });
  const { name, exactness } = payload.model;
  const about = [name, exactness ? `max diff ${exactness.max_difference.toExponential(0)}` : "not verified"];
  sheet.text(about.filter(Boolean).join(", "), { x: sheet.width, y: sheet.y + 13, anchor: "end", color: theme.muted });
  sheet.y += 24;
  if (heads.length) {
    const perRow = Math.max(1, Math.floor((sheet.width - 44) / (CHIP + 4)));
    sheet.text("Heads", { x: 0, y: sheet.y + 14, size: 12, color: theme.muted });
    heads.forEach(({ head, color }, i) => {
      const x = 44 + (i % perRow) * (CHIP + 4);
      const y = sheet.y + Math.floor(i / perRow) * (CHIP + 4);
      sheet.rect(x, y, CHIP, CHIP, { fill: color, radius: 4 });
      sheet.text(String(head), { x: x + CHIP / 2, y: y + 14, strong: true, anchor: "middle", color: theme.onHead });
    });
    sheet.y += Math.ceil(heads.length / perRow) * (CHIP + 4);
  }
  sheet.y += 8;
}
