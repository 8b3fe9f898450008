// Several pictures as one: side by side where they fit, else below each other. What they share is said
// once: the heads and their colors, the model, the legend.

import { drawFooter } from "./footer.js";
import { drawHeader } from "./header.js";
import { Sheet } from "./sheet.js";

/** @typedef {import("./figure.js").Panel} Panel */
/** @typedef {(width: number) => Panel} PanelIn */
/** @typedef {import("../scenes/legends.js").Legend} Legend */
/** @typedef {{sheet: Sheet, panel: Panel, legend: Legend | null}} Drawn */

const GAP = { columns: 28, rows: 24 };
const LEAST = 160; // units that a picture is wide, unless fewer are asked for

/**
 * @param {PanelIn[]} pictures
 * @param {number} room
 * @param {object} options
 * @param {import("../theme/colors.js").Theme} options.theme
 * @param {(string | null)[]} [options.titles] in place of their own
 * @param {number} [options.columns] by default as many as fit
 * @param {boolean} [options.filled] whether the room is to be filled
 * @param {boolean} [options.legend]
 * @param {boolean} [options.mark]
 * @returns {Panel}
 */
export function panelsIn(pictures, room, options) {
  const { panels, columns, cell } = arranged(pictures, room, options);
  const headers = panels.map(({ header }) => header);
  const shared = {
    mark: same(headers.map(({ mark }) => mark)),
    heads: same(headers.map(({ heads }) => heads)),
  };
  return {
    name: panels.map(({ name }) => name).join("; "),
    width: columns * cell + (columns - 1) * GAP.columns,
    header: {
      ...{ title: "", choices: "" },
      mark: shared.mark ? headers[0].mark : "",
      heads: shared.heads ? headers[0].heads : [],
    },
    draw: (sheet) => drawPanels(sheet, panels, { ...options, columns, cell, shared }),
  };
}

/**
 * As many columns as are asked for, or as have room.
 * @param {PanelIn[]} pictures
 * @param {number} room
 * @param {{columns?: number, filled?: boolean}} options
 */
function arranged(pictures, room, { columns: wanted, filled }) {
  for (let columns = wanted ?? pictures.length; ; columns--) {
    const cell = (room - (columns - 1) * GAP.columns) / columns;
    const panels = pictures.map((panelIn) => panelIn(Math.max(cell, 1)));
    const widest = Math.max(...panels.map(({ width }) => width));
    if (columns === 1 || wanted !== undefined || (widest <= cell && cell >= LEAST)) {
      return { panels, columns, cell: filled ? Math.max(cell, widest) : Math.max(LEAST, widest) };
    }
  }
}

/**
 * @param {Sheet} sheet
 * @param {Panel[]} panels
 * @param {object} options
 * @param {(string | null)[]} [options.titles]
 * @param {number} options.columns
 * @param {number} options.cell
 * @param {{mark: boolean, heads: boolean}} options.shared
 * @param {boolean} [options.legend]
 * @param {boolean} [options.mark]
 * @returns {Legend | null} what is said of all
 */
function drawPanels(sheet, panels, { columns, cell, shared, ...options }) {
  const { titles, legend, mark } = options;
  const drawn = panels.map((panel, i) => {
    const own = new Sheet(sheet.theme, cell, panel.name, `${i}-`);
    const { header } = panel;
    const title = titles?.[i] ?? null;
    drawHeader(own, {
      title: title ?? header.title,
      choices: title === null ? header.choices : "",
      mark: shared.mark || mark === false ? "" : header.mark,
      heads: shared.heads || legend === false ? [] : header.heads,
    });
    return { sheet: own, panel, legend: /** @type {Legend | null} */ (null) };
  });
  const rows = rowsOf(drawn, columns);
  for (const row of rows) {
    const top = Math.max(...row.map((part) => part.sheet.y));
    for (const part of row) {
      part.sheet.y = top;
      part.legend = part.panel.draw(part.sheet);
    }
  }
  const said = legend === false ? null : drawLegends(drawn);
  rows.forEach((row, r) => {
    if (r) sheet.y += GAP.rows;
    row.forEach((part, i) => sheet.place(part.sheet, i * (cell + GAP.columns), sheet.y));
    sheet.y += Math.max(...row.map((part) => part.sheet.y));
  });
  return said;
}

/**
 * What differs is said below each.
 * @param {Drawn[]} drawn
 * @returns {Legend | null}
 */
function drawLegends(drawn) {
  const legends = drawn.map(({ legend }) => /** @type {Legend} */ (legend));
  const notes = same(legends.map(({ note }) => note));
  const rest = same(legends.map((legend) => ({ ...legend, note: "" })));
  for (const { sheet, legend } of drawn) {
    const own = { ...(rest ? {} : legend), note: notes || !legend ? "" : legend.note };
    if (!rest || own.note) drawFooter(sheet, own);
  }
  if (rest) return { ...legends[0], note: notes ? legends[0].note : "" };
  return notes && legends[0].note ? { note: legends[0].note } : null;
}

/**
 * @template T
 * @param {T[]} items
 * @param {number} count in a row
 * @returns {T[][]}
 */
function rowsOf(items, count) {
  const rows = [];
  for (let i = 0; i < items.length; i += count) rows.push(items.slice(i, i + count));
  return rows;
}

/** @param {unknown[]} things */
const same = (things) => new Set(things.map((thing) => JSON.stringify(thing))).size === 1;
