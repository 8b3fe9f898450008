// The bundle's entry: an output's script calls mount once with its payload; figure draws the same
// without a page.

import { showError } from "./controls/error.js";
import { freshHosts } from "./controls/hosts.js";
import { headView } from "./views/head_view.js";
import { modelView } from "./views/model_view.js";
import { neuronView } from "./views/neuron_view.js";
import { Source } from "./data/payload.js";
import { Shell, WIDTH } from "./shell.js";
import { initialState } from "./state.js";
import { drawFigure } from "./svg/figure.js";
import { panelsIn } from "./svg/panels.js";
import { THEMES } from "./theme/colors.js";

/** @type {Record<string, import("./controls/frame.js").View>} */
const VIEWS = { head: headView, model: modelView, neuron: neuronView };

/**
 * Draws into every host of this output that is not alive yet: usually the one beside the script,
 * and a clone of it when a notebook shows the same output in a second place.
 * @param {string} id
 * @param {import("./data/schema.js").Payload} payload
 */
export function mount(id, payload) {
  for (const host of freshHosts(id)) {
    try {
      new Shell(host, payload, VIEWS);
    } catch (error) {
      showError(host, payload.view, error);
    }
  }
}

/** @typedef {import("./data/schema.js").Payload} Payload */
/** @typedef {import("./theme/colors.js").Theme} Theme */
/** @typedef {Omit<import("./svg/figure.js").Look, "theme">} Look */

/**
 * The pictures that payloads start with, as one SVG. Needs no document.
 * @param {Payload[]} payloads
 * @param {object} [options]
 * @param {number} [options.usual] the width to draw in where none is asked for
 * @param {(string | null)[]} [options.titles] of panels, null for a panel's own; without them
 *   the first picture is the figure
 * @param {number} [options.columns] that panels stand in
 * @param {Look} [options.look]
 * @returns {Promise<string>}
 * @throws {RangeError} when there is no such state
 */
export async function figure(payloads, { usual = WIDTH, titles, columns, look = {} } = {}) {
  const theme = THEMES[payloads[0].theme === "dark" ? "dark" : "light"];
  const pictures = await Promise.all(payloads.map((payload) => pictureOf(payload, theme)));
  const filled = look.width !== undefined;
  const options = { ...look, theme, titles, columns, filled };
  const panelIn = titles
    ? (/** @type {number} */ room) => panelsIn(pictures, room, options)
    : pictures[0];
  return drawFigure(panelIn, usual, { ...look, theme });
}

/**
 * @param {Payload} payload
 * @param {Theme} theme
 */
async function pictureOf(payload, theme) {
  const view = VIEWS[payload.view];
  const source = new Source(payload);
  const state = initialState(payload, view.start(payload));
  for (const [name, value] of Object.entries(payload.state)) {
    const shown = JSON.stringify(/** @type {any} */ (state)[name]);
    if (shown !== JSON.stringify(value)) {
      throw new RangeError(
        `${name}=${JSON.stringify(value)} cannot be shown: it would be ${shown}`,
      );
    }
  }
  await source.ensure(
    source.block(state.block),
    view.needs(source, state),
    view.reads ?? "weights",
  );
  return (/** @type {number} */ width) => view.figure(source, state, { theme, width });
}
